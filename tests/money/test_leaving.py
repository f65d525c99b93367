"""Who leaves gives up what cannot be paid back, by its sum, and nothing else; the books say where it is."""

import pytest

from domain import accounts, funnel, suspense, wallet
from domain.accounts import NotDeleted
from domain.attempts import Attempt
from domain.db import read, transact
from domain.models import Account, User
from tests.money.house import RUPEES_500, Gateway, give
from tests.money.orders import opened, paid, sent


def proof(user_id: int) -> Attempt:
    """The right PIN was given."""
    return Attempt(user_id, "-", (), "", slow=False)


async def of_house(code: str) -> int:
    account = await read(lambda db: db.get(Account, code))
    return account.balance_paise if account else 0


async def is_gone(user_id: int) -> bool:
    return (await read(lambda db: db.get_one(User, user_id))).username == f"deleted {user_id}"


async def spent_to(user_id: int, gateway: Gateway, left_paise: int) -> str:
    """A recharge of ₹500 of which so much is left."""
    order_id = await paid(gateway, user_id)
    await transact(wallet.adjust, user_id, left_paise - RUPEES_500, key="spent", reason="for a test")
    return order_id


@pytest.mark.parametrize("left_paise", [1, 99])
async def test_less_than_phonepe_pays_back_is_given_up(asha: int, gateway: Gateway, left_paise: int) -> None:
    await spent_to(asha, gateway, left_paise)
    assert await read(accounts.waivable, asha) == left_paise
    with pytest.raises(NotDeleted, match=rf"₹0\.{left_paise:02d} left that cannot be paid back"):
        await transact(accounts.delete, proof(asha))
    await transact(accounts.delete, proof(asha), left_paise)
    assert await is_gone(asha)
    assert await of_house(wallet.WAIVED) == left_paise
    assert await of_house(wallet.wallet_code(asha)) == 0


async def test_what_was_given_without_a_recharge_is_given_up(asha: int) -> None:
    await transact(give, asha, 12_350)
    assert await read(accounts.waivable, asha) == 12_350
    await transact(accounts.delete, proof(asha), 12_350)
    assert (await is_gone(asha), await of_house(wallet.WAIVED)) == (True, 12_350)


async def test_what_can_go_back_is_never_given_up(asha: int, gateway: Gateway) -> None:
    """A whole rupee goes back to a recharge, whatever the driver says; after that the rest may go."""
    order_id = await spent_to(asha, gateway, 199)
    assert await read(accounts.waivable, asha) == 0
    with pytest.raises(NotDeleted, match=r"₹1\.99 left\. Use it, or ask Help"):
        await transact(accounts.delete, proof(asha), 199)
    refund_id = await sent(gateway, order_id, 100)
    with pytest.raises(NotDeleted, match="on its way back to you"):
        await transact(accounts.delete, proof(asha), 99)
    gateway.say_refund(refund_id, "COMPLETED")
    await funnel.settle_refund(gateway, refund_id)
    await transact(accounts.delete, proof(asha), 99)
    assert (await is_gone(asha), await of_house(wallet.WAIVED)) == (True, 99)


async def test_a_recharge_that_went_back_takes_nothing_more(asha: int, gateway: Gateway) -> None:
    order_id = await paid(gateway, asha)
    await transact(give, asha, 5_000, "gift")
    refund_id = await sent(gateway, order_id, RUPEES_500)
    gateway.say_refund(refund_id, "COMPLETED")
    await funnel.settle_refund(gateway, refund_id)
    assert await read(accounts.waivable, asha) == 5_000
    await transact(accounts.delete, proof(asha), 5_000)
    assert await is_gone(asha)


async def test_money_of_another_amount_goes_back_by_hand(asha: int, gateway: Gateway) -> None:
    """It was paid, though not by a recharge that a refund could name."""
    order_id = await opened(gateway, asha)
    gateway.pay(order_id, amount_paise=49_900)
    await funnel.settle(gateway, order_id)
    await transact(suspense.set_aside, order_id, gateway.orders[order_id])
    await transact(suspense.give, order_id)
    assert await read(accounts.waivable, asha) == 0
    with pytest.raises(NotDeleted, match=r"₹499\.00 left\. Use it, or ask Help"):
        await transact(accounts.delete, proof(asha), 49_900)


@pytest.mark.parametrize("named_paise", [0, 59, 61, 6_000])
async def test_only_the_sum_that_was_named_is_given_up(asha: int, named_paise: int) -> None:
    """Something came in after the question was read, or went."""
    await transact(give, asha, 60)
    with pytest.raises(NotDeleted, match=r"₹0\.60 left that cannot be paid back"):
        await transact(accounts.delete, proof(asha), named_paise)
    assert (await is_gone(asha), await of_house(wallet.WAIVED)) == (False, 0)


async def test_who_has_nothing_left_gives_nothing_up(asha: int) -> None:
    assert await read(accounts.waivable, asha) == 0
    await transact(accounts.delete, proof(asha), 60)
    assert (await is_gone(asha), await of_house(wallet.WAIVED)) == (True, 0)
