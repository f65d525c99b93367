"""One address before several processes, as a proxy would be: TCP in turns, or to whom a test chooses."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count

PIECE = 64 * 1024


class Balancer:
    """Hands each new connection to the next of `ports`; one that does not answer is passed over."""

    def __init__(self, *ports: int) -> None:
        self.ports = ports
        self.port = 0
        self._turns = count()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            behind, before = await self._next()
        except OSError:
            writer.close()
            return
        async with asyncio.TaskGroup() as ways:
            ways.create_task(_pass(reader, before))
            ways.create_task(_pass(behind, writer))

    async def _next(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        for _ in self.ports:
            with contextlib.suppress(OSError):
                return await asyncio.open_connection("127.0.0.1", self.ports[next(self._turns) % len(self.ports)])
        raise ConnectionRefusedError("nobody listens")


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while piece := await reader.read(PIECE):
            writer.write(piece)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


@asynccontextmanager
async def balanced(*ports: int, port: int = 0) -> AsyncIterator[Balancer]:
    """A balancer that listens; its `port` is chosen by the system unless given."""
    balancer = Balancer(*ports)
    server = await asyncio.start_server(balancer._take, "127.0.0.1", port)
    balancer.port = server.sockets[0].getsockname()[1]
    try:
        yield balancer
    finally:
        server.close()
