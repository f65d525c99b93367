"""What strangers may cost: little work for each thing they ask, and little memory for each tab they open."""

import difflib
from typing import Any

import pytest
import reflex as rx
from sqlmodel import Session

from domain import typed_ids
from domain.db import Database, transact
from evapp.state.charger import ChargerPage
from evapp.state.sign_in import SignIn
from evapp.web import auth
from tests.money.house import free_charger

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def stranger(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever opens a tab without a cookie."""
    monkeypatch.setattr(auth, "scope_of", lambda state: {"type": "websocket"})


def tab(address: str) -> rx.State:
    root = rx.State(_reflex_internal_init=True)  # type: ignore[call-arg]
    root.router = root.router.__class__.from_router_data({"pathname": address, "asPath": address})
    return root


@pytest.mark.usefixtures("stranger")
@pytest.mark.parametrize("page", [(SignIn, "arrive", "/login?next=/c/BLR-71"), (ChargerPage, "load", "/c/BLR-71")])
async def test_a_charger_that_nobody_knows_is_compared_with_no_other(
    database: Database, monkeypatch: pytest.MonkeyPatch, page: tuple[Any, str, str]
) -> None:
    """With ten thousand chargers each comparison took half a second of everybody's time."""
    state, handler, address = page
    compared = []

    class Matcher(difflib.SequenceMatcher[str]):
        def __init__(self, *given: Any, **named: Any) -> None:
            compared.append(given)
            super().__init__(*given, **named)

    await transact(_charger)
    monkeypatch.setattr(typed_ids.difflib, "SequenceMatcher", Matcher)
    opened: Any = await tab(address).get_state(state)
    await getattr(opened, handler)()
    assert compared == []


def _charger(db: Session) -> None:
    free_charger(db, "BLR-017")
