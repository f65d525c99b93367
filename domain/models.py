"""Every table, on one page, with the rules that the database itself enforces."""

from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    Dialect,
    Index,
    Integer,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field, SQLModel

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Utc(TypeDecorator[datetime]):
    """An aware UTC time; a naive one is refused, since nobody could say what it means."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("times are stored aware")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def now() -> datetime:
    """This moment, aware."""
    return datetime.now(UTC)


def moment(**kwargs: Any) -> Any:
    """A column for a moment."""
    return Field(sa_type=Utc, **kwargs)


def whole(**kwargs: Any) -> Any:
    """A column for paise, watt-hours or watts: 64 bits, never a float."""
    return Field(sa_type=BigInteger, **kwargs)


def key() -> Any:
    """The number by which a row is known: the database gives it when the row is written, and nobody asks before."""
    return Field(default=None, primary_key=True)


def numbered() -> Any:
    """The same of a table that grows with every message: a large fleet fills 31 bits in half a year."""
    return Field(default=None, primary_key=True, sa_type=BigInteger().with_variant(Integer, "sqlite"))


def _where(condition: str) -> dict[str, Any]:
    """The condition of a partial index, for either database."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


def _state_in(states: tuple[StrEnum, ...]) -> str:
    return "state IN (" + ", ".join(f"'{state}'" for state in states) + ")"


# People


class Role(StrEnum):
    DRIVER = "driver"
    OPERATOR = "operator"


class User(SQLModel, table=True):
    """Somebody who charges. Deleting one keeps the row without its names: the ledger needs it."""

    __tablename__ = "users"
    __table_args__ = (CheckConstraint("language IN ('en', 'hi')", name="known_language"),)
    id: int = key()
    username: str = Field(unique=True, max_length=30)
    phone: str = Field(unique=True, max_length=20)
    """E.164; or what no phone can have, of an account whose number was freed or whose owner left."""
    email: str = Field(default="", max_length=254)
    pin_hash: str
    role: str = Field(default=Role.DRIVER)
    language: str = Field(default="en", max_length=2, sa_column_kwargs={"server_default": "en"})
    """In which the app speaks to this driver."""
    blocked_at: datetime | None = moment(default=None)
    failures: int = 0
    """Wrong PINs since the last right one; counted before a PIN is checked."""
    locked_until: datetime | None = moment(default=None)
    created_at: datetime = moment(default_factory=now)


class SignIn(SQLModel, table=True):
    """A browser somebody signed in with. Only the hash of its token is kept."""

    __tablename__ = "sign_ins"
    id: int = key()
    user_id: int = Field(foreign_key="users.id", index=True)
    token_hash: str = Field(unique=True)
    user_agent: str = Field(default="", max_length=200)
    address: str = Field(default="", max_length=45)
    created_at: datetime = moment(default_factory=now)
    seen_at: datetime = moment(default_factory=now)
    expires_at: datetime = moment()
    ended_at: datetime | None = moment(default=None)
    stepped_up_at: datetime | None = moment(default=None)
    """When its owner last gave the PIN again for what an operator does."""


class SignInAttempt(SQLModel, table=True):
    """One try at a door that takes guesses: written before the guess is checked."""

    __tablename__ = "sign_in_attempts"
    __table_args__ = (Index("ix_sign_in_attempts_door_address_at", "door", "address", "at"),)
    id: int = key()
    door: str = Field(max_length=20)
    """A name in attempts.LIMITS; or `counted`, for failures that are counted apart from accounts."""
    address: str = Field(max_length=45)
    user_id: int | None = Field(default=None, foreign_key="users.id")
    at: datetime = moment(default_factory=now)


# Money: double entry, append-only (payments.md 2.3)


class Account(SQLModel, table=True):
    """One pot of money. Balances are signed paise; the entries of every transfer add up to nothing."""

    __tablename__ = "accounts"
    __table_args__ = (
        CheckConstraint("allow_negative OR balance_paise >= 0", name="no_overdraft"),
        CheckConstraint("held_paise >= 0", name="held_not_negative"),
        CheckConstraint("allow_negative OR held_paise <= balance_paise", name="held_within_balance"),
        CheckConstraint("kind <> 'due' OR balance_paise <= 0", name="due_never_positive"),
    )
    code: str = Field(primary_key=True, max_length=40)
    """wallet:7, due:7, gateway:phonepe, revenue:charging, gst:output …"""
    kind: str = Field(max_length=20)
    user_id: int | None = Field(default=None, foreign_key="users.id", index=True)
    balance_paise: int = whole(default=0)
    held_paise: int = whole(default=0)
    allow_negative: bool = False
    version: int = whole(default=0)


class Transfer(SQLModel, table=True):
    """One movement of money, once: the key makes a repetition harmless, the fingerprint makes a lie visible."""

    __tablename__ = "transfers"
    __table_args__ = (Index("ix_transfers_created_at_id", "created_at", "id"),)
    id: int = key()
    idem_key: str = Field(unique=True, max_length=100)
    fingerprint: str = Field(max_length=64)
    kind: str = Field(max_length=20)
    """recharge, charging, refund or adjustment."""
    ref: str = Field(default="", max_length=80)
    description: str = Field(default="", max_length=200)
    event_at: datetime = moment()
    """When it happened in the world; a late message may be days older than created_at."""
    created_at: datetime = moment(default_factory=now)


