"""The sandbox's refunds: PhonePe's rules for sending money back and telling of it, in memory and without HTTP."""

from dataclasses import dataclass, field

from simulator.phonepe_orders import MERCHANT_ORDER_ID, MIN_AMOUNT_PAISE, Json, Orders, Refusal

STATES = ("PENDING", "CONFIRMED", "COMPLETED", "FAILED")
"""As payments.md 1.6 has them: CONFIRMED is accepted and not final."""
OPEN = ("PENDING", "CONFIRMED")

REFUND_EVENTS = {
    "PENDING": "pg.refund.accepted",
    "CONFIRMED": "pg.refund.accepted",
    "COMPLETED": "pg.refund.completed",
    "FAILED": "pg.refund.failed",
}
"""The webhook that tells of a refund, by its state."""

NOT_SENT = {"errorCode": "INTERNAL_SERVER_ERROR", "detailedErrorCode": "REFUND_FAILED"}


@dataclass
class Refund:
    """Money of one order on its way back, amount in paise."""

    merchant_refund_id: str
    refund_id: str
    merchant_order_id: str
    amount: int
    payment_mode: str
    created_ms: int
    state: str = "PENDING"
    overrides: Json = field(default_factory=dict)
    """What a test wants told instead of the truth, in status answers and webhooks alike."""

    def answer(self) -> Json:
        """The refund as status answers and webhooks tell it."""
        error = NOT_SENT if self.state == "FAILED" else {}
        attempt = {
            "transactionId": self.refund_id,
            "paymentMode": self.payment_mode,
            "timestamp": self.created_ms,
            "amount": self.amount,
            "state": self.state,
        }
        told = {
            "merchantRefundId": self.merchant_refund_id,
            "originalMerchantOrderId": self.merchant_order_id,
            "amount": self.amount,
            "state": self.state,
            "paymentDetails": [attempt | error],
        }
        return told | error | self.overrides


class Refunds:
    """Every refund of one sandbox."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._by_merchant_id: dict[str, Refund] = {}

    def open(self, asked: Json) -> Refund:
        """A new refund, as `POST /payments/v2/refund` asks for one.

        Raises:
            Refusal: 400 for what breaks a rule of payments.md 1.6, 417 for an id that was used before.
        """
        refund_id, amount, order_id = (asked.get(n) for n in ("merchantRefundId", "amount", "originalMerchantOrderId"))
        if not isinstance(refund_id, str) or not MERCHANT_ORDER_ID.fullmatch(refund_id):
            raise Refusal(400, "BAD_REQUEST", "Bad Request: invalid merchantRefundId")
        if type(amount) is not int or amount < MIN_AMOUNT_PAISE:
            raise Refusal(400, "BAD_REQUEST", "Bad Request: invalid amount")
        if refund_id in self._by_merchant_id:
            raise Refusal(417, "INVALID_MERCHANT_REFUND_ID", "Merchant refund id was used before")
        order = self._orders.find(str(order_id))
        of_order = [r for r in self._by_merchant_id.values() if r.merchant_order_id == order_id and r.state != "FAILED"]
        if order.state != "COMPLETED" or sum(r.amount for r in of_order) + amount > order.amount:
            raise Refusal(400, "INVALID_REFUND_AMOUNT", "Refund amount exceeds what was paid")
        if any(refund.state in OPEN for refund in of_order):
            raise Refusal(400, "REFUND_IN_PROGRESS", "Another refund of this order has not ended")
        refund = Refund(
            merchant_refund_id=refund_id,
            refund_id=self._orders.reference("OMR"),
            merchant_order_id=order.merchant_order_id,
            amount=amount,
            payment_mode=order.attempts[-1]["paymentMode"],
            created_ms=self._orders.now_ms(),
        )
        self._by_merchant_id[refund_id] = refund
        return refund

    def find(self, merchant_refund_id: str) -> Refund:
        """A refund as it stands now.

        Raises:
            Refusal: 400, nobody asked for such a refund.
        """
        refund = self._by_merchant_id.get(merchant_refund_id)
        if not refund:
            raise Refusal(400, "INVALID_MERCHANT_REFUND_ID", "No entry found for given merchant refund id")
        return refund

    def newest_first(self) -> list[Refund]:
        return list(reversed(self._by_merchant_id.values()))
