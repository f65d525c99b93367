"""A push service of a test's own on this machine, and the answers that it can give."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx

Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Service:
    """A browser's push service on this machine."""

    answer: Answer
    posts: list[tuple[str, httpx.Headers, bytes]] = field(default_factory=list)
    """Path, headers and body of each."""
    origin: str = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                line, *headers = head.decode().split("\r\n")[:-2]
                told = httpx.Headers([tuple(one.split(": ", 1)) for one in headers])
                body = await reader.readexactly(int(told["content-length"]))
                assert line.startswith("POST ")
                self.posts.append((line.split()[1], told, body))
                await self.answer(writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


def says(status: int, *headers: str, body: bytes = b"") -> Answer:
    async def answer(writer: asyncio.StreamWriter) -> None:
        head = [f"HTTP/1.1 {status} Whatever", f"content-length: {len(body)}", *headers]
        writer.write("\r\n".join([*head, "", ""]).encode() + body)

    return answer


async def says_nothing(writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def begins_and_says_no_more(writer: asyncio.StreamWriter) -> None:
    """The status is said, and that is enough."""
    writer.write(b"HTTP/1.1 201 Created\r\ncontent-length: 10\r\n\r\nslow")
    await writer.drain()
    await asyncio.Event().wait()


async def never_ends(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 201 Created\r\ntransfer-encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"10000\r\n" + b"x" * 65_536 + b"\r\n")
        await writer.drain()


async def says_headers_without_end(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 201 Created\r\n")
    while True:
        writer.write(b"x: " + b"x" * 65_536 + b"\r\n")
        await writer.drain()


async def drips(writer: asyncio.StreamWriter) -> None:
    """A little again and again, so that no single step of it takes long."""
    writer.write(b"HTTP/1.1 201 Created\r\nx: ")
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.1)


async def hangs_up(writer: asyncio.StreamWriter) -> None:
    writer.close()


@asynccontextmanager
async def serving() -> AsyncIterator[Service]:
    """One that takes everything, until it is given another answer."""
    service = Service(says(201, "location: https://push.example/m/1"))
    tasks: set[asyncio.Task[None]] = set()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.create_task(service.serve(reader, writer)))

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    service.origin = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield service
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