class Entry(SQLModel, table=True):
    """One side of a transfer."""

    __tablename__ = "entries"
    __table_args__ = (
        UniqueConstraint("account_code", "account_version"),
        CheckConstraint("amount_paise <> 0", name="moves_something"),
    )
    id: int = key()
    transfer_id: int = Field(foreign_key="transfers.id", index=True)
    account_code: str = Field(foreign_key="accounts.code", max_length=40)
    amount_paise: int = whole()
    balance_after_paise: int = whole()
    account_version: int = whole()
    created_at: datetime = moment(default_factory=now)


class HoldState(StrEnum):
    OPEN = "OPEN"
    SETTLED = "SETTLED"
    VOID = "VOID"


_HELD_SQL = "state = 'OPEN'"
IS_HELD = text(f"holds.{_HELD_SQL}")
"""For queries, as IS_OPEN below."""


class Hold(SQLModel, table=True):
    """Money set aside for one charge: still in the wallet, not free to spend."""

    __tablename__ = "holds"
    __table_args__ = (
        Index("ix_holds_open", "session_id", **_where(_HELD_SQL)),
        CheckConstraint("amount_paise >= 0", name="not_negative"),
    )
    session_id: int = Field(primary_key=True, foreign_key="charging_sessions.id")
    account_code: str = Field(foreign_key="accounts.code", index=True, max_length=40)
    amount_paise: int = whole()
    state: str = Field(default=HoldState.OPEN)
    created_at: datetime = moment(default_factory=now)
    closed_at: datetime | None = moment(default=None)


class OrderState(StrEnum):
    NEW = "NEW"
    PENDING = "PENDING"
    UNKNOWN = "UNKNOWN"
    CREDITED = "CREDITED"
    FAILED = "FAILED"
    REJECTED = "REJECTED"
    MISMATCH = "MISMATCH"


ORDER_OPEN = (OrderState.NEW, OrderState.PENDING, OrderState.UNKNOWN)
"""The driver may still pay."""


class RechargeOrder(SQLModel, table=True):
    """One wish to add money, written before the gateway is called (payments.md D4)."""

    __tablename__ = "recharge_orders"
    __table_args__ = (
        UniqueConstraint("user_id", "client_nonce"),
        CheckConstraint("amount_paise > 0", name="positive"),
        Index("ix_recharge_orders_user_id_id", "user_id", "id"),
    )
    id: int = key()
    merchant_order_id: str = Field(unique=True, max_length=63)
    user_id: int = Field(foreign_key="users.id")
    amount_paise: int = whole()
    state: str = Field(default=OrderState.NEW)
    client_nonce: str = Field(max_length=64)
    gateway_order_id: str = Field(default="", index=True, max_length=80)
    redirect_url: str = Field(default="", max_length=4000)
    utr: str = Field(default="", index=True, max_length=80)
    gateway_transaction_id: str = Field(default="", index=True, max_length=80)
    payment_mode: str = Field(default="", max_length=40)
    error_code: str = Field(default="", max_length=80)
    polls: int = 0
    due_at: datetime | None = moment(default=None, index=True)
    """When to ask the gateway next; empty once there is nothing left to ask."""
    created_at: datetime = moment(default_factory=now)
    expires_at: datetime = moment()
    ended_at: datetime | None = moment(default=None)


class RefundState(StrEnum):
    NEW = "NEW"
    """Debited here, not yet sent."""
    UNKNOWN = "UNKNOWN"
    """Sent, or about to be; the gateway has not said what became of it."""
    PENDING = "PENDING"
    CONFIRMED = "CONFIRMED"
    """Accepted by the gateway, which is not final."""
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    REJECTED = "REJECTED"
    """The gateway did nothing."""


REFUND_OPEN = (RefundState.NEW, RefundState.UNKNOWN, RefundState.PENDING, RefundState.CONFIRMED)
"""The money is on its way; an order has one such refund at most."""
_REFUND_OPEN_SQL = _state_in(REFUND_OPEN)


