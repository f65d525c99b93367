"""PhonePe's JSON, read so that what money depends on is exact and everything else may change without notice.

Facts and their sources: reference/payments.md 1.2 to 1.5. PhonePe asks for tolerant readers, so unknown fields,
states, payment modes and rails are kept as they are; an amount that is not whole paise is not read at all.
"""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from domain.recharges import OrderStatus, Payment, RefundStatus
from domain.redaction import HIDDEN, Shown, hidden, wholly

Json = dict[str, Any]

TEXT_CHARS = 500
"""Longest text kept of an answer; PhonePe's own are far shorter."""

DEPTH = 16
"""Deepest nesting kept of an answer; PhonePe's own reach six."""

PRIVATE = ("vpa", "account", "holder", "card", "ifsc", "phone", "mobile", "email", "token")
"""Parts of field names whose values are about a person and are never stored (security.md, rule 7)."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Unreadable(Exception):
    """The words are not what PhonePe documents; the argument says in which way."""


def parsed(content: bytes) -> Json:
    """The JSON object in `content`, its fractions as text so that no float can become money.

    Raises:
        Unreadable: not UTF-8, not JSON, nested too deeply, or not an object.
    """
    try:
        body = json.loads(content.decode(), parse_float=str, parse_constant=str)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"not JSON ({type(error).__name__})") from error
    if not isinstance(body, dict):
        raise Unreadable("not a JSON object")
    return body


def token(body: Json) -> tuple[str, int]:
    """The access token and its lifetime in seconds; 0 when the answer names none, so it serves one call.

    The lifetime is a difference of two of PhonePe's own times: our wall clock may be wrong (R35).
    """
    access = body.get("access_token")
    if not isinstance(access, str) or not re.fullmatch(r"[!-~]+", access):
        raise Unreadable("no access_token")
    issued, expires = _whole(body.get("issued_at")), _whole(body.get("expires_at"))
    if issued is not None and expires is not None and expires > issued:
        return access, expires - issued
    return access, _whole(body.get("expires_in")) or 0


def payment(body: Json, hosts: tuple[str, ...]) -> Payment:
    """The answer to a payment request, its pay page's address exactly as received (decision D11)."""
    return Payment(
        gateway_order_id=_text(body.get("orderId")),
        state=_text(body.get("state")),
        redirect_url=_checkout(body.get("redirectUrl"), hosts),
        expires_at=_moment(body.get("expireAt")),
    )


def order_status(body: Json, merchant_order_id: str) -> OrderStatus:
    """The answer to a status request: only the root state decides, attempts only tell how it was paid."""
    amount, state = _amount_and_state(body)
    if body.get("merchantOrderId", merchant_order_id) != merchant_order_id:
        raise Unreadable("the answer is about another order")
    attempt = _telling_attempt(body.get("paymentDetails"))
    return OrderStatus(
        gateway_order_id=_text(body.get("orderId")),
        state=_text(state),
        amount_paise=amount,
        utr=next((utr for rail in _rails(attempt) if (utr := _text(rail.get("utr")))), ""),
        transaction_id=_text(attempt.get("transactionId")),
        payment_mode=_text(attempt.get("paymentMode")),
        # PhonePe's samples also show an errorCode on COMPLETED orders; there it means nothing.
        error_code="" if state == "COMPLETED" else _text(body.get("errorCode")),
        body=redacted(body),
        user_ref=_udf1(body.get("metaInfo")),
        paid_at=_moment(attempt.get("timestamp")) if state == "COMPLETED" else None,
    )


def refund_status(body: Json, merchant_refund_id: str) -> RefundStatus:
    """The answer to a refund request or to a question about one."""
    amount, state = _amount_and_state(body)
    if body.get("merchantRefundId", merchant_refund_id) != merchant_refund_id:
        raise Unreadable("the answer is about another refund")
    attempt = _telling_attempt(body.get("paymentDetails"))
    return RefundStatus(
        gateway_refund_id=_text(body.get("refundId") or attempt.get("transactionId")),
        state=_text(state),
        amount_paise=amount,
        error_code="" if state == "COMPLETED" else _text(body.get("errorCode") or attempt.get("errorCode")),
        body=redacted(body),
        merchant_order_id=_text(body.get("originalMerchantOrderId")),
    )


