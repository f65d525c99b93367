"""What the camera saw, and why it saw nothing."""

from typing import Any

import pytest
import reflex as rx

from domain.models import User
from domain.settings import settings
from evapp.state.effects import Effects
from evapp.state.scan import PASSING, TROUBLES, Scan
from evapp.web import auth


@pytest.fixture
async def tab(monkeypatch: pytest.MonkeyPatch) -> Any:
    async def guard(state: rx.State) -> User:
        return User(id=1, username="asha", phone="+919845000000", pin_hash="")

    monkeypatch.setattr(auth, "guard", guard)
    return rx.State(_reflex_internal_init=True)  # type: ignore[call-arg]


async def test_a_sticker_leads_to_its_charger(tab: Any) -> None:
    scan, effects = await tab.get_state(Scan), await tab.get_state(Effects)
    await scan.seen(f"{settings().url}/c/BLR-017")
    assert (effects._path, scan.error) == ("/c/BLR-017", "")


@pytest.mark.parametrize("text", ["https://evil.example/c/BLR-017", "", 7])
async def test_anything_else_leads_nowhere(tab: Any, text: Any) -> None:
    scan, effects = await tab.get_state(Scan), await tab.get_state(Effects)
    await scan.seen(text)
    assert effects._path == ""


@pytest.mark.parametrize("kind", [*TROUBLES, "unknown", *PASSING, None])
async def test_a_camera_that_does_not_work_is_a_sentence(tab: Any, kind: Any) -> None:
    scan = await tab.get_state(Scan)
    await scan.fail(kind)
    assert bool(scan.trouble) == (kind in TROUBLES)
    assert bool(scan.error) == (kind == "unknown")
