"""Everything a stranger may call over the websocket, as one list: a new public method is a conscious act."""

from reflex_base.registry import RegistrationContext

import evapp.evapp  # noqa: F401 - registers every state

SURFACE = {
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
    "profile.Profile": {"load", "edit", "save", "revoke", "revoke_others"},
    "recharge.Recharge": {"choose", "write", "pay"},
    "scan.Scan": {"load", "seen", "fail"},
    "sign_in.SignIn": {"arrive"},
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
