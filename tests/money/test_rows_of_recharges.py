"""Rows of a recharge and a refund, judged by the one oracle: what PhonePe took and gave is what the wallet has."""

import pytest

from domain import funnel
from domain.breaker import Breaker
from domain.db import read
from tests.money import scenes_of_news, scenes_of_orders, scenes_of_refunds  # noqa: F401 - their scenes
from tests.money.house import Clock, Gateway, money
from tests.money.rows import ROWS, SCENES, told
from tests.money.scene_of_a_recharge import Street, books_of
from tests.money.town import Town


@pytest.mark.parametrize("row", [row for row in ROWS if row.startswith("R")])
async def test_the_oracle(
    asha: int, gateway: Gateway, clock: Clock, town: Town, row: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Audit clean (by the fixture), wallet = model, a true sentence, and a repetition that changes nothing."""
    monkeypatch.setattr(funnel, "breaker", Breaker(lambda: clock.at.timestamp()))
    outcome = await SCENES[row](Street(asha, gateway, clock, town))  # type: ignore[misc]
    has = await read(money, asha)
    assert has.balance_paise - has.arrears_paise == outcome.brought
    assert has.held_paise == 0
    assert outcome.reads in await read(told, asha)
    assert outcome.again
    for event in outcome.again:
        before = await read(books_of)
        await event()
        assert await read(books_of) == before
