"""Why somebody is not let through, in the reader's language."""

from datetime import timedelta

from domain import attempts
from domain.attempts import Locked
from domain.india import INDIA
from domain.models import now
from evapp.components.money import clock, day
from evapp.texts import t


def refusal(error: Exception) -> str:
    """The sentence of an error of the domain, whose argument is one; a lock says when the next try counts."""
    if not isinstance(error, Locked):
        return t(error.args[0])
    if error.until >= attempts.NEVER:
        return t("Too many tries. Write to Help for a new PIN.")
    until = error.until + timedelta(seconds=59)  # the minute rounded up
    if until.astimezone(INDIA).date() == now().astimezone(INDIA).date():
        return t("Too many tries. Try again at {time}.", time=clock(until))
    return t("Too many tries. Try again on {day} at {time}.", day=day(until), time=clock(until))
