"""What is noted of a charger's health, and that it reaches the database in batches."""

import pytest
from sqlalchemy.exc import OperationalError

from csms.central import BOOTS
from domain import chargers, health
from domain.bus import ChargerSilent
from domain.db import database, read, transact
from domain.events import Call
from domain.models import Charger, ChargerHealth
from tests.csms.charger import Raw, stamp
from tests.csms.conftest import House, until
from tests.csms.test_handshake import TEXT_KEY, refused


async def test_health_is_counted_and_kept(house: House, raw: Raw) -> None:
    """Reconnects, boots, repairs, unanswered calls, the clock (Q39) and the last protocol error."""
    await raw.call("StatusNotification", connectorId="1", errorCode="NoError", status="Available", timestamp=stamp(600))
    await raw.send("no JSON at all")
    with pytest.raises(ChargerSilent):
        await house.bus.call("RAW-1", Call("ClearCache"), 0.05)
    await raw.asked("ClearCache")
    async with house.charger() as again:
        await again.boot()

        (row,) = await house.eventually(ChargerHealth, lambda row: row.boots == 2)
        assert (row.connects, row.repairs, row.unanswered, row.protocol_errors) == (2, 1, 1, 1)
        assert row.clock_skew_ms is not None
        assert 590_000 < row.clock_skew_ms < 610_000
        assert row.last_protocol_error == "The frame is not JSON."
        shown = dict(health.lines(await read(health.of, "RAW-1")))
        assert shown["connected"] == "2 times"
        assert "not believed" in shown["clock"]


async def test_a_right_clock_is_noted_as_right(house: House, raw: Raw) -> None:
    await raw.call("StatusNotification", connectorId=1, errorCode="NoError", status="Available", timestamp=stamp())
    (row,) = await house.eventually(ChargerHealth, lambda row: row.clock_skew_ms is not None)
    assert row.clock_skew_ms is not None
    assert abs(row.clock_skew_ms) < 10_000
    assert "not believed" not in dict(health.lines(row))["clock"]


async def test_who_is_not_let_in_is_counted_only_where_the_charger_is_known(house: House) -> None:
    await transact(chargers.add, "RAW-1")
    await transact(chargers.set_key, "RAW-1", TEXT_KEY)
    for login in (None, ("RAW-1", b"wrong"), ("OTHER", TEXT_KEY.encode())):
        assert await refused(house, login=login) == 401
    assert await refused(house, "/no/id/here/..") == 404
    await house.eventually(ChargerHealth, lambda row: row.refused == 3)
    assert [row.charger_id for row in await house.rows(ChargerHealth)] == ["RAW-1"]


async def test_a_boot_loop_is_noted(house: House) -> None:
    """Q10: the set-up is left alone, and the operator sees since when."""
    for _ in range(BOOTS + 1):
        async with house.charger() as raw:
            await raw.boot()
    (row,) = await house.eventually(ChargerHealth, lambda row: row.boot_loop_at is not None)
    assert "boot loop" in dict(health.lines(row))["set-up"]


async def test_a_frame_that_is_no_websocket_ends_cleanly_and_is_counted(house: House) -> None:
    """Q7: a charger that compresses though nothing was agreed sets a reserved bit: 1002, and the health says so."""
    async with house.charger() as raw:
        await raw.boot()
        raw.socket.transport.write(bytes([0xC1, 0x80, 0, 0, 0, 0]))
        assert await raw.gone() == 1002
    (row,) = await house.eventually(ChargerHealth, lambda row: row.protocol_errors == 1)
    assert row.last_protocol_error.startswith("closed with 1002: ")


async def test_a_database_that_was_away_stops_no_beat(house: House, raw: Raw, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who was heard meanwhile is not forgotten, and who is heard afterwards is written down as before."""
    failures: list[object] = []

    def gone(*_: object) -> None:
        failures.append(_)
        raise OperationalError("connect", None, Exception("the database is gone"))

    async def often() -> bool:
        return len(failures) > 5

    with monkeypatch.context() as away:
        away.setattr(database().engine, "connect", gone)
        await until(often)
    before = (await house.stored()).heard_at
    assert before is not None
    await raw.call("Heartbeat")
    await house.eventually(Charger, lambda row: row.heard_at is not None and row.heard_at > before)
