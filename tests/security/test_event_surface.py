"""Everything a stranger may call over the websocket, as one list: a new public method is a conscious act."""

from types import FunctionType

import pytest
from reflex.app import EventNamespace
from reflex.event import Event
from reflex.state import FrontendEventExceptionState, State
from reflex_base.registry import RegistrationContext
from structlog.testing import capture_logs

from domain import metrics
from domain.throttle import Sparingly
from evapp import evapp
from evapp.evapp import REPORT, ShortReports, app

SURFACE = {
    "alerts.Alerts": {"seen", "answered", "wake", "subscribed", "turn_off"},
    "charger.ChargerPage": {"load", "choose", "start", "dismiss"},
    "dashboard.Dashboard": {"load"},
    "effects.Effects": {"failed"},
    "fault_report.FaultReport": {"send"},
    "favourite.Favourite": {"toggle"},
    "find.Find": {"load", "find"},
    "cards.Cards": {"ask", "block"},
    "help.Help": {"load"},
    "history.History": {"load", "choose", "choose_month", "show_more"},
    "install.Install": {"put_away"},
    "history.Session": {"load"},
    "live.Live": {"stop"},
    "notices.Notices": {"dismiss"},
    "ops_charger.OpsCharger": {"load", "edit", "describe", "new_key", "retire", "stop"},
    "ops_deed.OpsCharger": {"do", "cancel"},
    "ops_deed.OpsMessages": {"do", "cancel"},
    "ops_deed.OpsRefunds": {"do", "cancel"},
    "ops_deed.OpsSessions": {"do", "cancel"},
    "ops_deed.OpsTariffs": {"do", "cancel"},
    "ops_deed.OpsUser": {"do", "cancel"},
    "ops_findings.OpsFindings": {
        "load",
        "choose",
        "choose_kind",
        "take",
        "let_go",
        "show_more",
        "open",
        "resolve",
    },
    "ops_fleet.Fleet": {"load", "choose", "go_back", "search", "show_more"},
    "ops_messages.OpsMessages": {"choose", "follow", "show_more", "command", "send"},
    "ops_pin.OpsPin": {"load"},
    "ops_refunds.OpsRefunds": {"ask", "choose", "load", "open", "request", "search", "show_more"},
    "ops_sessions.OpsSessions": {"load", "choose", "search", "show_more", "stop", "open_bill", "give_back"},
    "ops_tariffs.OpsTariffs": {"choose", "end", "go_on", "load", "search", "set_price", "show_more", "withdraw"},
    "ops_trail.OpsTrail": {"load", "search", "show_more"},
    "ops_user.OpsUser": {"adjust", "block", "edit", "load", "reset_pin", "show_more", "turn_card"},
    "ops_users.OpsUsers": {"load", "find"},
    "profile.Profile": {"load", "edit", "save", "undo", "revoke", "revoke_others"},
    "recharge.Recharge": {"choose", "write", "pay"},
    "scan.Scan": {"load", "seen", "fail"},
    "sign_in.SignIn": {"arrive", "check"},
    "stop_at.StopAt": {"choose", "write", "take", "save"},
    "vacancy.Vacancy": {"wait", "leave"},
    "visit.Visit": {"fetches", "woken"},
    "wallet.Wallet": {"load", "choose", "show_more"},
}
"""State → its public handlers. `setvar`, which every state has, reaches explicit setters only; there are none."""

REFLEX = {
    "EventHandlerSetVar.setvar",
    "FrontendEventExceptionState.handle_frontend_exception",
    "OnLoadInternalState.on_load_internal",
    "OnLoadInternalState.set_is_hydrated",
    "State.hydrate",
    "State.hydrate_and_load",
    "State.set_is_hydrated",
    "UpdateVarsInternalState.update_vars_internal",
}
"""Reflex's own, which anybody may call as well. What a browser says that failed is searched with patterns and logged,
and is cut before (`ShortReports`). The variables that hydrate_and_load and update_vars_internal set are those kept in a
browser (KEPT). Hydrating sends a browser what is its own already and runs what `load` of
its page does, and `is_hydrated` is only shown to it."""

