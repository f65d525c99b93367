"""Drives the PhonePe sandbox with PhonePe's own Python SDK; run by sandbox_fidelity.py inside the SDK's environment.

Arguments: the layout (sandbox or production), the sandbox's address, and the port on which to hear its webhooks.
Prints one JSON line for each check: what was checked, whether it held, and what was seen.
"""

import json
import queue
import sys
import threading
import urllib.request
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from phonepe.sdk.pg import env
from phonepe.sdk.pg.common.configs.http_client_config import HttpClientConfig
from phonepe.sdk.pg.common.exceptions import (
    BadRequest,
    ExpectationFailed,
    PhonePeException,
    ServerError,
    TooManyRequests,
    UnauthorizedAccess,
)
from phonepe.sdk.pg.common.models.request.meta_info import MetaInfo
from phonepe.sdk.pg.common.models.request.refund_request import RefundRequest
from phonepe.sdk.pg.payments.v2.models.request.standard_checkout_pay_request import StandardCheckoutPayRequest
from phonepe.sdk.pg.payments.v2.standard_checkout_client import StandardCheckoutClient

LAYOUTS = {"sandbox": ("pg-sandbox", "pg-sandbox"), "production": ("pg", "identity-manager")}
"""Where PhonePe has its gateway and its tokens: not the same place in production (payments.md 1.1)."""
BELL = ("evapp_hook", "hook12345")
PAISE = 50_000


class Inbox(BaseHTTPRequestHandler):
    """Keeps every webhook: its Authorization header and its body."""

    heard: "queue.Queue[tuple[str, str]]" = queue.Queue()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.heard.put((self.headers["Authorization"], body))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


