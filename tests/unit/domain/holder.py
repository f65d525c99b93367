"""A process that holds the charger A on the bus over Redis until its input ends: for test_traces.py."""

import asyncio
import sys

from domain import traces
from domain.events import Command, Reply
from domain.redis_bus import RedisBus
from domain.settings import settings


async def accepts(_: Command) -> Reply:
    return Reply("Accepted")


async def main() -> None:
    async with (
        traces.told(settings(), "csms"),
        RedisBus(settings().redis_url) as bus,
        bus.attach("A", accepts),
    ):
        sys.stdout.write(f"{bus.process}\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
