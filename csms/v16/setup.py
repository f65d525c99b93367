"""What a charger is asked to be like after it booted, and to tell when it came back (ocpp.md 3, Q10, Q11, Q40)."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import structlog

from csms.central import HEARTBEAT_S
from csms.connection import Connection
from domain import sessions, set_ups
from domain.bus import CallRefused
from domain.db import read, transact
from domain.models import now
from domain.set_ups import Try

log = structlog.get_logger()

ENERGY, POWER = "Energy.Active.Import.Register", "Power.Active.Import"
DONE = ("Accepted", "RebootRequired")
LONGEST = 500
"""Characters of a value (OCPP 1.6, CiString500Type); of one that is longer, the rest is neither read nor kept."""
AS_DIGITS = {"0": "false", "1": "true"}
"""How go-e tells of a switch."""
READ_ONLY = ("true", "1")
"""Some say so in a text or as a number."""

Told = dict[str, dict[str, Any] | None]
"""What a charger said of its configuration, by key in lower case; None: it does not know that one."""


@dataclass(frozen=True, slots=True)
class Wish:
    """One configuration key: which values are fine, and what to set otherwise, the next one where one is rejected."""

    key: str
    fits: Callable[[str], bool]
    values: tuple[str, ...]


def _exactly(value: str) -> tuple[Callable[[str], bool], tuple[str, ...]]:
    return lambda given: AS_DIGITS.get(given.strip(), given.strip().lower()) == value, (value,)


def _between(least: int, most: int, value: int) -> tuple[Callable[[str], bool], tuple[str, ...]]:
    return lambda given: given.strip().isdecimal() and least <= int(given) <= most, (str(value),)


def _names(value: str) -> set[str]:
    return {name.strip() for name in value.split(",")}


def _measures_enough(given: str) -> bool:
    return {ENERGY, POWER} <= _names(given)


WISHES = (
    Wish("AuthorizeRemoteTxRequests", *_exactly("false")),
    Wish("MeterValueSampleInterval", *_between(1, 30, 15)),
    Wish(
        "MeterValuesSampledData",
        _measures_enough,
        (f"{ENERGY},{POWER},Current.Import,Voltage,SoC", f"{ENERGY},{POWER}", ENERGY),
    ),
    Wish("StopTransactionOnInvalidId", *_exactly("true")),
    Wish("StopTransactionOnEVSideDisconnect", *_exactly("true")),
    Wish("ConnectionTimeOut", *_between(60, 90, 90)),
    Wish("HeartbeatInterval", *_between(30, HEARTBEAT_S, HEARTBEAT_S)),
    Wish("WebSocketPingInterval", *_between(10, 60, 60)),
    Wish("TransactionMessageAttempts", *_between(3, 1000, 5)),
    Wish("TransactionMessageRetryInterval", *_between(10, 60, 30)),
    Wish("LocalAuthorizeOffline", *_exactly("false")),
    Wish("AllowOfflineTxForUnknownId", *_exactly("false")),
    Wish("ClockAlignedDataInterval", lambda given: given.strip() in ("0", "900"), ("0",)),
    Wish("StopTxnSampledData", *_exactly("")),
    Wish("StopTxnAlignedData", *_exactly("")),
)
"""Prepaid charging on public ground: nothing starts without us, and the meter is heard at least twice a minute.

One unsupported measurand rejects a whole list (OCPP 1.6, 3.16.4), so the lists grow shorter. As soon as the next list
names nothing that the charger does not have already, no more is written: it would be written again after every boot.

