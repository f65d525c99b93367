"""The whole product in one process and in one order: a fake clock, PhonePe's sandbox, virtual chargers, one seed."""

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager
from datetime import timedelta
from random import Random
from typing import Any
from unittest.mock import patch

import httpx
from sqlmodel import col, select
from starlette.requests import Request
from starlette.responses import Response

from domain import (
    charging,
    dispatch,
    funnel,
    models,
    placing,
    recharges,
    refunds,
    sessions,
    statements,  # noqa: F401 - imported for its clock
    sweeper,
    wallet,
)
from domain.breaker import Breaker
from domain.charging import Refused
from domain.db import Database, opened
from domain.models import (
    OPEN,
    ChargingSession,
    OrderState,
    RechargeOrder,
    SessionState,
)
from domain.placing import RechargeRefused
from domain.recharges import GatewayRefused
from domain.refunds import RefundRefused
from domain.wallet import NotAdjusted
from simulator.phonepe import Sandbox
from tests.money import house
from tests.money.charges import Desk
from tests.money.simulation import books
from tests.money.simulation.seeded import FakeClock, SeededSecrets
from tests.money.simulation.street import VirtualCharger, lost

DRIVERS, CHARGERS = 4, 3
PRICE = 1_800
FAULTS = {
    "token": ("500", "401", "garbage"),
    "pay": ("500", "500-after", "timeout-after", "400", "417", "garbage-after", "429", "401"),
    "status": ("500", "503", "garbage", "429", "401", "timeout"),
    "refund": ("500", "500-after", "garbage-after", "400", "timeout-after", "401"),
    "refund-status": ("500", "garbage", "503", "401"),
    "webhook": ("drop", "twice", "forged", "altered"),
}
"""What goes wrong at PhonePe's doors; no door says no and does it all the same."""


