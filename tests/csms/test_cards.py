"""Cards at the charger: what Authorize, StartTransaction and StopTransaction say of them, and who pays."""

from datetime import timedelta
from typing import Any

import pytest

from domain import tokens, wallet
from domain.db import read, transact
from domain.models import ChargingSession, Hold, HoldState, SessionState, TokenStatus, User, now
from domain.settings import settings
from tests.csms.charger import Raw, stamp
from tests.csms.conftest import House
from tests.csms.test_charge import stop
from tests.money.house import driver, give, owe


async def authorize(raw: Raw, tag: str) -> dict[str, Any]:
    return dict((await raw.call("Authorize", idTag=tag))["idTagInfo"])


async def begin(raw: Raw, tag: str, connector: int = 1, meter: int = 1000, **told: Any) -> tuple[int, dict[str, Any]]:
    """StartTransaction; gives the transaction id and idTagInfo."""
    told = {"connectorId": connector, "idTag": tag, "meterStart": meter, "timestamp": stamp(), **told}
    answer = await raw.call("StartTransaction", **told)
    return answer["transactionId"], answer["idTagInfo"]


async def card_of(paise: int, tag: str = "CARD1", name: str = "asha", **kind: Any) -> int:
    """A driver with this much money and a card; gives his id."""
    user_id = await transact(driver, name)
    if paise:
        await transact(give, user_id, paise)
    await transact(tokens.add, tag, user_id=user_id, **kind)
    return user_id


async def remote_stop(raw: Raw, transaction: int) -> None:
    """Wait until the charge is asked to end, and agree."""
    id_, payload = await raw.asked("RemoteStopTransaction")
    assert payload == {"transactionId": transaction}
    await raw.send([3, id_, {"status": "Accepted"}])


def _block(db: Any, user_id: int) -> None:
    user = db.get_one(User, user_id)
    user.blocked_at = now()
    db.add(user)


async def test_a_card_is_answered_from_its_row_in_any_case(house: House, raw: Raw) -> None:
    """OCPP 1.6, 4.1: Accepted, Blocked, Expired, with group and last day; unknown ones by policy (Q32)."""
    past, future = now() - timedelta(days=1), (now() + timedelta(days=9)).replace(microsecond=0)
    await transact(tokens.add, "Good-1", parent="fleet", expires_at=future)
    await transact(tokens.add, "OLD", expires_at=past)
    await transact(tokens.add, "LOST")
    await transact(tokens.set_status, "LOST", TokenStatus.BLOCKED)
    last_day = future.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert await authorize(raw, "gOOD-1") == {"status": "Accepted", "parentIdTag": "FLEET", "expiryDate": last_day}
    assert (await authorize(raw, "old"))["status"] == "Expired"
    assert await authorize(raw, "lost") == {"status": "Blocked"}
    assert await authorize(raw, "NEVER-SEEN") == {"status": "Accepted"}


