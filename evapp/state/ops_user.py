"""One user before an operator: money, charges, sign-ins, and what can be done about each."""

import re
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import reflex as rx
from sqlmodel import Session

from domain import accounts, charges, firms, pins, sign_ins, story, tokens, wallet
from domain.db import read
from domain.models import Role, SignIn, TokenStatus, User, now
from domain.operators import Act
from domain.story import Line
from domain.wallet import NotAdjusted
from evapp.components.money import moment, rupees, signed_rupees
from evapp.state.balance import set_aside
from evapp.state.effects import Effects
from evapp.state.ops import operator, visit
from evapp.state.ops_deed import Deed, Deeds, nonce, text
from evapp.state.ops_refunds import Row as Payment
from evapp.state.ops_refunds import recharge_rows
from evapp.state.ops_sessions import Row as Charge
from evapp.state.ops_sessions import row_of
from evapp.state.ops_users import standing
from evapp.state.visit import renewed
from evapp.texts import later, t
from evapp.texts.movements import described, word

SHOWN = 10
"""Lines of each part that come at once."""
PARTS = ("lines", "charges")
"""Those that can be made longer here; payments have a page."""
WAYS = {"give": 1, "take": -1}
T = TypeVar("T")
_NUMBER = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True)
class Movement:
    """One line of the wallet."""

    word: str
    what: str
    when: str
    amount: str
    after: str


@dataclass(frozen=True)
class Device:
    """A browser somebody is signed in with."""

    agent: str
    used: str


@dataclass(frozen=True)
class Card:
    """A card (RFID) whose charges the user pays."""

    tag: str
    state: str
    blocked: bool
    """By itself, so that it can be let charge again."""


CARDS = {
    TokenStatus.ACCEPTED: later("It may charge"),
    TokenStatus.BLOCKED: later("Blocked"),
    TokenStatus.EXPIRED: later("Expired"),
}


