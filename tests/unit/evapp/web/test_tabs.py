"""Tabs: how many sockets an address has, and what of what a tab says of its address is kept."""

import asyncio
from typing import Any

import pytest
import reflex as rx
from reflex.app import EventNamespace
from reflex.istate.manager.memory import StateManagerMemory
from reflex_base.constants.state import FIELD_MARKER
from reflex_base.event import Event
from reflex_base.registry import RegistrationContext
from structlog.testing import capture_logs

from domain import metrics
from domain.throttle import Sparingly
from evapp.evapp import app
from evapp.state.alerts import Alerts
from evapp.state.charger import ChargerPage
from evapp.state.install import Install
from evapp.state.sign_in import SignIn
from evapp.web import tabs
from evapp.web.live import hub


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


async def test_new_tabs_of_an_address_have_an_end_in_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """One after the other, each closed before the next: none is open, and Reflex keeps the state of each."""
    moment, opened, said = [0.0], [], []
    monkeypatch.setattr(tabs, "NEW_TABS", 3)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        opened.append(scope["client"][0])

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        said.append(message)

    door = tabs.Crowd(app, clock=lambda: moment[0])

    async def knock(host: str, times: int) -> None:
        for _ in range(times):
            await door({"type": "websocket", "headers": [], "query_string": b"", "client": (host, 1)}, receive, send)

    await knock("203.0.113.7", 5)
    assert (opened, [message["code"] for message in said]) == (["203.0.113.7"] * 3, [tabs.TRY_AGAIN_LATER] * 2)
    await knock("198.51.100.1", 1)
    await knock("127.0.0.1", 5)
    assert len(opened) == 9, "those of another address do not feel it, nor does this machine"
    moment[0] = 60.1
    await knock("203.0.113.7", 1)
    assert len(opened) == 10


async def test_the_state_of_a_strangers_tab_goes_soon_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless it came back meanwhile, as a reload does; that of somebody who is signed in stays an hour."""
    namespace, states, waits = app.event_namespace, StateManagerMemory(), []
    assert isinstance(namespace, EventNamespace)
    assert app._state is not None
    monkeypatch.setattr(app, "_state_manager", states)
    monkeypatch.setattr(hub, "watches", lambda token: token == "driver")
    monkeypatch.setattr(tabs, "_later", lambda seconds, what: waits.append(what))
    keys = {name: rx.BaseStateToken(ident=name, cls=app._state) for name in ("stranger", "reloading", "driver")}
    for name, key in keys.items():
        await states.get_state(key)
        await namespace._token_manager.link_token_to_sid(name, f"sid of {name}")
        closing = namespace.on_disconnect(f"sid of {name}")
        assert closing is not None
        await closing
    await namespace._token_manager.link_token_to_sid("reloading", "sid")
    assert len(states.states) == 3
    for what in waits:
        what()
    assert set(states.states) == {keys["reloading"].cache_key, keys["driver"].cache_key}
    await namespace._token_manager.disconnect_token("reloading", "sid")
    await states.close()


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
LOAD = f"{rx.State.get_full_name()}.hydrate_and_load"
CHECK = f"{SignIn.get_full_name()}.check"


async def said(**event: Any) -> None:
    assert app.event_namespace is not None
    await app.event_namespace.trigger_event("event", "sid", {"name": LOAD, "payload": {}, **event})


async def test_of_its_address_a_tab_says_what_pages_use_and_no_more(taken: list[Event]) -> None:
    """Reflex kept all of it for as long as the tab's token lives, which a stranger makes up: a megabyte each."""
    path = {"pathname": "/c/BLR-017", "asPath": "/c/BLR-017?x=1", "query": {"charger_id": "BLR-017"}}
    await said(router_data={**path, "mine": LONG, "cookie": LONG})
    await said(router_data={"pathname": "/c/" + LONG, "asPath": LONG, "query": {"charger_id": LONG}})
    await said(router_data={})
    first, second, third = (event.router_data for event in taken)
    assert first["query"] == {"charger_id": "BLR-017"}
    assert (first["asPath"], first["ip"], first["token"]) == ("/c/BLR-017?x=1", "203.0.113.7", "token")
    assert set(first) == {"pathname", "asPath", "query", "sid", "ip", "headers", "token"}
    assert max(len(repr(one)) for one in (first, second, third)) < 5_000


KEPT = f"{Alerts.get_full_name()}.on{FIELD_MARKER}"


async def test_of_what_a_browser_keeps_a_tab_says_little(taken: list[Event]) -> None:
    await said(payload={"vars": {KEPT: "yes", f"{Install.get_full_name()}.done{FIELD_MARKER}": LONG}})
    assert taken[0].payload == {"vars": {KEPT: "yes"}}