class Refund(SQLModel, table=True):
    """Money of a recharge on its way back to where it was paid from, written before the gateway is asked."""

    __tablename__ = "refunds"
    __table_args__ = (
        CheckConstraint("amount_paise > 0", name="positive"),
        Index("uq_refunds_open_order", "merchant_order_id", unique=True, **_where(_REFUND_OPEN_SQL)),
    )
    id: int = key()
    merchant_refund_id: str = Field(unique=True, max_length=63)
    merchant_order_id: str = Field(foreign_key="recharge_orders.merchant_order_id", index=True, max_length=63)
    user_id: int = Field(foreign_key="users.id", index=True)
    amount_paise: int = whole()
    paid_paise: int | None = whole(default=None)
    """What went back, where an operator booked another amount than was asked for."""
    state: str = Field(default=RefundState.NEW)
    request_key: str = Field(unique=True, max_length=64)
    """Whoever wishes the refund names his wish, so that a repetition is the same refund."""
    reason: str = Field(default="", max_length=200)
    gateway_refund_id: str = Field(default="", max_length=80)
    error_code: str = Field(default="", max_length=80)
    due_at: datetime | None = moment(default=None, index=True)
    """When to send it, or to ask what became of it; empty once it has ended."""
    created_at: datetime = moment(default_factory=now)
    sent_at: datetime | None = moment(default=None)
    """When the gateway was asked for it, or was about to be."""
    ended_at: datetime | None = moment(default=None)

    @property
    def went_back_paise(self) -> int:
        """Paise that go back, or went back."""
        return self.amount_paise if self.paid_paise is None else self.paid_paise


class GatewayEvent(SQLModel, table=True):
    """What the gateway said, redacted: evidence, never a reason to move money. Append-only."""

    __tablename__ = "gateway_events"
    id: int = key()
    kind: str = Field(max_length=20)
    """pay, status, refund or webhook."""
    merchant_order_id: str = Field(index=True, max_length=63)
    body: str
    body_hash: str = Field(max_length=64)
    created_at: datetime = moment(default_factory=now)


# Chargers

_COMMON_SQL = "charger_id IS NULL AND group_name IS NULL"


class Charger(SQLModel, table=True):
    """A charge point, as its operator and its own boot message describe it."""

    __tablename__ = "chargers"
    id: str = Field(primary_key=True, max_length=48)
    """Its OCPP identity."""
    find_key: str = Field(index=True, max_length=48)
    """The identity as people may type it: letters and digits only, upper case."""
    name: str = Field(default="", max_length=120)
    place: str = Field(default="", max_length=200)
    state: str | None = Field(default=None, max_length=40)
    """The state of India it stands in, the place of supply on receipts; empty: the seller's own."""
    group_name: str | None = Field(default=None, index=True, max_length=40)
    """The group whose tariff it has when it has none of its own."""
    vendor: str = Field(default="", max_length=120)
    model: str = Field(default="", max_length=120)
    serial: str = Field(default="", max_length=120)
    firmware: str = Field(default="", max_length=120)
    key_hash: str = Field(default="", max_length=100)
    """Of its Basic-authentication key; empty: none is asked."""
    next_key_hash: str | None = Field(default=None, max_length=100)
    """Of the key it was told to use from now on, as long as nobody knows whether it does (OCPP-J 1.6, 6.2.2)."""
    online: bool = False
    held_by: str | None = Field(default=None, index=True, max_length=32)
    """The process that holds its socket; it may have died a moment ago."""
    fence: int = whole(default=0, sa_column_kwargs={"server_default": "0"})
    """Grows with each connection: what an older one says of its end is no longer true."""
    connected_at: datetime | None = moment(default=None)
    heard_at: datetime | None = moment(default=None)
    booted_at: datetime | None = moment(default=None)
    set_up_due: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    """It booted and was not set up since; whoever it comes to makes up for it."""
    set_up_tried: str | None = None
    """JSON: what its firmware read when its set-up was written (domain/set_ups.py)."""
    trace: bool = False
    subprotocol_required: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    """Whether it must name its version of OCPP at the door; most that name none speak 1.6 (ocpp.md Q1)."""
    ping_s: int | None = None
    """Seconds between two pings of ours, 0 for none; empty: as all others (ocpp.md Q6)."""
    retired_at: datetime | None = moment(default=None)
    created_at: datetime = moment(default_factory=now)


class Connector(SQLModel, table=True):
    """One plug of a charger; number 0 is the charger as a whole and never a driver's choice."""

    __tablename__ = "connectors"
    charger_id: str = Field(primary_key=True, foreign_key="chargers.id", max_length=48)
    number: int = Field(primary_key=True)
    status: str = Field(default="Unknown", max_length=20)
    """As OCPP says it: Available, Preparing, Charging, SuspendedEV, SuspendedEVSE, Finishing, Reserved, Unavailable,
    Faulted; Unknown until the charger reports."""
    error_code: str = Field(default="NoError", max_length=50)
    info: str = Field(default="", max_length=120)
    kind: str = Field(default="", max_length=40)
    max_power_w: int = whole(default=0)
    status_at: datetime | None = moment(default=None)
    """The charger's own time of the status."""
    changed_at: datetime = moment(default_factory=now)


class TokenStatus(StrEnum):
    """As idTagInfo says it. A card is kept as Accepted or Blocked; Expired is said of one that is past its date."""

    ACCEPTED = "Accepted"
    BLOCKED = "Blocked"
    EXPIRED = "Expired"


