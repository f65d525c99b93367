"""Refunds against a model that knows only where the money is: whatever happens in whatever order, the books agree."""

from dataclasses import dataclass
from datetime import timedelta
from itertools import count

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from sqlalchemy import Engine
from sqlmodel import Session

from domain import placing, recharges, refunds, wallet
from domain.models import Account, RechargeOrder, Refund
from domain.recharges import OrderStatus, RefundStatus
from domain.refunds import RefundRefused
from tests.money.any_order import lived
from tests.money.house import RUPEES_500, Clock, broken, driver, money

OPEN, BACK, GONE = "open", "back", "gone"


@dataclass
class ModelRefund:
    order: int
    paise: int
    where: str = OPEN
    sent: bool = False
    taken: bool = False
    named: bool = False
    age: timedelta = timedelta()


class Till(RuleBasedStateMachine):
    """One driver, some recharges, and refunds of them; the gateway says anything at any time."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        super().__init__()
        self.connection = engine.connect().execution_options(writes=True)
        self.db = Session(self.connection, expire_on_commit=False)
        self.clock = clock
        self.user = driver(self.db)
        self.orders: list[RechargeOrder] = []
        self.made: list[Refund] = []
        self.model: list[ModelRefund] = []
        self.balance = self.owed = 0
        self.numbers = count()

    def teardown(self) -> None:
        self.db.close()
        self.connection.close()

    def _arrives(self, paise: int) -> None:
        cleared = min(self.owed, paise)
        self.owed -= cleared
        self.balance += paise - cleared

    @precondition(lambda self: len(self.orders) < 3)
    @rule()
    def recharge(self) -> None:
        order = placing.place(self.db, self.user, RUPEES_500, f"n{len(self.orders)}")
        said = OrderStatus("OMO", "COMPLETED", RUPEES_500, "", "", "", "", {})
        recharges.apply(self.db, order.merchant_order_id, said)
        self.orders.append(order)
        self._arrives(RUPEES_500)

    @precondition(lambda self: self.owed == 0)
    @rule(paise=st.integers(1, 60_000))
    def runs_into_arrears(self, paise: int) -> None:
        postings = {wallet.due_code(self.user): -paise, wallet.REVENUE: paise}
        wallet.post(self.db, f"test:owe:{next(self.numbers)}", "charging", postings)
        self.owed += paise

    @precondition(lambda self: self.orders)
    @rule(data=st.data(), paise=st.integers(0, 60_000), off=st.sampled_from((-1, 0, 1)), key=st.integers(0, 30))
    def request(self, data: st.DataObject, paise: int, off: int, key: int) -> None:
        """Any amount, or one at an edge of what is allowed."""
        n = data.draw(st.integers(0, len(self.orders) - 1))
        known = next((i for i, refund in enumerate(self.made) if refund.request_key == f"k{key}"), None)
        of_order = [refund for refund in self.model if refund.order == n and refund.where != BACK]
        left = RUPEES_500 - sum(refund.paise for refund in of_order)
        paise = data.draw(st.sampled_from((paise, 100 + off, left + off, self.balance - self.owed + off)))
        allowed = (
            100 <= paise <= left
            and paise <= self.balance - self.owed
            and not any(refund.where == OPEN for refund in of_order)
        )
        if known is not None:
            allowed = (self.model[known].order, self.model[known].paise) == (n, paise)
        order_id = self.orders[n].merchant_order_id
        if not allowed:
            with pytest.raises(RefundRefused):
                refunds.request(self.db, order_id, paise, key=f"k{key}", reason="because")
            return
        refund = refunds.request(self.db, order_id, paise, key=f"k{key}", reason="because")
        if known is None:
            self.made.append(refund)
            self.model.append(ModelRefund(n, paise))
            self.balance -= paise
        else:
            assert refund is self.made[known]

    @precondition(lambda self: self.made)
    @rule(data=st.data())
    def send(self, data: st.DataObject) -> None:
        n = data.draw(st.integers(0, len(self.made) - 1))
        model = self.model[n]
        mine = model.where == OPEN and not model.sent and not model.taken
        assert (refunds.sending(self.db, self.made[n].merchant_refund_id) is not None) == mine
        if mine:
            model.sent, model.age = True, timedelta()

    @precondition(lambda self: self.made)
    @rule(
        data=st.data(),
        state=st.sampled_from(("PENDING", "CONFIRMED", "COMPLETED", "FAILED", "EXPIRED", "completed", "")),
        off=st.sampled_from((0, 0, 0, 1, -1)),
        named=st.booleans(),
    )
    def gateway_says(self, data: st.DataObject, state: str, off: int, named: bool) -> None:
        n = data.draw(st.integers(0, len(self.made) - 1))
        model = self.model[n]
        said = RefundStatus("OMR" if named else "", state, model.paise + off, "", {"n": n, "state": state, "off": off})
        refunds.apply(self.db, self.made[n].merchant_refund_id, said)
        if model.where == OPEN:
            model.named |= named
            model.taken |= state in ("PENDING", "CONFIRMED")
            if state == "COMPLETED" and off == 0:
                model.where = GONE
            elif state == "FAILED":
                model.where = BACK
                self._arrives(model.paise)

    @precondition(lambda self: self.made)
    @rule(data=st.data())
    def gateway_never_heard_of_it(self, data: st.DataObject) -> None:
        n = data.draw(st.integers(0, len(self.made) - 1))
        model = self.model[n]
        refunds.absent(self.db, self.made[n].merchant_refund_id)
        lost = model.sent and not model.taken and not model.named and model.age >= refunds.NEVER_ARRIVED
        if model.where == OPEN and lost:
            model.where = BACK
            self._arrives(model.paise)

    @precondition(lambda self: self.made)
    @rule(data=st.data())
    def gateway_refuses(self, data: st.DataObject) -> None:
        n = data.draw(st.integers(0, len(self.made) - 1))
        refunds.rejected(self.db, self.made[n].merchant_refund_id, "NO")
        if self.model[n].where == OPEN:
            self.model[n].where = BACK
            self._arrives(self.model[n].paise)

    @rule(minutes=st.sampled_from((1, 31, 60)))
    def time_passes(self, minutes: int) -> None:
        self.clock.at += timedelta(minutes=minutes)
        for model in self.model:
            model.age += timedelta(minutes=minutes)

    @invariant()
    def the_money_is_where_the_model_has_it(self) -> None:
        self.db.flush()
        assert money(self.db, self.user) == wallet.Balance(self.balance, 0, self.owed)
        clearing, gateway = (self.db.get(Account, code) for code in (wallet.CLEARING, wallet.GATEWAY))
        assert (clearing.balance_paise if clearing else 0) == sum(r.paise for r in self.model if r.where == OPEN)
        came = RUPEES_500 * len(self.orders)
        went = sum(r.paise for r in self.model if r.where == GONE)
        assert (gateway.balance_paise if gateway else 0) == went - came
        assert broken(self.db) == []


def test_any_order_of_events_leaves_the_money_in_one_place(database_url: str, clock: Clock) -> None:
    """R30-R33: requests, answers, silences and contradictions in any order."""
    lived(database_url, lambda database: Till(database.engine, clock), lives=60, steps=40)