@pytest.mark.parametrize("odd", ["", "x", "x.y", f"{rx.State.get_full_name()}.x", f"{SignIn.get_full_name()}.error"])
async def test_what_no_browser_of_ours_keeps_is_left_out(taken: list[Event], odd: str) -> None:
    """Reflex raised at each: any stranger made handlers fail, of which somebody is woken."""
    await said(payload={"vars": {KEPT: "yes", odd: "yes"}})
    assert taken[0].payload == {"vars": {KEPT: "yes"}}


async def test_what_no_page_of_ours_sends_is_left_out(taken: list[Event]) -> None:
    """As text an event would be logged whole, and its address taken whole."""
    assert app.event_namespace is not None
    for odd in (f'{{"name": "{LOAD}", "router_data": {{"mine": "{LONG}"}}}}', [LOAD], None):
        await app.event_namespace.trigger_event("event", "sid", odd)
    assert taken == []


@pytest.mark.parametrize(
    "odd",
    [
        {"name": "x" * 20_000 + ".y"},
        {"name": f"{rx.State.get_full_name()}.no_such"},
        {"name": f"{SignIn.get_full_name()}.setvar", "payload": {"var_name": "error", "value": "x"}},
        {"name": 5},
        {"name": ["x"]},
        {"payload": "x"},
        {"payload": {"vars": "x"}},
        {"payload": {"vars": {}, "hashes": {}}},
        {"name": CHECK},
        {"name": CHECK, "payload": {"nope": 1}},
        {"name": CHECK, "payload": {"field": "email", "typed": "x", "more": "x"}},
        {"name": CHECK, "payload": {"field": ["email"], "typed": "x"}},
        {"name": CHECK, "payload": {"field": "email", "typed": None}},
        {"name": f"{ChargerPage.get_full_name()}.choose", "payload": {"number": {}}},
        {"router_data": "x"},
        {"router_data": {"pathname": {"a": 1}, "asPath": "/login"}},
        {"router_data": {"pathname": "/login", "asPath": ["/login"]}},
        {"router_data": {"pathname": "/login", "asPath": "/login", "query": ["x"]}},
        {"router_data": {"pathname": "/login", "asPath": "/login", "query": {"next": {"x": 1}}}},
        {"router_data": {"pathname": "/\ud800", "asPath": "/login"}},
        {"router_data": {"pathname": "/wallet", "asPath": "/wallet?next=\ud800"}},
    ],
    ids=lambda odd: str(odd)[:60],
)
async def test_an_event_that_cannot_be_ours_is_counted_and_left_out(taken: list[Event], odd: dict[str, Any]) -> None:
    """Reflex wrote a trace of each into the log, 1.4 MB a second from one socket; as a page that fails it would wake
    somebody."""
    foreign, failed = metrics.EVENTS.cell("foreign"), metrics.EVENTS.cell("failed")
    before = foreign.n, failed.n
    await said(**odd)
    assert taken == []
    assert (foreign.n, failed.n) == (before[0] + 1, before[1])


def test_of_every_handler_it_is_known_what_it_takes() -> None:
    """A hint that is no type would fail at its first event."""
    for known in RegistrationContext.get().event_handlers.values():
        for types, _ in tabs._arguments(known.handler.fn).values():
            assert isinstance("x", (*types, str)), known.handler.fn


async def test_what_is_left_out_fills_no_log(taken: list[Event], monkeypatch: pytest.MonkeyPatch) -> None:
    moment = [0.0]
    monkeypatch.setattr(tabs, "strange", Sparingly(3, lambda: moment[0]))
    with capture_logs() as lines:
        for _ in range(100):
            await said(name="x" * 20_000)
        moment[0] = 60.1
        await said(name="y")
    assert [(len(line["name"]), line["left_out"]) for line in lines] == [(100, 0)] * 3 + [(1, 97)]


@pytest.mark.parametrize(
    "ours",
    [
        {"name": CHECK, "payload": {"field": "email", "typed": "x"}},
        {"name": f"{ChargerPage.get_full_name()}.start"},
        {"name": f"{ChargerPage.get_full_name()}.start", "payload": {"charger_id": "BLR-017", "plug": 1}},
        {"payload": {"vars": {}, "hashes": ["x"]}},
        {"payload": {"vars": None}},
        {"router_data": {"pathname": "/login", "asPath": "/login?next=%2F", "query": {"next": "/"}}},
    ],
    ids=lambda ours: str(ours)[:60],
)
async def test_what_pages_send_is_taken(taken: list[Event], ours: dict[str, Any]) -> None:
    await said(**ours)
    assert [event.payload for event in taken] == [ours.get("payload", {})]
