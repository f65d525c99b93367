"""What a refused person reads: the domain's sentence in his language, and when the next try counts."""

from datetime import UTC, datetime

import pytest

from domain import attempts, pins
from domain.attempts import Locked
from domain.sign_ins import Refused
from evapp.texts import refusals
from evapp.texts.refusals import refusal

NOON = datetime(2026, 11, 22, 6, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("until", "sentence"),
    [
        (datetime(2026, 11, 22, 13, 12, tzinfo=UTC), "Too many tries. Try again at 6:42 pm."),
        (datetime(2026, 11, 22, 13, 11, 1, tzinfo=UTC), "Too many tries. Try again at 6:42 pm."),
        (datetime(2026, 11, 22, 18, 29, 30, tzinfo=UTC), "Too many tries. Try again on 23 Nov 2026 at 12:00 am."),
        (datetime(2026, 11, 22, 6, 35, tzinfo=UTC), "Too many tries. Try again at 12:05 pm."),
        (attempts.NEVER, "Too many tries. Write to Help for a new PIN."),
    ],
)
def test_a_lock_says_until_when(until: datetime, sentence: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refusals, "now", lambda: NOON)
    assert refusal(Locked(until)) == sentence


def test_any_other_refusal_is_the_domains_sentence() -> None:
    assert refusal(Refused(attempts.MISMATCH)) == "That username or phone and PIN do not match."
    assert refusal(pins.TooBusy()) == "Many people are signing in just now. Try again in a minute."
