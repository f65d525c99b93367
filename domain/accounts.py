"""People: how they join, what they may change about themselves, how an operator stops them and how they leave."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, or_
from sqlalchemy import delete as delete_rows
from sqlmodel import Session, col, select

from domain import attempts, identity, pins, refunds, sign_ins, suspense, wallet
from domain.attempts import Attempt
from domain.db import storable
from domain.models import (
    NOT_OVER,
    ORDER_OPEN,
    REFUND_OPEN,
    ChargingSession,
    Favourite,
    Firm,
    RechargeOrder,
    Refund,
    Role,
    SessionState,
    SignIn,
    User,
    VacancyWish,
    Vehicle,
    now,
)
from domain.money import plain_rupees
from domain.sentences import Sentence
from domain.sign_ins import Browser, Refused


class AccountDeleted(LookupError):
    """This account's owner deleted it."""


TAKEN = {
    "username": Sentence("This username is taken. Choose another."),
    "phone": Sentence("This number already has an account. Sign in with it, or write to Help if that is not yours."),
}
READ: dict[str, Callable[[object], str]] = {
    "username": identity.username,
    "phone": identity.phone,
    "email": identity.email,
}
"""What people say about themselves, and what gives each its one spelling."""
SAME_PIN = Sentence("This is your PIN already. Choose another one.")
DELETED, BLOCKED, LOCKED, OPERATOR = "deleted", "blocked", "locked", "operator"
"""What an account may be, other than simply a driver's."""
NOT_STOPPED = Sentence("A charge is not finished. Stop it and wait for its receipt, then delete your account.")
UNFINISHED: dict[str, Sentence] = {
    SessionState.INTERRUPTED: Sentence(
        "A charge waits for its final reading, a day at most. Delete your account after that."
    ),
    SessionState.SETTLED: Sentence("The cable of your last charge is still in the car. Unplug it, then try again."),
}
"""State of a charge that keeps its driver → what he can do about it, where that is not to stop it."""
FOUND = 50
"""Users that are looked for at once; whoever means another one says more."""
CHOICES = (Favourite, VacancyWish, Vehicle, Firm)
"""What goes with an account."""


