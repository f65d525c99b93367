"""The sandbox's two pages, in plain HTML: pay or fail an order, and find one that was left for later."""

from datetime import datetime
from decimal import Decimal
from html import escape
from zoneinfo import ZoneInfo

from babel.numbers import format_currency
from starlette.responses import HTMLResponse

from simulator.phonepe_orders import Order
from simulator.phonepe_refunds import OPEN, Refund

INDIA = ZoneInfo("Asia/Kolkata")

STATES = {
    "PENDING": ("wait", "Waiting to be paid"),
    "COMPLETED": ("good", "Paid"),
    "FAILED": ("bad", "Failed"),
}
"""An order's state: tone and words."""

BUTTONS = (
    ("pay", "primary", "Pay {amount}"),
    ("fail", "danger", "Fail the payment"),
    ("retry", "", "Fail this attempt, stay here"),
    ("later", "", "Later: back to the app, unpaid"),
)
"""The pay page's buttons: choice, look, words."""

REFUND_STATES = {
    "PENDING": ("wait", "Refund asked for"),
    "CONFIRMED": ("wait", "Refund confirmed, on its way"),
    "COMPLETED": ("good", "Refunded"),
    "FAILED": ("bad", "Refund failed"),
}
"""A refund's state: tone and words."""

REFUND_BUTTONS = (("CONFIRMED", "Confirm"), ("COMPLETED", "Complete"), ("FAILED", "Fail"))
"""What a person at the desk makes of a refund: state, words."""

SECURITY = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}

STYLE = """
:root{color-scheme:light dark;--paper:#f6f4fa;--card:#fff;--ink:#1d1729;--soft:#5d5570;--line:#ddd6e8;
--accent:#5b2a9d;--on:#fff;--good:#1b6b3c;--bad:#a92c14;--wait:#855000}
@media (prefers-color-scheme:dark){:root{--paper:#131019;--card:#1e1928;--ink:#f3eefb;--soft:#b5abc6;--line:#3a3248;
--accent:#b993ee;--on:#1b0f2e;--good:#77d8a0;--bad:#ff8b6c;--wait:#ffc766}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
.tape{background:repeating-linear-gradient(-45deg,#ffb938 0 18px,#1b1404 18px 36px);height:12px}
header{padding:14px 20px;text-align:center;font-weight:700;background:#ffb938;color:#1b1404}
main{max-width:30rem;margin:0 auto;padding:24px 16px 48px}
h1{font-size:1.25rem;margin:0 0 4px}
.amount{font-size:2.75rem;font-weight:700;line-height:1.15;margin:12px 0 4px;overflow-wrap:anywhere}
h2.amount{font-size:1.75rem;margin:0}
.card{background:var(--card);border:1px solid var(--line);border-radius:16px;padding:20px;margin-bottom:16px}
.soft{color:var(--soft);margin:0;overflow-wrap:anywhere}
.good{color:var(--good)}.bad{color:var(--bad)}.wait{color:var(--wait)}
.state{font-weight:700;margin:8px 0}
button,.button{display:block;width:100%;min-height:52px;margin-top:12px;padding:12px 16px;border-radius:12px;
border:2px solid var(--line);background:var(--card);color:var(--ink);font:inherit;font-weight:600;text-align:center;
text-decoration:none;cursor:pointer}
.primary{background:var(--accent);border-color:var(--accent);color:var(--on)}
.danger{border-color:var(--bad);color:var(--bad)}
:focus-visible{outline:3px solid var(--accent);outline-offset:3px}
"""


def pay(order: Order) -> HTMLResponse:
    """Where the app sends a driver: the amount, and what shall become of it."""
    facts = (
        f"<h1>Wallet recharge</h1><p class='amount'>{_rupees(order)}</p>"
        f"{_state(order)}<p class='soft'>Order {escape(order.merchant_order_id)}</p>"
    )
    return _page("Pay", f"<section class='card'>{facts}</section>{_choices(order)}")


def desk(orders: list[Order], refunds: list[Refund]) -> HTMLResponse:
    """Every order and refund, so that a person can complete what was left for later."""
    if not orders:
        return _page("Orders", "<h1>Orders</h1><p class='soft'>None yet. Add money in the app to make one.</p>")
    going_back = "<h1>Refunds</h1>" + "".join(_refund(refund) for refund in refunds) if refunds else ""
    return _page("Orders", going_back + "<h1>Orders</h1>" + "".join(_row(order) for order in orders))


def no_order() -> HTMLResponse:
    """The answer to an address that no order made."""
    return _page(
        "No such payment",
        "<h1>No such payment</h1><p class='soft'>This sandbox forgets its orders when it stops. "
        "Go back to the app and start the recharge again.</p><a class='button' href='/'>All orders</a>",
        404,
    )


def _choices(order: Order) -> str:
    if order.state != "PENDING":
        return f"<a class='button primary' href='{escape(order.redirect_url)}'>Back to the app</a>"
    buttons = "".join(
        f"<button name='choice' value='{choice}' class='{look}'>{words.format(amount=_rupees(order))}</button>"
        for choice, look, words in BUTTONS
    )
    hidden = f"<input type='hidden' name='token' value='{order.page_token}'>"
    return f"<form method='post' action='/pay/{order.order_id}'>{hidden}{buttons}</form>"


def _refund(refund: Refund) -> str:
    tone, words = REFUND_STATES[refund.state]
    buttons = "".join(f"<button name='state' value='{state}'>{does}</button>" for state, does in REFUND_BUTTONS)
    form = f"<form method='post' action='/refunds/{escape(refund.merchant_refund_id)}'>{buttons}</form>"
    return (
        f"<section class='card'><h2 class='amount'>{_rupees(refund)}</h2><p class='state {tone}'>{words}</p>"
        f"<p class='soft'>{escape(refund.merchant_refund_id)} of {escape(refund.merchant_order_id)}</p>"
        f"{form if refund.state in OPEN else ''}</section>"
    )


def _row(order: Order) -> str:
    made = datetime.fromtimestamp(order.created_ms / 1000, INDIA)
    link = f"<a class='button' href='/pay/{order.order_id}?token={order.page_token}'>Open the pay page</a>"
    return (
        f"<section class='card'><h2 class='amount'>{_rupees(order)}</h2>{_state(order)}"
        f"<p class='soft'>{made:%d %b %Y, %H:%M:%S} · {escape(order.merchant_order_id)}</p>"
        f"{link if order.state == 'PENDING' else ''}</section>"
    )


def _state(order: Order) -> str:
    tone, words = STATES[order.state]
    tried = sum(attempt["state"] == "FAILED" for attempt in order.attempts)
    more = f", {tried} failed {'attempt' if tried == 1 else 'attempts'}" if order.state == "PENDING" and tried else ""
    return f"<p class='state {tone}'>{words}{more}</p>"


def _rupees(of: Order | Refund) -> str:
    return format_currency(Decimal(of.amount) / 100, "INR", locale="en_IN")


def _page(title: str, body: str, status: int = 200) -> HTMLResponse:
    head = (
        f"<!doctype html><html lang='en'><head><meta charset='utf-8'><title>{title} · PhonePe sandbox</title>"
        f"<meta name='viewport' content='width=device-width, initial-scale=1'><style>{STYLE}</style></head>"
    )
    sign = "<div class='tape'></div><header>PhonePe sandbox: no real money</header>"
    return HTMLResponse(f"{head}<body>{sign}<main>{body}</main></body></html>", status, SECURITY)