class OpsUser(Deeds, rx.State):
    """The page /ops/users/[user_id]."""

    phase: str = ""
    """shown or missing; empty until that is known."""
    username: str = ""
    about: list[str] = []
    standing: str = ""
    blocked: bool = False
    gone: bool = False
    balance: str = ""
    held: str = ""
    owed: str = ""
    operator: bool = False
    lines: list[Movement] = []
    charges: list[Charge] = []
    payments: list[Payment] = []
    cards: list[Card] = []
    find: str = ""
    """What finds all payments of this user."""
    more: dict[str, bool] = {}
    """Of each of PARTS, whether there are older ones."""
    devices: list[Device] = []
    editing: str = ""
    """adjust, block or pin; empty: nothing is open."""
    number: int = 0
    _limits: dict[str, int] = {}

    @rx.event
    async def load(self) -> None:
        """Show the page."""
        if not await renewed(self):
            self._calm()
            typed = str(getattr(self, "user_id", ""))
            self.phase, self.editing, self.number = "", "", int(typed) if _NUMBER.fullmatch(typed) else 0
            self._limits = {}
        await visit(self, OpsUser, topics=(f"user:{self.number}",))

    @rx.event
    async def edit(self, what: str) -> None:
        """Open one editor, or none."""
        if await operator(self) is not None:
            self.editing, self.error, self.secret = (what if what in ("adjust", "block", "pin") else ""), "", ""

    @rx.event
    async def show_more(self, part: str) -> None:
        """Ten older lines of one part."""
        user = await operator(self)
        if user is not None and part in PARTS and self.more.get(part):
            self._limits[part] = self._limits.get(part, SHOWN) + SHOWN
            await self._refresh(user.id)

    @rx.event
    async def adjust(self, form: dict[str, object]) -> None:
        """Ask whether so much shall be given to the driver, or taken."""
        user = await self._user()
        if user is None or (given := self._sum_and_reason(form)) is None:
            return
        paise, why = given
        signed = paise * WAYS.get(text(form, "way", 4), 0)
        try:
            wallet.refuse_adjustment(signed, why)
        except NotAdjusted as error:
            return self._refuse(t(error.args[0]))
        has = await read(wallet.balance, self.number)
        owed = min(max(has.free_paise + signed, 0), has.arrears_paise)
        becomes = has.balance_paise + signed - owed
        holes = {"sum": rupees(paise), "user": user.username, "balance": rupees(becomes), "reason": why}
        give = signed > 0
        asked = (
            t("Give {sum} to {user}? The balance becomes {balance}, and the driver reads: {reason}", **holes)
            if give
            else t("Take {sum} from {user}? The balance becomes {balance}, and the driver reads: {reason}", **holes)
        )
        key = nonce()
        facts, known = {"paise": signed, "reason": why}, partial(wallet.adjusted, key=key)
        gains = self.number if give else None
        act = Act("wallet adjust", f"user:{self.number}", facts, known=known, gains=gains)
        options = {"key": key, "reason": why}
        if owed:
            asked += "\n" + t("{sum} of it pays what is owed.", sum=rupees(owed))
        deed = Deed(act, wallet.adjust, (self.number, signed), options, refusals=(NotAdjusted,))
        self._ask(deed, asked, t("Give {sum}", **holes) if give else t("Take {sum}", **holes))

    @rx.event
    async def block(self, form: dict[str, object]) -> None:
        """Ask whether the user shall be kept out, or let in again."""
        user = await self._user()
        if user is None or not (why := self._reason(form)):
            return
        subject = f"user:{self.number}"
        if user.blocked_at is None:
            self._ask(
                Deed(Act("user block", subject, why), accounts.block, (self.number,)),
                t("Block {user}? Every sign-in ends. A charge that runs goes on and is paid.", user=user.username),
                t("Block"),
            )
        else:
            self._ask(
                Deed(
                    Act("user unblock", subject, why),
                    accounts.unblock,
                    (self.number,),
                    calm=True,
                    refusals=(LookupError,),
                ),
                t("Let {user} in again?", user=user.username),
                t("Unblock"),
            )

    @rx.event
    async def reset_pin(self, form: dict[str, object]) -> None:
        """Ask whether the user shall get a new PIN."""
        user = await self._user()
        if user is None or not (why := self._reason(form)):
            return
        pin = pins.random(user.phone)
        try:
            pin_hash = await pins.hash(pin)
        except pins.TooBusy as error:
            return self._refuse(t(error.args[0]))
        self._ask(
            Deed(
                Act("user reset-pin", f"user:{self.number}", why),
                accounts.reset_pin,
                (self.number, pin_hash),
                secret=pin,
            ),
            t("Give {user} a new PIN? Every sign-in ends, and locks open. Be sure who asks.", user=user.username),
            t("Make a new PIN"),
        )

    @rx.event
    async def turn_card(self, tag: str) -> None:
        """Ask whether a card shall charge no more, or again."""
        user = await self._user()
        card = next((one for one in self.cards if one.tag == tag), None)
        if user is None or card is None:
            return
        subject, holes = f"card:{card.tag}", {"card": card.tag, "user": user.username}
        status, action = (TokenStatus.ACCEPTED, "unblock") if card.blocked else (TokenStatus.BLOCKED, "block")
        asked = (
            t("Let card {card} of {user} charge again?", **holes)
            if card.blocked
            else t("Block card {card} of {user}? A charge that runs goes on.", **holes)
        )
        deed = Deed(Act(f"token {action}", subject), tokens.set_status, (card.tag, status), calm=card.blocked)
        self._ask(deed, asked, t("Unblock") if card.blocked else t("Block"))

    async def _did(self, deed: Deed) -> None:
        self.editing = ""
        if deed.work is wallet.adjust:
            balance = (await read(wallet.balance, self.number)).balance_paise
            said = t("{sum} moved. The balance is {balance}.", sum=rupees(abs(deed.args[1])), balance=rupees(balance))
            (await self.get_state(Effects))._say(said)

    async def _user(self) -> User | None:
        """The user of the page, as long as there is an account."""
        if await operator(self) is None:
            return None
        user = await read(_user, self.number)
        return user if user is not None and user.pin_hash else None

    async def _refresh(self, user_id: int) -> None:
        user = await read(_user, self.number)
        if user is None:
            self.phase = "missing"
            return
        money = await read(wallet.balance, self.number)
        self.username, self.standing = user.username, standing(user)
        joined = t("Joined {time}", time=moment(user.created_at))
        firm = await read(firms.of, self.number)
        charges_for = t("Invoices to {firm}", firm=f"{firm.name} · {firm.gstin}") if firm else ""
        self.about = [one for one in (user.phone, user.email, charges_for, joined) if one]
        self.blocked, self.gone = user.blocked_at is not None, not user.pin_hash
        self.operator = user.role == Role.OPERATOR
        self.balance = rupees(money.balance_paise)
        self.held = set_aside(money.held_paise)
        self.owed = t("Owes {sum}", sum=rupees(money.arrears_paise)) if money.arrears_paise else ""
        lines = await read(story.lines, self.number, limit=self._limit("lines") + 1)
        self.lines = [_movement(line) for line in self._part("lines", lines)]
        mine = await read(charges.page, which=charges.EVERY, user_id=self.number, limit=self._limit("charges") + 1)
        self.charges = [row_of(one) for one in self._part("charges", mine)]
        self.payments = await read(recharge_rows, user_id=self.number, limit=SHOWN)
        self.find = user.phone if user.phone.startswith("+") else str(self.number)
        self.cards = await read(_cards, self.number)
        self.devices = [_device(one) for one in await read(sign_ins.sign_ins, self.number)]
        self.phase = "shown"

    def _limit(self, part: str) -> int:
        return self._limits.get(part, SHOWN)

    def _part(self, part: str, found: list[T]) -> list[T]:
        """What is shown of a part, of which one more was looked for."""
        self.more[part] = len(found) > self._limit(part)
        return found[: self._limit(part)]


def _user(db: Session, user_id: int) -> User | None:
    return db.get(User, user_id)


def _cards(db: Session, user_id: int) -> list[Card]:
    return [
        Card(
            token.tag,
            t(CARDS[TokenStatus(tokens.status(db, token, now()))]),
            token.status == TokenStatus.BLOCKED,
        )
        for token in tokens.of_user(db, user_id)
    ]


def _movement(line: Line) -> Movement:
    balance = rupees(abs(line.balance_after_paise))
    return Movement(
        word=word(line),
        what=described(line),
        when=moment(line.at),
        amount=signed_rupees(line.amount_paise),
        after=t("Owed {sum}", sum=balance) if line.arrears else t("Balance {sum}", sum=balance),
    )


def _device(sign_in: SignIn) -> Device:
    return Device(sign_in.user_agent or t("A browser"), t("Last used {time}", time=moment(sign_in.seen_at)))
