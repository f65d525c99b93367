"""The ledger against a model that knows nothing of databases, against many at once, and against kill -9."""

import asyncio
import contextlib
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest
from hypothesis import assume
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from domain import placing, wallet
from domain.db import read, transact
from domain.models import HoldState, SessionState
from domain.wallet import InsufficientFunds, LedgerConflict, NotAdjusted
from tests.money.any_order import lived
from tests.money.house import broken, charge, driver, give, money

PAISE = st.integers(1, 300_000)
DRIVERS = (0, 1)


@dataclass
class Purse:
    """What the model knows of a driver, in paise."""

    balance: int = 0
    held: int = 0
    owed: int = 0

    @property
    def free(self) -> int:
        return self.balance - self.held


@dataclass
class ModelHold:
    driver: int
    paise: int
    state: HoldState = HoldState.OPEN


class Books(RuleBasedStateMachine):
    """Random movements on the real ledger and on the model; both must agree after every step."""

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        self.connection = engine.connect().execution_options(writes=True)
        self.db = Session(self.connection, expire_on_commit=False)
        self.numbers = count(1)
        self.users = [driver(self.db, f"driver{n}") for n in DRIVERS]
        self.purses = [Purse() for _ in DRIVERS]
        self.holds: dict[int, ModelHold] = {}
        self.orders: list[tuple[Any, int]] = []
        self.credited: set[str] = set()
        self.adjusted: dict[str, tuple[int, int]] = {}
        self.posted: dict[str, dict[str, int]] = {}

    def teardown(self) -> None:
        self.db.close()
        self.connection.close()

    @rule(n=st.sampled_from(DRIVERS), paise=st.integers(50_000, 300_000))
    def place(self, n: int, paise: int) -> None:
        order = placing.place(self.db, self.users[n], paise, f"nonce{len(self.orders)}")
        self.orders.append((order, n))

    @precondition(lambda self: self.orders)
    @rule(data=st.data())
    def credit(self, data: st.DataObject) -> None:
        order, n = data.draw(st.sampled_from(self.orders))
        wallet.credit_recharge(self.db, order)
        order.state = "CREDITED"
        if order.merchant_order_id not in self.credited:
            self.credited.add(order.merchant_order_id)
            cleared = min(order.amount_paise, self.purses[n].owed)
            self.purses[n].owed -= cleared
            self.purses[n].balance += order.amount_paise - cleared

    @rule(n=st.sampled_from(DRIVERS), paise=st.integers(-300_000, 300_000), key=st.sampled_from("abcdef"))
    def adjust(self, n: int, paise: int, key: str) -> None:
        purse, known = self.purses[n], self.adjusted.get(key)
        expected: type[Exception] | None = None
        if paise == 0:
            expected = NotAdjusted
        elif known is not None and known != (n, paise):
            expected = LedgerConflict
        elif known is None and purse.free + paise < 0:
            expected = NotAdjusted
        with pytest.raises(expected) if expected else contextlib.nullcontext():
            wallet.adjust(self.db, self.users[n], paise, key=key, reason="because")
        if expected is None and known is None:
            self.adjusted[key] = (n, paise)
            purse.balance += paise
            paid = min(purse.free, purse.owed)
            purse.balance -= paid
            purse.owed -= paid

    @rule(n=st.sampled_from(DRIVERS), at_least=PAISE, at_most=PAISE)
    def hold(self, n: int, at_least: int, at_most: int) -> None:
        session_id = charge(self.db, self.users[n], next(self.numbers), SessionState.INTERRUPTED)
        purse = self.purses[n]
        paise = min(purse.free, at_most)
        if paise < at_least:
            with pytest.raises(InsufficientFunds):
                wallet.hold(self.db, session_id, self.users[n], at_least=at_least, at_most=at_most)
            return
        wallet.hold(self.db, session_id, self.users[n], at_least=at_least, at_most=at_most)
        purse.held += paise
        self.holds[session_id] = ModelHold(n, paise)

    @precondition(lambda self: self.holds)
    @rule(data=st.data(), paise=st.integers(0, 300_000))
    def resize(self, data: st.DataObject, paise: int) -> None:
        session_id = data.draw(st.sampled_from(sorted(self.holds)))
        assert wallet.resize_hold(self.db, session_id, paise) == self._resized(self.holds[session_id], paise)

    @precondition(lambda self: self.holds)
    @rule(data=st.data(), paise=st.integers(0, 300_000))
    def rehold(self, data: st.DataObject, paise: int) -> None:
        session_id = data.draw(st.sampled_from(sorted(self.holds)))
        hold = self.holds[session_id]
        if hold.state == HoldState.VOID:
            hold.state, hold.paise = HoldState.OPEN, 0
        held = wallet.rehold(self.db, session_id, self.users[hold.driver], at_most=paise)
        assert held == self._resized(hold, paise)

    def _resized(self, hold: ModelHold, paise: int) -> int:
        if hold.state != HoldState.OPEN:
            return 0
        purse = self.purses[hold.driver]
        change = min(paise - hold.paise, purse.free)
        hold.paise += change
        purse.held += change
        return hold.paise

    @precondition(lambda self: self.holds)
    @rule(data=st.data(), state=st.sampled_from([HoldState.VOID, HoldState.SETTLED]))
    def release(self, data: st.DataObject, state: HoldState) -> None:
        session_id = data.draw(st.sampled_from(sorted(self.holds)))
        hold = self.holds[session_id]
        released = hold.paise if hold.state == HoldState.OPEN else 0
        assert wallet.release(self.db, session_id, state) == released
        if hold.state == HoldState.OPEN:
            hold.state = state
            self.purses[hold.driver].held -= released

    @rule(
        n=st.sampled_from(DRIVERS),
        wallet_paise=st.integers(-400_000, 10_000),
        due_paise=st.integers(-100_000, 1_000),
        gst=st.integers(0, 100),
        key=st.sampled_from("uvwxyz"),
    )
    def post(self, n: int, wallet_paise: int, due_paise: int, gst: int, key: str) -> None:
        """Whatever a door may ask for, within what the accounts allow or beyond it."""
        user_id, purse = self.users[n], self.purses[n]
        gst = min(gst, max(0, -wallet_paise - due_paise))
        asked = {
            wallet.wallet_code(user_id): wallet_paise,
            wallet.due_code(user_id): due_paise,
            wallet.REVENUE: -wallet_paise - due_paise - gst,
            wallet.GST: gst,
        }
        postings = {code: paise for code, paise in asked.items() if paise}
        assume(postings)
        known = self.posted.get(key)
        impossible = purse.balance + wallet_paise < purse.held or purse.owed - due_paise < 0
        expected: type[Exception] | None = None
        if known is not None and known != postings:
            expected = LedgerConflict
        elif known is None and impossible:
            expected = IntegrityError
        with pytest.raises(expected) if expected else contextlib.nullcontext(), self.db.begin_nested():
            wallet.post(self.db, key, "charging", asked)
        if expected is None and known is None:
            self.posted[key] = postings
            purse.balance += wallet_paise
            purse.owed -= due_paise

    @invariant()
    def model_and_ledger_agree(self) -> None:
        for user_id, purse in zip(self.users, self.purses, strict=True):
            assert money(self.db, user_id) == wallet.Balance(purse.balance, purse.held, purse.owed)
            assert purse.free >= 0

    @invariant()
    def books_are_right(self) -> None:
        self.db.flush()
        assert broken(self.db) == []


