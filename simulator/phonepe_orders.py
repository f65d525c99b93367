"""The sandbox's orders: PhonePe's rules for opening, paying and telling of them, in memory and without HTTP."""

import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

Json = dict[str, Any]

MIN_AMOUNT_PAISE = 100
EXPIRE_AFTER_S = range(300, 3601)
DEFAULT_EXPIRE_AFTER_S = 600
MERCHANT_ORDER_ID = re.compile(r"[A-Za-z0-9_-]{1,63}")
UDF_CHARS = {f"udf{n}": 256 if n <= 10 else 50 for n in range(1, 16)}

CHOICES: dict[str, tuple[str, str] | None] = {
    "pay": ("COMPLETED", "COMPLETED"),
    "fail": ("FAILED", "FAILED"),
    "retry": ("FAILED", "PENDING"),
    "later": None,
}
"""What a person does on the pay page: the states that the attempt and the order take, None when nothing is tried."""

EVENTS = {
    "COMPLETED": "checkout.order.completed",
    "FAILED": "checkout.order.failed",
    "PENDING": "checkout.transaction.attempt.failed",
}
"""The webhook that tells of an order, by the order's state."""

DECLINED = {"errorCode": "INVALID_MPIN", "detailedErrorCode": "ZM"}
EXPIRED = {"errorCode": "TXN_NOT_COMPLETED", "detailedErrorCode": "TXN_AUTO_FAILED"}


class Refusal(Exception):
    """What PhonePe answers instead: an HTTP status, a code and a message."""

    def __init__(self, status: int, code: str, message: str, **more: Any) -> None:
        super().__init__(code)
        self.status = status
        self.body = {"code": code, "message": message, **more}


@dataclass
class Order:
    """One payment order, amount in paise, times in epoch milliseconds as PhonePe writes them."""

    merchant_order_id: str
    order_id: str
    amount: int
    redirect_url: str
    page_token: str
    created_ms: int
    expire_ms: int
    meta: Json
    state: str = "PENDING"
    attempts: list[Json] = field(default_factory=list)
    error: Json = field(default_factory=dict)
    overrides: Json = field(default_factory=dict)
    """What a test wants told instead of the truth, in status answers and webhooks alike."""

    def answer(self, *, details: bool = True, error_context: bool = False) -> Json:
        """The order as status answers and webhooks tell it; without `details` only its latest attempt."""
        told: Json = {
            "orderId": self.order_id,
            "state": self.state,
            "amount": self.amount,
            "payableAmount": self.amount,
            "feeAmount": 0,
            "expireAt": self.expire_ms,
            "paymentDetails": self.attempts if details else self.attempts[-1:],
            **self.error,
        }
        if self.meta:
            told["metaInfo"] = self.meta
        if error_context and self.error:
            stage = {"source": "CUSTOMER", "stage": "AUTHENTICATION", "description": "The payment was not completed."}
            told["errorContext"] = self.error | stage
        return told | self.overrides


