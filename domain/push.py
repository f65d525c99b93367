"""Telling a driver while evapp is closed: which of his browsers may be written to, and what each is told once."""

import base64
import re
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from sqlalchemy import Integer, String, literal
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, delete, select

from domain import sign_ins
from domain.models import Push, PushSubscription, SignIn, Utc, now
from domain.sentences import Sentence
from domain.settings import settings
from domain.urls import is_here, is_listed

ENDED, ADDED, FREED, LOW, IDLE = "ended", "added", "freed", "low", "idle"
KINDS = (ENDED, ADDED, FREED, LOW, IDLE)
"""A charge is over, a recharge has come, a charger is free, the money of a charge ends soon, a cable that stays in the
car is about to cost."""
MOST = 20
"""Browsers of one driver that are told, the latest: each is a row in the transaction that bills him."""
LONGEST = 1_000
"""Characters of an endpoint; those of today's push services have some two hundred."""
_HOST = r"(?!([^/]*\.)?xn--)[a-z0-9-]+(\.[a-z0-9-]+)*"
_ENDPOINT = re.compile(rf"(?P<scheme>https?)://(?P<host>{_HOST})(:(?P<port>[0-9]{{1,5}}))?/[!-\[\]-~]*", re.ASCII)
"""Nothing that two readers of addresses could understand in two ways: no name, no backslash, no escape in the host, and
none of another script, which fails only where it is called."""
_USUAL = (None, "443")
_P256DH = re.compile(r"[A-Za-z0-9_-]{87}=?")
_AUTH = re.compile(r"[A-Za-z0-9_-]{22}(==)?")
_INSERT: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


class Refused(Exception):
    """A browser cannot be told while evapp is closed; the argument is a sentence for its owner."""


def subscribe(db: Session, sign_in_id: int, user_id: int, endpoint: str, p256dh: str, auth: str) -> None:
    """Tell the browser of this sign-in from now on; whoever was told there before, or it by another address, is not.

    Raises:
        Refused: the sign-in ends when the browser is closed, what it names is no push service of ours, or these are no
            keys (RFC 8291, 2.1 and 3.2).
    """
    if not sign_ins.is_kept(db.get_one(SignIn, sign_in_id)):
        raise Refused(Sentence("You are signed in until this browser is closed, and are told until then."))
    if not is_endpoint(endpoint) or not _are_keys(p256dh, auth):
        raise Refused(
            Sentence("This browser gave no push service that evapp writes to. You are told while evapp is open.")
        )
    known = col(PushSubscription.endpoint) == endpoint
    db.exec(delete(PushSubscription).where(known, col(PushSubscription.sign_in_id) != sign_in_id))
    row = db.exec(select(PushSubscription).where(PushSubscription.sign_in_id == sign_in_id)).first()
    row = row or PushSubscription(sign_in_id=sign_in_id, user_id=user_id, endpoint="", p256dh="", auth="")
    row.endpoint, row.p256dh, row.auth = endpoint, p256dh, auth
    db.add(row)
    db.flush()
    theirs = col(PushSubscription.user_id) == user_id
    latest = select(PushSubscription.id).where(theirs).order_by(col(PushSubscription.sign_in_id).desc()).limit(MOST)
    db.exec(delete(PushSubscription).where(theirs, col(PushSubscription.id).not_in(latest)))


def unsubscribe(db: Session, sign_in_id: int) -> None:
    """Tell the browser of this sign-in nothing more."""
    db.exec(delete(PushSubscription).where(col(PushSubscription.sign_in_id) == sign_in_id))


def tell(db: Session, user_id: int | None, kind: str, ref: str) -> None:
    """Let every browser of this driver be told of it once, when this transaction is committed; nobody, of nobody.

    Money moves in the same transaction, so it waits for nothing: a browser that is being signed out is left out.
    """
    if user_id is None or not settings().push_hosts:
        return
    at = now()
    row: dict[str, Any] = {
        "subscription_id": col(PushSubscription.id),
        "kind": literal(kind, String),
        "ref": literal(ref, String),
        "made_at": literal(at, Utc),
        "due_at": literal(at, Utc),
        "tries": literal(0, Integer),
    }
    theirs = select(*row.values()).where(col(PushSubscription.user_id) == user_id)
    theirs = theirs.with_for_update(read=True, key_share=True, skip_locked=True)
    insert = _INSERT[db.get_bind().dialect.name]
    db.execute(insert(Push).from_select(list(row), theirs).on_conflict_do_nothing())


def take_back(db: Session, user_id: int | None, kind: str, ref: str) -> None:
    """It was not so, or is over: who was not told yet is not, and if it comes again, it is told again."""
    if user_id is not None:
        theirs = select(PushSubscription.id).where(PushSubscription.user_id == user_id)
        its = col(Push.kind) == kind, col(Push.ref) == ref
        db.exec(delete(Push).where(col(Push.subscription_id).in_(theirs), *its))


def is_endpoint(endpoint: str) -> bool:
    """Whether it is an address of a push service on our list. It comes from a browser, and we call it: it leads nowhere
    else. While developing, a service on this machine that is on the list may do without https."""
    parts = _ENDPOINT.fullmatch(endpoint) if len(endpoint) <= LONGEST else None
    if parts is None or not is_listed(parts["host"], settings().push_hosts):
        return False
    here = not settings().production and is_here(parts["host"])
    return here or (parts["scheme"] == "https" and parts["port"] in _USUAL)


def decoded(text: str) -> bytes:
    """The bytes of base64url, with or without its padding."""
    return base64.urlsafe_b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4))


def _are_keys(p256dh: str, auth: str) -> bool:
    if not (_P256DH.fullmatch(p256dh) and _AUTH.fullmatch(auth)):
        return False
    try:
        EllipticCurvePublicKey.from_encoded_point(SECP256R1(), decoded(p256dh))
    except ValueError:
        return False
    return True
