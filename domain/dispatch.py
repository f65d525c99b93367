"""Sends to a charger what the domain decided, and records what it answered; no transaction is open meanwhile."""

import asyncio
import json
from collections.abc import Coroutine
from typing import Any

import structlog
from sqlmodel import Session
from structlog.contextvars import bound_contextvars

from domain import chargers, findings, quirks, sessions, stops, wishes
from domain.bus import Bus, CallRefused, ChargerOffline, ChargerSilent, ChargerUnreachable
from domain.db import read, transact
from domain.events import Call, Command, RemoteStart, RemoteStop
from domain.models import ChargingSession, SessionState

log = structlog.get_logger()

UNASKED = ("offline", "unreachable")
"""What became of a command that did not reach its charger."""
TIMEOUT = 30.0
"""Seconds a charger has to answer (architecture.md, deadlines)."""


_under_way: set[asyncio.Task[str]] = set()


def soon(asking: Coroutine[Any, Any, str]) -> None:
    """Let `start` or `stop` run on by itself: its outcome reaches everybody as an event, a crash the sweeper."""
    task = asyncio.create_task(asking)
    _under_way.add(task)
    task.add_done_callback(_done)


def _done(task: asyncio.Task[str]) -> None:
    _under_way.discard(task)
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("dispatch failed", error=repr(error))


async def start(bus: Bus, session_id: int) -> str:
    """Ask the charger to begin; gives accepted, refused, silent, offline or unreachable, and has recorded it."""
    session = await read(sessions.get, session_id)
    verdict = await _ask(bus, session, RemoteStart(session.connector_number, session.tag))
    await transact(wishes.answered, session_id, verdict)
    return verdict


async def stop(bus: Bus, session_id: int) -> str:
    """Ask the charger to end a charge that is STOPPING, or that goes on though its driver charges elsewhere by now.

    The sweeper repeats it until StopTransaction comes.
    """
    session = await read(sessions.get, session_id)
    if session.state not in (SessionState.STOPPING, SessionState.INTERRUPTED) or session.transaction_id is None:
        return ""
    verdict = await _ask(bus, session, RemoteStop(session.transaction_id))
    if await _no_way(session, verdict):
        await transact(stops.stop_unsent, session_id)
    else:
        await transact(stops.stop_asked, session_id, verdict == "accepted")
    return verdict


async def escalate(bus: Bus, session_id: int) -> str:
    """The charger does not stop: what its make demands, one after the other, and the operator is told (ocpp.md Q30).

    As long as it does not: after the end of this charge the next driver may charge at its connector.
    """
    session = await read(sessions.get, session_id)
    charger = await read(chargers.info, session.charger_id)
    verdict = ""
    for step in quirks.escalation(charger.vendor):
        if (await read(sessions.get, session_id)).state != SessionState.STOPPING:
            break
        verdict = await _ask(bus, session, _STEPS[step](session))
        if await _no_way(session, verdict):
            await transact(stops.stop_unsent, session_id)
            return verdict
        if step == quirks.OUT_OF_SERVICE and verdict not in UNASKED:
            await transact(_tell_how_to_undo, session)
    await transact(stops.stop_escalated, session_id)
    return verdict


async def _no_way(session: ChargingSession, verdict: str) -> bool:
    """Whether the charger is there and could not be asked: the process that holds it does not hear us."""
    held = verdict == "offline" and await read(chargers.holder, session.charger_id) is not None
    return held or verdict == "unreachable"


def _tell_how_to_undo(db: Session, session: ChargingSession) -> None:
    """Instead of what a round before this may have said, and more than `stop_escalated` says.

    A connector that charges answers Scheduled, and is Unavailable from the end of its charge on, even if that came
    meanwhile (OCPP 1.6, 5.2).
    """
    back = json.dumps({"connectorId": session.connector_number, "type": "Operative"})
    said = f"{session.charger_id} does not stop this charge. Its connector {session.connector_number} is told to go"
    then = f"out of service after it. Bring it back: python -m csms call {session.charger_id} ChangeAvailability"
    findings.renew(db, "stop-unanswered", session.ref, f"{said} {then} '{back}'")


def _no_power(session: ChargingSession) -> Call:
    no_power = {
        "chargingProfileId": session.id,
        "transactionId": session.transaction_id,
        "stackLevel": 0,
        "chargingProfilePurpose": "TxProfile",
        "chargingProfileKind": "Relative",
        "chargingSchedule": {
            "chargingRateUnit": "A",
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 0.0}],
        },
    }
    return Call("SetChargingProfile", {"connectorId": session.connector_number, "csChargingProfiles": no_power})


def _unlock(session: ChargingSession) -> Call:
    return Call("UnlockConnector", {"connectorId": session.connector_number})


def _out_of_service(session: ChargingSession) -> Call:
    return Call("ChangeAvailability", {"connectorId": session.connector_number, "type": "Inoperative"})


_STEPS = {quirks.NO_POWER: _no_power, quirks.UNLOCK: _unlock, quirks.OUT_OF_SERVICE: _out_of_service}


async def _ask(bus: Bus, session: ChargingSession, command: Command) -> str:
    charger_id = session.charger_id
    try:
        with bound_contextvars(session=session.id):
            reply = await bus.call(charger_id, command, TIMEOUT)
    except ChargerOffline:
        return "offline"
    except ChargerUnreachable:
        log.warning("charger held by another process, and Redis is gone", charger=charger_id)
        return "unreachable"
    except ChargerSilent:
        return "silent"
    except CallRefused as error:
        log.warning("command refused", charger=charger_id, command=type(command).__name__, error=str(error))
        return "refused"
    return "accepted" if reply.accepted else "refused"
