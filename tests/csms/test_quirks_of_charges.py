"""Quirks of charges (ocpp.md Q21-Q33, Q44) by their frames: lost stops, messages out of order, late and odd ones."""

import asyncio
from datetime import timedelta

import pytest
from sqlmodel import Session, select

from domain import chargers, charging, dispatch, settlement, sweeper, wallet, wishes
from domain.bus import ChargerSilent
from domain.charging import Refused
from domain.db import read, transact
from domain.events import NewsLost, RemoteStart, SessionMetered
from domain.models import Charger, ChargingSession, Finding, MeterSample, SessionState, now
from tests.csms.charger import Raw, metered, sampled, stamp
from tests.csms.conftest import House
from tests.csms.test_cards import remote_stop
from tests.csms.test_charge import start, stop
from tests.csms.test_quirks import wanted
from tests.money.house import broken, driver, give

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""One kind of database is enough here: the rules themselves are tested on both in tests/money."""

MINUTE = timedelta(minutes=1)


async def meter(raw: Raw, transaction: int, *registers: object, at: str | None = None, **rest: object) -> None:
    for register in registers:
        values = metered(sampled(register, **rest), at=at)
        assert await raw.call("MeterValues", connectorId=1, transactionId=transaction, meterValue=values) == {}


async def says(raw: Raw, status: str, **rest: object) -> None:
    await raw.call("StatusNotification", connectorId=1, errorCode="NoError", status=status, **rest)


async def money_of(session: ChargingSession) -> wallet.Balance:
    assert session.user_id is not None
    return await read(wallet.balance, session.user_id)


async def lose_by(what: str, raw: Raw) -> timedelta:
    """How a charger shows that its stop is lost; gives how long the CSMS then waits for it."""
    match what:
        case "boot":
            await raw.boot()
        case "start":
            await start(raw, meter=1250, tag="NEXT")
            return timedelta(0)
        case "silence":
            return 16 * MINUTE
        case "Faulted":
            await says(raw, what)
            return 16 * MINUTE
        case _:
            await says(raw, what)
    return 2 * MINUTE


@pytest.mark.parametrize("ends", ["late", "never"])
@pytest.mark.parametrize("what", ["Available", "Preparing", "boot", "start", "silence", "Faulted"])
async def test_a_stop_that_never_comes(house: House, raw: Raw, what: str, ends: str) -> None:
    """Q23, Q43: INTERRUPTED; a provisional bill at the last good meter, the hold shrinks to it and stays.

    After 24 h it is debited as estimated; a late StopTransaction settles or corrects it, once.
    """
    wish = await wanted()
    began = now() - timedelta(hours=1)
    transaction = await start(raw, tag=wish.tag)
    await says(raw, "Charging")
    await meter(raw, transaction, "1100", "1200")
    waits = await lose_by(what, raw)
    await sweeper.sweep_lost(now(), began)
    if waits:
        assert (await house.session()).state == SessionState.CHARGING, "a stop may still be on its way"
    await sweeper.sweep_lost(now() + waits, began)
    lost = await house.session_of(transaction)
    estimate = settlement.cost_of(lost, 200)
    assert (lost.state, lost.energy_wh, lost.cost_paise, lost.estimated) == (
        *(SessionState.INTERRUPTED, 200, estimate),
        True,
    )
    assert await money_of(lost) == wallet.Balance(50_000, estimate, 0)
    if ends == "never":
        await sweeper.sweep_charges(house.bus, now() + timedelta(hours=25))
        assert await money_of(lost) == wallet.Balance(50_000 - estimate, 0, 0)
        assert (await house.session_of(transaction)).estimated
    for number, meter_stop in enumerate((1250, 1250, 1300)):
        await stop(raw, transaction, meter_stop)
        if what == "boot" and number == 0:
            await raw.asked("GetConfiguration")
        settled = await house.session_of(transaction)
        assert (settled.state, settled.energy_wh, settled.estimated) == (SessionState.SETTLED, 250, False)
        assert await money_of(lost) == wallet.Balance(50_000 - settled.cost_paise, 0, 0)
    assert await read(broken) == []


@pytest.mark.row("C11")
async def test_an_orphaned_stop_is_kept_for_the_operator(house: House, raw: Raw) -> None:
    """Q21: Accepted always; what fits no charge is a finding, once."""
    for _ in range(2):
        for number in (-1, 0, 987_654):
            assert (await stop(raw, number, 5000, idTag="OTHER"))["idTagInfo"] == {"status": "Accepted"}
    found = [finding for finding in await house.rows(Finding) if finding.kind == "orphan-stop"]
    assert [finding.ref for finding in found] == [f"RAW-1:{number}:5000" for number in (0, 987_654)], "-1 is no number"


@pytest.mark.row("C12")
async def test_a_stop_of_another_chargers_transaction_is_nobodys(house: House, raw: Raw) -> None:
    """Q21: the number of somebody else's charge ends nothing."""
    transaction = await start(raw)
    async with house.charger("/RAW-2") as other:
        await other.boot()
        await other.asked("GetConfiguration")
        assert (await stop(other, transaction, 99_000))["idTagInfo"] == {"status": "Accepted"}
    assert (await house.session()).state == SessionState.CHARGING


