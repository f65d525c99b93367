"""Everything a stranger may call over the websocket, as one list: a new public method is a conscious act."""

from reflex_base.registry import RegistrationContext

import evapp.evapp  # noqa: F401 - registers every state

SURFACE = {
    "alerts.Alerts": {"seen", "answered", "turn_off"},
    "charger.ChargerPage": {"load", "choose", "start", "dismiss"},
    "dashboard.Dashboard": {"load"},
    "effects.Effects": {"failed"},
    "fault_report.FaultReport": {"send"},
    "favourite.Favourite": {"toggle"},
    "find.Find": {"load", "find"},
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
    "ops_findings.OpsFindings": {"load", "choose", "show_more", "open", "resolve"},
    "ops_fleet.Fleet": {"load", "choose", "search", "show_more"},
    "ops_messages.OpsMessages": {"choose", "follow", "show_more", "command", "send"},
    "ops_pin.OpsPin": {"load"},
    "ops_refunds.OpsRefunds": {"load", "choose", "show_more", "open", "request"},
    "ops_sessions.OpsSessions": {"load", "choose", "search", "show_more", "stop", "open_bill", "give_back"},
    "ops_tariffs.OpsTariffs": {"load", "choose", "set_price"},
    "ops_trail.OpsTrail": {"load", "search", "show_more"},
    "ops_user.OpsUser": {"load", "edit", "adjust", "block", "reset_pin"},
    "ops_users.OpsUsers": {"load", "find"},
    "profile.Profile": {"load", "edit", "save", "undo", "revoke", "revoke_others"},
    "recharge.Recharge": {"choose", "write", "pay"},
    "scan.Scan": {"load", "seen", "fail"},
    "sign_in.SignIn": {"arrive", "check"},
    "stop_at.StopAt": {"choose", "write", "save"},
    "vacancy.Vacancy": {"wait", "leave"},
    "wallet.Wallet": {"load", "choose", "show_more"},
}
"""State → its public handlers. `setvar`, which every state has, reaches explicit setters only; there are none."""


def test_nothing_else_is_public() -> None:
    found: dict[str, set[str]] = {}
    for registered in RegistrationContext.get().event_handlers.values():
        handler = registered.handler
        module = handler.fn.__module__
        if module.startswith("evapp.") and handler.fn.__name__ != "setvar":
            state = f"{module.removeprefix('evapp.state.')}.{handler.fn.__qualname__.split('.')[0]}"
            found.setdefault(state, set()).add(handler.fn.__name__)
    assert found == SURFACE
