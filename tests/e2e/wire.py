"""A client that speaks Reflex's websocket by hand, for events that no page of ours would send."""

import asyncio
import json
import uuid
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import reflex as rx
from websockets.asyncio.client import ClientConnection, connect

SUFFIX = "_rx_state_"


class Wire:
    """One tab: sends any event with any payload, keeps what state comes back.

    Args:
        url: origin of the product, http://…
        cookie: the Cookie header, when somebody is signed in.
        origin: the Origin header a browser would send.
        token: the client token of the tab; default a new one.
    """

    def __init__(self, url: str, *, cookie: str = "", origin: str = "", token: str = "") -> None:
        self.token = token or str(uuid.uuid4())
        self.state: dict[str, dict[str, Any]] = {}
        self._address = f"{url.replace('http', 'ws', 1)}/_event/?EIO=4&transport=websocket&token={self.token}"
        self._headers = {name: value for name, value in (("Cookie", cookie), ("Origin", origin)) if value}
        self._socket: ClientConnection | None = None
        self._news = asyncio.Condition()
        self._reader: asyncio.Task[None] | None = None
        self.renamed = False
        """Whether the server took this tab for another and gave it a new token."""
        self.updates = 0
        """Answers and pushes so far."""

    async def __aenter__(self) -> Self:
        self._socket = await connect(self._address, max_size=None, additional_headers=self._headers)
        assert str(await self._socket.recv()).startswith("0")
        await self._socket.send("40/_event,")
        while not (text := str(await self._socket.recv())).startswith("40/_event,"):
            self.renamed = self.renamed or '"new_token"' in text  # said first to who comes back too soon
        self._reader = asyncio.create_task(self._read())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._socket is not None
        assert self._reader is not None
        self._reader.cancel()
        await self._socket.close()

    async def event(self, state: type[rx.State], handler: str, path: str = "/", **payload: Any) -> None:
        """Send an event that changes something, and wait for the change."""
        seen = self.updates
        await self.send(state, handler, path, **payload)
        async with asyncio.timeout(10), self._news:
            await self._news.wait_for(lambda: self.updates > seen)

    async def worked_off(self) -> None:
        """Wait until every event sent so far has been; afterwards the server has told all that this tab may know."""
        await self.send(rx.State, "hydrate_and_load", path="/help")
        await self.until(rx.State, "is_hydrated", True)

    async def send(self, state: type[rx.State], handler: str, path: str = "/", **payload: Any) -> None:
        """Send an event; the events of a tab are worked off in their order."""
        name = f"{state.get_full_name()}.{handler}"
        message = {"name": name, "payload": payload, "router_data": {"pathname": path, "asPath": path}}
        assert self._socket is not None
        await self._socket.send("42/_event," + json.dumps(["event", message]))

    def var(self, state: type[rx.State], name: str) -> Any:
        """The last value this tab was sent, or None."""
        return self.state.get(state.get_full_name(), {}).get(name + SUFFIX)

    async def until(self, state: type[rx.State], name: str, value: Any, within: float = 10) -> None:
        """Wait for a value to be pushed."""
        await self.when(lambda: self.var(state, name) == value, within)

    async def when(self, holds: Callable[[], object], within: float = 10) -> None:
        """Wait until pushes have made it so; `within` is in seconds."""
        async with asyncio.timeout(within), self._news:
            await self._news.wait_for(lambda: bool(holds()))

    @property
    def port(self) -> int:
        """Where this tab speaks from."""
        assert self._socket is not None
        port: int = self._socket.local_address[1]
        return port

    async def ended(self) -> None:
        """Wait until the server has closed this socket."""
        assert self._socket is not None
        async with asyncio.timeout(10):
            await self._socket.wait_closed()

    async def _read(self) -> None:
        assert self._socket is not None
        async for raw in self._socket:
            text = str(raw)
            if text == "2":
                await self._socket.send("3")
            elif text.startswith("42/_event,"):
                kind, *data = json.loads(text.removeprefix("42/_event,"))
                async with self._news:
                    self.renamed = self.renamed or kind == "new_token"
                    if kind == "event":
                        self.updates += 1
                        for substate, values in (data[0].get("delta") or {}).items():
                            self.state.setdefault(substate, {}).update(values)
                    self._news.notify_all()