A stop is to carry no samples: they came before, and a night's make it too large to be taken (docs/adr/0006). A charger
that refuses the empty list keeps its own.
"""


async def after_boot(charger: Connection) -> None:
    """Set it up, unless a car charges there: some chargers reboot when they are written to."""
    if not await _charges_there(charger):
        await _set_up(charger)


async def resync(charger: Connection) -> None:
    """A charger that came back without a boot says what its connectors do; never asked to boot (ocpp.md Q10)."""
    charger.calls.owed_since, agreed = time.monotonic(), False
    try:
        answer = await _asked(charger, "TriggerMessage", {"requestedMessage": "StatusNotification"})
        agreed = answer is not None and answer.get("status") == "Accepted"
    finally:  # one that does not answer owes nothing either
        if not agreed:
            charger.calls.owed_since = None
    await make_up(charger)


async def make_up(charger: Connection) -> None:
    """The set-up of its last boot, where the line or we were gone before it was done.

    Not while a car charges there, and no more often than boots are followed by one (ocpp.md Q10).
    """
    if charger.postponed:
        await charger.learn()
    if not charger.set_up_due:
        charger.postponed = False
    elif not await _charges_there(charger) and charger.central.calmly(charger.charger_id, now()):
        await _set_up(charger)


def look_again(charger: Connection) -> None:
    """The charge that a set-up waits for may be over, with a stop or without."""
    if charger.postponed:
        charger.prepare(make_up)


async def _charges_there(charger: Connection) -> bool:
    """Whether a car charges there; then the set-up is made up for after it."""
    charger.postponed = await read(sessions.running_at, charger.charger_id)
    return charger.postponed


async def _set_up(charger: Connection) -> None:
    """Read what is configured and set only what differs, each value once to a charger that keeps its own; until a car
    begins to charge there."""
    begun = now()
    known = await _configuration(charger)
    tried = await read(set_ups.tried, charger.charger_id)
    for wish in WISHES:
        item = known.get(wish.key.lower())
        if item is None or str(item.get("readonly")).lower() in READ_ONLY:
            continue
        given, before = _text(item.get("value")), tried.get(wish.key)
        if wish.fits(given):
            if before is not None:
                await transact(set_ups.note, charger.charger_id, wish.key, None)
            continue
        if await _charges_there(charger):
            return
        at = now()
        attempt = Try(read=given, wanted=wish.values[0], unanswered=at.isoformat())
        if attempt.repeats(before, at):
            continue
        # Before it is written: the charger may boot instead of answering, and reads the same again.
        await transact(set_ups.note, charger.charger_id, wish.key, attempt)
        await _set(charger, wish, given)
        await transact(set_ups.note, charger.charger_id, wish.key, replace(attempt, unanswered=""))
    await charger.central.set_ups.add((charger.charger_id, begun))


def _text(value: Any) -> str:
    """A value as text; some chargers tell a number, a switch or null."""
    return "" if value is None else str(value)[:LONGEST]


async def _asked(charger: Connection, action: str, payload: dict[str, Any]) -> dict[str, Any] | None:
    """What it answers; None where it refuses."""
    try:
        return await charger.call(action, payload)
    except CallRefused as error:
        log.info("set-up refused", action=action, error=str(error))
        return None


async def _configuration(charger: Connection) -> Told:
    """What it tells of the keys that are wished for.

    An answer may leave some out, as GetConfigurationMaxKeys allows (OCPP 1.6, 5.8): these are asked for once more, as
    many at a time as it told of at first. Who told of none has none, and who then tells of others again goes by no
    names and has told all.
    """
    keys = [wish.key for wish in WISHES]
    answer = await _asked(charger, "GetConfiguration", {"key": keys})
    if answer is None:
        # It may not take so many names at once: then all it has.
        return told(await _asked(charger, "GetConfiguration", {}))
    known = told(answer)
    left = _left_out(keys, known)
    if most := len(keys) - len(left):
        for first in range(0, len(left), most):
            part = left[first : first + most]
            more = told(await _asked(charger, "GetConfiguration", {"key": part}))
            known |= more
            if more and _left_out(part, more) == part:
                break
    if untold := _left_out(keys, known):
        log.info("configuration left untold", keys=", ".join(untold))
    return known


def told(answer: dict[str, Any] | None) -> Told:
    """What an answer to GetConfiguration says; None: there was none."""
    items, unknown = ((answer or {}).get(name) for name in ("configurationKey", "unknownKey"))
    keys: Told = dict.fromkeys(str(key).lower() for key in unknown) if isinstance(unknown, list) else {}
    if isinstance(items, list):
        keys |= {str(item.get("key", "")).lower(): item for item in items if isinstance(item, dict)}
    return keys


def _left_out(keys: list[str], known: Told) -> list[str]:
    return [key for key in keys if key.lower() not in known]


async def _set(charger: Connection, wish: Wish, given: str) -> None:
    for value in wish.values:
        if _names(value) <= _names(given):
            return
        answer = await _asked(charger, "ChangeConfiguration", {"key": wish.key, "value": value})
        if answer is None:
            continue
        status = answer.get("status")
        log.info("configuration", key=wish.key, value=value, status=str(status)[:20])
        if status in DONE or status == "NotSupported":
            return
