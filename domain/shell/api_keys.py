"""The operator's words for keys of the REST API."""

from argparse import Namespace
from collections.abc import Collection, Iterator
from datetime import datetime

from sqlmodel import Session

from domain import api_keys, trail
from domain.models import ApiKey, now
from domain.settings import settings
from domain.shell.command import Command, Mistake, Shell, argument, clock, columns, moment, text


def create(shell: Shell, given: Namespace) -> Iterator[str]:
    if given.all == bool(given.scope):
        raise Mistake("Say what the key may: --scope, as often as there is something, or --all.")
    row, key = shell.do(_made, given.name, tuple(api_keys.SCOPES) if given.all else given.scope, given.until)
    yield f"The key of {row.name} is {key}"
    yield "It is shown only now."
    yield f"curl -H 'Authorization: Bearer <key>' {settings().url}/api/v1/chargers"


def list_(shell: Shell, given: Namespace) -> Iterator[str]:
    yield from columns(
        ("BEGINS WITH", "NAME", "STATE", "MADE", "UNTIL", "LAST USED", "MAY"),
        (
            (
                row.prefix,
                row.name,
                _state(row),
                clock(row.created_at),
                clock(row.expires_at),
                clock(row.used_at),
                row.scopes,
            )
            for row in shell.read(api_keys.everything)
        ),
    )


def revoke(shell: Shell, given: Namespace) -> Iterator[str]:
    row = shell.do(_revoked, given.prefix)
    yield f"The key of {row.name} opens nothing any more."


def _made(db: Session, name: str, scopes: Collection[str], until: datetime | None) -> tuple[ApiKey, str]:
    row, key = api_keys.create(db, name, scopes, until)
    trail.note(db, trail.shell(), "apikey create", f"apikey:{row.prefix}", {"name": row.name, "scopes": row.scopes})
    return row, key


def _revoked(db: Session, prefix: str) -> ApiKey:
    row = api_keys.revoke(db, prefix)
    trail.note(db, trail.shell(), "apikey revoke", f"apikey:{row.prefix}", {"name": row.name})
    return row


def _state(row: ApiKey) -> str:
    if row.revoked_at:
        return "revoked"
    return "over" if row.expires_at and row.expires_at <= now() else "good"


COMMANDS = (
    Command(
        "apikey create",
        "make a key of the REST API, shown once",
        create,
        (
            argument("name", "whose it is, or what for", type=text(80)),
            argument("--scope", "what it may, as often as there is something", action="append", default=[]),
            argument("--all", "it may everything", action="store_true"),
            argument("--until", "the day or time it ends, Indian time", type=moment),
        ),
    ),
    Command("apikey list", "every key, what it may, and when it was last used", list_),
    Command(
        "apikey revoke",
        "end a key, now and for ever",
        revoke,
        (argument("prefix", "what it begins with, evk_…", type=text(20)),),
    ),
)
