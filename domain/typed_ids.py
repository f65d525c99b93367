"""The ID of a charger as people type it from its sticker: read as it was meant, or answered with what is close."""

import difflib
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from sqlmodel import Session, col, or_, select

from domain.models import Charger

ALIKE = 0.6
"""How much of two IDs must be the same for one to be suggested for the other (difflib)."""
CLOSEST = 3
"""So many are suggested."""
COMPARED = 500
"""IDs that are compared to the last letter, a few hundredths of a second for all of them."""
AT_A_PLACE = 10
"""So many chargers of a place are shown."""
PLACE = (3, 60)
"""Letters of a place that are worth looking for: fewer stand in every other one."""
_ZEROS = re.compile(r"(?<![0-9])0+(?=[0-9])")


@dataclass(frozen=True, slots=True)
class Found:
    """Where a typed ID leads: a charger, or the known IDs closest to it; of a place, what stands there."""

    charger_id: str | None
    suggestions: tuple[str, ...] = ()
    at_place: tuple[str, ...] = ()


def find_key(typed: str) -> str:
    """An ID without what people get wrong: case, spaces, dashes, full-width letters."""
    return "".join(c for c in unicodedata.normalize("NFKC", typed).upper() if c.isalnum())[:48]


def exact(db: Session, typed: str) -> str | None:
    """The charger of this ID, or of one that differs only in what people get wrong; two rows at most are read."""
    spelt = db.get(Charger, typed.strip()) if typed.strip().isprintable() else None
    if spelt is not None and spelt.retired_at is None:
        return spelt.id
    same = select(Charger.id).where(Charger.find_key == find_key(typed), col(Charger.retired_at).is_(None))
    return db.exec(same.order_by(Charger.id)).first() if find_key(typed) else None


def find(db: Session, typed: str) -> Found:
    """The charger somebody means by what he typed, up to three he may have meant, or those of the place he typed.

    It is compared with every ID there is: ask it for people who are signed in, and `exact` for others.
    """
    if charger_id := exact(db, typed):
        return Found(charger_id)
    key = find_key(typed)
    in_service = select(Charger.find_key, Charger.id).where(col(Charger.retired_at).is_(None)).order_by(Charger.id)
    known: dict[str, str] = dict(iter(db.exec(in_service))) if key else {}
    if closest := tuple(known[k] for k in _closest(key, known)):
        return Found(None, closest)
    return Found(None, at_place=_at_place(db, typed.strip()))


def _at_place(db: Session, typed: str) -> tuple[str, ...]:
    if not (PLACE[0] <= len(typed) <= PLACE[1] and typed.isprintable()):
        return ()
    named = or_(*(col(column).icontains(typed, autoescape=True) for column in (Charger.place, Charger.name)))
    return tuple(
        db.exec(
            select(Charger.id).where(col(Charger.retired_at).is_(None), named).order_by(Charger.id).limit(AT_A_PLACE)
        )
    )


def _closest(key: str, known: Iterable[str]) -> list[str]:
    """Up to three keys that are like this one; where two are alike, the one of the same letters and digits is first:
    people swap them, and leave zeros out."""
    plain = _ZEROS.sub("", key)
    matcher = difflib.SequenceMatcher(b=plain)
    ranks: list[tuple[float, bool, str]] = []
    for most, candidate in _hopeful(matcher, known):
        if len(ranks) == CLOSEST and most < -ranks[-1][0]:
            break  # nor is any after it as close as the last of the three
        one = _ZEROS.sub("", candidate)
        matcher.set_seq1(one)
        if (alike := matcher.ratio()) >= ALIKE:
            ranks = sorted([*ranks, (-alike, sorted(one) != sorted(plain), candidate)])[:CLOSEST]
    return [candidate for _, _, candidate in ranks]


def _hopeful(matcher: "difflib.SequenceMatcher[str]", known: Iterable[str]) -> list[tuple[float, str]]:
    """Those that may be alike, and how much at most, which is found much faster than how much; the most hopeful first,
    and no more of them than one may be kept waiting for."""
    hopeful = []
    for candidate in known:
        matcher.set_seq1(_ZEROS.sub("", candidate))
        if matcher.real_quick_ratio() >= ALIKE and (most := matcher.quick_ratio()) >= ALIKE:
            hopeful.append((most, candidate))
    return sorted(hopeful, reverse=True)[:COMPARED]
