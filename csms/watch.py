"""Notices who says too little: an overdue meter is asked for, once (Q41); a charger that only answers is a finding."""

import asyncio

from csms.central import Central
from csms.connection import Connection
from domain import findings, metering
from domain.bus import CallRefused, ChargerSilent
from domain.db import read, transact
from domain.models import now

TAKEN = "Accepted"
MUTE = (
    "{charger} answers, but has told nothing of its own since it came back, though it agreed to: its outbox is stuck,"
    " and a charge that a card begins there is not told either. No app starts one there. Restart it, and what it kept"
    " is told and billed:"
    """ python -m csms call {charger} Reset '{{"type": "Soft"}}'"""
)


async def watch_meters(central: Central) -> None:
    """A charge whose meter is silent for three intervals: its charger is asked once, and again after three more.

    One that refuses or does not answer is not asked again on this socket: the money is watched by time (Q40).
    """
    asked: dict[int, float] = {}
    deaf: set[Connection] = set()
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(central.pace.stale / 3)
        overdue = await read(metering.overdue, now(), central.pace.stale)
        asked = {session: at for session, at in asked.items() if session in {o.session_id for o in overdue}}
        deaf &= set(central.held.values())
        for charge in overdue:
            connection = central.held.get(charge.charger_id)
            if connection is None or connection in deaf:
                continue
            if loop.time() - asked.get(charge.session_id, -central.pace.stale) >= central.pace.stale:
                asked[charge.session_id] = loop.time()
                central.spawn(_ask(connection, charge.connector_number, deaf))


async def _ask(connection: Connection, connector_number: int, deaf: set[Connection]) -> None:
    wanted = {"requestedMessage": "MeterValues", "connectorId": connector_number}
    try:
        answer = await connection.call("TriggerMessage", wanted)
    except (CallRefused, ChargerSilent):
        answer = {}
    if answer.get("status") != TAKEN:
        deaf.add(connection)


async def watch_mute(central: Central) -> None:
    """A charger whose line broke while a message of its own waited for our answer may wait for that for ever, as those
    with MicroOcpp do: it takes every command, and its starts, meter values and stops stay in its outbox."""
    told: set[Connection] = set()
    while True:
        await asyncio.sleep(central.pace.mute / 10)
        held = set(central.held.values())
        told &= held
        mute = {one for one in held - told if one.mute}
        for connection in mute:
            name = connection.charger_id
            await transact(findings.renew, "mute", name, MUTE.format(charger=name))
        told |= mute