class Orders:
    """Every order of one sandbox. The same seed and clock give the same ids."""

    def __init__(self, seed: int | None, clock: Callable[[], float]) -> None:
        self._by_merchant_id: dict[str, Order] = {}
        self._random = random.Random(seed)
        self._clock = clock

    def open(self, asked: Json) -> Order:
        """A new order, as `POST /checkout/v2/pay` asks for one.

        Raises:
            Refusal: 400 for what breaks a rule of payments.md 1.3, 417 for an id that was used before.
        """
        flow, meta, expire_after = asked.get("paymentFlow"), asked.get("metaInfo"), asked.get("expireAfter")
        urls = flow.get("merchantUrls") if isinstance(flow, dict) else None
        order_id, amount = asked.get("merchantOrderId"), asked.get("amount")
        back = urls.get("redirectUrl") if isinstance(urls, dict) else None
        kept = {
            "merchantOrderId": isinstance(order_id, str) and MERCHANT_ORDER_ID.fullmatch(order_id),
            "amount": type(amount) is int and amount >= MIN_AMOUNT_PAISE,
            "expireAfter": expire_after is None or expire_after in EXPIRE_AFTER_S,
            "paymentFlow.type": isinstance(flow, dict) and flow.get("type") == "PG_CHECKOUT",
            "redirectUrl": isinstance(back, str) and back.startswith(("http://", "https://")),
            "metaInfo": _fits(meta),
        }
        if broken := [rule for rule, holds in kept.items() if not holds]:
            raise Refusal(400, "BAD_REQUEST", f"Bad Request: invalid {', '.join(broken)}")
        if order_id in self._by_merchant_id:
            raise Refusal(417, "INVALID_MERCHANT_ORDER_ID", "Merchant order id was used before")
        order = Order(
            merchant_order_id=str(order_id),
            order_id=self.reference("OMO"),
            amount=int(amount or 0),
            redirect_url=str(back),
            page_token=self.secret(),
            created_ms=self.now_ms(),
            expire_ms=self.now_ms() + (expire_after or DEFAULT_EXPIRE_AFTER_S) * 1000,
            meta={name: value for name, value in (meta or {}).items() if value is not None},
        )
        self._by_merchant_id[order.merchant_order_id] = order
        return order

    def find(self, merchant_order_id: str) -> Order:
        """An order as it stands now; one that nobody paid in time has failed.

        Raises:
            Refusal: 400, nobody opened such an order.
        """
        order = self._by_merchant_id.get(merchant_order_id)
        if not order:
            raise Refusal(400, "INVALID_MERCHANT_ORDER_ID", "No entry found for given merchant order id")
        if order.state == "PENDING" and self.now_ms() >= order.expire_ms:
            order.state, order.error = "FAILED", EXPIRED
        return order

    def find_attempt(self, transaction_id: str) -> tuple[Order, Json]:
        """An attempt to pay, and the order it is of.

        Raises:
            Refusal: 400, there was no such attempt.
        """
        for order in self._by_merchant_id.values():
            for attempt in order.attempts:
                if attempt["transactionId"] == transaction_id:
                    return order, attempt
        raise Refusal(400, "INVALID_TRANSACTION_ID", "No entry found for given transaction id")

    def newest_first(self) -> list[Order]:
        return [self.find(merchant_order_id) for merchant_order_id in reversed(self._by_merchant_id)]

    def behind(self, order_id: str, page_token: str) -> Order | None:
        """The order of a pay page's address."""
        return next((o for o in self.newest_first() if (o.order_id, o.page_token) == (order_id, page_token)), None)

    def take(self, order: Order, choice: str) -> bool:
        """Let an order take a choice; False when nothing came of it, as once an order is decided."""
        outcome = CHOICES[choice]
        if order.state != "PENDING" or outcome is None:
            return False
        attempt, order.state = outcome
        order.error = DECLINED if order.state == "FAILED" else {}
        order.attempts.append(self._attempt(order.amount, attempt) | (DECLINED if attempt == "FAILED" else {}))
        return True

    def _attempt(self, amount: int, state: str) -> Json:
        rail = {
            "type": "UPI",
            "utr": "".join(self._random.choices("0123456789", k=12)),
            "upiTransactionId": f"YBL{self.secret()}",
            "vpa": "12****78@ybl",
        }
        instrument = {"type": "ACCOUNT", "maskedAccountNumber": "******1234", "accountType": "SAVINGS"}
        return {
            "transactionId": self.reference("OM"),
            "paymentMode": "UPI_QR",
            "timestamp": self.now_ms(),
            "amount": amount,
            "payableAmount": amount,
            "feeAmount": 0,
            "state": state,
            "rail": rail,
            "instrument": instrument,
            "splitInstruments": [{"amount": amount, "rail": rail, "instrument": instrument}],
        }

    def now_ms(self) -> int:
        return int(self._clock() * 1000)

    def secret(self) -> str:
        return f"{self._random.getrandbits(128):032x}"

    def reference(self, prefix: str) -> str:
        """An id as PhonePe makes them: prefix, moment, digits."""
        moment = datetime.fromtimestamp(self._clock(), UTC)
        return f"{prefix}{moment:%y%m%d%H%M%S}{self._random.randrange(10**10):010d}"


def _fits(meta: Any) -> bool:
    """Whether metaInfo keeps PhonePe's lengths; null is what its SDK sends for a field that is not used."""
    if meta is None:
        return True
    return isinstance(meta, dict) and all(
        value is None or (isinstance(value, str) and 0 < len(value) <= UDF_CHARS.get(name, 0))
        for name, value in meta.items()
    )
