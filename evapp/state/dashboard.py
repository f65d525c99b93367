"""Home: how much money there is, what this month came to, and who is greeted."""

from datetime import datetime

import reflex as rx

from domain import history, wallet
from domain.db import read
from domain.india import INDIA
from domain.models import now
from evapp.components.money import clock, kwh, month, rupees
from evapp.components.receipt import Bill
from evapp.state.balance import owed, reach, set_aside
from evapp.state.bill import bill_of
from evapp.state.find import Find
from evapp.state.install import Install
from evapp.state.recharge import Recharge
from evapp.state.visit import arrive
from evapp.texts import later, t

GREETINGS = (
    (5, later("Hello, {name}")),
    (12, later("Good morning, {name}")),
    (17, later("Good afternoon, {name}")),
    (24, later("Good evening, {name}")),
)
"""Until which hour, Indian time, which greeting."""


class Dashboard(rx.State):
    """The figures of the home page."""

    loaded: bool = False
    greeting: str = ""
    balance: str = ""
    as_of: str = ""
    """When it was looked up."""
    reach: str = ""
    held: str = ""
    arrears: str = ""
    low: str = ""
    last: Bill = Bill()
    """The last charge while it is not long ago; without a reference while there is none."""
    month: str = ""
    month_sum: str = ""

    @rx.event
    async def load(self) -> None:
        """Show the page /dashboard."""
        (await self.get_state(Find))._show()
        user = await arrive(self, Dashboard, Recharge, Find, Install)
        if user is not None:
            hour = now().astimezone(INDIA).hour
            self.greeting = next(t(words, name=user.username) for until, words in GREETINGS if hour < until)

    async def _refresh(self, user_id: int) -> None:
        money = await read(wallet.balance, user_id)
        self.balance, self.as_of = rupees(money.balance_paise), clock(now())
        self.held = set_aside(money.held_paise)
        self.arrears = owed(money.arrears_paise)
        self.reach = await reach(user_id, money.balance_paise)
        running = await read(history.current, user_id)
        self.low = (
            t("Less than {sum} left. Add money before your next charge.", sum=rupees(wallet.LOW_PAISE))
            if money.balance_paise < wallet.LOW_PAISE and running is None and money.balance_paise
            else ""
        )
        recent = await read(history.recent, user_id)
        self.last = bill_of(recent) if recent is not None else Bill()
        await self._sum_up(user_id)
        self.loaded = True

    async def _sum_up(self, user_id: int) -> None:
        today = now().astimezone(INDIA)
        since = datetime(today.year, today.month, 1, tzinfo=INDIA)
        total = await read(history.month, user_id, since)
        self.month = t("{month} so far", month=month(today).split(" ")[0])
        count = t("1 charge") if total.charges == 1 else t("{count} charges", count=total.charges)
        self.month_sum = f"{count} · {kwh(total.energy_wh)} kWh · {rupees(total.cost_paise)}" if total.charges else ""
