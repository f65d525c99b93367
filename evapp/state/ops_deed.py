"""What an operator wants done: first the question with its sums, then the deed, written down in its transaction."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import reflex as rx
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from domain import operators
from domain.db import transact
from domain.money import AmountError, parse_rupees
from domain.operators import Act
from domain.sentences import Sentence
from evapp.state.effects import Effects
from evapp.state.ops import operator
from evapp.texts import later, t
from evapp.web import auth

LONGEST = 200
"""Characters of a reason."""
JOINERS = str.maketrans("", "", "\u200c\u200d")
"""Signs that cannot be seen, and that the spelling of Indian languages needs."""
REASON_WANTED = later("Say why; it is kept.")
NOT_KEPT = later("That is too long, or has characters that cannot be seen. Nothing was done.")
OWN_MONEY = later("This is your own money. Another operator must do it; nothing was done.")
PIN_WANTED = later("Enter your PIN again. Nothing was done.")


@dataclass(frozen=True)
class Deed:
    """One act that waits for its yes."""

    act: Act
    work: Callable[..., Any]
    args: tuple[Any, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)
    said: str = ""
    """When it is done."""
    secret: str = ""
    """Shown once when it is done: a new PIN or key."""
    calm: bool = False
    """It takes nothing from anybody and is undone by another tap: what asks about it is not red."""
    refusals: tuple[type[Exception], ...] = ()
    """What the rules may say to it; the argument of each is a sentence."""


class Deeds(rx.State, mixin=True):
    """Of a page where operators do something."""

    question: str = ""
    """What would be done, with its sums; empty: nothing is asked."""
    go: str = ""
    """The word of the button that does it."""
    calm: bool = False
    """Whether what is asked about is harmless."""
    error: str = ""
    """Why it cannot be done."""
    secret: str = ""
    """A new PIN or key, until the page is left."""
    _deed: Deed | None = None

    @rx.event
    async def do(self) -> Any:
        """Do what was asked about; a second yes finds nothing left to do, unless the database failed at the first: what
        may have been kept all the same is the same wish then, which moves money once."""
        user = await operator(self)
        deed, question, self._deed, self.question = self._deed, self.question, None, ""
        if user is None or deed is None:
            return None
        try:
            done = await self._perform(deed)
        except SQLAlchemyError:
            self._deed, self.question = deed, question
            raise
        if not done:
            return None
        after = await self._did(deed)
        await self._refresh(user.id)
        return after

    @rx.event
    def cancel(self) -> None:
        """Leave it as it is."""
        self._deed, self.question = None, ""

    def _calm(self) -> None:
        self._deed, self.question, self.error, self.secret = None, "", "", ""

    def _ask(self, deed: Deed, question: str, go: str) -> None:
        self.error, self.secret = "", ""
        self._deed, self.question, self.go, self.calm = deed, question, go, deed.calm

    def _refuse(self, sentence: str) -> None:
        self._deed, self.question, self.error = None, "", sentence

    def _reason(self, form: object, longest: int = LONGEST) -> str:
        """Why something is to be done; without that it is refused, and this is empty."""
        why = text(form, "reason", longest)
        if not why:
            self._refuse(t(REASON_WANTED if keeps(form, reason=longest) else NOT_KEPT))
        return why

    def _sum_and_reason(self, form: object, longest: int = LONGEST) -> tuple[int, str] | None:
        """How many paise, and why; None where one of them is refused."""
        try:
            paise = parse_rupees(text(form, "rupees", 12))
        except AmountError as error:
            self._refuse(t(error.args[0]))
            return None
        why = self._reason(form, longest)
        return (paise, why) if why else None

    async def _perform(self, deed: Deed) -> bool:
        token_hash = auth.scope_of(self).get("ev.sign_in") or ""
        try:
            await transact(operators.act, token_hash, deed.act, deed.work, *deed.args, **deed.options)
        except operators.PinWanted:
            self._refuse(t(PIN_WANTED))
            return False
        except operators.OwnMoney:
            self._refuse(t(OWN_MONEY))
            return False
        except operators.NotAnOperator:
            self._refuse("")
            return False
        except deed.refusals as error:
            self._refuse(t(error.args[0] if error.args else REFUSED))
            return False
        self.error, self.secret = "", deed.secret
        if deed.said:
            (await self.get_state(Effects))._say(deed.said)
        return True

    async def _did(self, deed: Deed) -> Any:
        """What follows outside of the transaction; an event of the page, or nothing."""

    async def _refresh(self, user_id: int) -> None:
        """Each page's own."""


REFUSED = Sentence("It was refused. Nothing was done.")


def nothing(db: Session) -> None:
    """The work of an act that happens elsewhere: a charger is asked after its line is in the trail."""


def text(form: object, name: str, longest: int = LONGEST) -> str:
    """A field of a form as printable text that fits; empty for what is none."""
    words = _typed(form, name)
    return words if words.translate(JOINERS).isprintable() and len(words) <= longest else ""


def keeps(form: object, **longest: int) -> bool:
    """Whether `text` gives whatever was typed into these fields: nothing typed is taken as an empty field."""
    return all(text(form, name, most) == _typed(form, name) for name, most in longest.items())


def _typed(form: object, name: str) -> str:
    value = form.get(name) if isinstance(form, dict) else None
    words = " ".join(value.split()) if isinstance(value, str) else ""
    return words if words.translate(JOINERS) else ""


def nonce() -> str:
    """Names one wish that moves money, so that a repetition is the same one."""
    return secrets.token_hex(16)
