"""Pings every charger, and lets go of sockets that nobody is behind any more (ocpp.md Q6)."""

import asyncio
import time
from contextlib import suppress
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
    leaving: "asyncio.Task[None] | None" = None
    """The last one, on its way out."""

    def may_follow(self, alive_at: float) -> bool:
        """Whether the last one has left, and a frame came since: any is as good as its pong."""
        return self.leaving is None or (self.leaving.done() and alive_at > self.sent_at)


async def keep_alive(central: Central) -> None:
    """Ping each charger at its own pace, for as long as this process runs; any frame is a sign of life, also a ping or
    a pong."""
    sent: dict[Connection, Pings] = {}
    while True:
        await asyncio.sleep(min(LOOK_S, central.pace.ping or LOOK_S))
        held, at = tuple(central.held.values()), time.monotonic()
        sent = {connection: sent.get(connection) or Pings(at) for connection in held}
        for connection, pings in sent.items():
            every = central.pace.ping if connection.ping_s is None else connection.ping_s
            patience = MISSED * (every if every and connection.socket.pongs else HEARTBEAT_S)
            if at - connection.alive_at > patience:
                log.info("no sign of life", charger=connection.charger_id, seconds=int(patience))
                connection.drop()
            elif every and connection.known and at - pings.sent_at >= every and pings.may_follow(connection.alive_at):
                pings.sent_at, pings.leaving = at, central.spawn(_ping(connection))


async def _ping(connection: Connection) -> None:
    """One charger's alone: where it reads nothing, a ping does not leave."""
    # The library keeps each one until its pong, which some chargers never send, or send with other words.
    connection.socket.pending_pings.clear()
    with suppress(ConnectionClosed):
        await connection.socket.ping()
