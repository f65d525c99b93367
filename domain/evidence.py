"""What a gateway said, redacted and kept once: evidence of money that moved, never a reason to move it (D3)."""

import hashlib
import json
from typing import Any

from sqlmodel import Session, select

from domain.models import GatewayEvent

WEBHOOK = "webhook"
RINGS = 20
"""Different webhooks of one order that are kept; PhonePe itself sends three or four."""


def keep(db: Session, kind: str, merchant_order_id: str, body: dict[str, Any]) -> None:
    """An answer about an order or its refund. What was said before is not kept again: orders are asked about often."""
    text = json.dumps(body, sort_keys=True)
    _keep(db, kind, merchant_order_id, text, hashlib.sha256(text.encode()).hexdigest())


def keep_ring(db: Session, merchant_order_id: str, body: bytes) -> None:
    """That a webhook named this order, by its hash: its words prove nothing. Whoever has captured our credentials
    can ring with ever new words, so only the first RINGS are kept."""
    rings = select(GatewayEvent.id).where(
        GatewayEvent.merchant_order_id == merchant_order_id, GatewayEvent.kind == WEBHOOK
    )
    if len(db.exec(rings.limit(RINGS)).all()) < RINGS:
        _keep(db, WEBHOOK, merchant_order_id, "", hashlib.sha256(body).hexdigest())


def _keep(db: Session, kind: str, merchant_order_id: str, body: str, body_hash: str) -> None:
    known = select(GatewayEvent).where(
        GatewayEvent.merchant_order_id == merchant_order_id,
        GatewayEvent.kind == kind,
        GatewayEvent.body_hash == body_hash,
    )
    if db.exec(known).first() is None:
        db.add(GatewayEvent(kind=kind, merchant_order_id=merchant_order_id, body=body, body_hash=body_hash))