class World:
    """Drivers, chargers, PhonePe and the sweeper; `step` lets something happen, `end` lets everything come right."""

    def __init__(self, database: Database, clock: FakeClock, dice: Random) -> None:
        self.clock, self.dice = clock, dice
        self.desk = Desk(database, clock)  # type: ignore[arg-type]
        self.drivers = [self.desk.driver(rupees=dice.randint(0, 800)) for _ in range(DRIVERS)]
        self.given = {user_id: self.desk.money(user_id).balance_paise for user_id in self.drivers}
        self.chargers = [VirtualCharger(f"SIM-{n}", self.desk, dice) for n in range(CHARGERS)]
        self.post: list[tuple[str, bytes]] = []
        bell = httpx.ASGITransport(self._doorbell)  # type: ignore[arg-type]
        self.sandbox = Sandbox(
            seed=dice.randrange(2**32), clock=clock.seconds, hold_s=0, webhook_url="http://app.test/", transport=bell
        )
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(self.sandbox.app))
        self.phonepe = house.phonepe(self.http, monotonic=clock.seconds)
        self.steps: Counter[str] = Counter()

    async def call(self, charger_id: str, command: Any, timeout: float) -> Any:
        """The bus: commands reach their charger at once."""
        return next(charger for charger in self.chargers if charger.name == charger_id).asked(command)

    async def _doorbell(self, scope: Any, receive: Any, send: Any) -> None:
        request = Request(scope, receive)
        self.post.append((request.headers["authorization"], await request.body()))
        await Response()(scope, receive, send)

    async def step(self) -> None:
        """Something happens, then some time passes, then the sweeper works."""
        what = self.dice.choices(list(STEPS), weights=list(STEPS.values()))[0]
        self.steps[what.__name__] += 1
        await what(self)
        for charger in self.chargers:
            charger.tell()
        if self.dice.random() < 0.3:
            await self.sweep()

    # What people do

    async def wishes(self) -> None:
        charger, connector = self.dice.choice(self.chargers), self.dice.choice((1, 2))
        limit = self.dice.choice(({}, {}, {"paise": 20_000}, {"wh": 5_000}, {"minutes": 7}))
        try:
            session_id = self.desk.request(self.dice.choice(self.drivers), charger.name, connector, **limit)
        except Refused:
            return
        if self.dice.random() < 0.95:  # else our process died before it asked
            await dispatch.start(self, session_id)  # type: ignore[arg-type]

    async def plugs(self) -> None:
        charger = self.dice.choice(self.chargers)
        charger.plug(self.dice.choice((1, 2)))

    async def unplugs(self) -> None:
        charger = self.dice.choice(self.chargers)
        for charge in list(charger.running.values())[:1]:
            charger.end(charge)

    async def stops(self) -> None:
        open_ = self.desk.do(lambda db: [s.id for s in db.exec(select(ChargingSession)) if s.state in OPEN])
        if open_:
            session_id = self.dice.choice(open_)
            stopping = self.desk.do(charging.request_stop, session_id, "driver")
            if stopping.state == SessionState.STOPPING:
                await dispatch.stop(self, session_id)  # type: ignore[arg-type]

    async def recharges(self) -> None:
        user_id, nonce = self.dice.choice(self.drivers), f"n{self.dice.randrange(400)}"
        try:
            order = self.desk.do(placing.place, user_id, self.dice.randrange(50_000, 90_000), nonce)
        except RechargeRefused:
            return
        if self.dice.random() < 0.9:  # else the browser was closed
            await self._try(funnel.begin(self.phonepe, order.merchant_order_id))

    async def pays(self) -> None:
        orders = [order for order in self.sandbox.orders.newest_first() if order.state == "PENDING"]
        if orders:
            choice = self.dice.choice(("pay", "pay", "pay", "fail", "retry"))
            await self.sandbox.choose(self.dice.choice(orders).merchant_order_id, choice)

    async def bank_thinks_again(self) -> None:
        """A success after a failure, within a day and a half (R14)."""
        young = self.clock.seconds() * 1000 - 36 * 3600_000
        orders = [o for o in self.sandbox.orders.newest_first() if o.state == "FAILED" and o.created_ms > young]
        if orders:
            order = self.dice.choice(orders)
            order.state, order.error = "PENDING", {}
            self.sandbox.orders.take(order, "pay")

    async def comes_back(self) -> None:
        """A driver returns from PhonePe and asks."""
        orders = self.desk.do(lambda db: list(db.exec(select(RechargeOrder.merchant_order_id))))
        if orders:
            await self._try(funnel.settle(self.phonepe, self.dice.choice(orders)))

    async def wants_it_back(self) -> None:
        credited = select(RechargeOrder.merchant_order_id).where(RechargeOrder.state == OrderState.CREDITED)
        orders = self.desk.do(lambda db: list(db.exec(credited.order_by(col(RechargeOrder.id)))))
        if not orders:
            return
        key, paise = f"r{self.dice.randrange(10**6)}", self.dice.choice((100, 5_000, 30_000, 90_000))
        try:
            refund = self.desk.do(refunds.request, self.dice.choice(orders), paise, key=key, reason="simulated")
        except RefundRefused:
            return
        if self.dice.random() < 0.8:
            await self._try(funnel.settle_refund(self.phonepe, refund.merchant_refund_id))

    async def bank_decides(self) -> None:
        open_ = [refund for refund in self.sandbox.refunds.newest_first() if refund.state in ("PENDING", "CONFIRMED")]
        if open_:
            refund = self.dice.choice(open_)
            state = self.dice.choice(("CONFIRMED", "COMPLETED", "COMPLETED", "FAILED"))
            await self.sandbox.decide(refund.merchant_refund_id, state, flat=self.dice.random() < 0.3)

    async def operator_corrects(self) -> None:
        user_id, paise = self.dice.choice(self.drivers), self.dice.choice((500, 2_000, -500, -5_000))
        key = f"a{self.dice.randrange(40)}:{user_id}:{paise}"
        try:
            known = self.desk.do(books.has_transfer, f"adj:{key}")
            self.desk.do(wallet.adjust, user_id, paise, key=key, reason="simulated")
            self.given[user_id] += 0 if known else paise
        except NotAdjusted:
            pass

    # What the world does

    async def time_passes(self) -> None:
        minutes = self.dice.choice((1, 1, 1, 2, 5))
        self.clock.at += timedelta(minutes=minutes, milliseconds=self.dice.randrange(1000))
        for charger in self.chargers:
            charger.flow(minutes)

    async def hours_pass(self) -> None:
        hours = self.dice.choice((1, 1, 3, 25))
        for charger in self.chargers:
            for charge in list(charger.running.values()):
                charger.end(charge)
        self.clock.at += timedelta(hours=hours)

    async def line_changes(self) -> None:
        charger = self.dice.choice(self.chargers)
        charger.break_line() if charger.online else charger.connect()

    async def gateway_stumbles(self) -> None:
        door = self.dice.choice(list(FAULTS))
        self.sandbox.faults[door].append(self.dice.choice(FAULTS[door]))

    async def postman_comes(self) -> None:
        """Webhooks arrive in any order; some arrive again later."""
        if not self.post:
            return
        authorization, body = letter = self.dice.choice(self.post)
        if self.dice.random() < 0.8:
            self.post.remove(letter)
        try:
            named = self.phonepe.doorbell(authorization, body)
        except GatewayRefused:
            return
        if named is not None:
            await self._try(funnel.rang(self.phonepe, named, body))

    async def sweep(self) -> None:
        """What the sweeper does, one after the other."""
        for session_id in self.desk.do(charging.due, self.clock.at):
            left = self.desk.do(charging.deadline, session_id, self.clock.at)
            if left:
                await sweeper.LEFT[left](self, session_id)  # type: ignore[arg-type]
        lost(self.desk)
        for order in self.desk.do(recharges.due, self.clock.at):
            await self._try(funnel.settle(self.phonepe, order))
        for refund in self.desk.do(refunds.due, self.clock.at):
            await self._try(funnel.settle_refund(self.phonepe, refund))

    async def _try(self, work: Awaitable[Any]) -> None:
        """What the gateway refuses in an odd way is logged in the product, and stays due."""
        try:
            await work
        except GatewayRefused:
            self.steps["refused"] += 1

    # The end

    async def end(self) -> None:
        """Nothing goes wrong any more, and four days pass: every deadline there is has come."""
        for waiting in self.sandbox.faults.values():
            waiting.clear()
        for charger in self.chargers:
            charger.healed = True
            charger.wanted.clear()
            for charge in list(charger.running.values()):
                charger.end(charge)
            if not charger.online:
                charger.connect()
            charger.tell()
        for refund in self.sandbox.refunds.newest_first():
            refund.state = "COMPLETED" if refund.state in ("PENDING", "CONFIRMED") else refund.state
        for minutes in (*[1] * 5, *[10] * 6, *[60] * 6, *[360] * 16):
            self.clock.at += timedelta(minutes=minutes)
            for charger in self.chargers:
                self.desk.heard(charger.name)
                charger.tell()
            await self.sweep()
            await self.sweep()

    def judged(self) -> None:
        """The books are clean, nothing is left open, and every wallet is what a model without a ledger says."""
        self.desk.audited()
        for charger in self.chargers:
            charger.judged()
        left = self.desk.do(books.left_open)
        assert not left, left
        found = {order.merchant_order_id: order for order in self.sandbox.orders.newest_first()}
        back = Counter[str]()
        for refund in self.sandbox.refunds.newest_first():
            back[refund.merchant_order_id] += refund.amount if refund.state == "COMPLETED" else 0
        for user_id in self.drivers:
            mine = self.desk.do(books.orders_of, user_id)
            brought = sum(found[i].amount - back[i] for i in mine if i in found and found[i].state == "COMPLETED")
            used = sum(books.exact(wh, PRICE) for wh in self.desk.do(books.energies_of, user_id))
            money = self.desk.money(user_id)
            assert money.balance_paise - money.arrears_paise == self.given[user_id] + brought - used, user_id
            assert money.held_paise == 0

    def ledger(self) -> str:
        """Every row of money, line by line: what two runs of one seed must have in common."""
        return "\n".join(self.desk.do(books.dump))