class FieldErrors(Exception):
    """What was typed cannot be taken: a sentence for each field."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__(errors)
        self.errors = errors


class NotDeleted(Exception):
    """An account cannot go yet; the argument is a sentence that says what to do first."""


@dataclass(frozen=True, slots=True)
class Registration:
    """A form that could become a user, in one spelling."""

    username: str
    phone: str
    email: str
    pin: str


def registration(typed: Mapping[str, object]) -> Registration:
    """Read a filled-in form.

    Raises:
        FieldErrors: for every field that will not do, PINs included.
    """
    values, errors = {}, {}
    for field, read in READ.items():
        try:
            values[field] = read(typed.get(field))
        except identity.Unusable as error:
            errors[field] = error.args[0]
    errors |= new_pin_errors(typed, "pin", values.get("phone", ""))
    if errors:
        raise FieldErrors(errors)
    return Registration(**values, pin=str(typed["pin"]))


def new_pin_errors(typed: Mapping[str, object], field: str, phone: str) -> dict[str, str]:
    """What is wrong with a new PIN in `field`, typed again in `<field>_again`; empty when nothing is."""
    pin, again = typed.get(field), typed.get(f"{field}_again")
    if sentence := pins.refusal(pin, phone):
        return {field: sentence}
    return {} if pin == again else {f"{field}_again": Sentence("The two PINs are not the same.")}


def check_free(db: Session, values: Mapping[str, str]) -> None:
    """See that nobody has this username or phone.

    Raises:
        FieldErrors: for each that is taken.
    """
    taken = {
        field: TAKEN[field]
        for field, value in values.items()
        if db.exec(select(User.id).where(getattr(User, field) == value)).first()
    }
    if taken:
        raise FieldErrors(taken)


def register(
    db: Session, form: Registration, pin_hash: str, browser: Browser | None = None, language: str = "en"
) -> User:
    """A new user with an empty wallet, signed in with `browser`.

    Raises:
        FieldErrors: the username or phone was taken meanwhile.
    """
    check_free(db, {"username": form.username, "phone": form.phone})
    user = User(username=form.username, phone=form.phone, email=form.email, pin_hash=pin_hash, language=language)
    db.add(user)
    db.flush()
    wallet.open_accounts(db, user.id)
    if browser:
        sign_ins.start(db, user, browser)
    return user


def update(db: Session, user_id: int, field: str, typed: object) -> User:
    """Change username, phone or e-mail.

    Raises:
        AccountDeleted: there is nobody any more.
        FieldErrors: it will not do, or somebody else has it.
    """
    user = _there(db, user_id)
    setattr(user, field, may_have(db, user_id, field, typed))
    return user


def may_have(db: Session, user_id: int, field: str, typed: object) -> str:
    """See that somebody may have this username, phone or e-mail; gives its one spelling.

    Raises:
        FieldErrors: it will not do, or somebody else has it.
    """
    try:
        value = READ[field](typed)
    except identity.Unusable as error:
        raise FieldErrors({field: error.args[0]}) from None
    if field in TAKEN and value != getattr(db.get_one(User, user_id), field):
        check_free(db, {field: value})
    return value


def change_phone(db: Session, attempt: Attempt, typed: object) -> User:
    """Change the phone number of whoever gave the PIN: one signs in with it.

    Raises:
        Refused: the PIN was changed meanwhile.
        FieldErrors: it will not do, or somebody else has it.
    """
    return update(db, _proven(db, attempt).id, "phone", typed)


def free_phone(db: Session, user_id: int) -> User:
    """A phone number that has another owner by now is taken off the account of the one before, who goes on signing in
    with the username: whoever has the number may register, and sees nothing of what is not his."""
    user = db.get_one(User, user_id)
    user.phone = f"no number {user_id}"  # with spaces, so that nobody can register it
    return user


def speak(db: Session, user_id: int, language: str) -> None:
    """From now on the app speaks this language to the user: `en` or `hi`, which the database holds to."""
    db.get_one(User, user_id).language = language


def change_pin(db: Session, attempt: Attempt, pin_hash: str, browser: Browser) -> User:
    """Keep a new PIN for whoever gave the old one; every sign-in ends, and `browser` gets a new one. The devices that
    were known by the old one are strangers.

    Raises:
        Refused: the PIN was changed meanwhile.
    """
    user = _proven(db, attempt)
    attempts.forget_devices(db, user)
    user.pin_hash = pin_hash
    sign_ins.end_all(db, user.id)
    sign_ins.start(db, user, browser)
    return user


def keep_pin(db: Session, attempt: Attempt) -> None:
    """Whoever gave the right PIN has not guessed, though he chose it again: the try does not count.

    Raises:
        Refused: the PIN was changed meanwhile.
    """
    _proven(db, attempt)


def reset_pin(db: Session, user_id: int, pin_hash: str) -> User:
    """An operator gives a new PIN: locks open, sign-ins end."""
    user = _locked(db, user_id)
    user.pin_hash = pin_hash
    attempts.unlock(db, user)
    sign_ins.end_all(db, user_id)
    return user


def block(db: Session, user_id: int) -> User:
    """Keep somebody out and end his sign-ins; a charge that runs goes on and is paid."""
    user = db.get_one(User, user_id)
    user.blocked_at = user.blocked_at or now()
    sign_ins.end_all(db, user_id)
    return user


def unblock(db: Session, user_id: int) -> User:
    """Let somebody in again, whatever was tried meanwhile: locks open, too.

    Raises:
        AccountDeleted: there is nobody any more.
    """
    user = _there(db, user_id)
    user.blocked_at = None
    attempts.unlock(db, user)
    return user


def delete(db: Session, attempt: Attempt, waived_paise: int = 0) -> None:
    """Take somebody's names off the books; the row stays, because the ledger needs it.

    `waived_paise` is what he has read that he gives up: what is left in his wallet and cannot be paid back.

    Raises:
        Refused: the PIN was changed meanwhile.
        NotDeleted: a charge or a payment is not finished, money is left or owed.
    """
    user = _proven(db, attempt)
    user_id = user.id
    wallet.lock(db, [*wallet.of_driver(user_id), wallet.WAIVED])
    may_leave(db, user_id, waived_paise)
    wallet.give_up(db, user_id)
    sign_ins.end_all(db, user_id)
    for sign_in in db.exec(select(SignIn).where(SignIn.user_id == user_id)):
        sign_in.user_agent = sign_in.address = ""
    for choices in CHOICES:
        db.exec(delete_rows(choices).where(col(choices.user_id) == user_id))
    gone = f"deleted {user_id}"  # with a space, so that nobody can register it
    user.username, user.phone, user.email, user.pin_hash = gone, gone, "", ""
    user.role = Role.DRIVER
    user.blocked_at = now()


def may_leave(db: Session, user_id: int, waived_paise: int = 0) -> None:
    """See that nothing is left to pay or to pay back, but what he gives up.

    Raises:
        NotDeleted: a charge or a payment is not finished, money is left or owed.
    """
    if sentence := _unfinished(db, user_id) or _left(db, user_id, waived_paise):
        raise NotDeleted(sentence)


def waivable(db: Session, user_id: int) -> int:
    """Paise that are left in a driver's wallet and cannot be paid back: too little, or given to him."""
    left = wallet.balance(db, user_id).balance_paise
    return 0 if refunds.can_go_back(db, user_id, left) else left


