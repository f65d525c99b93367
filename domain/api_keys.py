"""Keys of the operators' REST API: made at the shell, shown once, kept as a hash, each with what it may."""

import hashlib
import hmac
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from domain.models import ApiKey, now

SCOPES = {
    "chargers:read": "chargers, their connectors and health, prices, reservations and local lists",
    "chargers:write": "add, describe and retire chargers, set their keys, trace them",
    "chargers:call": "have a charger do anything that OCPP 1.6 knows",
    "sessions:read": "charging sessions and their meter samples",
    "sessions:write": "stop charging sessions",
    "tokens:read": "cards (RFID)",
    "tokens:write": "add, describe, block and unblock cards",
    "tariffs:read": "prices",
    "tariffs:write": "put prices into force, take them back, end a charger's or a group's own",
    "users:read": "users, with phone, e-mail and wallet",
    "users:write": "block and unblock users",
    "money:read": "movements of money, receipts and notes, recharges and refunds",
    "money:write": "adjust wallets, refund, give back, book and give money in suspense",
    "findings:read": "what somebody must look at: orphans, reconciliation, reviews",
    "findings:write": "resolve findings",
    "journal:read": "messages between chargers and us, and what chargers report of their own security",
    "trail:read": "what operators did",
}
"""What a key may, and what that is."""

BEGINNING = "evk_"
RECOGNISED = 8
"""Characters by which people recognise a key; it has 43 more, which are 256 random bits."""
FRESH = timedelta(minutes=1)
"""A use is noted once in so long."""


class NoKey(ValueError):
    """The argument is a sentence for the operator: why a key cannot be made or is not there."""


def create(
    db: Session, name: str, scopes: Collection[str], expires_at: datetime | None = None, at: datetime | None = None
) -> tuple[ApiKey, str]:
    """Make a key; gives its row and the key itself, which nobody can read again.

    Raises:
        NoKey: it has no name, may nothing, may what nobody knows, or would be over before it began.
    """
    at = at or now()
    if unknown := sorted({*scopes} - SCOPES.keys()):
        raise NoKey(f"Nothing is called {', '.join(unknown)}. There are: {', '.join(SCOPES)}.")
    if not scopes or not name.strip():
        raise NoKey("A key needs a name, and at least one scope.")
    if expires_at is not None and expires_at <= at:
        raise NoKey("A key ends later than now.")
    prefix = BEGINNING + secrets.token_hex(RECOGNISED // 2)
    key = f"{prefix}_{secrets.token_urlsafe(32)}"
    row = ApiKey(
        name=name.strip()[:80],
        prefix=prefix,
        digest=_digest(key),
        scopes=" ".join(scope for scope in SCOPES if scope in scopes),
        created_at=at,
        expires_at=expires_at,
    )
    db.add(row)
    db.flush()
    return row, key


def who(db: Session, presented: str, at: datetime) -> ApiKey | None:
    """The row of a key that is good at this moment.

    It is sought by its hash, so that how long that takes says nothing about any other key.
    """
    digest = _digest(presented)
    row = db.exec(select(ApiKey).where(ApiKey.digest == digest)).first()
    if row is None or not hmac.compare_digest(row.digest, digest):
        return None
    over = row.revoked_at is not None or (row.expires_at is not None and row.expires_at <= at)
    return None if over else row


def scopes(key: ApiKey) -> frozenset[str]:
    """What a key may."""
    return frozenset(key.scopes.split())


def used(db: Session, key_id: int, at: datetime) -> None:
    """It was shown at this moment."""
    row = db.get_one(ApiKey, key_id)
    row.used_at = max(row.used_at or at, at)


def revoke(db: Session, prefix: str, at: datetime | None = None) -> ApiKey:
    """End a key, now and for ever; one that has ended stays as it was.

    Raises:
        NoKey: none begins like this.
    """
    row = db.exec(select(ApiKey).where(ApiKey.prefix == prefix)).first()
    if row is None:
        raise NoKey(f"No key begins with {prefix!r}. `apikey list` shows them.")
    row.revoked_at = row.revoked_at or at or now()
    return row


def everything(db: Session) -> list[ApiKey]:
    """Every key there was and is, oldest first."""
    return list(db.exec(select(ApiKey).order_by(col(ApiKey.id))))


def _digest(key: str) -> str:
    """Plain and fast: nobody guesses 256 bits, and every call asks for it."""
    return hashlib.sha256(key.encode(errors="replace")).hexdigest()
