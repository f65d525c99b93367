"""A charge as the charger tells it: may this tag, it began, it ended (OCPP 1.6, 4.1, 4.8 and 4.10)."""

from typing import Any

from ocpp.v16.enums import AuthorizationStatus  # type: ignore[import-untyped]

from csms.clock import stamp
from csms.connection import Connection
from csms.protocol import Request
from csms.v16 import metering, setup
from csms.v16.numbers import connector, reservation_id, transaction_id
from domain import charging, dispatch, tokens
from domain.db import read, transact


async def authorize(charger: Connection, request: Request) -> dict[str, Any]:
    """Say whether a tag may charge; ConcurrentTx is an answer to StartTransaction only."""
    tag = request.payload["idTag"]
    return {"idTagInfo": await _info(request, tag, await read(charging.authorize, charger.charger_id, tag))}


async def start_transaction(charger: Connection, request: Request) -> dict[str, Any]:
    """Begin the session; a repeated message finds the same one (ocpp.md Q19).

    What is missing is taken as a connector that the domain chooses, no tag and a meter at zero: the car may be charging
    already, and without a transaction id nobody could stop it.
    """
    told = request.payload
    begun = await transact(
        charging.started,
        charger_id=charger.charger_id,
        connector_number=connector(told) or 0,
        tag=told.get("idTag", ""),
        meter_start_wh=told.get("meterStart", 0),
        at=charger.clock.at(told.get("timestamp"), request.received_at, request.repairs, queued=True),
        received_at=request.received_at,
        reservation=reservation_id(told),
    )
    if begun.stop:
        bus = charger.central.bus
        request.afterwards.append(lambda: dispatch.stop(bus, begun.session_id))
    info = await _info(request, told.get("idTag", ""), begun.status)
    return {"transactionId": begun.transaction_id, "idTagInfo": info}


async def stop_transaction(charger: Connection, request: Request) -> dict[str, Any]:
    """End the session; it cannot be refused, whatever it says (ocpp.md Q20, Q21, Q24)."""
    told = request.payload
    number = transaction_id(told)
    if "meterStop" not in told:
        await _keep_last_register(charger, request, number)
    await transact(
        charging.stopped,
        charger_id=charger.charger_id,
        transaction_id=number or 0,
        meter_stop_wh=told.get("meterStop"),
        at=charger.clock.at(told.get("timestamp"), request.received_at, request.repairs, queued=True),
        received_at=request.received_at,
        reason=told.get("reason", ""),
        tag=told.get("idTag", ""),
    )
    await charger.learn()
    setup.look_again(charger)
    return {"idTagInfo": await _info(request, told.get("idTag", ""))}


async def _info(request: Request, tag: str, status: str = "") -> dict[str, Any]:
    """What a charger is told of a tag: a known card's group and last day come with it (OCPP 1.6, 7.27).

    Without a `status` it is the card's own; a stop is accepted from whomever it comes.
    """
    known = await read(tokens.told, tag, request.received_at) if tag else None
    if known is None:
        return {"status": status or AuthorizationStatus.accepted}
    token, own = known
    optional = {
        "parentIdTag": token.parent,
        "expiryDate": stamp(token.expires_at) if token.expires_at is not None else "",
    }
    return {"status": status or own, **{name: value for name, value in optional.items() if value}}


async def _keep_last_register(charger: Connection, request: Request, number: int | None) -> None:
    """Without meterStop the bill follows the samples, and the last one may be in this message."""
    values = request.payload.get("transactionData", [])
    sample = metering.sample(charger, request, connector_number=0, transaction_id=number, values=values)
    if sample is not None:
        await charger.central.meter_log.keep(sample)
