"""Cards (RFID): which ones the operator knows, whose they are, and what a charger is told of one (OCPP 1.6, 3.9)."""

from datetime import datetime

from sqlmodel import Session, col, or_, select, update

from domain.models import Token, TokenStatus, User

LONGEST = 20
"""Characters of an idTag (CiString20Type); what a charger adds behind them is not the card's (ocpp.md Q25)."""


class TokenUnknown(Exception):
    """No card has this number."""


class TagInvalid(ValueError):
    """No card can have this number; the argument is a sentence for whoever typed it."""


def spelling(tag: str) -> str:
    """The one spelling of a card's number: OCPP compares them in any case."""
    return tag.strip().upper()[:LONGEST]


def add(
    db: Session,
    tag: str,
    *,
    user_id: int | None = None,
    parent: str = "",
    expires_at: datetime | None = None,
    concurrent: bool = False,
) -> Token:
    """Make a card known, or describe a known one anew; whether it is blocked stays as it was.

    Raises:
        TagInvalid: the number is empty, too long, or has characters no card has.
    """
    for number in (tag, parent or tag):
        if not (number.strip().isprintable() and 0 < len(number.strip()) <= LONGEST):
            raise TagInvalid(f"A card's number has 1 to {LONGEST} characters: {number!r} has not.")
    token = find(db, tag) or Token(tag=spelling(tag))
    token.user_id, token.parent, token.expires_at = user_id, spelling(parent), expires_at
    token.concurrent = concurrent
    db.add(token)
    db.flush()
    return token


def set_status(db: Session, tag: str, status: TokenStatus) -> None:
    """Block a card, or let it charge again.

    Raises:
        TokenUnknown: no card has this number.
    """
    get(db, tag).status = status


def lost(db: Session, user_id: int, tag: str) -> bool:
    """Its driver has lost this card: from now on it begins nothing, until an operator lets it; whether that is new.

    A card that is not his, or is another's by now, stays as it is.
    """
    his = col(Token.tag) == spelling(tag), col(Token.user_id) == user_id
    good = col(Token.status) == TokenStatus.ACCEPTED
    return bool(db.exec(update(Token).where(*his, good).values(status=TokenStatus.BLOCKED)).rowcount)


def link(db: Session, tag: str, user_id: int | None) -> None:
    """From now on this card's charges are this user's, or nobody's; those that run stay as they are.

    Raises:
        TokenUnknown: no card has this number.
    """
    get(db, tag).user_id = user_id


def get(db: Session, tag: str) -> Token:
    """The card of this number.

    Raises:
        TokenUnknown: there is none.
    """
    token = find(db, tag)
    if token is None:
        raise TokenUnknown(tag)
    return token


def find(db: Session, tag: str) -> Token | None:
    """The card of this number, in whatever case it is told."""
    return db.get(Token, spelling(tag))


def everything(db: Session) -> list[Token]:
    """Every card, by number."""
    return list(db.exec(select(Token).order_by(Token.tag)))


def of_user(db: Session, user_id: int) -> list[Token]:
    """The cards whose charges this user pays, by number."""
    return list(db.exec(select(Token).where(Token.user_id == user_id).order_by(Token.tag)))


def status(db: Session, token: Token, at: datetime) -> str:
    """What idTagInfo says of it: Accepted, Blocked or Expired. Money and other charges are not asked here."""
    if token.status != TokenStatus.ACCEPTED:
        return str(token.status)
    if token.expires_at is not None and token.expires_at <= at:
        return TokenStatus.EXPIRED.value
    if token.user_id is not None and db.get_one(User, token.user_id).blocked_at is not None:
        return TokenStatus.BLOCKED.value
    return TokenStatus.ACCEPTED.value


def told(db: Session, tag: str, at: datetime) -> tuple[Token, str] | None:
    """A known card with its status, for an answer's idTagInfo; None for any other tag."""
    token = find(db, tag)
    return None if token is None else (token, status(db, token, at))


def group(db: Session, tag: str) -> set[str]:
    """The numbers of the cards that may end what this one began, its own among them (OCPP 1.6, 3.10)."""
    token = find(db, tag)
    if token is None or not token.parent:
        return {spelling(tag)}
    of_group = or_(Token.parent == token.parent, Token.tag == token.parent)
    return {token.tag, *db.exec(select(col(Token.tag)).where(of_group))}