class Token(SQLModel, table=True):
    """A card (RFID) that the operator knows; linked to a user, its charges are his (OCPP 1.6, 3.9 and 3.10)."""

    __tablename__ = "tokens"
    tag: str = Field(primary_key=True, max_length=20)
    """The idTag in capitals: OCPP compares it in any case."""
    user_id: int | None = Field(default=None, foreign_key="users.id", index=True)
    status: str = Field(default=TokenStatus.ACCEPTED, max_length=20)
    expires_at: datetime | None = moment(default=None)
    parent: str = Field(default="", index=True, max_length=20)
    """parentIdTag: cards of one group may end each other's charges; empty: of no group."""
    concurrent: bool = False
    """Whether it may run several charges at once. A user never does."""
    created_at: datetime = moment(default_factory=now)


class ChargerHealth(SQLModel, table=True):
    """How well a charger keeps up: counted since it was first seen, written in batches."""

    __tablename__ = "charger_health"
    charger_id: str = Field(primary_key=True, foreign_key="chargers.id", max_length=48)
    connects: int = 0
    boots: int = 0
    repairs: int = 0
    """Messages that had to be mended before they were OCPP."""
    unanswered: int = 0
    """Calls that it did not answer in time."""
    refused: int = 0
    """Times it was not let in."""
    protocol_errors: int = 0
    last_protocol_error: str = Field(default="", max_length=200)
    last_protocol_error_at: datetime | None = moment(default=None)
    clock_skew_ms: int | None = whole(default=None)
    """How far its clock was ahead of ours when it last told the time of something new."""
    boot_loop_at: datetime | None = moment(default=None)
    """When it last booted so often that its set-up was left alone (ocpp.md Q10)."""
    energy_factor: int = 1
    """1000: it counts kWh and calls them Wh (ocpp.md Q34)."""
    updated_at: datetime = moment(default_factory=now)


class SecurityEvent(SQLModel, table=True):
    """What a charger reports about its own safety (security white paper, SecurityEventNotification)."""

    __tablename__ = "security_events"
    __table_args__ = (Index("ix_security_events_charger_id_id", "charger_id", "id"),)
    id: int = key()
    charger_id: str = Field(foreign_key="chargers.id", max_length=48)
    kind: str = Field(max_length=50)
    detail: str = Field(default="", max_length=255)
    at: datetime = moment()
    """The charger's time."""
    received_at: datetime = moment()


class ReservationState(StrEnum):
    WANTED = "WANTED"
    """The charger was asked, or is about to be."""
    ACTIVE = "ACTIVE"
    USED = "USED"
    CANCELLED = "CANCELLED"
    REFUSED = "REFUSED"


class Reservation(SQLModel, table=True):
    """A connector kept free for one card or driver until a moment (OCPP 1.6, 5.13); after it, for nobody."""

    __tablename__ = "reservations"
    __table_args__ = (
        UniqueConstraint("charger_id", "number"),
        Index("ix_reservations_charger_id_state", "charger_id", "state"),
    )
    id: int = key()
    number: int
    """OCPP's reservationId."""
    charger_id: str = Field(foreign_key="chargers.id", max_length=48)
    connector_number: int
    """0: any of the charger's."""
    tag: str = Field(max_length=20)
    parent: str = Field(default="", max_length=20)
    user_id: int | None = Field(default=None, foreign_key="users.id", index=True)
    state: str = Field(default=ReservationState.WANTED)
    expires_at: datetime = moment()
    created_at: datetime = moment(default_factory=now)
    ended_at: datetime | None = moment(default=None)


class LocalList(SQLModel, table=True):
    """The list of cards that a charger was given for when it is offline (OCPP 1.6, 3.5.2 and 5.15)."""

    __tablename__ = "local_lists"
    charger_id: str = Field(primary_key=True, foreign_key="chargers.id", max_length=48)
    version: int
    entries: str = "{}"
    """JSON: idTagInfo by idTag."""
    reported_version: int | None = None
    """What the charger last said it has: -1 knows no lists, 0 has none."""
    reported_at: datetime | None = moment(default=None)
    updated_at: datetime = moment(default_factory=now)


class Tariff(SQLModel, table=True):
    """A price from a moment on, for one charger, for a group of them, or for all. Paise, GST included (payments.md D9).

    Of what is empty nothing is asked: a plain price per kWh has none of it.
    """

    __tablename__ = "tariffs"
    __table_args__ = (
        CheckConstraint(
            "paise_per_kwh >= 0 AND start_paise >= 0 AND per_minute_paise >= 0 AND idle_per_minute_paise >= 0",
            name="not_negative",
        ),
        CheckConstraint("gst_basis_points BETWEEN 0 AND 10000", name="gst_below_all"),
        CheckConstraint("charger_id IS NULL OR group_name IS NULL", name="one_scope"),
        CheckConstraint(
            "(idle_per_minute_paise IS NULL) = (idle_after_minutes IS NULL) "
            "AND (idle_after_minutes IS NULL OR idle_after_minutes BETWEEN 5 AND 1440)",
            name="idle_after_a_warning",
        ),
        UniqueConstraint("charger_id", "effective_at"),
        UniqueConstraint("group_name", "effective_at"),
        Index("uq_tariffs_common_effective_at", "effective_at", unique=True, **_where(_COMMON_SQL)),
    )
    id: int = key()
    charger_id: str | None = Field(default=None, foreign_key="chargers.id", max_length=48)
    group_name: str | None = Field(default=None, max_length=40)
    paise_per_kwh: int = whole()
    gst_basis_points: int = 0
    start_paise: int | None = whole(default=None)
    """Once a charge."""
    per_minute_paise: int | None = whole(default=None)
    """Of charging."""
    idle_after_minutes: int | None = None
    """From the end of the energy on; at least 5, so that the driver is warned before it costs."""
    idle_per_minute_paise: int | None = whole(default=None)
    effective_at: datetime = moment()
    ended_at: datetime | None = moment(default=None)
    """From when on the next wider price holds instead; empty: until another one of the same scope begins."""
    created_at: datetime = moment(default_factory=now)


