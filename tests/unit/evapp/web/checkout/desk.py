"""What the tests of the way to PhonePe and back do by hand: sign in, order, ring."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx

from domain import sign_ins
from domain.db import transact
from domain.models import User
from domain.sign_ins import Browser, hash_token
from evapp.web import checkout
from tests.money.house import RUPEES_500, placed

HOOK = "/payments/phonepe/webhook"
Browse = Callable[..., httpx.AsyncClient]


async def sign_in(user_id: int) -> None:
    def start(db: Any) -> None:
        sign_ins.start(db, db.get_one(User, user_id), Browser(hash_token(f"token{user_id}"), "", ""))

    await transact(start)


async def quiet() -> None:
    """Everything that was to happen soon has happened."""
    while checkout._ringing:
        await asyncio.gather(*checkout._ringing)


async def opened_order(phone: httpx.AsyncClient, user_id: int, nonce: str = "n1") -> str:
    order_id = (await placed(user_id, nonce=nonce)).merchant_order_id
    answer = await phone.get(f"/payments/go/{order_id}")
    assert answer.status_code == 303
    return order_id


def bell(order_id: str, **other: Any) -> bytes:
    payload = {"merchantOrderId": order_id, "state": "COMPLETED", "amount": RUPEES_500, **other}
    return json.dumps({"event": "checkout.order.completed", "payload": payload}).encode()
