"""Notices of the device: who may switch them, and that only a browser's yes counts."""

from typing import Any

import pytest
import reflex as rx

from domain.models import User
from evapp.state.alerts import Alerts
from evapp.web import auth


async def _alerts() -> Alerts:
    root = rx.State(_reflex_internal_init=True)  # type: ignore[call-arg]
    state: Alerts = await root.get_state(Alerts)
    return state


@pytest.fixture
def signed_in(monkeypatch: pytest.MonkeyPatch) -> None:
    async def guard(state: rx.State) -> User:
        return User(id=1, username="asha", phone="", pin_hash="")

    monkeypatch.setattr(auth, "guard", guard)


@pytest.mark.usefixtures("signed_in")
async def test_only_a_granted_permission_turns_them_on() -> None:
    alerts = await _alerts()
    await alerts.answered("denied")
    assert (alerts.permission, alerts.on) == ("denied", "")
    await alerts.answered("granted")
    assert (alerts.permission, alerts.on) == ("granted", "yes")
    await alerts.turn_off()
    assert (alerts.permission, alerts.on) == ("granted", "")


@pytest.mark.usefixtures("signed_in")
@pytest.mark.parametrize("said", ["", "yes", None, 3, {"granted": 1}, "<script>"])
async def test_what_no_browser_says_is_not_kept(said: Any) -> None:
    alerts = await _alerts()
    await alerts.seen(said)
    await alerts.answered(said)
    assert (alerts.permission, alerts.on) == ("", "")


async def test_strangers_switch_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth, "scope_of", lambda state: {})
    alerts = await _alerts()
    await alerts.answered("granted")
    assert alerts.on == ""
