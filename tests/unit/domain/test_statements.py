"""Statements: each booking in its month of India, and balances that follow from each other."""

from datetime import UTC, datetime

import pytest

from domain import statements, wallet
from domain.statements import NoMonth, Statement
from tests.money.charges import METER, Desk
from tests.money.house import give, owe


def at(desk: Desk, moment: str) -> None:
    desk.clock.at = datetime.fromisoformat(moment)


def of(desk: Desk, user_id: int, month: str) -> Statement:
    return desk.do(statements.of_month, user_id, month)


def amounts(told: Statement) -> list[int]:
    return [line.amount_paise for line in told.lines]


def test_a_month_begins_and_ends_at_midnight_in_india(desk: Desk) -> None:
    asha = desk.driver(rupees=0)
    for number, moment in enumerate(
        (
            "2026-10-31T23:59:59+05:30",
            "2026-11-01T00:00:00+05:30",
            "2026-11-30T18:29:59+00:00",
            "2026-11-30T18:30+00:00",
        )
    ):
        at(desk, moment)
        desk.do(give, asha, 10 ** (number + 1), str(number))
    assert [amounts(of(desk, asha, f"2026-{month}")) for month in (10, 11, 12)] == [[10], [100, 1_000], [10_000]]
    november = of(desk, asha, "2026-11")
    assert (november.opening_paise, november.in_paise, november.out_paise) == (10, 1_100, 0)
    assert november.closing_paise == of(desk, asha, "2026-12").opening_paise == 1_110
    assert desk.do(statements.months, asha) == ["2026-12", "2026-11", "2026-10"]


def test_a_charge_beyond_the_wallet_is_paid_and_owed(desk: Desk) -> None:
    at(desk, "2026-11-22T10:00:00+05:30")
    asha = desk.driver(rupees=60)
    ben = desk.driver(rupees=500)
    desk.charger()
    session_id = desk.charging(asha)
    desk.flows(session_id, 4)
    desk.stop(session_id, METER + 4_000)
    told = of(desk, asha, "2026-11")
    assert [(line.arrears, line.amount_paise) for line in told.lines if line.kind == "charging"] == [
        (True, -1_200),
        (False, -6_000),
    ]
    assert (told.in_paise, told.out_paise, told.closing_paise, told.closing_owed_paise) == (6_000, 6_000, 0, 1_200)
    money = desk.do(wallet.balance, asha)
    assert (told.closing_paise, told.closing_owed_paise) == (money.balance_paise, money.arrears_paise)
    assert told.customer == "driver_0"
    assert amounts(of(desk, ben, "2026-11")) == [50_000], "another's money stays out"


def test_what_was_owed_before_the_month_opens_it(desk: Desk) -> None:
    at(desk, "2026-10-05T10:00:00+05:30")
    asha = desk.driver(rupees=0)
    desk.do(owe, asha, 700)
    at(desk, "2026-11-05T10:00:00+05:30")
    told = of(desk, asha, "2026-11")
    assert (told.opening_owed_paise, told.closing_owed_paise, told.lines) == (700, 700, ())


def test_long_months_are_whole(desk: Desk) -> None:
    at(desk, "2026-11-05T10:00:00+05:30")
    asha = desk.driver(rupees=0)
    for number in range(45):
        desk.do(give, asha, 100, str(number))
    told = of(desk, asha, "2026-11")
    assert len(told.lines) == 45
    assert [line.balance_after_paise for line in told.lines] == list(range(100, 4_600, 100))


def test_no_money_no_months(desk: Desk) -> None:
    assert desk.do(statements.months, desk.driver(rupees=0)) == []


def test_the_months_run_over_the_new_year(desk: Desk) -> None:
    at(desk, "2026-11-05T10:00:00+05:30")
    asha = desk.driver(rupees=1)
    at(desk, "2027-01-31T23:00:00+05:30")
    assert desk.do(statements.months, asha) == ["2027-01", "2026-12", "2026-11"]
    since, until = statements.bounds("2026-12")
    assert (since.astimezone(UTC), until.astimezone(UTC)) == (
        datetime(2026, 11, 30, 18, 30, tzinfo=UTC),
        datetime(2026, 12, 31, 18, 30, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    "month", ["", "2026-13", "2026-00", "2026-1", "2026-11-01", "1926-11", "२०२६-११", "2026-11\n", "2099-01", "0000-00"]
)
def test_what_is_no_month_is_refused(month: str) -> None:
    with pytest.raises(NoMonth):
        statements.bounds(month)
