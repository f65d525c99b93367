"""What a charge costs in the end: exact sums, one debit, one correction, arrears, receipts."""

from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import select

from domain import accounts, charging, sessions, settings, settlement, story, tariffs, traces, wallet, wishes
from domain.models import ChargingSession, Entry, Finding, Transfer
from domain.prices import Price
from tests.money import house
from tests.money.charges import METER, Desk

AT = datetime(2026, 11, 22, tzinfo=UTC)

# Exact sums


@pytest.mark.row("C39")
@given(wh=st.integers(0, 10**6), rate=st.integers(0, 10_000))
def test_cost_is_rounded_half_up(wh: int, rate: int) -> None:
    """C39."""
    exact = Decimal(wh) * Decimal(rate) / 1000
    session = ChargingSession(paise_per_kwh=rate, energy_wh=wh)
    assert settlement.cost_of(session, AT) == int(exact.quantize(Decimal(1), ROUND_HALF_UP))


@pytest.mark.row("C39")
@given(cost=st.integers(0, 10**8), points=st.sampled_from([0, 500, 1_200, 1_800, 2_800]))
def test_gst_is_rounded_half_up(cost: int, points: int) -> None:
    """C39."""
    exact = Decimal(cost) * points / (10_000 + points)
    assert Price(1_800, points).gst(cost) == int(exact.quantize(Decimal(1), ROUND_HALF_UP))


@pytest.mark.row("C39")
@pytest.mark.parametrize(("wh", "paise"), [(1, 2), (27, 49), (28, 50), (1_000_000, 1_800_000)])
def test_small_and_large_charges(desk: Desk, wh: int, paise: int) -> None:
    """C39: 1 Wh, either side of half a paisa, 1 MWh."""
    desk.charger(kw=1_000)
    session_id = desk.charging(desk.driver(rupees=90_000))
    desk.passes(hours=1)
    desk.stop(session_id, METER + wh)
    assert desk.bill(session_id) == (wh, paise)


def test_gst_is_kept_apart_when_there_is_a_gstin(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings.settings(), "seller_gstin", "29ABCDE1234F1Z5")
    desk.charger()
    session_id = desk.begun(desk.driver(), 2.345)
    desk.stop(session_id, METER + 2_345)
    assert desk.bill(session_id) == (2_345, 4_221)
    assert desk.session(session_id).gst_paise == 644
    entries = desk.do(lambda db: {e.account_code: e.amount_paise for e in house.entries(db, f"session:{session_id}")})
    assert entries == {"wallet:1": -4_221, wallet.REVENUE: 3_577, wallet.GST: 644}


def test_the_line_in_the_wallet_says_where_and_how_much(desk: Desk) -> None:
    asha = desk.driver()
    desk.charger("BLR-17", connectors=2)
    session_id = desk.charging(asha, "BLR-17", connector=2)
    desk.flows(session_id, 2.005)
    desk.stop(session_id, METER + 2_005)
    line = desk.do(story.lines, asha)[0]
    assert line.description == "Charging at BLR-17, connector 2, 2.005 kWh"
    assert (line.kind, line.amount_paise, line.balance_after_paise) == ("charging", -3_609, 96_391)
    assert line.ref == desk.session(session_id).ref


def test_a_charge_of_one_paisa_is_paid_from_the_wallet(desk: Desk) -> None:
    asha = desk.driver()
    desk.charger()
    desk.do(tariffs.set_price, Price(1_000, 0))
    session_id = desk.charging(asha)
    desk.passes(minutes=1)
    desk.stop(session_id, METER + 1)
    assert desk.bill(session_id) == (1, 1)
    assert (desk.money(asha), desk.session(session_id).arrears_paise) == (wallet.Balance(99_999, 0, 0), 0)


