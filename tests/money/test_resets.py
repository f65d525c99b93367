"""Registers that fall: a reset is billed by its rises, what is told again or an error once (payments.md C18, Q27)."""

import pytest

from tests.money.charges import METER, Desk
from tests.money.test_metering import energy


@pytest.mark.row("C18")
def test_a_register_that_is_reset_in_the_middle(desk: Desk) -> None:
    """C18, Q38: the rises are summed, and somebody looks."""
    desk.charger()
    session_id = desk.charging(desk.driver())
    for register in (METER + 1_000, METER + 2_000, 400, 1_400):
        desk.passes(minutes=1)
        desk.meter(session_id, register)
    assert energy(desk, session_id) == 3_400
    desk.stop(session_id, 1_500)
    assert desk.bill(session_id) == (3_500, 6_300)
    assert desk.findings() == {"review": 1}


def readings(desk: Desk, start_wh: int, *registers: int, every_s: int = 60) -> int:
    """A charge from this register on whose samples say these."""
    desk.charger()
    session_id = desk.request(desk.driver(rupees=5_000))
    desk.start(session_id, start_wh)
    for register in registers:
        desk.passes(seconds=every_s)
        desk.meter(session_id, register)
    return session_id


@pytest.mark.row("C18")
@pytest.mark.parametrize(
    ("start_wh", "before", "after"),
    [(0, 30, 5), (1_000, 30, 5), (10_000_000, 30, 5), (10_000, 30, 45), (10_000_000, 5, 30)],
)
def test_a_register_that_is_reset_is_billed_by_its_rises_wherever_it_began(
    desk: Desk, start_wh: int, before: int, after: int
) -> None:
    """C18, Q38: meterStop - meterStart is believed only of a register that never fell."""
    registers = [start_wh + n * 1_000 for n in range(1, before + 1)] + [n * 1_000 for n in range(1, after + 1)]
    session_id = readings(desk, start_wh, *registers)
    desk.passes(seconds=10)
    desk.stop(session_id, after * 1_000 + 50)
    assert desk.bill(session_id)[0] == (before + after) * 1_000 + 50
    assert desk.session(session_id).review
    assert desk.findings() == {"review": 1}


@pytest.mark.row("C18")
def test_a_fall_that_may_be_samples_told_again_is_no_reset(desk: Desk) -> None:
    """C18, Q27: the register never was below its start and ends above all it told. In doubt for the driver."""
    session_id = readings(desk, 0, *(n * 1_000 for n in (*range(1, 6), *range(1, 31))))
    desk.passes(seconds=10)
    desk.stop(session_id, 30_050)
    assert desk.bill(session_id)[0] == 30_050


@pytest.mark.parametrize("every_s", [60, 900])
@pytest.mark.parametrize(
    ("registers", "stop_wh"),
    [
        ((1_000, 2_000, 3_000, 4_000, 0, 4_500, 5_000), 5_500),
        ((1_000, 2_000, 3_000, 4_000, 0, 0, 0, 4_500, 5_000), 5_500),
        ((1_000, 2_000, 3_000, 4_000, 0), 4_500),
        ((500, 1_000, 2_400, 1_050, 1_500), 1_600),
    ],
)
def test_a_register_that_comes_back_was_not_reset(
    desk: Desk, registers: tuple[int, ...], stop_wh: int, every_s: int
) -> None:
    """Q38: a reading of 0, or one too high, that no other confirms."""
    session_id = readings(desk, 0, *registers, every_s=every_s)
    desk.passes(seconds=every_s)
    desk.stop(session_id, stop_wh)
    assert desk.bill(session_id)[0] == stop_wh


TEN = tuple(range(1_000, 11_000, 1_000))
"""Ten minutes of 60 kW, from 0 on."""
NINE = TEN[:-1]


@pytest.mark.row("C18")
@pytest.mark.parametrize(
    ("registers", "stop_wh", "billed_wh"),
    [
        ((*TEN, *NINE), 9_500, 9_500),  # within the margin of what it had told: samples told again
        ((*TEN, *NINE), 9_499, 19_499),
        ((*TEN,), 9_000, 9_000),  # the stop alone fell
        ((500, 1_000, 1_400, 1_000, 1_200, *TEN[1:], 1_000), 1_050, 11_050),  # 1,400 is an error: 1,000 comes again
        ((500, 1_000, 1_400, 1_100, 1_500, *TEN[1:], 1_000), 1_050, 11_050),  # likewise, though more comes later
        ((*TEN, 1_000, 2_000, 3_000, 0), 3_500, 13_500),  # the last reading is an error
        ((*TEN, 1_600, 2_600, 3_600), 3_650, 13_650),  # as much as a minute of 60 kW can be
        ((*TEN, 1_601, 2_601, 3_601), 3_651, 12_050),
    ],
)
def test_a_reset_is_told_from_errors_and_repetitions(
    desk: Desk, registers: tuple[int, ...], stop_wh: int, billed_wh: int
) -> None:
    """C18, Q27, Q38: one that never fell below its start."""
    session_id = readings(desk, 0, *registers)
    desk.passes(seconds=60)
    desk.stop(session_id, stop_wh)
    assert desk.bill(session_id)[0] == billed_wh


