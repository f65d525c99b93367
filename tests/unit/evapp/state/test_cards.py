"""A driver's cards: who sees them, and who may block one."""

from typing import Any

import pytest
import reflex as rx

from domain import tokens
from domain.db import read, transact
from domain.models import TokenStatus, now
from evapp.state.cards import Cards
from evapp.state.effects import Effects


@pytest.fixture
async def cards(asha: int, scope: dict[str, Any]) -> Cards:
    """Of asha, who has one; the other is nobody's."""
    await transact(tokens.add, "CARD-1", user_id=asha)
    await transact(tokens.add, "CARD-2")
    root = rx.State(_reflex_internal_init=True)  # type: ignore[call-arg]
    state: Cards = await root.get_state(Cards)
    await state._refresh(asha)
    return state


def status(tag: str) -> Any:
    return read(lambda db: tokens.get(db, tag).status)


async def said(cards: Cards) -> str:
    effects = await cards.get_state(Effects)
    return effects._sentence


async def test_a_lost_card_is_blocked_at_once(cards: Cards, asha: int) -> None:
    assert [(one.tag, one.good) for one in cards.own] == [("CARD-1", True)]
    cards.ask("CARD-1")
    assert cards.asked == "CARD-1"
    await cards.block("CARD-1")
    assert cards.asked == ""
    assert [(one.state, one.good) for one in cards.own] == [("Blocked. Nobody can charge with it.", False)]
    assert await status("CARD-1") == TokenStatus.BLOCKED
    assert await said(cards) == "Card CARD-1 is blocked."


@pytest.mark.parametrize("tag", ["CARD-2", "card-1", "", None, 7, ["CARD-1"], {"tag": "CARD-1"}])
async def test_nobody_elses_card_and_no_nonsense(cards: Cards, tag: Any) -> None:
    cards.ask(tag)
    assert cards.asked == ""
    await cards.block(tag)
    assert (await status("CARD-1"), await status("CARD-2"), await said(cards)) == ("Accepted", "Accepted", "")


async def test_a_card_that_became_anothers_meanwhile_is_left_alone(cards: Cards) -> None:
    await transact(tokens.link, "CARD-1", None)
    await cards.block("CARD-1")
    assert (await status("CARD-1"), cards.own, await said(cards)) == ("Accepted", [], "")


async def test_an_expired_card_has_nothing_to_block(cards: Cards, asha: int) -> None:
    await transact(tokens.add, "CARD-1", user_id=asha, expires_at=now())
    await cards._refresh(asha)
    assert [(one.state, one.good) for one in cards.own] == [("Expired. Nobody can charge with it.", False)]


async def test_strangers_block_nothing(cards: Cards, scope: dict[str, Any]) -> None:
    scope.clear()
    await cards.block("CARD-1")
    assert await status("CARD-1") == "Accepted"
