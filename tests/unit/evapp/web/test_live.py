"""Who is told what: the hub without browsers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
import reflex as rx
from reflex.utils.token_manager import SocketRecord
from sqlalchemy.exc import OperationalError

from domain.bus import LocalBus
from domain.events import Alone, ChargerChanged, NewsLost, SessionMetered, SignedOut, WalletChanged
from evapp.texts import language
from evapp.texts.languages import HINDI
from evapp.web import live
from evapp.web.live import Hub, Watch, WithRedis


class Seen:
    """A state that notes what reaches it."""

    def __init__(self) -> None:
        self.refreshed: list[int] = []
        self.figures: list[int] = []
        self.language = ""
        self.left = ""

    async def _refresh(self, user_id: int) -> None:
        self.refreshed.append(user_id)
        self.language = language().code

    def _leave(self, path: str) -> None:
        self.left = path

    def _metered(self, event: SessionMetered) -> None:
        self.figures.append(event.energy_wh)


class App:
    """Stands in for rx.App: which tabs are connected, and their states."""

    def __init__(self) -> None:
        self.event_namespace: Any = self
        self._token_manager: Any = self
        self.instance_id = "this process"
        self.token_to_socket: dict[str, SocketRecord] = {}
        self.states: dict[str, Seen] = {}
        self.gate = asyncio.Event()
        self.gate.set()
        self.broken: set[str] = set()
        self.away = 0
        """So many more times the database does not answer."""
        self.forgotten: set[str] = set()
        self.namespace = "/_event"
        self.sio = self.eio = self.manager = self
        self.hung_up: list[str] = []

    @property
    def sockets(self) -> list[str]:
        return [f"socket of {token}" for token in self.token_to_socket]

    def eio_sid_from_sid(self, sid: str, namespace: str) -> str:
        assert namespace == self.namespace
        return f"socket of {sid}"

    async def disconnect(self, eio_sid: str) -> None:
        self.hung_up.append(eio_sid)

    @asynccontextmanager
    async def modify_state(self, token: rx.BaseStateToken) -> AsyncIterator[Any]:
        await self.gate.wait()
        if token.ident in self.broken:
            raise RuntimeError("this tab is broken")
        if self.away:
            self.away -= 1
            raise OperationalError("", {}, Exception("the database is away"))
        state = self.states[token.ident]

        class Root:
            router_data = {} if token.ident in self.forgotten else {"path": "/"}

            async def get_state(self, cls: type) -> Seen:
                return state

        yield Root()


@pytest.fixture
def app() -> App:
    return App()


@pytest.fixture
async def bus(app: App) -> AsyncIterator[LocalBus]:
    bus = LocalBus()
    hub = live.hub = Hub()
    task = asyncio.create_task(hub.run(app, bus))  # type: ignore[arg-type]
    while not hub.listening:
        await asyncio.sleep(0)
    yield bus
    task.cancel()


def tab(app: App, token: str, user_id: int = 1, charger_id: str = "", sign_in: str = "s") -> Seen:
    app.token_to_socket[token] = SocketRecord(instance_id=app.instance_id, sid=token)
    app.states[token] = Seen()
    live.hub.watch(token, Watch(user_id, sign_in, (charger_id,) if charger_id else (), (rx.State,)))
    return app.states[token]


def metered(wh: int, user_id: int = 1, session_id: int = 1) -> SessionMetered:
    return SessionMetered(session_id, "A", user_id, wh, wh, 7000, datetime.now(UTC))


async def settled() -> None:
    for _ in range(50):
        await asyncio.sleep(0)


async def test_only_those_concerned_are_told(app: App, bus: LocalBus) -> None:
    mine, other, watcher = tab(app, "a"), tab(app, "b", user_id=2), tab(app, "c", user_id=3, charger_id="A")
    await bus.publish(WalletChanged(1), ChargerChanged("A"), metered(5))
    await settled()
    assert (mine.refreshed, other.refreshed, watcher.refreshed) == ([1], [], [3])
    assert watcher.figures == []


async def test_each_is_told_in_the_language_of_its_page(app: App, bus: LocalBus) -> None:
    english, hindi = tab(app, "a"), tab(app, "b")
    live.hub.watch("b", Watch(1, "s", (), (rx.State,), HINDI))
    await bus.publish(WalletChanged(1))
    await settled()
    assert (english.language, hindi.language) == ("en", "hi")


async def test_the_newest_figure_wins_while_a_tab_is_slow(app: App, bus: LocalBus) -> None:
    seen = tab(app, "a")
    app.gate.clear()
    await bus.publish(metered(1))
    await settled()
    await bus.publish(*(metered(wh) for wh in range(2, 100)))
    await settled()
    app.gate.set()
    await settled()
    assert seen.figures == [1, 99]


async def test_a_signed_out_tab_is_told_nothing(app: App, bus: LocalBus) -> None:
    out, still = tab(app, "a", sign_in="gone"), tab(app, "b", sign_in="here")
    await bus.publish(SignedOut(("gone",)), WalletChanged(1))
    await settled()
    assert (out.refreshed, still.refreshed) == ([], [1])


async def test_after_lost_news_every_page_is_read_again_unless_it_is_signed_out(
    app: App, bus: LocalBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[set[str]] = []

    async def read(_: object, sign_ins: set[str]) -> set[str]:
        asked.append(sign_ins)
        if len(asked) == 1:
            raise OperationalError("", {}, Exception("the database is away, too"))
        return {"here"}

    monkeypatch.setattr(live, "read", read)
    monkeypatch.setattr(live, "LOOK_AGAIN_S", 0)
    out, still = tab(app, "a", sign_in="gone"), tab(app, "b", sign_in="here")
    operator = desk(app, "c", sign_in="gone")
    await bus.publish(NewsLost())
    await settled()
    assert (out.refreshed, still.refreshed) == ([], [1])
    assert operator.left == "/auth/gate?next=%2Fops"
    assert asked == [{"gone", "here"}] * 2
    await bus.publish(WalletChanged(1))
    await settled()
    assert (out.refreshed, still.refreshed) == ([], [1, 1])


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[set[str]]:
    """Which sign-ins the hub asks about all the time; the database is away at first, and later knows only `here`."""
    asked: list[set[str]] = []

    async def read(_: object, sign_ins: set[str]) -> set[str]:
        asked.append(sign_ins)
        if len(asked) == 1:
            raise OperationalError("", {}, Exception("the database is away"))
        return {"here"}

    monkeypatch.setattr(live, "read", read)
    monkeypatch.setattr(live, "LOOK_S", 0, raising=False)
    return asked


async def test_a_tab_whose_sign_in_ended_by_time_is_told_nothing(
    app: App, asked: list[set[str]], bus: LocalBus
) -> None:
    """Nobody says when the twelve hours are over."""
    out, still = tab(app, "a", sign_in="gone"), tab(app, "b", sign_in="here")
    operator = desk(app, "c", live.MONEY, sign_in="gone")
    await settled()
    await bus.publish(WalletChanged(1))
    await settled()
    assert (out.refreshed, still.refreshed, operator.refreshed) == ([], [1], [])
    assert (out.left, still.left, operator.left) == ("", "", "/auth/gate?next=%2Fops")
    assert asked[:2] == [{"gone", "here"}] * 2


async def test_a_tab_that_comes_while_sign_ins_are_looked_up_stays(
    app: App, bus: LocalBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def read(_: object, sign_ins: set[str]) -> set[str]:
        tab(app, "new", sign_in="new")
        return sign_ins

    monkeypatch.setattr(live, "read", read)
    tab(app, "a")
    await bus.publish(NewsLost())
    await settled()
    assert set(live.hub._watches) == {"a", "new"}


async def test_nobody_is_asked_about_while_nobody_looks(app: App, asked: list[set[str]], bus: LocalBus) -> None:
    await bus.publish(NewsLost())
    await settled()
    assert asked == []


async def test_without_redis_every_tab_is_told_that_its_connection_is_lost(app: App, bus: LocalBus) -> None:
    tab(app, "a"), tab(app, "b")
    await bus.publish(Alone())
    await settled()
    assert app.hung_up == ["socket of a", "socket of b"]


async def test_a_tab_whose_state_is_forgotten_connects_anew(app: App, bus: LocalBus) -> None:
    """Its page would otherwise mix what it shows with the beginnings of a new one."""
    forgotten, known = tab(app, "a"), tab(app, "b")
    app.forgotten = {"a"}
    await bus.publish(WalletChanged(1), metered(1))
    await settled()
    assert (forgotten.refreshed, forgotten.figures, known.refreshed) == ([], [], [1])
    assert app.hung_up == ["socket of a"]


@pytest.mark.parametrize("connected", [True, False])
async def test_no_socket_is_opened_without_redis(monkeypatch: pytest.MonkeyPatch, connected: bool) -> None:
    sent: list[Any] = []

    async def page(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept"})

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    local = LocalBus()
    monkeypatch.setattr(local, "connected", connected)
    monkeypatch.setattr(live, "bus", lambda: local)
    await WithRedis(page)({"type": "websocket"}, receive, send)
    assert [message["type"] for message in sent] == ["websocket.accept" if connected else "websocket.close"]


async def test_a_broken_tab_stops_nobody_else_and_is_told_again(app: App, bus: LocalBus) -> None:
    broken, whole = tab(app, "a"), tab(app, "b")
    app.broken = {"a"}
    await bus.publish(WalletChanged(1))
    await settled()
    app.broken = set()
    await bus.publish(WalletChanged(1))
    await settled()
    assert (broken.refreshed, whole.refreshed) == ([1], [1, 1])


async def test_what_the_database_did_not_say_is_asked_again(
    app: App, bus: LocalBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "LOOK_AGAIN_S", 0)
    mine, app.away = tab(app, "a"), 2
    await bus.publish(WalletChanged(1))
    await settled()
    assert (mine.refreshed, app.away) == ([1], 0)


async def test_a_tab_that_left_is_not_asked_about_again(
    app: App, bus: LocalBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "LOOK_AGAIN_S", 0)
    mine, app.away = tab(app, "a"), 1_000_000
    await bus.publish(WalletChanged(1))
    await settled()
    assert live.metrics.PUSHES_PENDING.read() == {(): 1}
    del app.token_to_socket["a"]
    await settled()
    assert (mine.refreshed, live.metrics.PUSHES_PENDING.read()) == ([], {(): 0})


async def test_a_tab_that_went_on_to_another_charger_hears_no_more_of_the_first(app: App, bus: LocalBus) -> None:
    seen = tab(app, "a", charger_id="A")
    live.hub.watch("a", Watch(1, "s", ("B",), (rx.State,)))
    await bus.publish(ChargerChanged("A"))
    await settled()
    assert seen.refreshed == []


async def test_those_who_left_are_forgotten(app: App, bus: LocalBus, monkeypatch: pytest.MonkeyPatch) -> None:
    live.hub._crowded = 10
    monkeypatch.setattr(live, "CROWD", 10)
    for number in range(10):
        tab(app, f"t{number}")
        del app.token_to_socket[f"t{number}"]
    tab(app, "new")
    assert set(live.hub._watches) == {"new"}


# Operators


def desk(app: App, token: str, *topics: str, sign_in: str = "s") -> Seen:
    app.token_to_socket[token] = SocketRecord(instance_id=app.instance_id, sid=token)
    app.states[token] = Seen()
    live.hub.watch(token, Watch(9, sign_in, (), (rx.State,), topics=topics, path="/auth/gate?next=%2Fops"))
    return app.states[token]


async def test_an_operator_hears_of_every_charger_and_not_of_his_own_wallet(app: App, bus: LocalBus) -> None:
    fleet, charges = desk(app, "fleet", live.CHARGERS), desk(app, "charges", live.CHARGES)
    await bus.publish(ChargerChanged("A"), WalletChanged(9))
    await settled()
    assert (fleet.refreshed, charges.refreshed) == ([9], [])


async def test_the_newest_figure_of_each_charge_arrives(
    app: App, bus: LocalBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "PACE_S", 0)
    charges = desk(app, "charges", live.CHARGES)
    app.gate.clear()
    for session, energy in ((1, 10), (1, 11), (2, 20), (1, 12), (2, 21)):
        await bus.publish(metered(energy, session, session))
    await settled()
    app.gate.set()
    await settled()
    assert sorted(charges.figures)[-2:] == [12, 21]
    assert len(charges.figures) < 5


async def test_a_busy_street_renews_an_operators_page_once_in_a_while(
    app: App, bus: LocalBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "PACE_S", 3600)
    fleet, driver = desk(app, "fleet", live.CHARGERS), tab(app, "a", charger_id="A")
    for _ in range(5):
        await bus.publish(ChargerChanged("A"))
        await settled()
    assert (len(fleet.refreshed), len(driver.refreshed)) == (1, 5)


async def test_so_it_does_a_drivers_list_of_chargers(app: App, bus: LocalBus, monkeypatch: pytest.MonkeyPatch) -> None:
    """The home page shows twenty of them; a page of one charger is told of each change."""
    monkeypatch.setattr(live, "PACE_S", 3600)
    home, charger = tab(app, "home"), tab(app, "a", charger_id="A")
    live.hub.follow("home", ["A", "B"])
    for _ in range(5):
        await bus.publish(ChargerChanged("A"), ChargerChanged("B"))
        await settled()
    assert (len(home.refreshed), len(charger.refreshed)) == (1, 5)


async def test_an_operators_page_leaves_when_its_sign_in_ends(app: App, bus: LocalBus) -> None:
    gone, still = desk(app, "a", live.CHARGERS, sign_in="gone"), desk(app, "b", live.CHARGERS, sign_in="here")
    driver = tab(app, "c", sign_in="gone")
    await bus.publish(SignedOut(("gone",)), ChargerChanged("A"))
    await settled()
    assert (gone.left, still.left, driver.left) == ("/auth/gate?next=%2Fops", "", "")
    assert (gone.refreshed, still.refreshed) == ([], [9])
