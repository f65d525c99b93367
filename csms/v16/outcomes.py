"""What is written down about some of our own calls, before they are sent and once they are answered."""

import contextlib
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from csms.clock import parsed
from csms.connection import Connection
from csms.v16.numbers import connector, list_version, reservation_id
from csms.v16.setup import told
from domain import charger_keys, chargers, local_lists, reservations
from domain.bus import CallRefused, ChargerSilent
from domain.db import read, transact
from domain.models import now

Payload = dict[str, Any]
Before = Callable[[Connection, Payload], Awaitable[None]]
After = Callable[[Connection, Payload, Payload], Awaitable[None]]

KEY = "authorizationkey"
PROFILE = "securityprofile"
LIST_LENGTH = "SendLocalListMaxLength"


async def recorded(
    charger: Connection, action: str, payload: Payload, ask: Callable[[], Awaitable[Payload]]
) -> Payload:
    """Ask, and keep what the answer means; a CALLERROR is an answer, silence is none."""
    if before := BEFORE.get(action):
        await before(charger, payload)
    after = AFTER.get(action)
    try:
        answer = await ask()
    except CallRefused:
        if after:
            await after(charger, payload, {})
        raise
    if after:
        await after(charger, payload, answer)
    return answer


async def _offer_key(charger: Connection, payload: Payload) -> None:
    """From now on both keys open the door: nobody knows when it begins to use the new one (ocpp.md Q8)."""
    if payload["key"].lower() == KEY:
        try:
            await transact(chargers.offer_key, charger.charger_id, payload["value"])
        except charger_keys.NotAKey as error:
            raise CallRefused(str(error)) from None


async def _before_change(charger: Connection, payload: Payload) -> None:
    await _keep_profile(charger, payload)
    await _offer_key(charger, payload)


async def _keep_profile(charger: Connection, payload: Payload) -> None:
    """A security profile is never lowered by a message (white paper, 2.2): whoever does so stands at the charger."""
    if payload["key"].lower() != PROFILE or not payload["value"].strip().isdecimal():
        return
    tls = charger.socket.transport.get_extra_info("ssl_object")
    keyed = bool((await read(chargers.info, charger.charger_id)).key_hash)
    now_at = 3 if tls is not None and tls.getpeercert() else 2 if tls is not None and keyed else int(keyed)
    if int(payload["value"]) < now_at:
        raise CallRefused(f"The charger speaks security profile {now_at}; a message cannot lower it.")


async def _settle_key(charger: Connection, payload: Payload, answer: Payload) -> None:
    if payload["key"].lower() == KEY:
        await transact(chargers.key_answered, charger.charger_id, str(answer.get("status", "")))


async def _reserve(charger: Connection, payload: Payload) -> None:
    """A charger would keep what we cannot, and nobody would know of it."""
    if reservation_id(payload) is None or connector(payload) is None:
        raise CallRefused("A reservation with this reservationId or connectorId cannot be kept.")
    await transact(
        reservations.asked,
        charger.charger_id,
        number=payload["reservationId"],
        connector_number=payload["connectorId"],
        tag=payload["idTag"],
        parent=payload.get("parentIdTag", ""),
        # A date that nobody can read keeps nothing reserved.
        expires_at=parsed(payload["expiryDate"]) or now() - timedelta(seconds=1),
    )


async def _reserved(charger: Connection, payload: Payload, answer: Payload) -> None:
    accepted = answer.get("status") == "Accepted"
    await transact(reservations.answered, charger.charger_id, payload["reservationId"], accepted)


async def _cancelled(charger: Connection, payload: Payload, answer: Payload) -> None:
    number = reservation_id(payload)
    if answer and number is not None:
        await transact(reservations.cancelled, charger.charger_id, number)


async def _send_list(_charger: Connection, payload: Payload) -> None:
    """Before the charger has a list of which we could not say that it has it."""
    if list_version(payload) is None:
        raise CallRefused("A list with this listVersion cannot be kept.")


async def _list_sent(charger: Connection, payload: Payload, answer: Payload) -> None:
    if answer.get("status") == "Accepted":
        await transact(
            local_lists.sent,
            charger.charger_id,
            version=payload["listVersion"],
            update=payload["updateType"],
            entries=payload.get("localAuthorizationList", []),
        )


async def _list_version(charger: Connection, _payload: Payload, answer: Payload) -> None:
    """A charger that lost its list, or has another, gets ours again, once for each time it is asked."""
    version = list_version(answer)
    if version is not None:
        needed = await transact(local_lists.reported, charger.charger_id, version, now())
        if needed is not None:
            charger.central.spawn(_send_again(charger, needed))


async def _send_again(charger: Connection, needed: Payload) -> None:
    """In as many parts as the charger needs. Only the last is written down: until it came, the whole is still due."""
    # The finding stands if it fails: the operator asks again.
    with contextlib.suppress(ChargerSilent, CallRefused):
        *parts, last = local_lists.parts(needed, await _longest_list(charger))
        for part in parts:
            if (await charger.call("SendLocalList", part, kept=False)).get("status") != "Accepted":
                return
        await charger.call("SendLocalList", last)


async def _longest_list(charger: Connection) -> int | None:
    """How many cards it takes at once; None where it does not say so."""
    try:
        answer = await charger.call("GetConfiguration", {"key": [LIST_LENGTH]})
    except CallRefused:
        return None
    value = str((told(answer).get(LIST_LENGTH.lower()) or {}).get("value", ""))[:9].strip()
    return int(value) or None if value.isdecimal() else None


BEFORE: dict[str, Before] = {"ChangeConfiguration": _before_change, "ReserveNow": _reserve, "SendLocalList": _send_list}
AFTER: dict[str, After] = {
    "CancelReservation": _cancelled,
    "ChangeConfiguration": _settle_key,
    "GetLocalListVersion": _list_version,
    "ReserveNow": _reserved,
    "SendLocalList": _list_sent,
}