KEPT = {"Alerts.on", "Install.done"}
"""What a browser keeps, and may set to anything: each is read for that browser alone."""

SOCKET = {"on_client_error", "on_connect", "on_disconnect", "on_event", "on_ping"}
"""What the websocket itself takes beside events; Reflex counts and cuts the errors of clients itself."""


def handlers() -> list[FunctionType]:
    return [registered.handler.fn for registered in RegistrationContext.get().event_handlers.values()]


def test_nothing_else_is_public() -> None:
    found: dict[str, set[str]] = {}
    for handler in handlers():
        if handler.__module__.startswith("evapp."):
            state = f"{handler.__module__.removeprefix('evapp.state.')}.{handler.__qualname__.split('.')[0]}"
            found.setdefault(state, set()).add(handler.__name__)
    assert found == SURFACE


def test_reflex_itself_lets_nothing_else_be_called() -> None:
    assert {handler.__qualname__ for handler in handlers() if not handler.__module__.startswith("evapp.")} == REFLEX
    assert {name for name in dir(EventNamespace) if name.startswith("on_")} == SOCKET


def test_a_browser_keeps_nothing_else() -> None:
    states = RegistrationContext.get().base_states.values()
    own = {f"{state.__name__}.{name}" for state in states for name in state.base_vars if state._is_client_storage(name)}
    assert own == KEPT


@pytest.mark.parametrize(
    "said",
    [
        "\\" * 1_000_000,
        "TypeError: can't access property \"" + '", ' * 300_000,
        "a" * 1_000_000 + ":",
        ["a"] * 300_000,
    ],
    ids=["backslashes", "commas", "letters", "a list"],
)
async def test_what_a_browser_says_that_failed_is_cut_before_it_is_searched(
    monkeypatch: pytest.MonkeyPatch, said: object
) -> None:
    """For a megabyte Reflex's patterns took hours, in which nobody else was answered."""
    [cutting] = [one for one in app._middlewares if isinstance(one, ShortReports)]
    reported = FrontendEventExceptionState.handle_frontend_exception
    event = Event(
        name=f"{FrontendEventExceptionState.get_full_name()}.{reported.fn.__name__}",
        payload={"info": said, "component_stack": said},
    )
    monkeypatch.setattr(evapp, "reports", Sparingly())
    state = app._state().get_substate(FrontendEventExceptionState.get_full_name().split("."))
    assert await cutting.preprocess(app, state, event) is None
    with capture_logs() as lines:
        list(reported.fn(state, **event.payload))
    assert [(line["event"], len(line["error"])) for line in lines] == [("page failed", REPORT)]


def test_what_browsers_say_that_failed_fills_no_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """One socket of a stranger wrote half a megabyte a second."""
    monkeypatch.setattr(evapp, "reports", Sparingly())
    with capture_logs() as lines:
        for _ in range(100):
            evapp.page_failed(Exception("TypeError"))
    assert len(lines) == 30


def test_handlers_that_fail_fill_no_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is counted, so that the alert stays true; its trace is told so often in a minute."""
    moment, before = [0.0], metrics.EVENTS.cell("failed").n
    monkeypatch.setattr(evapp, "failures", Sparingly(30, lambda: moment[0]))
    with capture_logs() as lines:
        for _ in range(100):
            evapp.handler_failed(ValueError("odd"))
        moment[0] = 60.1
        evapp.handler_failed(ValueError("odd"))
    assert [line["left_out"] for line in lines] == [0] * 30 + [70]
    assert metrics.EVENTS.cell("failed").n == before + 101


async def test_other_events_are_left_alone() -> None:
    event = Event(name=f"{State.get_full_name()}.hydrate_and_load", payload={"vars": {"x": "a" * 2 * REPORT}})
    assert await ShortReports().preprocess(app, app._state(), event) is None
    assert event.payload == {"vars": {"x": "a" * 2 * REPORT}}
