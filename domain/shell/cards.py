"""The operator's words for cards (RFID)."""

from argparse import Namespace
from collections.abc import Iterator
from datetime import datetime

from sqlmodel import Session

from domain import tokens
from domain.models import Token, TokenStatus, User, now
from domain.shell.command import Command, Shell, argument, clock, columns, moment, text
from domain.shell.people import meant


def add(shell: Shell, given: Namespace) -> Iterator[str]:
    user = shell.read(meant, given.user) if given.user else None
    token = shell.act(
        _subject(given.number),
        {"user": user.username if user else "", "group": given.group},
        tokens.add,
        given.number,
        user_id=user.id if user else None,
        parent=given.group,
        expires_at=given.until,
        concurrent=given.concurrent,
    )
    pays = f"{user.username} pays" if user else "nobody pays"
    yield shell.read(_cannot, given.number, now()) or f"{token.tag} may charge, and {pays}."


def list_(shell: Shell, given: Namespace) -> Iterator[str]:
    yield from columns(
        ("NUMBER", "STATUS", "USER", "GROUP", "UNTIL", "AT ONCE"),
        (
            (token.tag, status, name, token.parent, clock(token.expires_at), "many" if token.concurrent else "one")
            for token, status, name in shell.read(_all, now())
        ),
    )


def block(shell: Shell, given: Namespace) -> Iterator[str]:
    shell.act(_subject(given.number), "", tokens.set_status, given.number, TokenStatus.BLOCKED)
    yield f"{tokens.spelling(given.number)} is blocked. A charge that runs goes on."


def unblock(shell: Shell, given: Namespace) -> Iterator[str]:
    shell.act(_subject(given.number), "", tokens.set_status, given.number, TokenStatus.ACCEPTED)
    yield shell.read(_cannot, given.number, now()) or f"{tokens.spelling(given.number)} may charge again."


def link(shell: Shell, given: Namespace) -> Iterator[str]:
    user = shell.read(meant, given.user) if given.user else None
    shell.act(
        _subject(given.number), user.username if user else "", tokens.link, given.number, user.id if user else None
    )
    pays = f"{user.username} pays" if user else "nobody pays"
    yield f"From now on {pays} for what {tokens.spelling(given.number)} charges."


def _cannot(db: Session, number: str, at: datetime) -> str:
    """Why a card may not charge; nothing where it may."""
    token = tokens.get(db, number)
    if tokens.status(db, token, at) == TokenStatus.ACCEPTED:
        return ""
    if token.status != TokenStatus.ACCEPTED:
        why = "it is blocked, and `token unblock` would let it"
    elif tokens.status(db, token, at) == TokenStatus.EXPIRED:
        why = f"it expired on {clock(token.expires_at)}, Indian time"
    else:
        why = f"{_name(db, token)}, who would pay, is blocked"
    return f"{token.tag} may not charge: {why}."


def _subject(number: str) -> str:
    return f"card:{tokens.spelling(number)}"


def _all(db: Session, at: datetime) -> list[tuple[Token, str, str]]:
    return [(token, tokens.status(db, token, at), _name(db, token)) for token in tokens.everything(db)]


def _name(db: Session, token: Token) -> str:
    return "-" if token.user_id is None else db.get_one(User, token.user_id).username


NUMBER = argument("number", "the card's number, the OCPP idTag", type=text(tokens.LONGEST))
USER = "who pays: number, username or phone; left out: nobody"

COMMANDS = (
    Command(
        "token add",
        "make a card known, or describe a known one anew",
        add,
        (
            NUMBER,
            argument("--user", USER, type=text(60, 1)),
            argument("--group", "cards of one group may end each other's charges", type=text(20), default=""),
            argument("--until", "the day or time it expires, Indian time", type=moment),
            argument("--concurrent", "it may run several charges at once", action="store_true"),
        ),
    ),
    Command("token list", "every card, what it may and who pays", list_),
    Command("token block", "let a card charge no more", block, (NUMBER,)),
    Command("token unblock", "let a blocked card charge again", unblock, (NUMBER,)),
    Command(
        "token link",
        "whose charges a card's are from now on",
        link,
        (NUMBER, argument("user", USER, nargs="?", type=text(60, 1))),
    ),
)