@pytest.mark.parametrize(("more", "looked_at"), [(1, False), (0, True)])
def test_more_than_50_rupees_of_arrears_are_looked_at(desk: Desk, more: int, looked_at: bool) -> None:
    asha = desk.driver(rupees=100)
    if more:
        desk.do(wallet.adjust, asha, more, key="more", reason="for a test")
    desk.charger()
    session_id = desk.charging(asha)
    desk.passes(minutes=20)
    desk.stop(session_id, METER + 8_334)
    assert desk.session(session_id).arrears_paise == 5_001 - more
    assert bool(desk.session(session_id).review) is looked_at


# More than there is


@pytest.mark.row("C22")
def test_what_the_wallet_cannot_cover_is_owed(desk: Desk) -> None:
    """C22."""
    asha, session_id = desk.a_charge(rupees=50)
    desk.passes(minutes=5)
    desk.stop(session_id, METER + 5_000)
    assert desk.bill(session_id) == (5_000, 9_000)
    assert desk.money(asha) == wallet.Balance(0, 0, 4_000)
    assert desk.session(session_id).arrears_paise == 4_000
    assert desk.findings() == {}, "less than 50 rupees"


def test_the_wallet_tells_no_time_of_a_slow_clock(desk: Desk) -> None:
    asha = desk.driver()
    desk.charger()
    session_id = desk.request(asha)
    desk.start(session_id, at=desk.clock.at - timedelta(days=30))
    desk.passes(minutes=10)
    desk.stop(session_id, METER + 1_000, at=desk.clock.at - timedelta(days=30))
    [line, *_] = desk.do(story.lines, asha)
    assert (line.amount_paise, line.happened_at) == (-1_800, desk.clock.at)


def test_much_that_is_owed_is_looked_at(desk: Desk) -> None:
    """payments.md 2.7."""
    asha, session_id = desk.a_charge(rupees=50)
    desk.passes(minutes=6)
    desk.stop(session_id, METER + 6_000)
    assert desk.money(asha) == wallet.Balance(0, 0, 5_800)
    assert desk.findings() == {"review": 1}


def test_only_free_money_pays_and_another_charges_hold_is_left_alone(desk: Desk) -> None:
    asha = desk.driver(rupees=1_000)
    desk.charger()
    desk.charger("BLR-2")
    first = desk.charging(asha)
    desk.flows(first, 1)
    desk.lose(first)
    second = desk.charging(asha, "BLR-2")
    assert desk.money(asha) == wallet.Balance(100_000, 100_000, 0)
    desk.stop(first, METER + 3_000)
    assert desk.money(asha) == wallet.Balance(98_200, 98_200, 3_600), "1 kWh was held for, 2 kWh are owed"
    desk.flows(second, 1)
    desk.stop(second, METER + 1_000)
    assert desk.money(asha) == wallet.Balance(92_800, 0, 0), "4 kWh, and nobody owes who has money"
    desk.request(asha)


@pytest.mark.parametrize("end", ["unplugged", "driver"])
def test_a_wish_that_comes_to_nothing_pays_what_is_owed_from_what_it_held(desk: Desk, end: str) -> None:
    asha = desk.driver(rupees=100)
    desk.charger()
    desk.charger("BLR-2")
    first = desk.begun(asha)
    desk.lose(first)
    second = desk.request(asha, "BLR-2")
    desk.do(wishes.answered, second, "accepted")
    desk.stop(first, METER + 3_000)
    assert desk.money(asha) == wallet.Balance(6_400, 6_400, 1_800)
    if end == "driver":
        desk.do(charging.request_stop, second, "driver")
    else:
        desk.passes(seconds=106)
        assert desk.sweep() == {second: ""}
    assert desk.money(asha) == wallet.Balance(4_600, 0, 0), "nobody owes who has money"
    assert desk.do(story.lines, asha)[0].description == "Paid what an earlier charge left owed"
    desk.audited()
    desk.status("BLR-1", 1, "Available")
    desk.give(asha, 10)
    desk.request(asha)


def test_arrears_that_the_next_charge_cannot_clear_stay(desk: Desk) -> None:
    asha, session_id = desk.a_charge(rupees=50)
    desk.do(house.owe, asha, 10_000)
    desk.flows(session_id, 1)
    desk.stop(session_id, METER + 1_000)
    assert desk.money(asha) == wallet.Balance(0, 0, 6_800)


