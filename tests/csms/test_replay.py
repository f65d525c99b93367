"""A recorded night at a charger, played again: the bills are what they were."""

from pathlib import Path

import pytest

from bench.replay import run
from domain.models import ChargerHealth, MeterSample
from simulator import replay
from tests.csms.conftest import House

NIGHT = Path(__file__).parent / "recorded" / "night.jsonl"


async def test_a_recorded_night_is_billed_as_it_was(database_url: str) -> None:
    """Two charges, with a start and a stop sent twice, half a frame, odd words, and a sample after the stop."""
    recording = replay.read(NIGHT)
    assert len(recording.bills) == 2
    assert await run(database_url, recording, max_power_w=22_000) == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_another_bill_is_told(database_url: str) -> None:
    recording = replay.read(NIGHT)
    recording.bills[0]["energy_wh"] += 1
    recording.bills[1]["transactionId"] = 99
    wrong = await run(database_url, recording, max_power_w=22_000)
    assert [line.partition(" was")[0] for line in wrong[:2]] == ["transaction 41", "transaction 99"]
    assert wrong[2] == "transaction 42 is billed now and was not"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_it_is_said_in_order_with_new_numbers_and_times(house: House) -> None:
    """Samples keep their distance from each other; the recorded transaction is numbered as it is here."""
    recording = replay.read(NIGHT)
    given = await replay.play(recording, f"ws://127.0.0.1:{house.port}/ocpp/RAW-1")
    assert set(given) == {41, 42}
    first, second, *_ = await house.rows(MeterSample)
    assert (second.at - first.at).total_seconds() == 300
    assert {row.session_id for row in await house.rows(MeterSample)} == {given[41]}
    assert (await house.eventually(ChargerHealth, lambda row: row.protocol_errors > 0))[0].repairs > 0


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("{", "line 1"),
        ('{"at": "x", "from": "charger", "frame": []}', "line 1"),
        ('{"bill": {}}\n{"at": "2026-01-01T00:00:00Z", "from": "cat", "frame": [2, "1", "Heartbeat", {}]}', "line 2"),
        ("", "says nothing"),
    ],
)
def test_what_is_no_recording_is_told(tmp_path: Path, text: str, line: str) -> None:
    path = tmp_path / "odd.jsonl"
    path.write_text(text)
    with pytest.raises(replay.NoRecording, match=line):
        replay.read(path)