async def test_states_are_ordered_by_the_chargers_time(house: House, raw: Raw) -> None:
    """Q26: an older one that comes later is left out; one without a time is of now."""
    for status, at, stands in (
        ("Charging", stamp(-20), "Charging"),
        ("Preparing", stamp(-30), "Charging"),
        ("SuspendedEV", stamp(-10), "SuspendedEV"),
        ("Finishing", None, "Finishing"),
    ):
        told = {"timestamp": at} if at else {}
        await raw.call("StatusNotification", connectorId=2, errorCode="NoError", status=status, **told)
        assert (await house.connector(2)).status == stands


async def test_the_state_overtakes_the_queue(house: House, raw: Raw) -> None:
    """Q26, Q27: Available before four old samples and the stop: it waits a minute; the bill is the stop's."""
    wish = await wanted(hours_ago=2)
    await says(raw, "Charging")
    transaction = await start(raw, tag=wish.tag, timestamp=stamp(-3600))
    await says(raw, "Finishing")
    await says(raw, "Available")
    await sweeper.sweep_lost(now(), now() - timedelta(hours=1))
    assert (await house.session()).state == SessionState.CHARGING
    for minutes, register in ((50, 1500), (40, 2000), (30, 2500), (20, 3000)):
        await meter(raw, transaction, register, at=stamp(-60 * minutes))
    await stop(raw, transaction, 3200, timestamp=stamp(-900))
    session = await house.session()
    assert (session.state, session.energy_wh, session.estimated) == (SessionState.SETTLED, 2200, False)
    assert (await house.connector()).status == "Available"


async def test_an_old_sample_is_neither_live_nor_a_reason_to_stop(house: House, raw: Raw) -> None:
    """Q27: billed and stored; pushed to nobody, and no RemoteStop follows though it is beyond the money."""
    wish = await wanted(10_000, hours_ago=3)
    await says(raw, "Charging", timestamp=stamp())
    transaction = await start(raw, tag=wish.tag, timestamp=stamp(-7200))
    await meter(raw, transaction, "60000", at=stamp(-3600))
    await raw.silent()
    assert not [event for event in house.events if isinstance(event, SessionMetered)]
    session = await house.session()
    assert (session.state, session.energy_wh) == (SessionState.CHARGING, 59_000)
    assert len(await house.rows(MeterSample)) == 1
    values = metered(sampled("60001"))
    await raw.send([2, "now", "MeterValues", {"connectorId": 1, "transactionId": transaction, "meterValue": values}])
    assert await raw.receive() == [3, "now", {}]
    await remote_stop(raw, transaction)
    assert [event for event in house.events if isinstance(event, SessionMetered)]


