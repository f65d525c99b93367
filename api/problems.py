"""What an answer says when it is none: one sentence and a name for programs, as RFC 9457 has it."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy.exc import NoResultFound
from starlette.responses import Response

from domain import (
    accounts,
    api_writes,
    chargers,
    findings,
    goodwill,
    recharges,
    refunds,
    sessions,
    suspense,
    tariffs,
    tokens,
    wallet,
)
from domain.bus import CallRefused, ChargerOffline, ChargerSilent, ChargerUnreachable, told
from domain.models import now

MEDIA = "application/problem+json"
TITLES = {
    400: "The request cannot be read",
    401: "No good key",
    403: "Not allowed",
    404: "Not there",
    405: "Not this method",
    408: "Too slow",
    409: "It cannot be done now",
    413: "Too large",
    415: "Not JSON",
    422: "The request is not right",
    429: "Too many requests",
    500: "Our mistake",
    502: "No word from the payment gateway",
    503: "No way to the charger",
    504: "No answer from the charger",
}
"""What each status means here."""


@dataclass
class Problem(Exception):
    """A request that was not done, and why."""

    status: int
    name: str
    """For programs: it stays, whatever becomes of the sentence."""
    detail: str
    """For people: what happened, what it cost, what next."""
    errors: list[dict[str, str]] = field(default_factory=list)
    """Where the request is not right: `where` and `what`."""
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def body(self) -> str:
        """As the document of the API has it."""
        told: dict[str, Any] = {
            "type": f"urn:evapp:problem:{self.name}",
            "title": TITLES[self.status],
            "status": self.status,
            "detail": self.detail,
        }
        return msgspec.json.encode(told | ({"errors": self.errors} if self.errors else {})).decode()

    def answer(self) -> Response:
        """The answer that says it."""
        return Response(self.body, self.status, dict(self.headers), MEDIA)


class Shut(Problem):
    """An address has brought too many wrong keys; it is answered no more until a moment."""

    def __init__(self, until: datetime) -> None:
        wait_s = max(1, math.ceil((until - now()).total_seconds()))
        super().__init__(
            429,
            "too-many-keys",
            "Too many wrong keys came from this address. Wait, and bring the right one.",
            headers={"retry-after": str(wait_s)},
        )


Says = Callable[[Exception], str]


def _itself(error: Exception) -> str:
    return str(error)


def _words(sentence: str) -> Says:
    return lambda error: sentence.format(*(error.args or ("",)))


def _of_a_call(error: Exception) -> str:
    return told(error, str(error))


REFUSALS: tuple[tuple[type[Exception], int, str, Says], ...] = (
    (chargers.ChargerUnknown, 404, "charger-unknown", _words("There is no charger {0}.")),
    (chargers.NotACharger, 422, "not-a-charger", _itself),
    (chargers.ChargerInUse, 409, "charger-in-use", _itself),
    (sessions.SessionUnknown, 404, "session-unknown", _words("There is no session {0}.")),
    (tokens.TokenUnknown, 404, "token-unknown", _words("There is no card {0}.")),
    (NoResultFound, 404, "not-there", _words("Nothing has this number.")),
    (tokens.TagInvalid, 409, "card-refused", _itself),
    (findings.Changed, 409, "finding-changed", _itself),
    (tariffs.NotAPrice, 409, "price-refused", _itself),
    (goodwill.NotGivenBack, 409, "not-given-back", _itself),
    (refunds.RefundRefused, 409, "refund-refused", _itself),
    (suspense.NotSetAside, 409, "nothing-in-suspense", _itself),
    (wallet.NotAdjusted, 409, "not-adjusted", _itself),
    (
        wallet.LedgerConflict,
        409,
        "moved-before",
        _words("Under this name other money was moved before. Nothing was moved now."),
    ),
    (accounts.AccountDeleted, 409, "account-deleted", _words("This account was deleted; it cannot be opened again.")),
    (recharges.OrderUnknown, 409, "order-unknown", _words("PhonePe does not know this payment. Nothing was booked.")),
    (
        recharges.GatewayUnavailable,
        502,
        "gateway-silent",
        _words("PhonePe did not say what was paid. Nothing was booked; ask again later."),
    ),
    (
        recharges.GatewayRefused,
        502,
        "gateway-refused",
        _words("PhonePe refused to say what was paid. Nothing was booked."),
    ),
    (
        ChargerOffline,
        409,
        "charger-offline",
        _words("{0} is not connected. It was not asked; the same request may be sent again."),
    ),
    (ChargerSilent, 504, "charger-silent", _of_a_call),
    (ChargerUnreachable, 503, "charger-unreachable", _of_a_call),
    (CallRefused, 422, "call-refused", _words("The charger was not asked, or refused: {0}")),
    (
        api_writes.AnotherWrite,
        422,
        "another-write",
        _words("The Idempotency-Key {0} was used for another request. Choose a new one."),
    ),
    (
        api_writes.UnderWay,
        409,
        "under-way",
        _words(
            "The request {0} was begun and has no answer yet. Ask again in a minute; if it still has none, the server "
            "went down meanwhile, and only the charger's messages say what became of it."
        ),
    ),
)
"""What the domain refuses with, and how it is told; the first that fits."""


def of(error: Exception) -> Problem | None:
    """What is told about an exception; None for one that nobody foresaw."""
    if isinstance(error, Problem):
        return error
    for kind, status, name, says in REFUSALS:
        if isinstance(error, kind):
            return Problem(status, name, f"{says(error).rstrip('.')}.")
    return None
