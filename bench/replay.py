"""`python -m bench.replay FILE`: a recording against this CSMS on a database of its own, and its bills compared.

What a recording looks like is told by simulator/replay.py; tests/csms/recorded has one.
"""

import argparse
import asyncio
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from sqlmodel import Session, select

from bench import ours
from csms.central import Pace
from csms.server import listening
from domain import chargers
from domain.bus import LocalBus
from domain.db import opened, read, transact
from domain.models import ChargingSession, SessionState
from domain.settings import settings
from simulator import replay

CHARGER = "REPLAY-1"


async def run(url: str, recording: replay.Recording, *, max_power_w: int, aloud: bool = False) -> list[str]:
    """Play it on a migrated, empty database; gives the differences."""
    bus = LocalBus()

    def heard(question: Any, answer: Any) -> None:
        if aloud:
            print(f"  {question[2]:<28} {'answered' if answer[0] == 3 else answer[2:]}")

    async with opened(url, bus.publish):
        await transact(chargers.add, CHARGER, connectors=1, max_power_w=max_power_w)
        async with listening(host="127.0.0.1", port=0, bus=bus, settings=settings(), pace=Pace(settle=0.0)) as port:
            given = await replay.play(recording, f"ws://127.0.0.1:{port}/ocpp/{CHARGER}", heard)
        bills = await read(_bills, {new: old for old, new in given.items()})
    return replay.differences(recording, bills)


def _bills(db: Session, recorded: dict[int, int]) -> list[dict[str, int]]:
    settled = db.exec(select(ChargingSession).where(ChargingSession.state == SessionState.SETTLED))
    return [
        {
            "transactionId": recorded.get(row.transaction_id or 0, 0),
            "energy_wh": row.energy_wh,
            "cost_paise": row.cost_paise,
        }
        for row in settled
    ]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.replay", description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--power", type=int, default=60_000, help="of the charger, in W")
    given = parser.parse_args()
    try:
        recording = replay.read(given.file)
    except (OSError, replay.NoRecording) as error:
        sys.exit(f"This is no recording: {error}")
    with tempfile.TemporaryDirectory(prefix="evapp-replay-") as folder:
        url = f"sqlite:///{Path(folder) / 'evapp.db'}"
        os.environ.update(ours.environment(url, Path(folder)))
        ours.migrated(url)
        wrong = asyncio.run(run(url, recording, max_power_w=given.power, aloud=True))
    for line in wrong:
        print(line)
    print(f"{len(recording.said)} frames, {len(recording.bills)} bills, {len(wrong)} differences.")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
