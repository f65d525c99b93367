"""Asking a charger and recording what it answers, also when it says no, nothing, or does not do it (ocpp.md Q30)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from structlog.testing import capture_logs

from domain import chargers, charging, dispatch, findings, stops
from domain.bus import CallRefused, ChargerOffline, ChargerUnreachable, LocalBus
from domain.events import Call, Command, RemoteStart, RemoteStop, Reply
from domain.models import SessionState
from domain.wishes import ENDINGS
from tests.money.charges import METER, Desk

ACCEPTED, REJECTED = Reply("Accepted"), Reply("Rejected")


class Socket:
    """A charger on the bus that answers as it is told, and keeps what it was asked."""

    def __init__(self, reply: Reply | Exception = ACCEPTED) -> None:
        self.reply = reply
        self.asked: list[Command] = []
        self.was_asked = asyncio.Event()
        self.speaks = asyncio.Event()
        self.speaks.set()

    async def __call__(self, command: Command) -> Reply:
        self.asked.append(command)
        self.was_asked.set()
        await self.speaks.wait()
        if isinstance(self.reply, Exception):
            raise self.reply
        return self.reply


@asynccontextmanager
async def on_bus(socket: Socket, charger_id: str = "BLR-1") -> AsyncIterator[LocalBus]:
    bus = LocalBus()
    async with bus.attach(charger_id, socket):
        yield bus


async def test_an_accepted_start_waits_for_the_plug(open_desk: Desk) -> None:
    open_desk.charger()
    session_id = open_desk.request(open_desk.driver())
    socket = Socket()
    async with on_bus(socket) as bus:
        assert await dispatch.start(bus, session_id) == "accepted"
    assert socket.asked == [RemoteStart(1, open_desk.session(session_id).tag)]
    assert open_desk.state(session_id) == SessionState.AWAITING_PLUG


@pytest.mark.row("C27")
@pytest.mark.parametrize(
    ("reply", "verdict"),
    [
        (REJECTED, "refused"),
        (Reply("NotSupported"), "refused"),
        (Reply(""), "refused"),
        (CallRefused("FormationViolation"), "refused"),
    ],
)
async def test_a_refused_start_releases_the_hold(open_desk: Desk, reply: Reply | Exception, verdict: str) -> None:
    """C27."""
    asha = open_desk.driver()
    open_desk.charger()
    session_id = open_desk.request(asha)
    async with on_bus(Socket(reply)) as bus:
        assert await dispatch.start(bus, session_id) == verdict
    assert charging.explain(open_desk.session(session_id)) == ENDINGS[verdict]
    assert open_desk.free(asha) == 1_000


@pytest.mark.row("C27")
async def test_a_charger_that_is_gone_releases_the_hold_at_once(open_desk: Desk) -> None:
    """C27."""
    asha = open_desk.driver()
    open_desk.charger()
    session_id = open_desk.request(asha)
    assert await dispatch.start(LocalBus(), session_id) == "offline"
    assert open_desk.free(asha) == 1_000


@pytest.mark.row("C27")
async def test_a_silent_charger_releases_the_hold(open_desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """C27, Q17: and a start that it tells later is another story (Q28)."""
    monkeypatch.setattr(dispatch, "TIMEOUT", 0.05)
    asha = open_desk.driver()
    open_desk.charger()
    session_id = open_desk.request(asha)
    socket = Socket()
    socket.speaks.clear()
    async with on_bus(socket) as bus:
        assert await dispatch.start(bus, session_id) == "silent"
    assert open_desk.free(asha) == 1_000
    assert open_desk.start(session_id).status == "Accepted"


async def test_a_start_that_is_told_before_the_answer(open_desk: Desk) -> None:
    """Q26: the charger begins, then answers, or never answers."""
    open_desk.charger()
    session_id = open_desk.request(open_desk.driver())
    socket = Socket(REJECTED)
    socket.speaks.clear()
    async with on_bus(socket) as bus:
        asking = asyncio.create_task(dispatch.start(bus, session_id))
        await socket.was_asked.wait()
        open_desk.start(session_id)
        socket.speaks.set()
        await asking
    assert open_desk.state(session_id) == SessionState.CHARGING


async def test_a_start_that_was_called_off_before_it_was_sent_changes_nothing(open_desk: Desk) -> None:
    open_desk.charger()
    session_id = open_desk.request(open_desk.driver())
    open_desk.do(charging.request_stop, session_id, "driver")
    async with on_bus(Socket()) as bus:
        before = open_desk.everything()
        await dispatch.start(bus, session_id)
    assert open_desk.everything() == before


@pytest.mark.row("C25")
async def test_a_stop_is_asked_for_and_verified(open_desk: Desk) -> None:
    """C25: accepted is not stopped."""
    open_desk.charger()
    session_id = open_desk.charging(open_desk.driver())
    open_desk.do(charging.request_stop, session_id, "driver")
    socket = Socket()
    async with on_bus(socket) as bus:
        assert await dispatch.stop(bus, session_id) == "accepted"
    session = open_desk.session(session_id)
    assert socket.asked == [RemoteStop(session.transaction_id or 0)]
    assert (session.state, session.stop_tries) == (SessionState.STOPPING, 1)
    assert session.due_at == open_desk.clock.at + stops.VERIFY


@pytest.mark.parametrize("state", ["requested", "charging", "settled"])
async def test_nothing_is_stopped_that_nobody_wants_stopped(open_desk: Desk, state: str) -> None:
    asha = open_desk.driver()
    open_desk.charger()
    session_id = open_desk.request(asha) if state == "requested" else open_desk.charging(asha)
    if state == "settled":
        open_desk.stop(session_id, METER)
    socket = Socket()
    async with on_bus(socket) as bus:
        assert await dispatch.stop(bus, session_id) == ""
    assert socket.asked == []


async def test_a_charge_that_goes_on_though_it_was_replaced_is_stopped(open_desk: Desk) -> None:
    asha = open_desk.driver()
    open_desk.charger()
    open_desk.charger("BLR-2")
    first = open_desk.charging(asha)
    open_desk.lose(first)
    open_desk.charging(asha, "BLR-2")
    [to_stop] = open_desk.meter(first, METER + 10)
    socket = Socket()
    async with on_bus(socket) as bus:
        assert await dispatch.stop(bus, to_stop) == "accepted"
    assert socket.asked == [RemoteStop(first)]


@pytest.mark.row("C23")
@pytest.mark.parametrize(
    ("reply", "seconds"),
    [(ACCEPTED, [30, 15, 15, 15, 15, 15]), (REJECTED, [15] * 6), (CallRefused("x"), [15] * 6)],
)
async def test_a_charger_that_does_not_stop(open_desk: Desk, reply: Reply | Exception, seconds: list[int]) -> None:
    """C23, Q30: asked, verified, asked five times more, then its power is taken away and the operator told."""
    asha = open_desk.driver()
    open_desk.charger()
    session_id = open_desk.charging(asha)
    open_desk.flows(session_id, 1)
    open_desk.do(charging.request_stop, session_id, "driver")
    socket = Socket(reply)
    async with on_bus(socket) as bus:
        await dispatch.stop(bus, session_id)
        for n, wait in enumerate(seconds):
            open_desk.passes(seconds=wait - 1)
            assert open_desk.sweep() == {}
            open_desk.passes(seconds=1)
            left = open_desk.sweep()
            assert left == {session_id: "stop" if n < 5 else "escalate"}
            await (dispatch.stop if n < 5 else dispatch.escalate)(bus, session_id)
        assert [type(command) for command in socket.asked] == [RemoteStop] * 6 + [Call] * 2
        profile, unlock = socket.asked[-2:]
        assert isinstance(profile, Call)
        assert isinstance(unlock, Call)
        assert (profile.action, unlock.action) == ("SetChargingProfile", "UnlockConnector")
        schedule = profile.payload["csChargingProfiles"]["chargingSchedule"]
        assert schedule["chargingSchedulePeriod"] == [{"startPeriod": 0, "limit": 0.0}]
        assert open_desk.findings() == {"stop-unanswered": 1}
        open_desk.passes(minutes=5)
        assert open_desk.sweep() == {session_id: "stop"}, "it is asked again, for ever"
        await dispatch.stop(bus, session_id)
        open_desk.passes(seconds=30)
        assert open_desk.sweep() == {session_id: "escalate"}
        await dispatch.escalate(bus, session_id)
    assert open_desk.findings() == {"stop-unanswered": 1}
    open_desk.flows(session_id, 2)
    open_desk.stop(session_id, METER + 3_000)
    assert open_desk.bill(session_id) == (3_000, 5_400)


def stopping(desk: Desk, vendor: str = "") -> int:
    """A charge at a charger of this make that does not stop; gives the session's id."""
    desk.charger()
    desk.do(lambda db: setattr(chargers.info(db, "BLR-1"), "vendor", vendor))
    session_id = desk.charging(desk.driver())
    desk.do(charging.request_stop, session_id, "driver")
    return session_id


