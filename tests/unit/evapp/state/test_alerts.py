"""Notices of the device: who may switch them, and that only a browser's yes counts."""

import json
from datetime import timedelta
from typing import Any

import pytest
import reflex as rx
from sqlmodel import Session, select
from structlog.testing import capture_logs

from domain.db import read, transact
from domain.models import PushSubscription, SignIn
from evapp.state.alerts import Alerts
from evapp.web import auth
from tests.receivers import Receiver


async def _alerts() -> Alerts:
    root = rx.State(_reflex_internal_init=True)  # type: ignore[call-arg]
    state: Alerts = await root.get_state(Alerts)
    return state


@pytest.mark.usefixtures("scope", "asha")
async def test_only_a_granted_permission_turns_them_on() -> None:
    alerts = await _alerts()
    await alerts.answered("denied")
    assert (alerts.permission, alerts.on) == ("denied", "")
    await alerts.answered("granted")
    assert (alerts.permission, alerts.on) == ("granted", "yes")
    await alerts.turn_off()
    assert (alerts.permission, alerts.on) == ("granted", "")


@pytest.mark.usefixtures("scope", "asha")
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


HOURS = timedelta(hours=12)
"""So long a sign-in lasts of somebody who did not say that the device is his."""
GIVEN = {"endpoint": "https://fcm.googleapis.com/fcm/send/x", "keys": {}}


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


def as_json(receiver: Receiver) -> str:
    endpoint, p256dh, auth = receiver.told
    return json.dumps({"endpoint": endpoint, "expirationTime": None, "keys": {"p256dh": p256dh, "auth": auth}})


async def subscribed() -> list[tuple[int, str]]:
    return await read(lambda db: list(db.exec(select(PushSubscription.user_id, PushSubscription.endpoint))))


@pytest.mark.usefixtures("scope")
async def test_a_browser_that_subscribes_is_told_while_evapp_is_closed(asha: int, receiver: Receiver) -> None:
    alerts = await _alerts()
    await alerts.wake()
    assert len(alerts.key) == 87
    await alerts.subscribed(as_json(receiver))
    assert alerts.closed
    assert await subscribed() == [(asha, receiver.endpoint)]
    await alerts.turn_off()
    assert (alerts.closed, await subscribed()) == (False, [])


def _lent(db: Session) -> None:
    sign_in = db.exec(select(SignIn)).one()
    sign_in.expires_at = sign_in.created_at + HOURS


@pytest.mark.usefixtures("scope", "asha")
async def test_a_lent_device_hears_why_it_is_told_no_longer_than_it_is_open(receiver: Receiver) -> None:
    alerts = await _alerts()
    await alerts.wake()
    await transact(_lent)
    await alerts.subscribed(as_json(receiver))
    assert (alerts.closed, alerts.why[:24]) == (False, "You are signed in until ")


@pytest.mark.usefixtures("scope", "asha")
@pytest.mark.parametrize(
    "said",
    ["", None, 7, {"endpoint": 1}, "{", "[]", "[" * 5_000, '{"endpoint": "\\ud800"}', json.dumps(GIVEN), "x" * 9_000],
)
async def test_what_is_no_subscription_is_not_kept(said: Any) -> None:
    alerts = await _alerts()
    await alerts.wake()
    await alerts.subscribed(said)
    assert not alerts.closed
    assert await subscribed() == []


@pytest.mark.usefixtures("scope", "asha")
async def test_an_address_that_is_no_push_service_is_not_kept() -> None:
    alerts = await _alerts()
    await alerts.wake()
    with capture_logs() as said:
        await alerts.subscribed(as_json(Receiver("https://169.254.169.254/latest/meta-data")))
    assert [(one["event"], one["why"]) for one in said] == [("browser not told while evapp is closed", "Refused")]
    assert "169.254" not in str(said)
    assert not alerts.closed
    assert alerts.why == "This browser gave no push service that evapp writes to. You are told while evapp is open."
    assert await subscribed() == []


@pytest.mark.usefixtures("asha")
async def test_strangers_subscribe_nothing(monkeypatch: pytest.MonkeyPatch, receiver: Receiver) -> None:
    monkeypatch.setattr(auth, "scope_of", lambda state: {})
    alerts = await _alerts()
    await alerts.wake()
    await alerts.subscribed(as_json(receiver))
    assert (alerts.key, alerts.closed, await subscribed()) == ("", False, [])
