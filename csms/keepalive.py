"""Pings every charger, and lets go of sockets that nobody is behind any more (ocpp.md Q6)."""

import asyncio
import time

import structlog
from websockets.exceptions import ConnectionClosed

from csms.central import HEARTBEAT_S, Central
from csms.connection import Connection

log = structlog.get_logger()

MISSED = 3
"""So many pings, or heartbeats where a charger answers no pings, may go unanswered."""


async def keep_alive(central: Central) -> None:
    """One round of pings after the other, for all sockets of this process; any frame or pong is a sign of life."""
    if not central.pace.ping:
        return
    waiting: dict[Connection, asyncio.Future[float]] = {}
    answering: set[Connection] = set()
    while True:
        await asyncio.sleep(central.pace.ping)
        held = set(central.held.values())
        for connection in tuple(waiting):
            if waiting[connection].done() or connection not in held:
                answering.add(connection)
                del waiting[connection]
        answering &= held
        for connection in held:
            patience = MISSED * (central.pace.ping if connection in answering else HEARTBEAT_S)
            if time.monotonic() - connection.alive_at > patience:
                log.info("no sign of life", charger=connection.charger_id, seconds=int(patience))
                connection.drop()
            elif connection not in waiting:
                await _ping(connection, waiting)


async def _ping(connection: Connection, waiting: "dict[Connection, asyncio.Future[float]]") -> None:
    try:
        pong = await connection.socket.ping()
    except ConnectionClosed:
        return
    waiting[connection] = asyncio.ensure_future(pong)
    waiting[connection].add_done_callback(lambda done: connection.lives() if _came(done) else None)


def _came(pong: "asyncio.Future[float]") -> bool:
    return not pong.cancelled() and pong.exception() is None
