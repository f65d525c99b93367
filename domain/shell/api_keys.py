"""The operator's words for keys of the REST API."""

from argparse import Namespace
from collections.abc import Iterator

from domain import api_keys
from domain.models import ApiKey, now
from domain.settings import settings
from domain.shell.command import Command, Mistake, Shell, argument, clock, columns, moment, text


def create(shell: Shell, given: Namespace) -> Iterator[str]:
    if given.all == bool(given.scope):
        raise Mistake("Say what the key may: --scope, as often as there is something, or --all.")
    try:
        row, key = shell.do(
            api_keys.create, given.name, tuple(api_keys.SCOPES) if given.all else given.scope, given.until
        )
    except api_keys.NoKey as error:
        raise Mistake(str(error)) from None
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
            for row in shell.do(api_keys.everything)
        ),
    )


def revoke(shell: Shell, given: Namespace) -> Iterator[str]:
    try:
        row = shell.do(api_keys.revoke, given.prefix)
    except api_keys.NoKey as error:
        raise Mistake(str(error)) from None
    yield f"The key of {row.name} opens nothing any more."


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