# Estimated, then corrected


@pytest.mark.row("C4")
def test_a_late_stop_corrects_upwards_once(desk: Desk) -> None:
    """C4."""
    asha = desk.driver()
    desk.charger()
    session_id = desk.estimated(asha)
    assert desk.bill(session_id) == (2_000, 3_600)
    number = desk.session(session_id).receipt_number
    desk.stop(session_id, METER + 2_500)
    assert desk.bill(session_id) == (2_500, 4_500)
    session = desk.session(session_id)
    assert (session.estimated, session.receipt_number) == (False, number)
    assert desk.money(asha) == wallet.Balance(95_500, 0, 0)
    desk.changes_nothing(desk.stop, session_id, METER + 2_500)
    desk.changes_nothing(desk.stop, session_id, METER + 9_999)
    assert desk.findings() == {"conflict": 1}
    assert [line.description for line in desk.do(story.lines, asha)[:2]] == [
        "Correction: charging at BLR-1, connector 1, 2.500 kWh",
        "Charging at BLR-1, connector 1, 2.000 kWh",
    ]


@pytest.mark.row("C4")
def test_a_late_stop_that_agrees_moves_nothing(desk: Desk) -> None:
    """C4."""
    asha = desk.driver()
    desk.charger()
    session_id = desk.estimated(asha)
    transfers = desk.do(lambda db: house.rows(db, Transfer))
    desk.stop(session_id, METER + 2_000)
    assert not desk.session(session_id).estimated
    assert desk.do(lambda db: house.rows(db, Transfer)) == transfers


@pytest.mark.row("C4")
def test_a_late_stop_gives_back_what_was_too_much(desk: Desk) -> None:
    """C4: the register jumped, and meterStop shows it."""
    asha = desk.driver()
    desk.charger()
    session_id = desk.estimated(asha)
    desk.stop(session_id, METER + 500)
    assert desk.bill(session_id) == (500, 900)
    assert desk.money(asha) == wallet.Balance(99_100, 0, 0)


@pytest.mark.row("C4")
def test_a_late_stop_gives_back_to_arrears_first(desk: Desk) -> None:
    """C4."""
    asha = desk.driver(rupees=50)
    desk.charger()
    session_id = desk.estimated(asha, 4)
    assert desk.money(asha) == wallet.Balance(0, 0, 2_200)
    desk.stop(session_id, METER + 3_000)
    assert desk.money(asha) == wallet.Balance(0, 0, 400)
    assert desk.session(session_id).arrears_paise == 400


@pytest.mark.row("C4")
def test_a_late_stop_gives_back_more_than_is_owed(desk: Desk) -> None:
    """C4."""
    asha = desk.driver(rupees=50)
    desk.charger()
    session_id = desk.estimated(asha, 4)
    desk.stop(session_id, METER + 1_000)
    assert desk.money(asha) == wallet.Balance(3_200, 0, 0)
    assert desk.session(session_id).arrears_paise == 0


@pytest.mark.row("C4", "C30")
@pytest.mark.parametrize(
    ("register", "left", "told"), [(METER + 1_000, True, 1), (METER + 1_000, False, 0), (METER + 2_000, True, 0)]
)
def test_what_a_late_stop_gives_back_to_somebody_who_has_left_is_told(
    desk: Desk, register: int, left: bool, told: int
) -> None:
    """C30, as R34: it may have to go back to him."""
    asha = desk.driver(rupees=50)
    desk.charger()
    session_id = desk.estimated(asha)
    if left:
        desk.do(accounts.block, asha)
    for _ in range(2):
        desk.stop(session_id, register)
    assert desk.findings()["refund-due"] == told
    due = select(Finding.detail).where(Finding.kind == "refund-due")
    assert all(detail.startswith("₹18.00 came back") for detail in desk.do(lambda db: db.exec(due).all()))