class TariffBand(SQLModel, table=True):
    """Hours of the day in which a tariff's kWh costs something else; through midnight where `until` is earlier."""

    __tablename__ = "tariff_bands"
    __table_args__ = (
        CheckConstraint("since_minute BETWEEN 0 AND 1439 AND until_minute BETWEEN 0 AND 1439", name="of_a_day"),
        CheckConstraint("since_minute <> until_minute", name="not_empty"),
        CheckConstraint("paise_per_kwh >= 0", name="not_negative"),
    )
    tariff_id: int = Field(primary_key=True, foreign_key="tariffs.id")
    since_minute: int = Field(primary_key=True)
    """Of the day, by Indian time."""
    until_minute: int
    paise_per_kwh: int = whole()


class Favourite(SQLModel, table=True):
    """A charger that a driver wants at hand."""

    __tablename__ = "favourites"
    user_id: int = Field(primary_key=True, foreign_key="users.id")
    charger_id: str = Field(primary_key=True, foreign_key="chargers.id", max_length=48)
    created_at: datetime = moment(default_factory=now)


class Vehicle(SQLModel, table=True):
    """What a driver charges, so that an estimate knows what it can take. Zero: he did not say."""

    __tablename__ = "vehicles"
    __table_args__ = (CheckConstraint("battery_wh >= 0 AND ac_w >= 0 AND dc_w >= 0", name="not_negative"),)
    user_id: int = Field(primary_key=True, foreign_key="users.id")
    name: str = Field(default="", max_length=40)
    battery_wh: int = whole(default=0)
    ac_w: int = whole(default=0)
    dc_w: int = whole(default=0)


class Firm(SQLModel, table=True):
    """Whom a driver's invoices are made out to: as it is now, while papers keep it as it was."""

    __tablename__ = "firms"
    user_id: int = Field(primary_key=True, foreign_key="users.id")
    gstin: str = Field(default="", max_length=15)
    name: str = Field(default="", max_length=100)
    address: str = Field(default="", max_length=200)


class VacancyWish(SQLModel, table=True):
    """A driver waits for a charger to become free, until a moment; he is told once."""

    __tablename__ = "vacancy_wishes"
    user_id: int = Field(primary_key=True, foreign_key="users.id")
    charger_id: str = Field(primary_key=True, foreign_key="chargers.id", index=True, max_length=48)
    created_at: datetime = moment(default_factory=now)
    expires_at: datetime = moment()
    """Until when he waits; once he was told, until when it is shown."""
    told_at: datetime | None = moment(default=None)


# Drivers who are told while evapp is closed (docs/adr/0016)


class PushSubscription(SQLModel, table=True):
    """The browser of a sign-in, as its push service knows it. It ends with the sign-in."""

    __tablename__ = "push_subscriptions"
    id: int = key()
    sign_in_id: int = Field(foreign_key="sign_ins.id", ondelete="CASCADE", unique=True)
    user_id: int = Field(foreign_key="users.id", index=True)
    endpoint: str = Field(unique=True, max_length=1000)
    """Where its push service takes what is for it. Whoever knows it and our key can write to the driver."""
    p256dh: str = Field(max_length=88)
    """The browser's own key, and below its secret: base64url, as browsers give them (RFC 8291)."""
    auth: str = Field(max_length=24)
    created_at: datetime = moment(default_factory=now)


class Push(SQLModel, table=True):
    """Something that a browser is told, once; the row stays a while, so that it is not told again."""

    __tablename__ = "pushes"
    subscription_id: int = Field(primary_key=True, foreign_key="push_subscriptions.id", ondelete="CASCADE")
    kind: str = Field(primary_key=True, max_length=10)
    """A name in push.KINDS."""
    ref: str = Field(primary_key=True, max_length=63)
    """Which charge, recharge or charger."""
    made_at: datetime = moment()
    due_at: datetime | None = moment(default=None, index=True)
    """When to try it next; empty once it was told or given up."""
    tries: int = 0


class SessionState(StrEnum):
    REQUESTED = "REQUESTED"
    """The charger was asked, or is about to be."""
    AWAITING_PLUG = "AWAITING_PLUG"
    CHARGING = "CHARGING"
    STOPPING = "STOPPING"
    INTERRUPTED = "INTERRUPTED"
    """No stop came; the bill is an estimate until it does, or until 24 h have passed."""
    SETTLED = "SETTLED"
    CANCELLED = "CANCELLED"
    """It never started; nothing was charged."""


