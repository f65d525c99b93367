"""What a central system asks of a charger, by the cases of the OCA's compliance tool (OCTT 1.6).

Written from the numbers and titles of the cases, not with the tool itself.
"""

import asyncio
from typing import Any

import pytest

from domain import charging
from domain.db import transact
from domain.events import Call
from domain.models import (
    LocalList,
    OcppMessage,
    Reservation,
    SessionState,
)
from tests.csms.charger import SECONDS, Raw
from tests.csms.conftest import House, until
from tests.csms.octt import ASKED, OK, Asked
from tests.csms.test_cards import card_of


async def ask(house: House, raw: Raw, asked: Asked) -> None:
    reply = asyncio.create_task(house.bus.call("RAW-1", Call(asked.action, asked.payload), SECONDS))
    id_, payload = await raw.asked(asked.action)
    assert payload == asked.payload
    await raw.send([3, id_, asked.answer])
    assert (await reply).payload == asked.answer
    for action, message in asked.then:
        answer = await raw.call(action, **message)
        assert answer.get("status", "Accepted") == "Accepted"
        if action == "BootNotification":
            id_, _ = await raw.asked("GetConfiguration")
            await raw.send([3, id_, {"configurationKey": []}])


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("case", ASKED)
async def test_what_a_central_system_asks(house: House, raw: Raw, case: str) -> None:
    """It goes out as it must, its answer comes back whole, what follows is answered, and it is all written down."""
    asked = ASKED[case]
    await ask(house, raw, asked)
    await raw.silent()
    if check := KEPT.get(case.rpartition("_")[0], KEPT.get(case)):
        await check(house, raw, asked)
    expected = [asked.action, *(action for action, _ in asked.then)]

    async def in_order() -> list[OcppMessage]:
        rows = await house.rows(OcppMessage)
        lines = [row for row in rows if row.direction == ("out" if row.action == asked.action else "in")]
        said = iter([row.action for row in lines])
        return lines if all(action in said for action in expected) else []

    assert await until(in_order)


async def _list_kept(house: House, raw: Raw, asked: Asked) -> None:
    """What the charger took is what we remember it has (OCPP 1.6, 5.15)."""
    kept = [(row.charger_id, row.version) for row in await house.rows(LocalList) if row.version]
    assert kept == ([("RAW-1", 1)] if asked.answer == OK else [])


async def _reservation_refused(house: House, raw: Raw, asked: Asked) -> None:
    """Nobody is kept away by a reservation that the charger did not make."""
    assert [row.state for row in await house.rows(Reservation)] == ["REFUSED"]
    user_id = await card_of(50_000, tag="OTHER")
    assert (await transact(charging.request_start, user_id, "RAW-1", 1)).state == SessionState.REQUESTED


async def _state_stored(house: House, raw: Raw, asked: Asked) -> None:
    assert (await house.connector()).status == "Available"


KEPT: dict[str, Any] = {"TC_043": _list_kept, "TC_048": _reservation_refused, "TC_054": _state_stored}
