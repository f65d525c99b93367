"""Parts of a listing: where one ended is a cursor, opaque to callers, from which the next goes on."""

import base64
import binascii
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
from sqlalchemy import BigInteger
from sqlmodel import Session, SQLModel

from api.problems import Problem
from api.shapes import Leafing, Part
from domain import listings
from domain.listings import Listing

T = TypeVar("T", bound=SQLModel)


def part(db: Session, listing: Listing[T], asked: Leafing, tell: Callable[[T], Any], **wanted: object) -> Part[Any]:
    """A part of a listing, each row as `tell` says it; the filters are those of `asked`, and `wanted`."""
    filters = asked.model_dump(exclude={"cursor", "limit"}) | wanted
    after = opened(asked.cursor, listing.key)
    rows = listings.part(db, listing, after=after, limit=asked.limit + 1, **filters)
    more = len(rows) > asked.limit
    shown = rows[: asked.limit]
    return Part(items=[tell(row) for row in shown], next=sealed(getattr(shown[-1], listing.key.key)) if more else None)


def sealed(key: int | str) -> str:
    """The cursor behind the row of this key."""
    return base64.urlsafe_b64encode(msgspec.json.encode(key)).rstrip(b"=").decode()


def opened(cursor: str | None, column: Any) -> Any:
    """The key that a cursor holds, of this column: a database refuses to compare what the column cannot hold.

    Raises:
        Problem: it is none of ours.
    """
    if cursor is None:
        return None
    wanted = column.type.python_type
    try:
        key = msgspec.json.decode(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)), type=wanted)
        if isinstance(key, int) and not 0 <= key < _end(column):
            raise ValueError(key)
        if isinstance(key, str) and not key.isprintable():
            raise ValueError(key)
    except (binascii.Error, ValueError, msgspec.DecodeError):
        where = [{"where": "query.cursor", "what": "This is no cursor of this listing."}]
        raise Problem(422, "cursor-unknown", "This cursor is not one that this listing gave.", where) from None
    return key


def _end(column: Any) -> int:
    """One more than the column holds."""
    return 2**63 if isinstance(column.type, BigInteger) else 2**31