def refusal(status: int, body: Json) -> tuple[str, str]:
    """The gateway's code and message of a refused request."""
    return _text(body.get("code") or body.get("errorCode")) or f"HTTP_{status}", _text(body.get("message"))


def named(body: Json) -> str | None:
    """The merchant's id of the refund or order that a webhook names, in the envelope or flat; None if none could be
    ours. Refunds come first: what names one also names the order it is of (payments.md 1.5)."""
    payload = body.get("payload")
    told = payload if isinstance(payload, dict) else body
    ids = (told.get(name) for name in ("merchantRefundId", "merchantOrderId", "originalMerchantOrderId"))
    return next((i for i in ids if isinstance(i, str) and re.fullmatch(r"[A-Za-z0-9_-]{1,63}", i)), None)


def redacted(value: Any) -> Any:
    """The same JSON without what identifies the payer, safe to store on both databases."""
    return hidden(value, _kept, _by_name, DEPTH)


def _amount_and_state(body: Json) -> tuple[int, str]:
    amount, state = _whole(body.get("amount")), body.get("state")
    if amount is None:
        raise Unreadable("amount is not whole paise")
    if not isinstance(state, str) or not state:
        raise Unreadable("no state")
    return amount, state


def _by_name(field: str) -> Shown | None:
    return wholly if any(part in field.lower() for part in PRIVATE) else None


def _kept(text: str) -> str:
    return HIDDEN if "@" in text else _text(text)


def _whole(value: Any) -> int | None:
    """A non-negative whole number; documented as String in places, so ASCII digits count too."""
    if isinstance(value, str) and len(value) <= 18 and value.isascii() and value.isdigit():
        return int(value)
    return value if type(value) is int and 0 <= value < 10**18 else None


def _text(value: Any) -> str:
    if type(value) is int:
        return str(value)
    return "".join(c for c in value[:TEXT_CHARS] if c.isprintable()) if isinstance(value, str) else ""


def _moment(milliseconds: Any) -> datetime | None:
    value = _whole(milliseconds)
    try:
        return None if value is None else EPOCH + timedelta(milliseconds=value)
    except OverflowError:
        return None


def _udf1(meta: Any) -> str:
    return _text(meta.get("udf1")) if isinstance(meta, dict) else ""


def _telling_attempt(details: Any) -> Json:
    """The attempt that paid, else the last one: failed attempts before a good one are normal (R15)."""
    attempts = [item for item in details if isinstance(item, dict)] if isinstance(details, list) else []
    paid = [attempt for attempt in attempts if attempt.get("state") == "COMPLETED"]
    return (paid or attempts or [{}])[-1]


def _rails(attempt: Json) -> list[Json]:
    """Where a UTR may stand: on the attempt itself, or on the parts of a split payment."""
    split = attempt.get("splitInstruments")
    holders = [attempt, *(split if isinstance(split, list) else [])]
    return [rail for holder in holders if isinstance(holder, dict) and isinstance(rail := holder.get("rail"), dict)]


def _checkout(url: Any, hosts: tuple[str, ...]) -> str:
    """A pay page that a driver may be sent to: https on a listed host; http only where a host is listed by name."""
    if not isinstance(url, str) or not re.fullmatch(r"[!-~]+", url) or "\\" in url:
        raise Unreadable("redirectUrl is not an address")
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError as error:
        raise Unreadable("redirectUrl is not an address") from error
    named = host in hosts
    under = any(entry.startswith("*.") and host.endswith(entry[1:]) for entry in hosts)
    allowed = {"https": named or under, "http": named}
    if "@" in parts.netloc or not allowed.get(parts.scheme):
        raise Unreadable(f"redirectUrl leads to {parts.scheme}://{host[:TEXT_CHARS]}, which is not allowed")
    return url
