"""Stops of nobody (payments.md C11-C13), and a stop's figures in plain numbers (architecture.md, deadlines; Q30)."""

from datetime import timedelta

import pytest

from domain import charging, findings, stops, tokens, wishes
from domain.events import HabitsChanged
from domain.models import SessionState
from tests.money.charges import METER, Desk


@pytest.mark.row("C11")
@pytest.mark.parametrize("transaction_id", [4_711, 2**31 - 1])
def test_a_stop_of_an_unknown_transaction_is_kept_for_the_operator(desk: Desk, transaction_id: int) -> None:
    """C11, Q21."""
    desk.charger()
    session_id = desk.charging(desk.driver())
    for _ in range(2):
        desk.changes_nothing(desk.stop, session_id, METER + 1_000, transaction_id=transaction_id)
    assert desk.findings() == {"orphan-stop": 1}


@pytest.mark.row("C11")
def test_the_orphans_of_one_charger_have_an_end(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """One made 1,153 in 20 s with ever new numbers, all shown to operators; those beyond are counted."""
    monkeypatch.setattr(stops, "ORPHANS", 3)
    desk.charger()
    desk.charger("BLR-2")
    session_id = desk.charging(desk.driver())
    for charger_id in ("BLR-1", "BLR-2"):
        for number in range(4_711, 4_718):
            desk.stop(session_id, METER, charger_id=charger_id, transaction_id=number)
    desk.stop(session_id, METER, transaction_id=4_711)
    found = desk.do(findings.unresolved)
    assert [one.ref for one in found] == [
        *(f"BLR-1:{number}:{METER}" for number in (4_711, 4_712, 4_713)),
        "BLR-1:more",
        *(f"BLR-2:{number}:{METER}" for number in (4_711, 4_712, 4_713)),
        "BLR-2:more",
    ]
    assert found[3].detail.startswith(
        "4 more stops of BLR-1 belong to no charge; the messages of the charger have each."
    )
    assert "StopTransaction 4717 at" in found[3].detail


@pytest.mark.row("C12")
def test_a_stop_with_another_chargers_transaction_does_not_touch_it(desk: Desk) -> None:
    """C12."""
    desk.charger()
    desk.charger("BLR-2")
    session_id = desk.charging(desk.driver())
    desk.changes_nothing(desk.stop, session_id, METER + 1_000, charger_id="BLR-2")
    assert desk.findings() == {"orphan-stop": 1}


@pytest.mark.row("C12")
@pytest.mark.parametrize("of_card", [False, True])
def test_a_stop_with_our_number_and_another_charges_tag_is_not_ours(desk: Desk, of_card: bool) -> None:
    """C12: after an older backup was restored without its last step, a number may have been given twice; the other
    charge runs on at the other plug of the same charger and ends with the tag that we gave it."""
    asha = desk.driver()
    desk.charger()
    desk.do(tokens.add, "CARD", user_id=asha)
    session_id = desk.walk_up("CARD", METER).session_id if of_card else desk.charging(asha)
    desk.flows(session_id, 1)
    lost = {"register": METER + 900_000, "tag": "LOSTCHARGE1234"}
    for _ in range(2):
        desk.changes_nothing(desk.stop, session_id, **lost)
    assert desk.findings() == {"orphan-stop": 1}
    desk.stop(session_id, METER + 1_000)
    assert desk.bill(session_id) == (1_000, 1_800)
    desk.changes_nothing(desk.stop, session_id, **lost)
    assert desk.findings() == {"orphan-stop": 1}


@pytest.mark.parametrize("tag", ["04A2B9C1D2E380", "MASTERCARD", "REMOTE", "STAFFCARD00001", "own", "own and more"])
def test_a_stop_with_our_number_and_whatever_else_is_of_our_charge(desk: Desk, tag: str) -> None:
    """Q24, Q25: who stops a charge may have any card, of 14 characters too, or none; the user is the session's."""
    _, session_id = desk.a_charge(kwh=1)
    desk.do(tokens.add, "STAFFCARD00001")
    own = desk.session(session_id).tag.lower()
    desk.stop(session_id, METER + 1_000, tag={"own": own, "own and more": own + "XY"}.get(tag, tag))
    assert desk.bill(session_id) == (1_000, 1_800)
    assert desk.findings() == {}


@pytest.mark.row("C12")
@pytest.mark.parametrize("lost", [False, True])
@pytest.mark.parametrize("connector", [1, 2])
def test_a_stop_with_our_number_and_the_tag_of_an_earlier_charge(desk: Desk, lost: bool, connector: int) -> None:
    """Q24: some chargers tell the last driver's tag. The number decides; a repetition changes nothing."""
    asha, ben = desk.driver(), desk.driver()
    desk.charger(connectors=2)
    first = desk.charging(asha, connector=connector)
    desk.flows(first, 2)
    if lost:
        desk.lose(first)
    else:
        desk.stop(first, METER + 2_000)
        desk.status("BLR-1", connector, "Available")
    second = desk.request(ben)
    desk.start(second, METER + 2_000)
    desk.flows(second, 3)
    told = {"register": METER + 5_100, "tag": desk.session(first).tag}
    desk.stop(second, **told)
    assert desk.bill(second) == (3_100, 5_580)
    assert desk.state(first) == (SessionState.INTERRUPTED if lost else SessionState.SETTLED)
    desk.changes_nothing(desk.stop, second, **told)
    assert desk.findings() == {}


@pytest.mark.row("C12")
def test_a_stop_with_our_number_and_the_tag_of_the_drivers_other_wish(desk: Desk) -> None:
    """Q28: the charger obeyed both calls; it began with the tag of the one and ends with that of the other."""
    asha = desk.driver()
    desk.charger()
    first = desk.request(asha)
    desk.do(wishes.answered, first, "silent")
    second = desk.request(asha)
    tags = desk.session(first).tag, desk.session(second).tag
    assert desk.start(first).session_id == second
    desk.flows(second, 5)
    assert (desk.session(second).tag, desk.session(first).tag) == tags
    desk.stop(second, METER + 5_400, tag=tags[1])
    assert desk.bill(second) == (5_400, 9_720)
    assert desk.findings() == {}


@pytest.mark.row("C2", "C12")
@pytest.mark.parametrize("has_clock", [True, False])
def test_a_stop_with_the_number_of_a_charge_beside_it_ends_the_one_of_its_tag(desk: Desk, has_clock: bool) -> None:
    """Q22: the charger mixes up the numbers of its connectors; a repetition does no harm either."""
    desk.charger(connectors=2)
    first = desk.begun(desk.driver(), 1)
    second = desk.charging(desk.driver(), connector=2)
    desk.passes(minutes=5)
    told = {"register": METER + 3_000, "transaction_id": desk.session(first).transaction_id}
    told |= {"tag": desk.session(second).tag, "at": desk.clock.at - timedelta(seconds=1)}
    desk.stop(second, **(told if has_clock else told | {"at": desk.clock.at}))
    assert (desk.state(first), desk.bill(second)) == (SessionState.CHARGING, (3_000, 5_400))
    desk.passes(minutes=1)
    desk.changes_nothing(desk.stop, second, **(told if has_clock else told | {"at": desk.clock.at}))
    assert (desk.state(first), desk.findings()) == (SessionState.CHARGING, {})


@pytest.mark.parametrize("told", [{}, {"transaction_id": 0}])
def test_two_cards_that_a_charger_stops_with_the_last_number_both_pay(desk: Desk, told: dict[str, int]) -> None:
    """Q22: a stop below the start of the charge that it names is of the card's own charge at the other connector."""
    asha, ben = desk.driver(), desk.driver()
    desk.charger(connectors=2)
    for user_id, card in ((asha, "CARD1"), (ben, "CARD2")):
        desk.do(tokens.add, card, user_id=user_id)
    first = desk.walk_up("CARD1", METER).session_id
    second = desk.walk_up("CARD2", METER + 50_000, connector_number=2).session_id
    desk.passes(minutes=10)
    last = {"transaction_id": desk.session(second).transaction_id} | told
    desk.stop(first, METER + 4_000, tag="card1", **last)
    desk.changes_nothing(desk.stop, first, METER + 4_000, tag="card1", **last)
    desk.stop(second, METER + 53_000, tag="CARD2", **last)
    desk.changes_nothing(desk.stop, first, METER + 4_000, tag="card1", **last)
    assert (desk.bill(first), desk.bill(second)) == ((4_000, 7_200), (3_000, 5_400))
    assert (desk.free(asha), desk.free(ben), desk.findings()) == (928, 946, {})


@pytest.mark.parametrize("whose", ["its own", "a stranger's", "of a charge at a higher register"])
def test_a_stop_below_the_start_that_no_card_beside_it_fits_ends_what_it_names(desk: Desk, whose: str) -> None:
    """Q38: its register was reset; the number decides, whichever card ended the charge."""
    desk.charger(connectors=2)
    desk.do(tokens.add, "CARD2")
    session_id = desk.walk_up("CARD1", METER).session_id
    desk.walk_up("CARD2", METER + 5_000, connector_number=2)
    desk.passes(minutes=10)
    tag = {"its own": "CARD1", "a stranger's": "CARD3"}.get(whose, "CARD2")
    desk.stop(session_id, 300, tag=tag)
    assert desk.state(session_id) == SessionState.SETTLED


@pytest.mark.row("C12")
@pytest.mark.parametrize("settled", [False, True])
def test_a_stop_with_the_number_of_a_charge_that_it_cannot_end(desk: Desk, settled: bool) -> None:
    """C12: the register is below its last reading, or it has ended at another one; the tag is of nobody who charges."""
    asha, other = desk.driver(), desk.driver()
    desk.charger()
    earlier = desk.request(other)
    desk.do(charging.request_stop, earlier, "driver")
    session_id = desk.begun(asha, 2)
    if settled:
        desk.stop(session_id, METER + 2_000)
    register = METER + (9_000 if settled else 1_000)
    desk.changes_nothing(desk.stop, session_id, register, tag=desk.session(earlier).tag)
    assert desk.findings() == {"orphan-stop": 1}


@pytest.mark.row("C13")
@pytest.mark.parametrize("transaction_id", [-1, 0, 2**31])
@pytest.mark.parametrize("with_tag", [True, False])
def test_a_stop_of_a_charger_that_ignores_our_numbers(desk: Desk, transaction_id: int, with_tag: bool) -> None:
    """C13, Q21: it is the only charge there that fits; a repetition is one, too."""
    _, session_id = desk.a_charge(kwh=1)
    told = {"transaction_id": transaction_id, "tag": desk.session(session_id).tag if with_tag else ""}
    desk.stop(session_id, METER + 1_000, **told)
    assert desk.bill(session_id) == (1_000, 1_800)
    desk.changes_nothing(desk.stop, session_id, METER + 1_000, **told)
    assert desk.findings() == {}


def test_a_stop_with_a_number_of_the_chargers_own_and_our_tag(desk: Desk) -> None:
    """Q21, Q22."""
    desk.charger()
    session_id = desk.begun(desk.driver(), 1)
    desk.stop(session_id, METER + 1_000, transaction_id=987_654, tag=desk.session(session_id).tag)
    assert desk.bill(session_id) == (1_000, 1_800)


@pytest.mark.row("C13")
def test_a_stop_without_a_number_ends_the_charge_whose_meter_it_can_be(desk: Desk) -> None:
    """C13: two charges, and only one whose register is not past the stop's."""
    desk.charger(connectors=2)
    first = desk.charging(desk.driver())
    second = desk.charging(desk.driver(), connector=2)
    desk.flows(first, 5)
    desk.stop(second, METER + 3_000, transaction_id=-1)
    assert desk.state(first) == SessionState.CHARGING
    assert desk.session(second).meter_stop_wh == METER + 3_000


@pytest.mark.row("C13")
def test_a_stop_without_a_number_that_fits_two_charges_ends_none(desk: Desk) -> None:
    """C13."""
    desk.charger(connectors=2)
    first = desk.charging(desk.driver())
    second = desk.charging(desk.driver(), connector=2)
    desk.changes_nothing(desk.stop, second, METER + 3_000, transaction_id=-1)
    assert desk.findings() == {"orphan-stop": 1}
    assert desk.state(first) == desk.state(second) == SessionState.CHARGING


@pytest.mark.row("C12", "C13")
def test_a_stop_without_a_number_and_with_a_strangers_tag_ends_none(desk: Desk) -> None:
    """C13, C12."""
    desk.charger()
    session_id = desk.charging(desk.driver())
    desk.changes_nothing(desk.stop, session_id, METER + 3_000, transaction_id=-1, tag="CARD")
    assert desk.findings() == {"orphan-stop": 1}


@pytest.mark.row("C2", "C13")
def test_a_repeated_stop_without_a_number_is_not_the_one_of_a_charge_that_began_since(desk: Desk) -> None:
    """Q20, C13: its answer was lost, and meanwhile somebody charges at the other connector."""
    desk.charger(connectors=2)
    second = desk.charging(desk.driver(), connector=2)
    desk.flows(second, 5)
    told = {"transaction_id": 0, "at": desk.clock.at}
    desk.stop(second, METER + 5_100, **told)
    desk.passes(minutes=1)
    first = desk.charging(desk.driver())
    desk.flows(first, 1)
    desk.changes_nothing(desk.stop, second, METER + 5_100, **told)
    assert (desk.state(first), desk.findings()) == (SessionState.CHARGING, {})


@pytest.mark.row("C2", "C13")
def test_a_repeated_stop_without_number_tag_and_time_is_known_by_its_register(desk: Desk) -> None:
    """Q20, C13: its answer was lost, its clock is broken, and meanwhile somebody charges at the other connector."""
    desk.charger(connectors=2)
    second = desk.charging(desk.driver(), connector=2)
    desk.flows(second, 5)
    desk.stop(second, METER + 5_100, transaction_id=0, at=desk.clock.at)
    desk.passes(minutes=1)
    first = desk.charging(desk.driver())
    desk.changes_nothing(desk.stop, second, METER + 5_100, transaction_id=0, at=desk.clock.at)
    assert (desk.state(first), desk.findings()) == (SessionState.CHARGING, {})
    desk.flows(first, 6)
    desk.stop(first, METER + 6_100, transaction_id=0, at=desk.clock.at)
    assert desk.bill(first) == (6_100, 10_980)


@pytest.mark.row("C13")
def test_a_stop_that_says_nothing_is_no_repetition(desk: Desk) -> None:
    """C13: of a charger that never tells meterStop each stop looks like the one before."""
    desk.charger()
    for _ in range(2):
        session_id = desk.begun(desk.driver(), 1)
        desk.stop(session_id, None, transaction_id=0, at=desk.clock.at)
        assert desk.bill(session_id) == (1_000, 1_800)
        desk.status("BLR-1", 1, "Available")


@pytest.mark.row("C2", "C13")
def test_a_stop_without_a_number_of_a_charge_that_runs_beside_a_settled_one(desk: Desk) -> None:
    """C13: the same second and the same register are a repetition; another second is the running one's stop."""
    desk.charger(connectors=2)
    first, second = (desk.charging(desk.driver(), connector=number) for number in (1, 2))
    desk.passes(minutes=5)
    desk.stop(second, METER + 5_000)
    desk.changes_nothing(desk.stop, second, METER + 5_000, transaction_id=-1)
    desk.passes(seconds=1)
    desk.stop(first, METER + 5_000, transaction_id=-1)
    assert desk.bill(first) == (5_000, 9_000)


@pytest.mark.row("C2", "C13")
@pytest.mark.parametrize("running", [1, 2])
def test_a_repeated_stop_without_a_number_and_at_another_time_is_known_by_its_register(
    desk: Desk, running: int
) -> None:
    """C13: a clock was set meanwhile. Where it may also end either of two others, somebody looks at it."""
    desk.charger(connectors=3)
    first, *others = (desk.charging(desk.driver(), connector=number) for number in range(1, running + 2))
    desk.passes(minutes=5)
    desk.stop(first, METER + 5_000)
    if running == 1:
        desk.stop(others[0], METER + 5_100)
    desk.passes(minutes=5)
    desk.changes_nothing(desk.stop, first, METER + 5_000, transaction_id=-1)
    assert desk.findings() == ({} if running == 1 else {"orphan-stop": 1})


def test_a_reason_is_kept_as_far_as_there_is_room(desk: Desk) -> None:
    _, session_id = desk.a_charge(kwh=1)
    desk.stop(session_id, METER + 1_000, reason="EmergencyStopPressedTwice")
    assert desk.session(session_id).stop_reason == "EmergencyStopPressed"


@pytest.mark.parametrize(("tries", "ignored"), [(0, False), (1, False), (2, True)])
def test_who_was_asked_twice_does_not_listen(desk: Desk, tries: int, ignored: bool) -> None:
    """Q30."""
    _, session_id = desk.a_charge()
    desk.do(charging.request_stop, session_id, "driver")
    for _ in range(tries):
        desk.do(stops.stop_asked, session_id, True)
    assert stops.ignored(desk.session(session_id)) is ignored


@pytest.mark.row("C13")
def test_a_stop_without_a_number_from_before_the_only_charge_is_of_nobody(desk: Desk) -> None:
    """C13, Q21: a stop from days ago. Without a clock of its own it could be any."""
    desk.charger()
    session_id = desk.begun(desk.driver(), 1)
    old = {"transaction_id": -1, "at": desk.clock.at - timedelta(days=2)}
    desk.changes_nothing(desk.stop, session_id, METER + 3_000, **old)
    assert desk.findings() == {"orphan-stop": 1}
    desk.passes(minutes=3)
    desk.stop(session_id, METER + 3_000, transaction_id=-1, at=desk.clock.at)
    assert desk.bill(session_id) == (3_000, 5_400)


def test_a_stop_without_a_number_is_sought_among_20_charges(desk: Desk) -> None:
    desk.charger(connectors=21)
    first, second, *_ = [desk.charging(desk.driver(), connector=n) for n in range(1, 22)]
    for session_id, found in ((first, False), (second, True)):
        desk.passes(minutes=1)
        desk.stop(session_id, METER, transaction_id=-1, tag=desk.session(session_id).tag)
        assert (desk.state(session_id) == "SETTLED") is found


def test_a_stop_is_looked_at_after_30_s_asked_again_every_15_s_and_from_the_sixth_time_on_every_5_minutes(
    desk: Desk,
) -> None:
    desk.charger()
    session_id = desk.charging(desk.driver())
    desk.do(charging.request_stop, session_id, "driver")
    asked = []
    for _ in range(6):
        desk.do(stops.stop_asked, session_id, True)
        due_at = desk.session(session_id).due_at
        assert due_at is not None
        waits = (due_at - desk.clock.at).total_seconds()
        desk.passes(seconds=waits)
        [left] = desk.sweep().values()
        asked.append((waits, left))
    assert asked == [(30, "stop"), *[(15, "stop")] * 4, (15, "escalate")]
    desk.do(stops.stop_escalated, session_id)
    due_at = desk.session(session_id).due_at
    assert due_at is not None and (due_at - desk.clock.at).total_seconds() == 300


def test_a_stop_tells_that_the_samples_were_kilowatt_hours(desk: Desk) -> None:
    """Q34: meterStop is in Wh always; from the next charge on the samples are read so."""
    desk.charger()
    session_id = desk.request(desk.driver())
    desk.start(session_id, 0)
    desk.passes(minutes=20)
    desk.meter(session_id, 20)
    desk.stop(session_id, 20_000)
    assert desk.bill(session_id) == (20_000, 36_000)
    assert desk.findings() == {"energy-scale": 1}
    assert HabitsChanged("BLR-1") in desk.events
