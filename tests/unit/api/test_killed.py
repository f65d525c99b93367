"""kill -9 in the middle of writes: sent again by their names, money has moved once, and a charger was asked once."""

import asyncio
import sys
from contextlib import suppress

import pytest

from domain import wallet
from domain.db import read
from tests.databases import ROOT
from tests.unit.api.conftest import Caller, House

pytestmark = pytest.mark.timeout(300)  # other processes start up first


async def calls(what: str, house: House, operator: Caller, killed_after: int = 0) -> list[str]:
    """What another process is answered, until it is done or, after so many answers, killed."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.unit.api.caller", what, house.desk.database.url, operator.key),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    told = []
    try:
        async for line in process.stdout:
            told.append(line.decode().strip())
            if len(told) == killed_after:
                process.kill()
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    return told


async def test_money_moves_once_whoever_dies(house: House, operator: Caller) -> None:
    assert house.desk.driver(0) == 1
    await calls("gifts", house, operator, killed_after=7)
    assert await calls("gifts", house, operator) == ["201"] * 20
    assert (await read(wallet.balance, 1)).balance_paise == 2_000
    assert len(await house.trail()) == 20


async def test_a_command_is_sent_at_most_once_whoever_dies(house: House, operator: Caller) -> None:
    house.desk.charger()
    assert await calls("command", house, operator, killed_after=1) == ["asked"]
    told = await operator.refused(
        409, "POST", "/chargers/BLR-1/call", {"action": "ClearCache"}, idempotency_key="clear"
    )
    assert told["type"] == "urn:evapp:problem:under-way"
    assert len(await house.trail()) == 1