def test_the_ledger_does_what_the_model_does(database_url: str) -> None:
    lived(database_url, lambda database: Books(database.engine), lives=25, steps=25)


# Many at once


async def test_money_for_one_hold_makes_one_hold(asha: int) -> None:
    """50 parallel starts with the balance for one (security.md)."""
    await transact(give, asha, 10_000)
    sessions = [await transact(charge, asha, n, SessionState.INTERRUPTED) for n in range(1, 51)]
    outcomes = await asyncio.gather(
        *(transact(wallet.hold, s, asha, at_least=10_000, at_most=20_000) for s in sessions), return_exceptions=True
    )
    assert sum(isinstance(outcome, InsufficientFunds) for outcome in outcomes) == 49
    assert (await read(money, asha)).held_paise == 10_000


async def test_money_for_one_debit_makes_one_debit(asha: int) -> None:
    await transact(give, asha, 10_000)
    outcomes = await asyncio.gather(
        *(transact(wallet.adjust, asha, -10_000, key=f"k{n}", reason="all of it") for n in range(20)),
        return_exceptions=True,
    )
    assert sum(isinstance(outcome, NotAdjusted) for outcome in outcomes) == 19
    assert (await read(money, asha)).balance_paise == 0


async def test_one_key_from_many_sides_moves_once(asha: int) -> None:
    transfers = await asyncio.gather(
        *(transact(wallet.adjust, asha, 700, key="k", reason="once") for _ in range(40)),
        *(transact(wallet.adjust, asha, 701, key="k", reason="a lie") for _ in range(10)),
        return_exceptions=True,
    )
    conflicts = sum(isinstance(transfer, LedgerConflict) for transfer in transfers)
    assert (conflicts, (await read(money, asha)).balance_paise) in ((10, 700), (40, 701))


async def test_drivers_who_pay_at_once_neither_lock_each_other_out_nor_lose_a_paisa(asha: int) -> None:
    """Transfers in opposite directions lock in one order."""
    ravi = await transact(driver, "ravi")
    for user_id in (asha, ravi):
        await transact(give, user_id, 100_000)
    a, b = wallet.wallet_code(asha), wallet.wallet_code(ravi)
    there = (transact(wallet.post, f"there{n}", "adjustment", {a: -n, b: n}) for n in range(1, 41))
    back = (transact(wallet.post, f"back{n}", "adjustment", {b: -2 * n, a: 2 * n}) for n in range(1, 41))
    await asyncio.gather(*there, *back)
    assert ((await read(money, asha)).balance_paise, (await read(money, ravi)).balance_paise) == (100_820, 99_180)
