"""PhonePe's webhooks: who may ring, and for which order."""

import hashlib
import json
from typing import Any

import httpx
import pytest

from domain.recharges import GatewayRefused
from tests.unit.payments.phonepe.desk import BELL, ORDER, phonepe


def ring(authorization: str, body: bytes) -> str | None:
    return phonepe(httpx.AsyncClient()).doorbell(authorization, body)


NAMED = json.dumps({"event": "checkout.order.completed", "payload": {"merchantOrderId": ORDER}}).encode()


@pytest.mark.parametrize(
    "header",
    [BELL, BELL.upper(), f" {BELL} ", f"SHA256 {BELL}", f"SHA256({BELL})", f"sha256({BELL.upper()})"],
)
def test_the_doorbell_knows_our_header_in_every_form(header: str) -> None:
    assert ring(header, NAMED) == ORDER


@pytest.mark.parametrize(
    "header",
    [
        "",
        "0" * 64,
        BELL[:-1],
        BELL + "0",
        f"Basic {BELL}",
        f"SHA512 {BELL}",
        "evapp_hook:hook12345",
        hashlib.sha256(b":").hexdigest(),
        "é" * 64,
        "٣" * 64,
        " " * 100_000 + "(" * 100_000,
    ],
)
def test_a_forged_header_is_unauthorized(header: str) -> None:
    with pytest.raises(GatewayRefused) as refused:
        ring(header, NAMED)
    assert refused.value.code == "UNAUTHORIZED"


def test_a_doorbell_without_credentials_lets_nobody_in() -> None:
    for username, password in (("", ""), ("evapp_hook", ""), ("", "hook12345")):
        client = phonepe(httpx.AsyncClient(), webhook_username=username, webhook_password=password)
        guess = hashlib.sha256(f"{username}:{password}".encode()).hexdigest()
        for header in ("", guess, hashlib.sha256(b"").hexdigest()):
            with pytest.raises(GatewayRefused, match="UNAUTHORIZED"):
                client.doorbell(header, NAMED)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"garbage",
        b"[]",
        b'"RCH-1"',
        b"null",
        b"\xff\xfe{\x00}\x00",
        b'{"payload": ' * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"n": ' + b"9" * 100_000 + b"}",
    ],
)
def test_an_unreadable_body_is_malformed(body: bytes) -> None:
    with pytest.raises(GatewayRefused) as refused:
        ring(BELL, body)
    assert refused.value.code == "MALFORMED"


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"event": "pg.refund.completed", "payload": {"originalMerchantOrderId": ORDER}}, ORDER),
        ({"payload": {"merchantRefundId": "REF-1", "originalMerchantOrderId": ORDER}}, "REF-1"),
        ({"payload": {"merchantRefundId": None, "merchantOrderId": ORDER}}, ORDER),
        ({"originalMerchantOrderId": ORDER, "refundId": "OMR1", "state": "COMPLETED"}, ORDER),
        ({"merchantOrderId": ORDER, "state": "COMPLETED"}, ORDER),
        ({"payload": {"merchantOrderId": 7}}, None),
        ({"payload": {"merchantOrderId": ""}}, None),
        ({"payload": {"merchantOrderId": "x" * 64}}, None),
        ({"payload": {"merchantOrderId": "RCH-1\n"}}, None),
        ({"payload": {"merchantOrderId": "../admin"}}, None),
        ({"payload": {"merchantOrderId": "\ud800"}}, None),
        ({"payload": None}, None),
        ({}, None),
    ],
)
def test_the_doorbell_names_only_what_could_be_ours(body: dict[str, Any], named: str | None) -> None:
    assert ring(BELL, json.dumps(body).encode()) == named