@pytest.mark.parametrize("poor", [False, True])
async def test_a_plug_after_the_wait(house: House, raw: Raw, poor: bool) -> None:
    """Q28: waiting for the plug, cancelled with its hold released; a late start goes on if funds allow, else stops."""
    wish = await wanted()
    waiting = await house.session()
    assert waiting.due_at is not None
    assert timedelta(seconds=90) < waiting.due_at - now() <= timedelta(seconds=105)
    await sweeper.sweep_charges(house.bus, waiting.due_at + timedelta(seconds=1))
    gone = await house.session()
    assert (gone.state, gone.stop_cause) == (SessionState.CANCELLED, "unplugged")
    assert await money_of(gone) == wallet.Balance(50_000, 0, 0)
    if poor:
        assert gone.user_id is not None
        await transact(wallet.adjust, gone.user_id, -48_000, key="spent", reason="for a test")
    told = {"connectorId": 1, "idTag": wish.tag, "meterStart": 1000, "timestamp": stamp()}
    answer = await raw.call("StartTransaction", **told)
    assert answer["idTagInfo"]["status"] == ("Invalid" if poor else "Accepted")
    if poor:
        await remote_stop(raw, answer["transactionId"])
    else:
        assert (await house.session()).state == SessionState.CHARGING
    await stop(raw, answer["transactionId"], 1100)
    assert (await house.session()).energy_wh == 100
    assert await read(broken) == []


async def test_a_refused_start_says_why(house: House, raw: Raw) -> None:
    """Q29: RemoteStart Rejected (an empty local list): the hold is released, and the driver reads the real cause."""
    wish = await wanted_on_the_way()
    asking = asyncio.create_task(dispatch.start(house.bus, wish.id or 0))
    id_, payload = await raw.asked("RemoteStartTransaction")
    assert payload == {"connectorId": 1, "idTag": wish.tag}
    assert await raw.call("Authorize", idTag=wish.tag) == {"idTagInfo": {"status": "Accepted"}}
    await raw.send([3, id_, {"status": "Rejected"}])
    assert await asking == "refused"
    session = await house.session()
    assert charging.explain(session).startswith("The charger said no. Nothing was charged.")
    assert await money_of(session) == wallet.Balance(50_000, 0, 0)
    assert await raw.call("Authorize", idTag=wish.tag) == {"idTagInfo": {"status": "Invalid"}}


async def wanted_on_the_way() -> ChargingSession:
    """A driver's wish that no charger has answered yet."""
    user_id = await transact(driver)
    await transact(give, user_id, 50_000)
    return await transact(charging.request_start, user_id, "RAW-1", 1)


async def test_a_silent_charger_costs_nothing(house: House, raw: Raw, monkeypatch: pytest.MonkeyPatch) -> None:
    """Q17: no answer to RemoteStart: the driver reads so, and his hold is released."""
    monkeypatch.setattr(dispatch, "TIMEOUT", 0.2)
    wish = await wanted_on_the_way()
    assert await dispatch.start(house.bus, wish.id or 0) == "silent"
    await raw.asked("RemoteStartTransaction")
    session = await house.session()
    assert charging.explain(session) == "The charger did not answer in 30 seconds. Nothing was charged."
    assert await money_of(session) == wallet.Balance(50_000, 0, 0)
    with pytest.raises(ChargerSilent):
        await house.bus.call("RAW-1", RemoteStart(1, "TAG1"), 0.05)


async def test_energy_after_the_stop_is_kept_and_not_billed(house: House, raw: Raw) -> None:
    """Q31: within tolerance; what is far from it is dropped, and nothing opens the charge again."""
    transaction = await start(raw)
    await meter(raw, transaction, "1100")
    await stop(raw, transaction, 1200)
    before = await house.session()
    await meter(raw, transaction, "1203", "9999", context="Transaction.End")
    samples = await house.rows(MeterSample)
    assert [row.energy_wh for row in samples] == [1100, 1203]
    assert await house.session() == before.model_copy(update={"last_sample_id": samples[-1].id})


async def test_a_limit_that_was_set_while_nobody_heard_it_ends_the_charge(house: House, raw: Raw) -> None:
    """As when Redis was away (ADR 0013): the money is the driver's."""

    def quietly(db: Session) -> None:
        db.exec(select(ChargingSession)).one().limit_wh = 300

    transaction = await start(raw, tag=(await wanted()).tag)
    await meter(raw, transaction, "1100", "1200")
    await transact(quietly)
    await house.bus.publish(NewsLost())
    await meter(raw, transaction, "1320")
    await remote_stop(raw, transaction)
    assert (await house.session()).stop_cause == "limit"


