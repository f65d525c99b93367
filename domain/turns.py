"""One ask at a time about each thing: who comes meanwhile shares one more ask, so a hundred at once cause two."""

import asyncio
from collections.abc import Awaitable, Callable


class Turns:
    """The asks under way in this process, by what they are about."""

    def __init__(self) -> None:
        self._asking: dict[str, asyncio.Task[None]] = {}
        self._waiting: dict[str, asyncio.Task[None]] = {}

    async def take(self, about: str, ask: Callable[[], Awaitable[None]]) -> None:
        """Ask after whoever asks now, because his answer may be older than what brings us here."""
        waiting = self._waiting.get(about)
        if waiting is None:
            turn = self._turn(about, ask, self._asking.get(about))
            waiting = self._waiting[about] = asyncio.create_task(turn)
        await asyncio.shield(waiting)

    async def _turn(self, about: str, ask: Callable[[], Awaitable[None]], before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await asyncio.wait([before])
        self._asking[about] = mine = self._waiting.pop(about)
        try:
            await ask()
        finally:
            if self._asking.get(about) is mine:
                del self._asking[about]