async def test_a_known_card_needs_no_policy_for_unknown_ones(
    house: House, raw: Raw, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Q32: where strangers are refused, a card that the operator added charges, without a bill."""
    monkeypatch.setenv("EVAPP_OCPP_WALK_UPS", "false")
    settings.cache_clear()
    await transact(tokens.add, "STAFF")
    assert await authorize(raw, "STAFF") == {"status": "Accepted"}
    assert await authorize(raw, "OTHER") == {"status": "Invalid"}
    transaction, info = await begin(raw, "staff")
    assert info == {"status": "Accepted"}
    await stop(raw, transaction, 1500, idTag="STAFF")
    session = await house.session()
    assert (session.user_id, session.card, session.state) == (None, "STAFF", SessionState.SETTLED)
    transaction, info = await begin(raw, "OTHER")
    assert info == {"status": "Invalid"}
    await remote_stop(raw, transaction)


async def test_a_linked_card_is_its_users_charge(house: House, raw: Raw) -> None:
    """Money is held at the start and debited at the stop; repeated, it is the same charge (Q19)."""
    user_id = await card_of(50_000)
    assert await authorize(raw, "card1") == {"status": "Accepted"}
    at = stamp()
    transaction, info = await begin(raw, "card1", timestamp=at)
    assert info == {"status": "Accepted"}
    (hold,) = await house.rows(Hold)
    assert (hold.amount_paise, hold.state) == (50_000, HoldState.OPEN)
    assert await begin(raw, "card1", timestamp=at) == (transaction, info)
    assert await authorize(raw, "CARD1") == {"status": "Accepted"}, "he holds it to the reader to end his charge"
    await stop(raw, transaction, 1400, idTag="CARD1")
    session = await house.session()
    assert (session.user_id, session.cost_paise, session.state) == (user_id, 720, SessionState.SETTLED)
    assert (await read(wallet.balance, user_id)).free_paise == 49_280


async def test_a_card_is_used_again_and_again(house: House, raw: Raw) -> None:
    """A card's number is no single-use tag: the next charge is a new one, also with the same register."""
    await card_of(50_000)
    ids = []
    for minute in (5, 3, 1):
        transaction, info = await begin(raw, "CARD1", timestamp=stamp(-60 * minute))
        assert info == {"status": "Accepted"}
        ids.append(transaction)
        await stop(raw, transaction, 1000)
    assert len(set(ids)) == 3
    # One whose stop was lost is interrupted by the next start on its connector, and the card charges on.
    lost, _ = await begin(raw, "CARD1", timestamp=stamp(-30))
    after, info = await begin(raw, "CARD1", meter=1200)
    assert (info, after != lost) == ({"status": "Accepted"}, True)
    states = {row.transaction_id: row.state for row in await house.rows(ChargingSession)}
    assert (states[lost], states[after]) == (SessionState.INTERRUPTED, SessionState.CHARGING)


async def test_a_card_without_money_is_blocked_and_stopped(house: House, raw: Raw) -> None:
    """Its answer has a transaction id all the same (OCPP 1.6, 4.8); what flows until the stop is its user's."""
    user_id = await card_of(1_000)
    assert await authorize(raw, "CARD1") == {"status": "Blocked"}
    transaction, info = await begin(raw, "CARD1")
    assert (transaction > 0, info) == (True, {"status": "Blocked"})
    await remote_stop(raw, transaction)
    await stop(raw, transaction, 1100, reason="DeAuthorized")
    session = await house.session()
    assert (session.user_id, session.cost_paise, session.stop_cause) == (user_id, 180, "card-unfunded")
    assert (await read(wallet.balance, user_id)).free_paise == 820


async def test_the_card_of_a_driver_who_owes_is_blocked_whatever_money_he_has(house: House, raw: Raw) -> None:
    """As in the app: what an earlier charge left owed is paid before the next one."""
    user_id = await card_of(50_000)
    await transact(owe, user_id, 100)
    assert await authorize(raw, "CARD1") == {"status": "Blocked"}
    transaction, info = await begin(raw, "CARD1")
    assert info == {"status": "Blocked"}
    await remote_stop(raw, transaction)
    assert (await house.session()).stop_cause == "card-unfunded"


@pytest.mark.parametrize(("what", "status"), [("blocked", "Blocked"), ("expired", "Expired"), ("user", "Blocked")])
async def test_a_card_that_may_not_is_stopped_and_costs_its_user_nothing(
    house: House, raw: Raw, what: str, status: str
) -> None:
    user_id = await card_of(50_000, expires_at=now() - timedelta(hours=1) if what == "expired" else None)
    if what == "user":
        await transact(_block, user_id)
    elif what != "expired":
        await transact(tokens.set_status, "CARD1", TokenStatus(status))
    at = stamp()
    transaction, info = await begin(raw, "CARD1", timestamp=at)
    assert info["status"] == status
    await remote_stop(raw, transaction)
    assert (await begin(raw, "CARD1", timestamp=at))[1]["status"] == status, "a repetition hears the same"
    await remote_stop(raw, transaction)
    answer = await stop(raw, transaction, 1200, idTag="CARD1")
    assert answer["idTagInfo"]["status"] == status  # type: ignore[index]
    assert ((await house.session()).user_id, (await house.session()).cost_paise >= 0) == (None, True)
    assert (await read(wallet.balance, user_id)).free_paise == 50_000


async def test_one_card_charges_once_at_a_time_unless_it_may(house: House, raw: Raw) -> None:
    """ConcurrentTx is an answer to StartTransaction, never to Authorize (OCPP 1.6, 4.8)."""
    await transact(tokens.add, "ONE")
    await transact(tokens.add, "MANY", concurrent=True)
    for tag, second in (("MANY", "Accepted"), ("ONE", "ConcurrentTx")):
        first, info = await begin(raw, tag, 1)
        assert info == {"status": "Accepted"}
        assert await authorize(raw, tag) == {"status": "Accepted"}
        other, info = await begin(raw, tag, 2)
        assert info == {"status": second}
        if second == "ConcurrentTx":
            await remote_stop(raw, other)
        await stop(raw, first, 1100)
        await stop(raw, other, 1100)


async def test_a_user_charges_once_at_a_time_with_all_his_cards(house: House, raw: Raw) -> None:
    user_id = await card_of(50_000, tag="A")
    await transact(tokens.add, "B", user_id=user_id, concurrent=True)
    await begin(raw, "A", 1)
    transaction, info = await begin(raw, "B", 2)
    assert info == {"status": "ConcurrentTx"}
    await remote_stop(raw, transaction)
    assert [row.user_id for row in await house.rows(ChargingSession)] == [user_id, None]


async def test_a_card_of_the_same_group_may_stop(house: House, raw: Raw) -> None:
    """OCPP 1.6, 3.10: the charger learns the group; without our transaction id the stop finds the group's charge."""
    for tag in ("DAD", "KID"):
        await transact(tokens.add, tag, parent="FAMILY")
    transaction, info = await begin(raw, "DAD")
    assert info == {"status": "Accepted", "parentIdTag": "FAMILY"}
    assert (await authorize(raw, "KID"))["parentIdTag"] == "FAMILY"
    answer = await stop(raw, transaction, 1300, idTag="KID")
    assert answer == {"idTagInfo": {"status": "Accepted", "parentIdTag": "FAMILY"}}
    await begin(raw, "DAD", meter=1300)
    await stop(raw, -1, 1700, idTag="kid")
    assert [row.energy_wh for row in await house.rows(ChargingSession)] == [300, 400]