async def test_a_connector_nobody_plugs_into(house: House, raw: Raw) -> None:
    """Q44: 0 is the whole charger: shown to no driver, and never his choice."""
    wish = await wanted()
    await raw.call("StatusNotification", connectorId=0, errorCode="NoError", status="Available")
    view = await read(chargers.view, "RAW-1")
    assert [connector.number for connector in view.connectors] == [1]
    assert wish.user_id is not None
    await transact(charging.request_stop, wish.id or 0, "driver")
    with pytest.raises(Refused):
        await transact(charging.request_start, wish.user_id, "RAW-1", 0)
    await raw.call("StatusNotification", connectorId=0, errorCode="NoError", status="Unavailable")
    assert (await read(chargers.view, "RAW-1")).connectors[0].state == chargers.OFF


async def test_a_charger_that_comes_back_without_a_boot_is_asked_for_its_states(house: House) -> None:
    """Q9, Q10, Q11: TriggerMessage for the state, never for a boot; what was known of it is known still."""
    async with house.charger() as raw:
        await raw.boot()
        await raw.asked("GetConfiguration")
        await raw.available(2)
    await house.eventually(Charger, lambda row: not row.online)
    async with house.charger() as raw:
        await raw.silent()
        assert (await house.connector(2)).status == "Available"
        _, payload = await raw.asked("TriggerMessage")
        assert payload == {"requestedMessage": "StatusNotification"}
        await raw.silent()


@pytest.mark.row("C18")
async def test_a_reset_register_goes_on(house: House, raw: Raw) -> None:
    """Q35, Q38: a register that falls to zero in the middle begins a new segment; the live figure never falls."""
    transaction = await start(raw, meter=5000, timestamp=stamp(-600))
    shown = []
    for register in ("5100", "5200", "3", "50", "120"):
        await meter(raw, transaction, register)
        shown.append((await house.session()).energy_wh)
    assert shown == sorted(shown)
    assert shown[-1] == 320
    await stop(raw, transaction, 150)
    session = await house.session()
    assert session.energy_wh == 350
    assert session.review, "an operator looks at it"
    assert await read(broken) == []


async def begun_nowhere(raw: Raw, tag: str, **told: object) -> dict[str, object]:
    """StartTransaction that names the whole charger."""
    payload = {"connectorId": 0, "idTag": tag, "meterStart": 500, "timestamp": stamp(-5), **told}
    return await raw.call("StartTransaction", **payload)


async def test_a_start_without_a_connector_is_where_its_driver_wants_it(house: House, raw: Raw) -> None:
    """Q44: the neighbour's charge goes on; told again, it is the same charge."""
    await raw.available(2)
    neighbour = await start(raw, tag=(await wanted()).tag)
    other = await transact(driver, "bina")
    await transact(give, other, 50_000)
    wish = await transact(charging.request_start, other, "RAW-1", 2)
    await transact(wishes.answered, wish.id or 0, "accepted")
    at = stamp(-5)
    begun = await begun_nowhere(raw, wish.tag, timestamp=at)
    assert await begun_nowhere(raw, wish.tag, timestamp=at) == begun
    sessions = [(row.transaction_id, row.connector_number, row.state) for row in await house.rows(ChargingSession)]
    assert sessions == [(neighbour, 1, SessionState.CHARGING), (begun["transactionId"], 2, SessionState.CHARGING)]


async def test_a_start_without_a_connector_takes_a_free_one(house: House, raw: Raw) -> None:
    """Q44: else the first one: something must be stopped."""
    await raw.available(2)
    neighbour = await start(raw, tag=(await wanted()).tag)
    second = (await begun_nowhere(raw, "CARD2"))["transactionId"]
    third = (await begun_nowhere(raw, "CARD3"))["transactionId"]
    states = {row.transaction_id: (row.connector_number, row.state) for row in await house.rows(ChargingSession)}
    assert states == {
        neighbour: (1, SessionState.INTERRUPTED),
        second: (2, SessionState.CHARGING),
        third: (1, SessionState.CHARGING),
    }
