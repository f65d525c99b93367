"""All that moves money, in any order and again, against a model that knows no ledger, on both databases.

Recharges with everything a gateway can say, refunds, charges, changing prices, corrections by hand, goodwill, money of
another amount, and the papers of it all.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from itertools import count
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule
from sqlalchemy import Engine
from sqlmodel import select

from domain import firms, goodwill, placing, receipts, recharges, refunds, statements, story, suspense, tariffs, wallet
from domain.goodwill import NotGivenBack
from domain.models import Account, ChargingSession, SessionState
from domain.placing import RechargeRefused
from domain.prices import Price
from domain.receipts import ChargeReceipt, Kind
from domain.recharges import OrderStatus, Payment, RefundStatus
from domain.refunds import RefundRefused
from domain.settings import settings
from domain.suspense import NotSetAside
from domain.wallet import NotAdjusted
from tests.money.charges import RUPEE
from tests.money.house import RUPEES_500, Clock
from tests.money.rows import told
from tests.money.test_charging_any_order import DRIVER, LATEST, MINUTES, PLACES, Charge, Street, lived_through

OPEN, BACK, GONE = "open", "back", "gone"
SAID = ("PENDING", "FAILED", "COMPLETED", "COMPLETED", "EXPIRED", "completed", "")
FIRMS = (("33AABCK4567Q1Z1", "Tamil Nadu"), ("29AABCK4567Q1ZQ", "Karnataka"))
SAID_OF_REFUNDS = ("PENDING", "CONFIRMED", "COMPLETED", "COMPLETED", "FAILED", "EXPIRED", "")


@dataclass
class Billed(Charge):
    start: int = 0
    """The fee of its tariff."""
    given_back: int = 0


@dataclass
class Order:
    user_id: int
    paise: int
    name: str
    took: int | None = None
    """What the gateway took for it, once it said so."""
    aside: bool = False
    given: bool = False

    @property
    def credited(self) -> bool:
        return self.took == self.paise


@dataclass
class Refund:
    order: Order
    paise: int
    name: str
    where: str = OPEN


class Everything(Street):
    """The street of chargers with PhonePe and an operator."""

    def __init__(self, engine: Engine, clock: Clock, began: datetime) -> None:
        super().__init__(engine, clock, began)
        self.tariff = {"price": 1_800, "start": 0}
        self.orders: dict[tuple[int, int], Order] = {}
        self.refunds: list[Refund] = []
        self.adjusted = sum(self.given.values())
        self.adjustments: set[str] = set()
        self.wishes = count()
        self.firms: dict[int, tuple[str, str] | None] = {}
        self.made_out: dict[str, tuple[str, str] | None] = {}
        """Receipt → GSTIN and state of the firm that its driver charged for when it was given."""

    def charge(self, user_id: int) -> Billed:
        return Billed(user_id, **self.tariff)

    def user(self, n: int) -> int:
        return list(self.given)[n]

    def order(self, back: int) -> Order:
        """Of the newest ones."""
        return list(self.orders.values())[::-1][back % len(self.orders)]

    def refund(self, back: int) -> Refund:
        return self.refunds[::-1][back % len(self.refunds)]

    def twice(self, work: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Once, and again, which changes nothing."""
        result = self.desk.do(work, *args, **kwargs)
        self.desk.changes_nothing(self.desk.do, work, *args, **kwargs)
        return result

    # Prices

    @rule(price=st.sampled_from((0, 1_799, 1_800, 2_155)), start=st.sampled_from((0, 0, 501)))
    def price_changes(self, price: int, start: int) -> None:
        self.tariff = {"price": price, "start": start}
        self.desk.do(tariffs.set_price, Price(price, 0, start_paise=start), effective_at=self.desk.passes(seconds=1))

    # Firms

    @rule(n=DRIVER, firm=st.sampled_from((*FIRMS, None)))
    def firm_changes(self, n: int, firm: tuple[str, str] | None) -> None:
        typed = {"gstin": firm[0], "name": "Kaveri Cabs", "address": "7 Anna Salai"} if firm else {}
        self.desk.do(firms.save, self.user(n), typed)
        self.firms[self.user(n)] = firm

    @invariant()
    def receipts_are_noted(self) -> None:
        for session_id, charge in self.charges.items():
            if number := self.desk.session(session_id).receipt_number:
                self.made_out.setdefault(number, self.firms.get(charge.user_id))

    def made_out_rightly(self, paper: ChargeReceipt, number: str) -> None:
        """To the firm of the receipt's day, for good, in its state: there is IGST where that is not the seller's."""
        gstin, place = self.made_out[number] or ("", "Karnataka")
        assert (paper.buyer.gstin if paper.buyer else "", paper.place_of_supply) == (gstin, place)
        assert [tax.name for tax in paper.taxes] == (["CGST", "SGST"] if place == "Karnataka" else ["IGST"])

    # Recharges

    @rule(n=DRIVER, nonce=st.integers(0, 3), paise=st.sampled_from((RUPEES_500, RUPEES_500, RUPEES_500 + 1)))
    def recharge(self, n: int, nonce: int, paise: int) -> None:
        user_id = self.user(n)
        known = self.orders.get((user_id, nonce))
        if known is not None and known.paise != paise:
            with pytest.raises(RechargeRefused, match="Nothing was charged"):
                self.desk.do(placing.place, user_id, paise, f"n{nonce}")
            return
        placed = self.twice(placing.place, user_id, paise, f"n{nonce}")
        self.orders.setdefault((user_id, nonce), Order(user_id, paise, placed.merchant_order_id))
        assert self.orders[user_id, nonce].name == placed.merchant_order_id

    @rule(n=DRIVER, nonce=st.integers(0, 3), off=st.sampled_from((0, 0, 1)), gives=st.booleans())
    def whole_recharge(self, n: int, nonce: int, off: int, gives: bool) -> None:
        """All of it at once, so that more money is there to be moved."""
        if (self.user(n), nonce) not in self.orders:
            self.recharge(n, nonce, RUPEES_500)
            self.gateway_says(0, "COMPLETED", off)
            self.another_amount(0, False)
            self.another_amount(0, gives)

    @precondition(lambda self: self.orders)
    @rule(back=LATEST, answer=st.sampled_from(("opened", "unknown", "rejected", "absent")))
    def pay_page(self, back: int, answer: str) -> None:
        """What is heard of a pay page, at any time, moves no money."""
        other = {"opened": [Payment("OMO", "PENDING", "http://localhost/pay", None)], "rejected": ["NO"]}
        step = getattr(recharges, answer)
        self.desk.do(step, self.order(back).name, *other.get(answer, []))

    @precondition(lambda self: self.orders)
    @rule(back=LATEST, state=st.sampled_from(SAID), off=st.sampled_from((0, 0, 0, 0, 1, -1)))
    def gateway_says(self, back: int, state: str, off: int) -> None:
        order = self.order(back)
        said = OrderStatus("OMO", state, order.paise + off, "", "", "", "", {"state": state, "off": off})
        self.twice(recharges.apply, order.name, said)
        if state == "COMPLETED" and order.took is None:
            order.took = order.paise + off
            self.given[order.user_id] += order.paise if order.credited else 0

    @precondition(lambda self: self.orders)
    @rule(back=LATEST, gives=st.booleans())
    def another_amount(self, back: int, gives: bool) -> None:
        """The operator sets aside what was paid otherwise than ordered, then gives it its driver."""
        order = self.order(back)
        mismatched = order.took is not None and not order.credited
        said = OrderStatus("OMO", "COMPLETED", order.took or order.paise, "", "", "", "", {})
        step: tuple[Any, ...] = (suspense.give, order.name) if gives else (suspense.set_aside, order.name, said)
        if not mismatched or (gives and not order.aside):
            with pytest.raises(NotSetAside):
                self.desk.do(*step)
            return
        self.twice(*step)
        self.given[order.user_id] += (order.took or 0) if gives and not order.given else 0
        order.aside, order.given = True, order.given or gives

    # Charges

    @rule(n=DRIVER, place=st.sampled_from(PLACES), minutes=MINUTES, paise=st.sampled_from((0, 1, 900)))
    def whole_charge(self, n: int, place: tuple[str, int], minutes: int, paise: int) -> None:
        if self.wished(n, place):
            self.start(0)
            self.flow(0, minutes, False)
            self.stop(0, True)
            self.goodwill(0, paise)

    @rule(n=DRIVER, place=st.sampled_from(PLACES), minutes=MINUTES)
    def charge_without_a_stop(self, n: int, place: tuple[str, int], minutes: int) -> None:
        """Its estimate is debited after a day; the stop may still come."""
        if self.wished(n, place):
            self.start(0)
            self.flow(0, minutes, False)
            self.flow(0, minutes, True)
            self.status(place, "Available")
            self.time(2, True)
            self.time(25 * 60, True)

    # Refunds

    @precondition(lambda self: any(order.credited for order in self.orders.values()))
    @rule(back=LATEST, paise=st.integers(0, 60_000), edge=st.sampled_from(("", "least", "left", "free")), off=LATEST)
    def refund_wanted(self, back: int, paise: int, edge: str, off: int) -> None:
        """Of any recharge that came, by any sum, or by one at an edge of what is allowed."""
        credited = [order for order in self.orders.values() if order.credited][::-1]
        order = credited[back % len(credited)]
        of_order = [refund for refund in self.refunds if refund.order is order and refund.where != BACK]
        left = order.paise - sum(refund.paise for refund in of_order)
        free = self.net(order.user_id) - self.desk.money(order.user_id).held_paise
        paise = {"": paise, "least": 99 + off, "left": left - 1 + off, "free": free - 1 + off}[edge]
        wanted = (refunds.request, order.name, paise)
        wish = {"key": f"k{next(self.wishes)}", "reason": "he asked"}
        open_ = any(refund.where == OPEN for refund in of_order)
        if open_ or not 100 <= paise <= min(left, free):
            with pytest.raises(RefundRefused):
                self.desk.do(*wanted, **wish)
            return
        self.refunds.append(Refund(order, paise, self.twice(*wanted, **wish).merchant_refund_id))
        self.given[order.user_id] -= paise

    @rule(n=DRIVER, paise=st.integers(100, 60_000), state=st.sampled_from(SAID_OF_REFUNDS))
    def whole_refund(self, n: int, paise: int, state: str) -> None:
        if not any(order.credited for order in self.orders.values()):
            self.whole_recharge(n, 0, 0, False)
            return
        self.refund_wanted(n, paise, "", 0)
        if self.refunds:
            self.gateway_says_of_a_refund(0, state, 0)

    @precondition(lambda self: self.refunds)
    @rule(back=LATEST, state=st.sampled_from(SAID_OF_REFUNDS), off=st.sampled_from((0, 0, 0, 1)))
    def gateway_says_of_a_refund(self, back: int, state: str, off: int) -> None:
        refund = self.refund(back)
        self.desk.do(refunds.sending, refund.name)
        said = RefundStatus("OMR", state, refund.paise + off, "", {"state": state, "off": off})
        self.twice(refunds.apply, refund.name, said)
        if refund.where == OPEN and state == "COMPLETED" and not off:
            refund.where = GONE
        elif refund.where == OPEN and state == "FAILED":
            self.comes_back(refund)

    @precondition(lambda self: self.refunds)
    @rule(back=LATEST)
    def gateway_refuses_a_refund(self, back: int) -> None:
        refund = self.refund(back)
        self.twice(refunds.rejected, refund.name, "NO")
        if refund.where == OPEN:
            self.comes_back(refund)

    def comes_back(self, refund: Refund) -> None:
        refund.where = BACK
        self.given[refund.order.user_id] += refund.paise

    # The operator

    @rule(n=DRIVER, rupees=st.sampled_from((300, 5, -5, -100)), number=st.integers(0, 1))
    def corrected_by_hand(self, n: int, rupees: int, number: int) -> None:
        user_id, paise = self.user(n), rupees * RUPEE
        correction = (wallet.adjust, user_id, paise)
        key = f"{user_id}:{paise}:{number}"
        has = self.desk.money(user_id)
        if key not in self.adjustments and has.free_paise + paise < 0:
            with pytest.raises(NotAdjusted):
                self.desk.do(*correction, key=key, reason="counted again")
            return
        self.twice(*correction, key=key, reason="counted again")
        if key not in self.adjustments:
            self.adjustments.add(key)
            self.given[user_id] += paise
            self.adjusted += paise

    @precondition(lambda self: self.charges)
    @rule(back=LATEST, paise=st.sampled_from((0, 1, 900, 100_000)))
    def goodwill(self, back: int, paise: int) -> None:
        session_id, charge = self.pick(back)
        assert isinstance(charge, Billed)
        session = self.desk.session(session_id)
        billed = session.state == SessionState.SETTLED and session.receipt_number
        if not billed or charge.given_back or not 0 < paise <= session.cost_paise:
            with pytest.raises(NotGivenBack):
                self.desk.do(goodwill.give_back, session_id, paise, "sorry")
            return
        self.desk.do(goodwill.give_back, session_id, paise, "sorry")
        charge.given_back = paise

    # What must be true

    def net(self, user_id: int) -> int:
        mine = [self.desk.session(number) for number, charge in self.charges.items() if charge.user_id == user_id]
        return self.given[user_id] - sum(session.cost_paise for session in mine if session.settled_at)

    def costs(self, session: ChargingSession, energy_paise: int) -> None:
        charge = self.charges[session.id or 0]
        assert isinstance(charge, Billed)
        full = energy_paise + (charge.start if session.energy_wh else 0)
        assert session.cost_paise == full - min(charge.given_back, full)
        gst = Decimal(session.cost_paise) * 18 / 118
        assert session.gst_paise == gst.quantize(Decimal(1), ROUND_HALF_UP)

    @invariant()
    def the_house_has_what_the_model_says(self) -> None:
        kept = self.desk.do(lambda db: {account.code: account.balance_paise for account in db.exec(select(Account))})
        took = sum(order.took or 0 for order in self.orders.values() if order.credited or order.aside)
        billed = [self.desk.session(session_id) for session_id in self.charges]
        revenue = sum(session.cost_paise for session in billed if session.settled_at)
        gst = sum(session.gst_paise for session in billed if session.settled_at)
        house = {
            wallet.GATEWAY: sum(refund.paise for refund in self.refunds if refund.where == GONE) - took,
            wallet.CLEARING: sum(refund.paise for refund in self.refunds if refund.where == OPEN),
            wallet.SUSPENSE: sum(o.took or 0 for o in self.orders.values() if o.aside and not o.given),
            wallet.GOODWILL: -self.adjusted,
            wallet.REVENUE: revenue - gst,
            wallet.GST: gst,
        }
        assert {code: kept.get(code, 0) for code in house} == house

    @rule(n=DRIVER)
    def driver_looks(self, n: int) -> None:
        """His story, his statements and his papers say what his wallet has."""
        user_id = self.user(n)
        has = self.desk.money(user_id)
        lines = self.desk.do(story.lines, user_id, limit=None)
        assert sum(line.amount_paise for line in lines if not line.arrears) == has.balance_paise
        assert sum(line.amount_paise for line in lines if line.arrears) == -has.arrears_paise
        assert all(self.desk.do(told, user_id).splitlines())
        months = [self.desk.do(statements.of_month, user_id, m) for m in self.desk.do(statements.months, user_id)]
        assert (months[0].closing_paise, months[0].closing_owed_paise) == (has.balance_paise, has.arrears_paise)
        assert (months[-1].opening_paise, months[-1].opening_owed_paise) == (0, 0)
        for session_id, charge in self.charges.items():
            session = self.desk.session(session_id)
            if charge.user_id == user_id and session.receipt_number:
                papers = self.papers(session)
                assert sum(map(self.asks, papers)) == session.cost_paise
                for paper in papers:
                    self.made_out_rightly(paper, session.receipt_number)

    def papers(self, session: ChargingSession) -> list[ChargeReceipt]:
        numbers = [note.number.replace("/", "-") for note in self.desk.do(receipts.notes, session)]
        user_id = session.user_id or 0
        notes = [self.desk.do(receipts.of_note, user_id, number) for number in numbers]
        return [self.desk.do(receipts.of_charge, user_id, session.ref), *notes]

    def asks(self, paper: ChargeReceipt) -> int:
        """What a paper asks of its driver, which is what its transfers took; a credit note gives."""
        asked = -paper.total_paise if paper.kind == Kind.CREDIT_NOTE else paper.total_paise
        assert sum(booking.wallet_paise + booking.owed_paise for booking in paper.bookings) == asked
        assert paper.taxable_paise + sum(tax.paise for tax in paper.taxes) == paper.total_paise
        return asked


def test_all_that_moves_money_in_any_order(database_url: str, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """R1-R40 and C1-C40 where the domain decides, in all their orders, beside each other."""
    monkeypatch.setattr(settings(), "seller_gstin", "29ABCDE1234F1Z5")
    monkeypatch.setattr(settings(), "seller_state", "Karnataka")
    lived_through(database_url, clock, Everything, (40, 10), steps=40)