@pytest.mark.parametrize("stops_meanwhile", [False, True])
async def test_whoever_finds_a_connector_taken_out_of_service_reads_how_to_bring_it_back(
    open_desk: Desk, stops_meanwhile: bool
) -> None:
    """Q30, OCPP 1.6, 5.2: Scheduled during a charge, and Unavailable from its end on until it is told Operative."""
    session_id = stopping(open_desk, "Ocular")

    class Ocular(Socket):
        async def __call__(self, command: Command) -> Reply:
            if stops_meanwhile and isinstance(command, Call) and command.action == "ChangeAvailability":
                open_desk.stop(session_id, METER)
            return await super().__call__(command)

    async with on_bus(Ocular(Reply("Scheduled"))) as bus:
        for _ in range(2):
            await dispatch.escalate(bus, session_id)
    (finding,) = open_desk.do(findings.unresolved)
    undone = """python -m csms call BLR-1 ChangeAvailability '{"connectorId": 1, "type": "Operative"}'"""
    assert (finding.kind, finding.ref) == ("stop-unanswered", open_desk.session(session_id).ref)
    assert finding.detail.endswith(undone)


async def test_an_escalation_ends_with_its_charge(open_desk: Desk) -> None:
    """Unlocking the connector would end the next driver's charge (OCPP 1.6, 5.18)."""
    first = stopping(open_desk)
    socket = Socket()
    socket.speaks.clear()
    async with on_bus(socket) as bus:
        escalation = asyncio.create_task(dispatch.escalate(bus, first))
        await socket.was_asked.wait()
        open_desk.stop(first, METER)
        open_desk.status("BLR-1", 1, "Available")
        open_desk.charging(open_desk.driver())
        socket.speaks.set()
        await escalation
    assert [call.action for call in socket.asked if isinstance(call, Call)] == ["SetChargingProfile"]
    assert not open_desk.findings()


