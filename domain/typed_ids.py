"""The ID of a charger as people type it from its sticker: read as it was meant, or answered with what is close."""

import difflib
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from sqlmodel import Session, col, select

from domain.models import Charger

ALIKE = 0.6
"""How much of two IDs must be the same for one to be suggested for the other (difflib)."""
_ZEROS = re.compile(r"(?<![0-9])0+(?=[0-9])")


@dataclass(frozen=True, slots=True)
class Found:
    """Where a typed ID leads: a charger, or the known IDs closest to it."""

    charger_id: str | None
    suggestions: tuple[str, ...] = ()


def find_key(typed: str) -> str:
    """An ID without what people get wrong: case, spaces, dashes, full-width letters."""
    return "".join(c for c in unicodedata.normalize("NFKC", typed).upper() if c.isalnum())[:48]


def find(db: Session, typed: str) -> Found:
    """The charger somebody means by what he typed, or up to three he may have meant."""
    exact = db.get(Charger, typed.strip()) if typed.strip().isprintable() else None
    if exact is not None and exact.retired_at is None:
        return Found(exact.id)
    key = find_key(typed)
    in_service = select(Charger.find_key, Charger.id).where(col(Charger.retired_at).is_(None)).order_by(Charger.id)
    if key and (same := db.exec(in_service.where(Charger.find_key == key)).first()):
        return Found(same[1])
    known: dict[str, str] = dict(iter(db.exec(in_service))) if key else {}
    return Found(None, tuple(known[k] for k in _closest(key, known)))


def _closest(key: str, known: Iterable[str]) -> list[str]:
    """Up to three keys that are like this one; where two are alike, the one of the same letters and digits is first:
    people swap them, and leave zeros out."""
    plain = _ZEROS.sub("", key)
    matcher = difflib.SequenceMatcher(b=plain)
    ranks = []
    for candidate in known:
        one = _ZEROS.sub("", candidate)
        matcher.set_seq1(one)
        if matcher.real_quick_ratio() >= ALIKE and (alike := matcher.ratio()) >= ALIKE:
            ranks.append((-alike, sorted(one) != sorted(plain), candidate))
    return [candidate for _, _, candidate in sorted(ranks)[:3]]