class Drive:
    """One layout's checks, in the order of a payment's life."""

    def __init__(self, layout: str, base: str) -> None:
        self.base = base
        pg, oauth = (f"{base}/apis/{path}" for path in LAYOUTS[layout])
        self.env = {"sandbox": env.Env.SANDBOX, "production": env.Env.PRODUCTION}[layout]
        prefix = self.env.value.replace("PRODUCTION", "PROD")
        setattr(env, f"{prefix}_PG_BASE_URL", pg)
        setattr(env, f"{prefix}_OAUTH_BASE_URL", oauth)
        self.layout = layout
        self.client = self.new_client("sandbox-secret")

    def new_client(self, secret: str) -> StandardCheckoutClient:
        return StandardCheckoutClient(
            client_id="EVAPP-SANDBOX",
            client_version=1,
            client_secret=secret,
            env=self.env,
            should_publish_events=False,
            http_client_config=HttpClientConfig(connect_timeout_seconds=3, read_timeout_seconds=10),
        )

    def pay(self, order: str, paise: int = PAISE) -> Any:
        asked = StandardCheckoutPayRequest.build_request(
            merchant_order_id=order,
            amount=paise,
            redirect_url="http://localhost/payments/return",
            message="Wallet recharge",
            expire_after=900,
            meta_info=MetaInfo(udf1="u_1"),
        )
        return self.client.pay(asked)

    def refund(self, refund: str, order: str, paise: int) -> Any:
        return self.client.refund(RefundRequest.build_refund_request(refund, paise, order))

    def command(self, path: str, **asked: Any) -> None:
        """The sandbox's own door: what a person or a fault would do."""
        body = json.dumps(asked).encode()
        request = urllib.request.Request(f"{self.base}/_sandbox/{path}", body, {"Content-Type": "application/json"})
        urllib.request.urlopen(request, timeout=10).close()

    def callback(self) -> Any:
        """The next webhook, as the SDK reads it."""
        header, body = Inbox.heard.get(timeout=10)
        return self.client.validate_callback(*BELL, header, body)

    def run(self) -> None:
        for step in (self.tokens, self.opening, self.attempts, self.paid, self.failed, self.refunds, self.faults):
            step()
        self.client.close()

    def check(self, what: str, seen: Any, wanted: Any) -> None:
        print(json.dumps([self.layout, what, seen == wanted, repr(seen)]), flush=True)

    def refused(self, what: str, call: Callable[[], Any], by: type[Exception], code: str = "") -> None:
        try:
            seen = call()
        except PhonePeException as error:
            self.check(what, [type(error).__name__, error.code or ""], [by.__name__, code or error.code or ""])
        else:
            self.check(what, repr(seen), by.__name__)

    def tokens(self) -> None:
        self.check("token: granted and accepted", self.pay("RCH-0").state, "PENDING")
        self.refused("token: wrong secret", lambda: self.new_client("wrong"), BadRequest, "OIM000")

    def opening(self) -> None:
        opened = self.pay("RCH-1")
        self.check("pay: state", opened.state, "PENDING")
        self.check(
            "pay: order id, expiry, pay page", all((opened.order_id, opened.expire_at, opened.redirect_url)), True
        )
        self.refused("pay: id used before", lambda: self.pay("RCH-1"), ExpectationFailed, "INVALID_MERCHANT_ORDER_ID")
        self.refused("pay: less than a rupee", lambda: self.pay("RCH-2", 99), BadRequest)
        self.refused("pay: id too long", lambda: self.pay("x" * 64), BadRequest)
        told = self.client.get_order_status("RCH-1")
        self.check("status: nobody paid yet", (told.state, told.amount, told.payment_details), ("PENDING", PAISE, []))
        self.check("status: metaInfo", told.meta_info.udf1, "u_1")
        unknown = "INVALID_MERCHANT_ORDER_ID"
        self.refused("status: unknown order", lambda: self.client.get_order_status("RCH-9"), BadRequest, unknown)

    def attempts(self) -> None:
        self.command("orders/RCH-1", choice="retry")
        rung = self.callback()
        self.check("callback: attempt failed", rung.event, "checkout.transaction.attempt.failed")
        told = self.client.get_order_status("RCH-1", details=True)
        (attempt,) = told.payment_details
        self.check("status: failed attempt in a pending order", (told.state, attempt.state), ("PENDING", "FAILED"))
        self.check("status: attempt's error", (attempt.error_code, attempt.detailed_error_code), ("INVALID_MPIN", "ZM"))

    def paid(self) -> None:
        self.command("orders/RCH-1", choice="pay")
        rung = self.callback()
        self.check("callback: order completed", rung.event, "checkout.order.completed")
        told = (rung.payload.merchant_order_id, rung.payload.state, rung.payload.amount)
        self.check("callback: order, state, amount", told, ("RCH-1", "COMPLETED", PAISE))
        told = self.client.get_order_status("RCH-1", details=True)
        self.check("status: completed with every attempt", (told.state, len(told.payment_details)), ("COMPLETED", 2))
        latest = self.client.get_order_status("RCH-1", details=False)
        self.check("status: details=False has the latest", len(latest.payment_details), 1)
        (attempt,) = latest.payment_details
        self.check("status: typed rail", type(attempt.rail).__name__, "UpiPaymentRail")
        self.check("status: UTR", len(attempt.rail.utr), 12)
        self.check("status: typed instrument", type(attempt.instrument).__name__, "AccountPaymentInstrumentV2")
        self.check("status: split instruments", len(attempt.split_instruments), 1)
        one = self.client.get_transaction_status(attempt.transaction_id)
        ids = (one.merchant_order_id, one.state, [each.transaction_id for each in one.payment_details])
        self.check("attempt status", ids, ("RCH-1", "COMPLETED", [attempt.transaction_id]))
        unknown = "INVALID_TRANSACTION_ID"
        self.refused("attempt status: unknown", lambda: self.client.get_transaction_status("OM0"), BadRequest, unknown)

    def failed(self) -> None:
        self.command("orders/RCH-0", choice="fail")
        self.check("callback: order failed", self.callback().event, "checkout.order.failed")
        told = self.client.get_order_status("RCH-0")
        self.check("status: failed with its reason", (told.state, told.error_code), ("FAILED", "INVALID_MPIN"))
        self.refused("refund: of an order that failed", lambda: self.refund("REF-0", "RCH-0", 100), BadRequest)

    def refunds(self) -> None:
        asked = self.refund("REF-1", "RCH-1", 20_000)
        self.check("refund: state and amount", (asked.state, asked.amount), ("PENDING", 20_000))
        used, more = ExpectationFailed, PAISE + 1
        self.refused("refund: id used before", lambda: self.refund("REF-1", "RCH-1", 100), used)
        self.refused("refund: more than was paid", lambda: self.refund("REF-2", "RCH-1", more), BadRequest)
        self.refused("refund: while one is open", lambda: self.refund("REF-2", "RCH-1", 100), BadRequest)
        self.refused("refund status: unknown", lambda: self.client.get_refund_status("REF-9"), BadRequest)
        events = {"CONFIRMED": "accepted", "COMPLETED": "completed", "FAILED": "failed"}
        for state, event in events.items():
            self.command("refunds/REF-1", state=state)
            rung = self.callback()
            told = (rung.event, rung.payload.merchant_refund_id, rung.payload.original_merchant_order_id)
            self.check(f"callback: refund {state}", told, (f"pg.refund.{event}", "REF-1", "RCH-1"))
            told = self.client.get_refund_status("REF-1")
            seen = (told.state, told.amount, told.original_merchant_order_id, told.payment_details[0].state)
            self.check(f"refund status: {state}", seen, (state, 20_000, "RCH-1", state))
            self.check(f"refund status: {state}, its id", told.payment_details[0].transaction_id, asked.refund_id)

    def faults(self) -> None:
        self.command("faults", webhook=["forged"])
        self.command("orders/RCH-1", webhooks=1)
        self.refused("callback: forged", self.callback, PhonePeException)
        kinds = {"401": UnauthorizedAccess, "417": ExpectationFailed, "429": TooManyRequests, "503": ServerError}
        for fault, error in kinds.items():
            self.command("faults", status=[fault])
            self.refused(f"fault on command: {fault}", lambda: self.client.get_order_status("RCH-1"), error)
        self.check("status: after the faults", self.client.get_order_status("RCH-1").state, "COMPLETED")


def main(layout: str, base: str, port: str) -> None:
    inbox = HTTPServer(("127.0.0.1", int(port)), Inbox)
    threading.Thread(target=inbox.serve_forever, daemon=True).start()
    Drive(layout, base).run()


if __name__ == "__main__":
    main(*sys.argv[1:])