async def test_nobody_reads_of_an_order_that_did_not_reach_its_charger(open_desk: Desk) -> None:
    session_id = stopping(open_desk, "Ocular")
    open_desk.disconnect()
    assert await dispatch.escalate(LocalBus(), session_id) == "offline"
    (finding,) = open_desk.do(findings.unresolved)
    assert finding.detail == "BLR-1 does not stop this charge."


async def test_an_order_that_reaches_its_charger_in_a_later_round_is_read_of(open_desk: Desk) -> None:
    """Q30: the finding of the first round, in which the charger was away, says nothing of what must be undone."""
    session_id = stopping(open_desk, "Ocular")
    open_desk.disconnect()
    assert await dispatch.escalate(LocalBus(), session_id) == "offline"
    async with on_bus(Socket(Reply("Scheduled"))) as bus:
        await dispatch.escalate(bus, session_id)
    (finding,) = open_desk.do(findings.unresolved)
    assert '"type": "Operative"' in finding.detail


@pytest.mark.row("C23")
async def test_a_charger_that_was_away_is_asked_when_it_is_back(open_desk: Desk) -> None:
    """C23: nobody reached it."""
    open_desk.charger()
    session_id = open_desk.charging(open_desk.driver())
    open_desk.do(charging.request_stop, session_id, "driver")
    open_desk.disconnect()
    for _ in range(6):
        assert await dispatch.stop(LocalBus(), session_id) == "offline"
    await dispatch.escalate(LocalBus(), session_id)
    open_desk.passes(minutes=2)
    open_desk.charger()
    open_desk.passes(seconds=15)
    assert open_desk.sweep() == {session_id: "stop"}
    socket = Socket()
    async with on_bus(socket) as bus:
        assert await dispatch.stop(bus, session_id) == "accepted"
    assert open_desk.session(session_id).stop_tries == 1


