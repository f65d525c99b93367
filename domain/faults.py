"""What drivers report about a charger: kept as a finding for the operator."""

from datetime import timedelta

from sqlmodel import Session, col, select

from domain import chargers, findings
from domain.db import storable
from domain.models import Finding, User, now
from domain.sentences import Sentence

KIND = "driver-report"
AGAIN = timedelta(hours=1)
LONGEST = 300
"""Characters of a driver's own words."""

REASONS = {
    "no-start": Sentence("It does not start."),
    "plug": Sentence("The plug or the cable is damaged."),
    "screen": Sentence("The screen is dark or frozen."),
    "slow": Sentence("It charges slowly."),
    "blocked": Sentence("Another car stands in the way."),
    "danger": Sentence("It smells, smokes or sparks."),
    "other": Sentence("Something else."),
}
"""What a driver can say is wrong; the words are read by him and by the operator."""

REFUSALS = {
    "reason": Sentence("Choose what is wrong."),
    "again": Sentence("You reported this charger within the last hour. The operator has it."),
}


class Refused(Exception):
    """A report that was not kept; the text is a sentence for the driver."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(REFUSALS[code])


def report(db: Session, user_id: int, charger_id: str, reason: str, words: str = "") -> None:
    """Keep what a driver found, once an hour for each charger.

    Raises:
        ChargerUnknown: there is no such charger.
        Refused: there is no such reason, or the driver reported this charger within the hour.
    """
    chargers.info(db, charger_id)
    if reason not in REASONS:
        raise Refused("reason")
    db.exec(select(User.id).where(User.id == user_id).with_for_update(key_share=True))  # one report of his at a time
    moment, beginning = now(), f"{charger_id}:{user_id}:"
    recent = select(Finding.id).where(
        Finding.kind == KIND,
        col(Finding.ref).startswith(beginning, autoescape=True),
        col(Finding.created_at) > moment - AGAIN,
    )
    if db.exec(recent).first() is not None:
        raise Refused("again")
    said = storable(" ".join(words.split()), LONGEST)
    detail = f"{charger_id}: {REASONS[reason]}" + (f" {said}" if said else "")
    findings.note(db, KIND, f"{beginning}{moment:%Y-%m-%dT%H:%M}", detail)