Step = Callable[[World], Awaitable[None]]
STEPS: dict[Step, int] = {
    World.wishes: 12,
    World.plugs: 12,
    World.unplugs: 4,
    World.stops: 3,
    World.recharges: 5,
    World.pays: 6,
    World.bank_thinks_again: 1,
    World.comes_back: 3,
    World.wants_it_back: 3,
    World.bank_decides: 4,
    World.operator_corrects: 1,
    World.time_passes: 25,
    World.hours_pass: 1,
    World.line_changes: 3,
    World.gateway_stumbles: 4,
    World.postman_comes: 8,
}
"""What happens, and how often beside the others."""


@asynccontextmanager
async def world(url: str, seed: int) -> AsyncIterator[World]:
    """A world on an empty, migrated database; its time is the domain's, its ids are the seed's."""
    clock, dice = FakeClock(), Random(seed)
    with ExitStack() as patches:
        for name, module in list(sys.modules.items()):
            if name.startswith("domain.") and module is not models and getattr(module, "now", None) is models.now:
                patches.enter_context(patch.object(module, "now", clock))
        for house in (placing, refunds, sessions):
            patches.enter_context(patch.object(house, "secrets", SeededSecrets(dice)))
        patches.enter_context(patch.object(funnel, "breaker", Breaker(clock.seconds)))
        async with opened(url) as database:
            made = World(database, clock, dice)
            async with made.http:
                yield made


async def run(url: str, seed: int, steps: int) -> tuple[str, Counter[str]]:
    """Live through so many steps and the end; gives the ledger and what happened.

    Raises:
        AssertionError: the books, a bill or a wallet is not what it must be.
    """
    async with world(url, seed) as made:
        for _ in range(steps):
            await made.step()
        await made.end()
        made.judged()
        return made.ledger(), made.steps


def lived(url: str, seed: int, steps: int) -> tuple[str, Counter[str]]:
    """`run` in an event loop of its own."""
    return asyncio.run(run(url, seed, steps))