class NoWay(LocalBus):
    """Another process holds the charger, and Redis is gone; or that process hears nothing any more."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    async def call(self, *_: object) -> Reply:
        raise self.error


@pytest.mark.parametrize("error", [ChargerUnreachable("BLR-1"), ChargerOffline("BLR-1")])
async def test_a_charger_to_which_there_is_no_way_was_not_asked(open_desk: Desk, error: Exception) -> None:
    """ADR 0013, Q30: it is there and has ignored nothing. It is asked to stop as soon as there is a way."""
    session_id = stopping(open_desk)
    for _ in range(10):
        await dispatch.stop(NoWay(error), session_id)
        open_desk.passes(seconds=15)
        assert open_desk.sweep() == {session_id: "stop"}
    assert not stops.ignored(open_desk.session(session_id))
    assert not open_desk.findings()
    socket = Socket()
    async with on_bus(socket) as bus:
        await dispatch.stop(bus, session_id)
    assert [type(command) for command in socket.asked] == [RemoteStop]


async def test_an_escalation_to_which_there_is_no_way_is_none(open_desk: Desk) -> None:
    """Q30: it comes as soon as there is a way, and not minutes later."""
    session_id = stopping(open_desk)
    for _ in range(stops.TRIES):
        open_desk.do(stops.stop_asked, session_id, False)
    assert await dispatch.escalate(NoWay(ChargerUnreachable("BLR-1")), session_id) == "unreachable"
    assert not open_desk.findings()
    open_desk.passes(seconds=15)
    assert open_desk.sweep() == {session_id: "escalate"}


async def test_a_round_of_escalation_has_the_time_that_all_its_steps_take(open_desk: Desk) -> None:
    """Q30: three steps of 30 s each; a second round during the first would ask everything twice."""
    session_id = stopping(open_desk, "Ocular")
    for _ in range(stops.TRIES):
        open_desk.do(stops.stop_asked, session_id, False)
    open_desk.passes(seconds=15)
    assert open_desk.sweep() == {session_id: "escalate"}
    open_desk.passes(seconds=3 * 35)
    assert open_desk.sweep() == {}
    open_desk.passes(seconds=35)
    assert open_desk.sweep() == {session_id: "escalate"}


async def test_soon_runs_by_itself_and_a_failure_is_logged() -> None:
    async def fails() -> str:
        raise RuntimeError("broken")

    with capture_logs() as logs:
        dispatch.soon(fails())
        await asyncio.gather(*dispatch._under_way, return_exceptions=True)
    assert logs == [{"event": "dispatch failed", "error": "RuntimeError('broken')", "log_level": "error"}]
    assert dispatch._under_way == set()
