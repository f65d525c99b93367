"""Pings every charger, and lets go of sockets that nobody is behind any more (ocpp.md Q6)."""

import asyncio
import time
from dataclasses import dataclass

import structlog
from websockets.exceptions import ConnectionClosed

from csms.central import HEARTBEAT_S, Central
from csms.connection import Connection

log = structlog.get_logger()

MISSED = 3
"""So many pings, or heartbeats where a charger answers no pings, may go unanswered."""
LOOK_S = 1.0
"""How often it is looked whose ping is due."""


@dataclass(slots=True)
class Pings:
    """Of one socket."""

    sent_at: float
    answered: bool = False
    open: "asyncio.Future[float] | None" = None


async def keep_alive(central: Central) -> None:
    """Ping each charger at its own pace, for as long as this process runs; any frame or pong is a sign of life."""
    sent: dict[Connection, Pings] = {}
    while True:
        await asyncio.sleep(min(LOOK_S, central.pace.ping or LOOK_S))
        held, at = tuple(central.held.values()), time.monotonic()
        sent = {connection: sent.get(connection) or Pings(at) for connection in held}
        for connection, pings in sent.items():
            every = central.pace.ping if connection.ping_s is None else connection.ping_s
            if pings.open is not None and pings.open.done():
                pings.open, pings.answered = None, True
            patience = MISSED * (every if every and pings.answered else HEARTBEAT_S)
            if at - connection.alive_at > patience:
                log.info("no sign of life", charger=connection.charger_id, seconds=int(patience))
                connection.drop()
            elif every and pings.open is None and at - pings.sent_at >= every:
                pings.sent_at = at
                await _ping(connection, pings)


async def _ping(connection: Connection, pings: Pings) -> None:
    try:
        pong = await connection.socket.ping()
    except ConnectionClosed:
        return
    pings.open = asyncio.ensure_future(pong)
    pings.open.add_done_callback(lambda done: connection.lives() if _came(done) else None)


def _came(pong: "asyncio.Future[float]") -> bool:
    return not pong.cancelled() and pong.exception() is None