WANTED = (SessionState.REQUESTED, SessionState.AWAITING_PLUG)
"""A wish; nothing was charged yet."""
RUNNING = (SessionState.CHARGING, SessionState.STOPPING)
"""Energy may flow."""
OPEN = (*WANTED, *RUNNING)
"""The connector and the driver are taken."""
STOPPABLE = (*WANTED, SessionState.CHARGING)
"""Nobody has asked for its end yet."""
LIVE = (*RUNNING, SessionState.INTERRUPTED)
"""It began, and its stop has not come."""
NOT_OVER = (*OPEN, SessionState.INTERRUPTED)
"""What becomes of its money is not decided."""
_OPEN_SQL = _state_in(OPEN)
IS_OPEN = text(f"charging_sessions.{_OPEN_SQL}")
"""For queries, in the words of the indexes of open charges: with values that are bound SQLite reads all past ones."""
IS_RUNNING = text(f"(charging_sessions.{_OPEN_SQL} AND charging_sessions.{_state_in(RUNNING)})")
"""The same, of those where energy may flow: no index knows these alone."""
_NOT_OVER_SQL = _state_in(NOT_OVER)
IS_NOT_OVER = text(f"charging_sessions.{_NOT_OVER_SQL}")
"""Open, or without the stop that should have come."""


class ChargingSession(SQLModel, table=True):
    """One charge, from the wish to the receipt. The OCPP transaction id is one of its attributes."""

    __tablename__ = "charging_sessions"
    __table_args__ = (
        UniqueConstraint("charger_id", "connector_number", "tag", "started_at", "meter_start_wh", name="natural_key"),
        Index(
            "uq_charging_sessions_open_connector", "charger_id", "connector_number", unique=True, **_where(_OPEN_SQL)
        ),
        Index(
            "uq_charging_sessions_open_user", "user_id", unique=True, **_where(f"{_OPEN_SQL} AND user_id IS NOT NULL")
        ),
        Index("ix_charging_sessions_not_over", "charger_id", "connector_number", **_where(_NOT_OVER_SQL)),
        Index("ix_charging_sessions_card", "card", **_where("card IS NOT NULL")),
        Index("ix_charging_sessions_requested_at_id", "requested_at", "id"),
        Index("ix_charging_sessions_user_id_requested_at_id", "user_id", "requested_at", "id"),
        Index("uq_charging_sessions_receipt_number", "receipt_number", unique=True, **_where("receipt_number <> ''")),
        Index("ix_charging_sessions_idling", "charger_id", "connector_number", **_where("idle_since IS NOT NULL")),
        CheckConstraint("energy_wh >= 0", name="energy_not_negative"),
        CheckConstraint("cost_paise >= 0", name="cost_not_negative"),
        {"sqlite_autoincrement": True},
    )
    id: int = key()
    ref: str = Field(unique=True, max_length=20)
    """What people see and no one can guess."""
    user_id: int | None = Field(default=None, foreign_key="users.id")
    """Empty: a walk-up, charging by a card of the charger's own."""
    charger_id: str = Field(foreign_key="chargers.id", max_length=48)
    connector_number: int
    state: str = Field(default=SessionState.REQUESTED)
    tag: str = Field(index=True, max_length=40)
    """OCPP idTag: random and single use for our drivers, the card's number for a walk-up."""
    card: str | None = Field(default=None, max_length=20)
    """The known card that began it at the charger; empty: the app, or a card nobody knows."""
    transaction_id: int | None = Field(default=None, unique=True)
    """OCPP transactionId, 1..2^31-1, never used twice."""
    limit_paise: int | None = whole(default=None)
    limit_wh: int | None = whole(default=None)
    limit_minutes: int | None = None
    paise_per_kwh: int = whole()
    """The tariff at the start; it and the next two stay, which triggers see to."""
    gst_basis_points: int = 0
    terms: str | None = None
    """JSON: what the tariff asks for beside energy (`prices.Price`); empty: a plain price per kWh."""
    counted: str | None = None
    """JSON: what such a tariff has counted so far (`prices.Usage`)."""
    idle_since: datetime | None = moment(default=None)
    """Since when the connector has been taken without energy flowing, where that may cost."""
    requested_at: datetime = moment(default_factory=now)
    started_at: datetime | None = moment(default=None)
    """The charger's own time of the start."""
    started_received_at: datetime | None = moment(default=None)
    meter_start_wh: int | None = whole(default=None)
    meter_wh: int | None = whole(default=None)
    """The last good register."""
    power_w: int = whole(default=0)
    metered_at: datetime | None = moment(default=None)
    """When the last sample arrived here."""
    sampled_at: datetime | None = moment(default=None)
    """The charger's own time of its newest sample."""
    last_sample_id: int | None = whole(default=None)
    """The sample stored last, from which each names the one before it (ADR 0015)."""
    unheard_wh: int = whole(default=0, sa_column_kwargs={"server_default": "0"})
    """An estimate of what flowed since the last register was told and before the last sample of something else, or the
    connector's last change of status."""
    suspended: str = Field(default="", max_length=20)
    """SuspendedEV, SuspendedEVSE or Faulted while it runs."""
    stop_cause: str = Field(default="", max_length=20)
    """Why it ended. Of a CANCELLED one: a name in wishes.ENDINGS. Else who wanted the end: driver, funds, limit or
    operator, or a name in starts.STATUS; empty: the charger or the car."""
    stop_reason: str = Field(default="", max_length=20)
    """OCPP's reason of StopTransaction."""
    stop_tries: int = 0
    stopped_at: datetime | None = moment(default=None)
    meter_stop_wh: int | None = whole(default=None)
    energy_wh: int = whole(default=0)
    cost_paise: int = whole(default=0)
    gst_paise: int = whole(default=0)
    arrears_paise: int = whole(default=0)
    """The part of the cost that the wallet could not cover."""
    given_back_paise: int | None = whole(default=None)
    """What an operator took off the bill (payments.md C37)."""
    estimated: bool = False
    number_used: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    """The charger's stop named our transaction, so it has our answer to its start and does not repeat that."""
    review: str = Field(default="", max_length=200)
    """Why an operator should look at the figures; empty: no need."""
    settled_at: datetime | None = moment(default=None)
    receipt_number: str = Field(default="", max_length=16)
    due_at: datetime | None = moment(default=None, index=True)
    """When the sweeper must act on it next."""
    updated_at: datetime = moment(default_factory=now)


