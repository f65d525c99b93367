"""Asks for a meter value where one is overdue, once; nothing is polled (ocpp.md Q41)."""

import asyncio

from csms.central import Central
from csms.connection import Connection
from domain import metering
from domain.bus import CallRefused, ChargerSilent
from domain.db import read
from domain.models import now

TAKEN = "Accepted"


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