@pytest.mark.row("C18")
@pytest.mark.parametrize(("stop_wh", "reviewed"), [(0, True), (9_000, True), (9_500, False)])
def test_a_stop_that_tells_less_than_the_samples_is_reviewed(desk: Desk, stop_wh: int, reviewed: bool) -> None:
    """C18: Wattpilot 40.7 tells its meterStart again at the end, and so charged for nothing unseen. In doubt for the
    driver."""
    session_id = readings(desk, 0, *TEN)
    desk.passes(seconds=60)
    desk.stop(session_id, stop_wh)
    session = desk.session(session_id)
    assert desk.bill(session_id)[0] == stop_wh
    assert session.review == (f"meterStop {stop_wh} is less than 10000, told before it." if reviewed else "")
    assert len(desk.findings()) == reviewed


@pytest.mark.row("C18")
def test_a_reset_register_whose_stop_says_its_last_reading_again_is_billed_by_its_rises(desk: Desk) -> None:
    """C18: nothing flowed since."""
    session_id = readings(desk, 2_000, *(2_000 + wh for wh in TEN), *TEN[:5])
    desk.passes(seconds=10)
    desk.stop(session_id, 5_000)
    assert desk.bill(session_id)[0] == 15_000


@pytest.mark.row("C18")
@pytest.mark.parametrize(("rise_wh", "billed_wh"), [(2_700, 14_700), (2_701, 2_701)])
def test_what_a_reset_register_rose_since_it_was_told_is_as_much_as_can_be(
    desk: Desk, rise_wh: int, billed_wh: int
) -> None:
    """C18, C19: two minutes of 60 kW, a message without a register between them; what is more is no rise."""
    session_id = readings(desk, 2_000, *(2_000 + wh for wh in TEN), 1_000, 2_000)
    desk.passes(seconds=60)
    desk.meter(session_id, None)
    desk.passes(seconds=60)
    desk.stop(session_id, 2_000 + rise_wh)
    assert desk.bill(session_id)[0] == billed_wh


@pytest.mark.parametrize("start_wh", [0, 10_000, 4_076_000])
def test_samples_that_are_told_again_are_billed_once(desk: Desk, start_wh: int) -> None:
    """Q27: after a reconnect a charger without a clock tells all samples of the charge again, and goes on."""
    told = [start_wh + 117 * minute for minute in range(1, 60)]
    session_id = readings(desk, start_wh, *told)
    desk.passes(seconds=30)
    for register in told:
        desk.passes(seconds=0.2)
        assert desk.meter(session_id, register, at=desk.clock.at) == []
    session = desk.session(session_id)
    assert (session.energy_wh, session.meter_wh) == (6_903, start_wh + 6_903)
    desk.passes(seconds=30)
    desk.meter(session_id, start_wh + 7_000)
    assert energy(desk, session_id) == 7_000
    desk.stop(session_id, start_wh + 7_020)
    assert desk.bill(session_id)[0] == 7_020
    assert desk.findings() == {}


def test_a_charge_whose_samples_were_told_again_is_estimated_once(desk: Desk) -> None:
    """Q27, C4."""
    told = [METER + 117 * minute for minute in range(1, 60)]
    session_id = readings(desk, METER, *told, *told)
    desk.status("BLR-1", 1, "Charging")
    desk.lose(session_id)
    assert desk.session(session_id).cost_paise == 12_425, "6,903 Wh"


def test_samples_on_a_register_of_their_own_do_not_outbid_the_meter(desk: Desk) -> None:
    """Q35: its stop goes on from its start, not from them."""
    session_id = readings(desk, 4_076_000, 4_077_000, 4_078_000, 2_900, 3_900, 4_900, every_s=300)
    desk.passes(seconds=10)
    desk.stop(session_id, 4_081_000)
    assert desk.bill(session_id)[0] == 5_000