class MeterSample(SQLModel, table=True):
    """What one MeterValues message said, in one wide row."""

    __tablename__ = "meter_samples"
    id: int = numbered()
    session_id: int = Field(foreign_key="charging_sessions.id")
    before_id: int | None = whole(default=None)
    """The sample of the same session before this one: no index leads to them (ADR 0015)."""
    at: datetime = moment()
    """The charger's time."""
    received_at: datetime = moment()
    energy_wh: int | None = whole(default=None)
    """The register."""
    power_w: int | None = whole(default=None)
    current_ma: int | None = whole(default=None)
    voltage_mv: int | None = whole(default=None)
    soc_percent: int | None = None


class OcppMessage(SQLModel, table=True):
    """The journal: what a charger and we said to each other. A frame, with the answer where we gave it at once."""

    __tablename__ = "ocpp_messages"
    __table_args__ = (Index("ix_ocpp_messages_charger_id_id", "charger_id", "id"),)
    id: int = numbered()
    charger_id: str = Field(max_length=48)
    direction: str = Field(max_length=3)
    """in or out."""
    action: str = Field(default="", max_length=50)
    message_id: str = Field(default="", max_length=80)
    frame: str
    repairs: str = Field(default="")
    created_at: datetime = moment(default_factory=now)
    answer: str | None = None
    """What we said to it; what a charger says to us is a frame of its own."""
    answered_at: datetime | None = moment(default=None)


class PaperKind(StrEnum):
    """Each has a series of numbers of its own (rules 46 and 53)."""

    RECEIPT = "EV"
    CREDIT_NOTE = "CN"
    DEBIT_NOTE = "DN"


class Receipt(SQLModel, table=True):
    """A numbered paper about a charge, as it was given: whatever changes later, this does not. Append-only."""

    __tablename__ = "receipts"
    __table_args__ = (
        CheckConstraint("kind IN ('EV', 'CN', 'DN')", name="known_kind"),
        CheckConstraint("total_paise > 0 AND gst_paise BETWEEN 0 AND total_paise", name="gst_within_total"),
        CheckConstraint("(kind = 'EV') = (corrects IS NULL)", name="notes_correct_a_receipt"),
    )
    number: str = Field(primary_key=True, max_length=16)
    kind: str = Field(max_length=2)
    session_id: int = Field(foreign_key="charging_sessions.id", index=True)
    corrects: str | None = Field(default=None, foreign_key="receipts.number", max_length=16)
    """Of a note: the receipt that it changes."""
    total_paise: int = whole()
    gst_paise: int = whole()
    gst_basis_points: int
    facts: str
    """JSON: what else stands on it, the seller among it (`receipts.Facts`); nothing of the driver."""
    buyer: str | None = None
    """Of a receipt made out to a firm that is registered for GST: the firm as JSON (`receipts.Buyer`), for it and for
    the notes that change it."""
    created_at: datetime = moment()


class ReceiptCounter(SQLModel, table=True):
    """The last number of a series in a financial year: numbers have no gaps (rule 46)."""

    __tablename__ = "receipt_counters"
    series: str = Field(primary_key=True, max_length=2)
    financial_year: str = Field(primary_key=True, max_length=5)
    last: int = 0


_WAITS_SQL = "resolved_at IS NULL"


