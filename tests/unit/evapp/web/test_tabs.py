"""Tabs: how many sockets an address has, and what of what a tab says of its address is kept."""

import asyncio
from typing import Any

import pytest
from reflex.app import EventNamespace
from reflex_base.event import Event

from evapp.evapp import app
from evapp.web import tabs


async def test_sockets_of_an_address_have_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of another address do not feel it, nor does this machine; one that goes makes room."""
    monkeypatch.setattr(tabs, "SOCKETS", 2)
    going, said = asyncio.Event(), []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await going.wait()

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        said.append(message)

    door = tabs.Crowd(app)

    async def knock(host: str) -> None:
        await door({"type": "websocket", "headers": [], "query_string": b"", "client": (host, 1)}, receive, send)

    async with asyncio.TaskGroup() as group:
        for host in ("203.0.113.7", "203.0.113.7", "198.51.100.1", *["127.0.0.1"] * 5):
            group.create_task(knock(host))
        await asyncio.sleep(0)
        async with asyncio.timeout(5):
            await knock("203.0.113.7")
        assert [message["type"] for message in said] == ["websocket.close"]
        going.set()
    await knock("203.0.113.7")
    assert len(said) == 1


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[Event]:
    """What Reflex goes on with of the events of the socket "sid"."""
    events: list[Event] = []

    class Processor:
        async def enqueue(self, token: str, event: Event) -> None:
            events.append(event)

    namespace = app.event_namespace
    assert isinstance(namespace, EventNamespace)
    monkeypatch.setitem(namespace._token_manager.sid_to_token, "sid", "token")
    known = {"sid": "sid", "ip": "203.0.113.7", "headers": {"origin": "https://evapp.example.org"}}
    monkeypatch.setitem(namespace._static_router_data, "sid", known)
    monkeypatch.setattr(app, "_event_processor", Processor())
    return events


LONG = "x" * 1_000_000


async def said(**event: Any) -> None:
    assert app.event_namespace is not None
    await app.event_namespace.trigger_event("event", "sid", {"name": "state.hydrate_and_load", "payload": {}, **event})


async def test_of_its_address_a_tab_says_what_pages_use_and_no_more(taken: list[Event]) -> None:
    """Reflex kept all of it for as long as the tab's token lives, which a stranger makes up: a megabyte each."""
    path = {"pathname": "/c/BLR-017", "asPath": "/c/BLR-017?x=1", "query": {"charger_id": "BLR-017"}}
    await said(router_data={**path, "mine": LONG, "cookie": LONG})
    await said(router_data={"pathname": "/c/" + LONG, "asPath": LONG, "query": {"charger_id": LONG}})
    await said(router_data=LONG)
    first, second, third = (event.router_data for event in taken)
    assert first["query"] == {"charger_id": "BLR-017"}
    assert (first["asPath"], first["ip"], first["token"]) == ("/c/BLR-017?x=1", "203.0.113.7", "token")
    assert set(first) == {"pathname", "asPath", "query", "sid", "ip", "headers", "token"}
    assert max(len(repr(one)) for one in (first, second, third)) < 5_000


async def test_of_what_a_browser_keeps_a_tab_says_little(taken: list[Event]) -> None:
    await said(payload={"vars": {"state.on": "yes", "state.off": LONG, "state.list": [LONG]}})
    assert taken[0].payload == {"vars": {"state.on": "yes"}}


async def test_what_no_page_of_ours_sends_is_left_out(taken: list[Event]) -> None:
    """As text an event would be logged whole, and its address taken whole."""
    assert app.event_namespace is not None
    for odd in (f'{{"name": "state.hydrate", "router_data": {{"mine": "{LONG}"}}}}', ["state.hydrate"], None):
        await app.event_namespace.trigger_event("event", "sid", odd)
    assert taken == []