def standing(user: User, at: datetime) -> str:
    """What an account is, where it is not simply a driver's: what keeps somebody out before what he may do."""
    if not user.pin_hash:
        return DELETED
    if user.blocked_at is not None:
        return BLOCKED
    if user.locked_until is not None and user.locked_until > at:
        return LOCKED
    return OPERATOR if user.role == Role.OPERATOR else ""


def charging(db: Session, user_id: int) -> bool:
    """Whether a charge of this driver is open, or its cable still in the car where that may cost."""
    return _unfinished_charge(db, user_id) is not None


def _unfinished_charge(db: Session, user_id: int) -> ChargingSession | None:
    unfinished = or_(col(ChargingSession.state).in_(NOT_OVER), col(ChargingSession.idle_since).is_not(None))
    theirs = select(ChargingSession).where(ChargingSession.user_id == user_id, unfinished)
    return db.exec(theirs.order_by(col(ChargingSession.id).desc()).limit(1)).first()


def find(db: Session, text: str, limit: int = FOUND) -> Sequence[User]:
    """Users an operator may mean, by their numbers; before them whoever is called just so."""
    just_so = col(User.username) == storable(text).strip().casefold()
    return db.exec(select(User).where(meant(text)).order_by(just_so.desc(), col(User.id)).limit(limit)).all()


def meant(text: str) -> ColumnElement[bool]:
    """Whom an operator may mean: by number, by phone in any spelling, or by a part of username or e-mail."""
    text = storable(text)
    _, spelling = identity.login(text)
    found = [
        col(User.phone) == spelling,
        col(User.username).contains(text.strip().casefold(), autoescape=True),
        col(User.email).icontains(text.strip(), autoescape=True),
    ]
    if (number := identity.typed_number(text)) is not None:
        found.append(col(User.id) == number)
    return or_(*found)


def _there(db: Session, user_id: int) -> User:
    user = _locked(db, user_id)
    if not user.pin_hash:
        raise AccountDeleted(user_id)
    return user


def _locked(db: Session, user_id: int) -> User:
    """As it is now: whoever is deleted, or counted a wrong PIN, in this moment is so before or after this."""
    return db.get_one(User, user_id, with_for_update=True, populate_existing=True)


def _proven(db: Session, attempt: Attempt) -> User:
    user = attempts.passed(db, attempt)
    if user is None:
        raise Refused(attempts.MISMATCH)
    return user


def _unfinished(db: Session, user_id: int) -> str:
    if (session := _unfinished_charge(db, user_id)) is not None:
        return UNFINISHED.get(session.state, NOT_STOPPED)
    orders = select(RechargeOrder.id).where(RechargeOrder.user_id == user_id, col(RechargeOrder.state).in_(ORDER_OPEN))
    if db.exec(orders.limit(1)).first():
        return Sentence("A payment is on its way. Delete your account when it has arrived or failed.")
    if suspense.unfinished(db, user_id):
        return Sentence(
            "A payment of another amount is not in your wallet yet. Write to Help about it, then delete your account."
        )
    refunds = select(Refund.id).where(Refund.user_id == user_id, col(Refund.state).in_(REFUND_OPEN))
    if db.exec(refunds.limit(1)).first():
        return Sentence("Money is on its way back to you. Delete your account when it has arrived.")
    money = wallet.balance(db, user_id)
    if money.arrears_paise:
        return Sentence(
            "You owe {sum}. Add that to your wallet, then delete your account.", sum=plain_rupees(money.arrears_paise)
        )
    return ""


def _left(db: Session, user_id: int, waived_paise: int) -> str:
    left = wallet.balance(db, user_id).balance_paise
    if not left or left == waived_paise == waivable(db, user_id):
        return ""
    if waivable(db, user_id):
        return Sentence(
            "Your wallet has {sum} left that cannot be paid back. Use it, or tick that you give it up, then delete "
            "your account.",
            sum=plain_rupees(left),
        )
    return Sentence(
        "Your wallet has {sum} left. Use it, or ask Help to pay it back, then delete your account.",
        sum=plain_rupees(left),
    )