class Finding(SQLModel, table=True):
    """Something an operator must look at; never mended behind his back."""

    __tablename__ = "findings"
    __table_args__ = (UniqueConstraint("kind", "ref"), Index("ix_findings_open", "kind", **_where(_WAITS_SQL)))
    id: int = key()
    kind: str = Field(max_length=30)
    """orphan-stop, conflict, mismatch, review, stop-unanswered …"""
    ref: str = Field(max_length=100)
    detail: str = Field(default="", max_length=500)
    created_at: datetime = moment(default_factory=now)
    taken_by: str | None = Field(default=None, max_length=100)
    """Who is at it, as the trail writes it; empty: nobody."""
    taken_at: datetime | None = moment(default=None)
    resolved_at: datetime | None = moment(default=None)
    resolved_by: str | None = Field(default=None, max_length=100)
    """Who looked, as the trail writes it: user:7, shell:root …"""
    resolution: str | None = Field(default=None, max_length=500)
    """What came of it, in his words."""


class ActorKind(StrEnum):
    """What an operator acts through."""

    USER = "user"
    """The operators' pages; the id is the user's."""
    KEY = "key"
    """The REST API; the id is the key's."""
    SHELL = "shell"
    """The shell; the id is the name at the machine."""


class TrailEntry(SQLModel, table=True):
    """One act of an operator, written in the transaction of the act. Append-only."""

    __tablename__ = "trail"
    __table_args__ = (
        CheckConstraint("actor_kind IN ('user', 'key', 'shell')", name="known_actor"),
        Index("ix_trail_subject_id", "subject", "id"),
        Index("ix_trail_actor_kind_actor_id_id", "actor_kind", "actor_id", "id"),
    )
    id: int = key()
    actor_kind: str = Field(max_length=5)
    actor_id: str = Field(max_length=80)
    action: str = Field(max_length=60)
    """Noun and verb, as the shell names them: wallet adjust, charger set-key, call Reset …"""
    subject: str = Field(max_length=100)
    """What it was done to: user:7, charger:BLR-017, session:K3…, finding:4 …"""
    detail: str = Field(default="", max_length=2000)
    """A sentence, or JSON without secrets."""
    at: datetime = moment(default_factory=now)


class SettledPayment(SQLModel, table=True):
    """One line of a gateway's settlement report: what it paid out to the operator's bank, or took back."""

    __tablename__ = "settled_payments"
    __table_args__ = (UniqueConstraint("merchant_reference", "gateway_reference"),)
    id: int = key()
    kind: str = Field(max_length=20)
    """PAYMENT or REFUND."""
    merchant_reference: str = Field(max_length=80)
    gateway_reference: str = Field(max_length=80)
    amount_paise: int = whole()
    fee_paise: int = whole(default=0)
    """Negative: the gateway keeps it, as the tax on it."""
    tax_paise: int = whole(default=0)
    paid_on: date = Field(index=True)
    settled_on: date
    bank_reference: str = Field(default="", max_length=80)
    created_at: datetime = moment(default_factory=now)


class Chore(SQLModel, table=True):
    """Work for certain hours, so that one process does it and a restart forgets none."""

    __tablename__ = "chores"
    name: str = Field(primary_key=True, max_length=40)
    due_at: datetime = moment()
    taken_at: datetime | None = moment(default=None)
    done_at: datetime | None = moment(default=None)
    """When it was last finished; before the first time, since when it has been waited for."""


class Process(SQLModel, table=True):
    """A process of the product that lives, or did until it last said so."""

    __tablename__ = "processes"
    id: str = Field(primary_key=True, max_length=32)
    """As `Bus.process`: another one after each start."""
    kind: str = Field(max_length=10)
    """web or csms."""
    door: str | None = Field(default=None, index=True, max_length=300)
    """The host and port where it alone serves chargers: whoever had it before is dead."""
    started_at: datetime = moment(default_factory=now)
    seen_at: datetime = moment(default_factory=now)


# The operators' REST API


class ApiKey(SQLModel, table=True):
    """A key of the REST API: what it may, and until when. Only the hash of it is kept."""

    __tablename__ = "api_keys"
    id: int = key()
    name: str = Field(max_length=80)
    """Whose it is, or what for."""
    prefix: str = Field(unique=True, max_length=20)
    """The beginning of the key, by which people recognise it."""
    digest: str = Field(unique=True, max_length=64)
    scopes: str = Field(max_length=500)
    """What it may, with spaces between (`api_keys.SCOPES`)."""
    created_at: datetime = moment(default_factory=now)
    expires_at: datetime | None = moment(default=None)
    revoked_at: datetime | None = moment(default=None)
    used_at: datetime | None = moment(default=None)
    """To the minute."""


class ApiWrite(SQLModel, table=True):
    """A write that a caller named, and what it was answered: sent again, it is not done again."""

    __tablename__ = "api_writes"
    api_key_id: int = Field(primary_key=True, foreign_key="api_keys.id")
    name: str = Field(primary_key=True, max_length=64)
    """The caller's Idempotency-Key."""
    fingerprint: str = Field(max_length=64)
    """Of what was asked: the same name for something else is a mistake."""
    status: int | None = None
    """HTTP's; empty while nobody knows how it ended."""
    answer: str = ""
    created_at: datetime = moment(default_factory=now, index=True)