@pytest.mark.row("C4", "C29")
def test_an_estimate_of_nothing_is_corrected_too(desk: Desk) -> None:
    """C4, C29: a debit of nothing leaves no transfer, so the row itself is the guard."""
    _, session_id = desk.a_charge()
    desk.lose(session_id)
    desk.passes(hours=24)
    desk.sweep()
    assert desk.bill(session_id) == (0, 0)
    assert desk.session(session_id).receipt_number == ""
    desk.stop(session_id, METER + 1_000)
    assert desk.bill(session_id) == (1_000, 1_800)
    assert desk.session(session_id).receipt_number != ""
    desk.changes_nothing(desk.stop, session_id, METER + 1_000)


@pytest.mark.row("C4", "C13")
def test_a_late_stop_without_a_number_corrects_by_its_tag(desk: Desk) -> None:
    """C4, C13."""
    asha = desk.driver()
    desk.charger()
    session_id = desk.estimated(asha)
    desk.stop(session_id, METER + 2_500, transaction_id=-1, tag=desk.session(session_id).tag)
    assert desk.bill(session_id) == (2_500, 4_500)


@pytest.mark.row("C37")
def test_a_correction_is_a_transfer_of_its_own(desk: Desk) -> None:
    """C37: the original stays as it was."""
    asha = desk.driver()
    desk.charger()
    session_id = desk.estimated(asha)
    first = desk.do(lambda db: [e.model_dump() for e in house.entries(db, f"session:{session_id}")])
    desk.stop(session_id, METER + 2_500)
    assert desk.do(lambda db: [e.model_dump() for e in house.entries(db, f"session:{session_id}")]) == first
    correction: list[Entry] = desk.do(lambda db: house.entries(db, f"session:{session_id}:correction"))
    assert {e.account_code: e.amount_paise for e in correction} == {"wallet:1": -900, wallet.REVENUE: 900}


@pytest.mark.parametrize("register", [METER + 2_500, None])
def test_settling_again_moves_nothing_whoever_asks(desk: Desk, register: int | None) -> None:
    """payments.md 2.3: the session's own row is the guard."""
    asha = desk.driver()
    desk.charger()
    session_id = desk.estimated(asha)
    desk.stop(session_id, METER + 2_000)
    desk.changes_nothing(desk.do, lambda db: settlement.settle(db, sessions.get(db, session_id), register))


# Receipts


@pytest.mark.row("C36")
def test_receipts_are_numbered_without_gaps(desk: Desk) -> None:
    """C36: a charge of nothing and a refused one take no number."""
    desk.charger()
    numbers = []
    for kwh in (1, 0, 2, 3):
        session_id = desk.charging(desk.driver())
        desk.flows(session_id, kwh)
        desk.stop(session_id, METER + kwh * 1_000)
        desk.status("BLR-1", 1, "Available")
        numbers.append(desk.session(session_id).receipt_number[-7:])
    assert numbers == ["0000001", "", "0000002", "0000003"]


def test_a_walk_up_has_no_bill(desk: Desk) -> None:
    desk.charger()
    begun = desk.walk_up()
    desk.flows(begun.session_id, 2)
    desk.stop(begun.session_id, 2_000)
    assert desk.bill(begun.session_id) == (2_000, 3_600)
    assert desk.do(lambda db: house.rows(db, Transfer)) == 0


def test_a_bill_and_its_correction_are_steps_of_a_trace(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []

    class Step(traces.Span):
        def came_to(self, outcome: str, *, well: bool = True) -> None:
            told.append(outcome)

    def begin(kind: traces.Kind, action: str, _follows: str, _ids: dict[str, str | int]) -> traces.Span:
        if kind is not traces.SETTLEMENT:
            return traces.NONE
        told.append(action)
        return Step()

    monkeypatch.setattr(traces, "_begin", begin)
    desk.charger()
    session_id = desk.estimated(desk.driver())
    desk.stop(session_id, METER + 2_100)
    assert told == ["bill", "estimated", "correction", "metered"]
