"""One address before several processes: the next one in turn that answers, as Caddy in front of the product does."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import count

AGAIN_S = 0.1
PATIENCE_S = 20.0
"""So long a caller waits when nobody answers."""

Line = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Balancer:
    """Carries bytes between callers and `ports`; a process that is gone is passed over."""

    def __init__(self, ports: Sequence[int]) -> None:
        self.ports = ports
        self._turn = count()
        self.port = 0
        self.behind: dict[int, int] = {}
        """A caller's own port → the port of the process it speaks with."""

    @asynccontextmanager
    async def serving(self, port: int = 0) -> AsyncIterator[int]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", port)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self.port
        finally:
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        caller: int = writer.get_extra_info("peername")[1]
        try:
            port, (answers, asks) = await self._next()
            self.behind[caller] = port
            await _carry((reader, writer), (answers, asks))
        except (OSError, TimeoutError):
            pass
        finally:
            self.behind.pop(caller, None)
            writer.close()

    async def _next(self) -> tuple[int, Line]:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                first = next(self._turn)
                for step in range(len(self.ports)):
                    port = self.ports[(first + step) % len(self.ports)]
                    with contextlib.suppress(OSError):
                        return port, await asyncio.open_connection("127.0.0.1", port)
                await asyncio.sleep(AGAIN_S)


async def _carry(caller: Line, process: Line) -> None:
    """Until either side is gone; then the other one learns of it."""
    ways = [asyncio.create_task(_pump(caller[0], process[1])), asyncio.create_task(_pump(process[0], caller[1]))]
    await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    for way in ways:
        way.cancel()
    for writer in (caller[1], process[1]):
        writer.close()
    await asyncio.gather(*ways, return_exceptions=True)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
