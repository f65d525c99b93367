"""Starts that are told again, or by nobody we know (payments.md C26, C33; ocpp.md Q16-Q20), and their limits."""

from datetime import timedelta

import pytest

from domain import charging, settings, tokens, wishes
from domain.charging import Refused
from domain.models import SessionState
from domain.wishes import ENDINGS
from tests.money.charges import METER, Desk


@pytest.mark.row("C33")
def test_a_start_that_is_repeated_is_one_session(desk: Desk) -> None:
    """C33, Q19."""
    desk.charger()
    session_id = desk.request(desk.driver())
    begun_at = desk.clock.at
    first = desk.start(session_id, at=begun_at)
    for _ in range(2):
        desk.passes(minutes=30)
        before = desk.everything()
        assert desk.start(session_id, at=begun_at) == first
        assert desk.everything() == before


def test_a_start_that_is_repeated_after_the_stop_says_the_same(desk: Desk) -> None:
    """Q19."""
    desk.charger()
    session_id = desk.request(desk.driver())
    begun_at = desk.clock.at
    first = desk.start(session_id, at=begun_at)
    desk.flows(session_id, 1)
    desk.stop(session_id, METER + 1_000)
    before = desk.everything()
    again = desk.start(session_id, at=begun_at)
    assert (again.transaction_id, again.status, again.stop) == (first.transaction_id, first.status, False)
    assert desk.everything() == before


def test_a_start_that_is_repeated_after_the_driver_stopped_says_the_same(desk: Desk) -> None:
    """Q19: and says that it must be stopped."""
    desk.charger()
    session_id = desk.request(desk.driver())
    begun_at = desk.clock.at
    first = desk.start(session_id, at=begun_at)
    desk.do(charging.request_stop, session_id, "driver")
    again = desk.start(session_id, at=begun_at)
    assert (again.transaction_id, again.status, again.stop) == (first.transaction_id, "Accepted", True)


@pytest.mark.parametrize("register", [0, METER])
def test_a_start_that_is_repeated_with_a_broken_clock_while_it_runs(desk: Desk, register: int) -> None:
    """Q19: our tags are used once, so it is the same charge however long the answer was on its way."""
    desk.charger()
    session_id = desk.request(desk.driver())
    first = desk.start(session_id, register, at=desk.clock.at)
    desk.passes(hours=2)
    again = desk.start(session_id, register, at=desk.clock.at)
    assert again.transaction_id == first.transaction_id
    assert desk.state(session_id) == SessionState.CHARGING


@pytest.mark.row("C33")
@pytest.mark.parametrize("hours", [0, 25])
def test_a_start_that_is_repeated_with_a_broken_clock_after_its_stop_counts_as_lost(
    desk: Desk, strict: None, hours: int
) -> None:
    """C33, Q19: the answer was lost with the line, and the charge went on; a day later its estimate is debited."""
    asha = desk.driver()
    desk.charger()
    session_id = desk.request(asha)
    first = desk.start(session_id, at=desk.clock.at)
    desk.disconnect()
    desk.passes(minutes=20)
    assert desk.interrupt_lost() == [session_id]
    desk.passes(hours=hours)
    desk.sweep()
    desk.connect()
    assert desk.start(session_id, at=desk.clock.at) == first
    desk.stop(session_id, METER + 20_000)
    assert desk.bill(session_id) == (20_000, 36_000)
    assert desk.free(asha) == 640


def test_a_broken_clock_repeats_a_card_only_for_a_while(desk: Desk) -> None:
    """Q19: two charges with the same card and a meter that begins at zero are never made one."""
    desk.charger()
    first = desk.walk_up()
    desk.passes(minutes=14)
    assert desk.walk_up() == first
    desk.passes(minutes=1)
    assert desk.walk_up() != first


def test_a_single_watt_hour_makes_a_register_one_that_cannot_come_again(desk: Desk) -> None:
    """Q19."""
    desk.charger()
    first = desk.walk_up(meter_wh=METER)
    desk.stop(first.session_id, METER + 1)
    desk.passes(hours=1)
    assert desk.walk_up(meter_wh=METER) == first


@pytest.mark.parametrize("heard", ["nothing", "a reading", "its stop"])
def test_a_broken_clock_repeats_a_card_as_long_as_its_register_cannot_come_again(desk: Desk, heard: str) -> None:
    """Q19: a register that counts on was at the start of a charge only once, if energy flowed since."""
    asha = desk.driver()
    desk.charger()
    desk.do(tokens.add, "CARD", user_id=asha)
    first = desk.walk_up(meter_wh=METER)
    if heard != "nothing":
        desk.flows(first.session_id, 2)
    if heard == "its stop":
        desk.stop(first.session_id, METER + 2_000)
    else:
        desk.passes(minutes=20)
        assert desk.interrupt_lost() == [first.session_id]
    desk.passes(hours=5)
    desk.heard("BLR-1")
    again = desk.walk_up(meter_wh=METER)
    assert (again.session_id, again.transaction_id) == (first.session_id, first.transaction_id)
    desk.stop(first.session_id, METER + (2_000 if heard == "its stop" else 5_000))
    assert desk.bill(first.session_id)[0] == (2_000 if heard == "its stop" else 5_000)
    assert desk.findings() == {}


@pytest.mark.parametrize("other", ["at zero", "nothing flowed", "a day later", "a clock", "another card"])
def test_what_begins_at_the_same_register_is_another_charge(desk: Desk, other: str) -> None:
    """Q19: at zero each may begin; after nothing flowed the next one begins where the last one did."""
    desk.charger()
    meter_wh = 0 if other == "at zero" else METER
    first = desk.walk_up(meter_wh=meter_wh)
    if other != "nothing flowed":
        desk.flows(first.session_id, 2)
    desk.stop(first.session_id, (desk.session(first.session_id).meter_wh or 0))
    desk.passes(hours=24 if other == "a day later" else 1)
    told = {"a clock": {"at": desk.clock.at - timedelta(seconds=1)}, "another card": {"tag": "CARD2"}}.get(other, {})
    assert desk.walk_up(meter_wh=meter_wh, **told).session_id != first.session_id


def test_a_card_in_the_same_second_on_the_other_connector_is_another_charge(desk: Desk) -> None:
    """Q19: nor are they at a family that starts both its cars."""
    desk.charger(connectors=2)
    assert desk.walk_up() != desk.walk_up(connector_number=2)


@pytest.mark.parametrize("has_clock", [True, False])
def test_a_card_is_repeated_after_the_stop_too(desk: Desk, has_clock: bool) -> None:
    """Q19: by the charger's time however late; without one for a quarter of an hour, if it lacks our number still."""
    desk.charger()
    told = {"at": desk.clock.at - timedelta(seconds=1)} if has_clock else {}
    first = desk.walk_up(**told)
    desk.passes(minutes=5)
    desk.stop(first.session_id, 1_000, tag="CARD", **({} if has_clock else {"transaction_id": -1}))
    desk.passes(minutes=2_000 if has_clock else 5)
    assert desk.walk_up(**told) == first


@pytest.mark.parametrize(("begins_wh", "took_wh"), [(METER, 0), (0, 5_000)])
def test_two_charges_of_a_card_without_a_clock_are_never_one(desk: Desk, begins_wh: int, took_wh: int) -> None:
    """Q19: the second would be free, be it after a try of nothing or where each register begins at zero."""
    asha = desk.driver()
    desk.charger()
    desk.do(tokens.add, "CARD", user_id=asha)
    first = desk.walk_up("CARD", begins_wh)
    desk.passes(minutes=6)
    desk.stop(first.session_id, begins_wh + took_wh, at=desk.clock.at, tag="CARD")
    desk.passes(minutes=1)
    second = desk.walk_up("CARD", begins_wh)
    assert second.transaction_id != first.transaction_id
    desk.passes(minutes=6)
    desk.stop(second.session_id, begins_wh + 4_000, at=desk.clock.at, tag="CARD")
    assert desk.bill(second.session_id) == (4_000, 7_200)


@pytest.mark.parametrize("echo", [str.lower, lambda tag: f"{tag}00", lambda tag: f"{tag.lower()}      "])
def test_our_tag_in_other_spellings(desk: Desk, echo: object) -> None:
    """Q25: any case, and characters behind it."""
    desk.charger()
    session_id = desk.request(desk.driver())
    tag = echo(desk.session(session_id).tag)  # type: ignore[operator]
    assert desk.do(charging.authorize, "BLR-1", tag) == "Accepted"
    assert desk.start(session_id, tag=tag).session_id == session_id
    assert desk.start(session_id, tag=tag).session_id == session_id
    desk.flows(session_id, 1)
    desk.stop(session_id, METER + 1_000, transaction_id=0, tag=tag)
    assert desk.bill(session_id) == (1_000, 1_800)


def test_a_used_tag_begins_no_wish(desk: Desk) -> None:
    """Q25: its charge was paid; the driver's next one has a tag of its own."""
    asha, first = desk.a_charge(kwh=1)
    desk.stop(first, METER + 1_000)
    desk.status("BLR-1", 1, "Available")
    second = desk.request(asha)
    begun = desk.start(first, METER + 1_000)
    assert (begun.status, begun.stop) == ("Invalid", True)
    assert desk.state(second) == SessionState.CANCELLED


def test_a_tag_of_ours_is_good_for_one_charge(desk: Desk) -> None:
    """Q25, Q32: used again it is nobody's, even where unknown cards may charge."""
    _, session_id = desk.a_charge(kwh=1)
    desk.stop(session_id, METER + 1_000)
    assert desk.do(charging.authorize, "BLR-1", desk.session(session_id).tag) == "Invalid"
    again = desk.start(session_id, METER + 1_000)
    assert again.session_id != session_id
    assert (again.status, again.stop) == ("Invalid", True)
    assert desk.session(again.session_id).user_id is None


def test_a_tag_of_ours_whose_charge_took_nothing_is_good_for_no_other(desk: Desk) -> None:
    """Q25: told again where the register still stands, it would be the same charge without its stop."""
    _, session_id = desk.a_charge()
    desk.stop(session_id, METER)
    desk.passes(minutes=20)
    again = desk.start(session_id)
    assert again.session_id != session_id
    assert (again.status, again.stop) == ("Invalid", True)


def test_a_tag_of_ours_on_another_charger_is_nobodys(desk: Desk, strict: None) -> None:
    desk.charger()
    desk.charger("BLR-2")
    session_id = desk.request(desk.driver())
    begun = desk.start(session_id, charger_id="BLR-2")
    assert (begun.status, begun.stop) == ("Invalid", True)
    assert desk.state(session_id) == SessionState.REQUESTED


def test_a_card_of_the_chargers_own_is_a_walk_up(desk: Desk) -> None:
    """Q32: where unknown cards may charge; the connector is taken, nobody's wallet is."""
    asha = desk.driver()
    desk.charger()
    begun = desk.walk_up("a-card", 5)
    assert (begun.status, begun.stop) == ("Accepted", False)
    assert desk.refusal(asha)[0] == "busy"
    assert desk.flows(begun.session_id, 100) == []
    desk.stop(begun.session_id, 100_005, tag="A-CARD")
    session = desk.session(begun.session_id)
    assert (session.user_id, session.state, session.energy_wh) == (None, SessionState.SETTLED, 100_000)
    assert session.receipt_number == ""


def test_unknown_cards_are_refused_where_they_must_be(desk: Desk, strict: None) -> None:
    """Q32: the answer carries a transaction id all the same, and the charge is stopped."""
    desk.charger()
    assert desk.do(charging.authorize, "BLR-1", "CARD") == "Invalid"
    begun = desk.walk_up("CARD", 5)
    assert begun.transaction_id > 0
    assert (begun.status, begun.stop) == ("Invalid", True)
    assert desk.state(begun.session_id) == SessionState.STOPPING


def test_unknown_chargers_may_connect_where_unknown_cards_may_not_charge(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who lets chargers enrol themselves in production does not give their energy away."""
    monkeypatch.setattr(settings.settings(), "env", "production")
    monkeypatch.setattr(settings.settings(), "ocpp_accept_unknown", True)
    desk.charger()
    assert desk.do(charging.authorize, "BLR-1", "CARD") == "Invalid"
    begun = desk.walk_up("CARD", 5)
    assert (begun.status, begun.stop) == ("Invalid", True)


def test_the_tag_of_an_interrupted_charge_may_go_on(desk: Desk) -> None:
    desk.charger()
    session_id = desk.begun(desk.driver(), 1)
    desk.lose(session_id)
    assert desk.do(charging.authorize, "BLR-1", desk.session(session_id).tag) == "Accepted"


def test_a_start_on_the_other_connector_follows_the_cable(desk: Desk) -> None:
    asha = desk.driver()
    desk.charger(connectors=2)
    session_id = desk.request(asha, connector=1)
    begun = desk.start(session_id, connector_number=2)
    assert (begun.session_id, begun.status) == (session_id, "Accepted")
    assert desk.session(session_id).connector_number == 2
    desk.request(desk.driver(), connector=1)


def test_a_start_that_names_no_connector_is_on_none_that_stands_for_the_charger(desk: Desk) -> None:
    """OCPP 1.6, 4.9: connector 0 is the charger as a whole, and its state is told, too."""
    desk.charger(connectors=2)
    desk.status("BLR-1", 0, "Available")
    begun = desk.walk_up(connector_number=0)
    assert desk.session(begun.session_id).connector_number == 1


def test_a_start_on_a_connector_nobody_reported(desk: Desk) -> None:
    desk.charger()
    session_id = desk.request(desk.driver())
    assert desk.start(session_id, connector_number=3).session_id == session_id
    assert desk.session(session_id).connector_number == 3


def test_somebody_elses_start_takes_the_connector_and_gives_the_money_back(desk: Desk) -> None:
    asha = desk.driver()
    desk.charger()
    session_id = desk.request(asha)
    walk_up = desk.start(session_id, tag="CARD")
    assert walk_up.session_id != session_id
    assert charging.explain(desk.session(session_id)) == ENDINGS["taken"]
    assert desk.free(asha) == 1_000


@pytest.mark.parametrize("whose", ["own", "own, blocked", "another's"])
def test_a_card_that_is_quicker_than_the_app_is_the_drivers_own_charge(desk: Desk, whose: str) -> None:
    """With the limit that he chose for it; what a blocked card takes is nobody's."""
    asha, ravi = desk.driver(), desk.driver()
    desk.charger()
    desk.do(tokens.add, "CARD", user_id=ravi if whose == "another's" else asha)
    if whose == "own, blocked":
        desk.do(tokens.set_status, "CARD", "Blocked")
    wish = desk.request(asha, wh=5_000)
    desk.do(wishes.answered, wish, "accepted")
    begun = desk.session(desk.walk_up("CARD", METER).session_id)
    own = whose == "own"
    assert charging.explain(desk.session(wish)) == ENDINGS["own card" if own else "taken"]
    assert (begun.user_id == asha, begun.limit_wh) == (own, 5_000 if own else None)
    assert (desk.money(asha).held_paise > 0) == own
    late = desk.start(wish)
    assert (late.status, late.session_id == wish) == ("Invalid", False), "the app's start comes after all"


def test_a_start_on_a_connector_where_a_charge_runs_means_its_stop_was_lost(desk: Desk) -> None:
    """Q23."""
    asha, session_id = desk.a_charge(kwh=2)
    desk.start(session_id, METER + 2_000, tag="CARD")
    session = desk.session(session_id)
    assert (session.state, session.cost_paise, session.estimated) == (SessionState.INTERRUPTED, 3_600, True)
    assert desk.money(asha).held_paise == 3_600


@pytest.mark.parametrize(("kind", "most"), [("paise", 1_000_000), ("wh", 10_000_000), ("minutes", 10_000)])
def test_a_limit_has_its_most(desk: Desk, kind: str, most: int) -> None:
    desk.charger()
    asha = desk.driver()
    with pytest.raises(Refused):
        desk.request(asha, **{kind: most + 1})
    desk.request(asha, **{kind: most})


def test_a_reference_has_sixteen_letters_whoever_begins(desk: Desk) -> None:
    desk.charger(connectors=2)
    begun = desk.walk_up(connector_number=2).session_id, desk.request(desk.driver())
    assert [len(desk.session(session_id).ref) for session_id in begun] == [16, 16]


@pytest.mark.parametrize("status", ["SuspendedEV", "SuspendedEVSE"])
def test_a_pause_that_is_told_before_the_start_is_of_the_charge(desk: Desk, status: str) -> None:
    """Q26: nothing flows, so its money is not spent, however long the car waits."""
    desk.charger()
    session_id = desk.request(desk.driver(500))
    desk.do(wishes.answered, session_id, "accepted")
    desk.status("BLR-1", 1, status)
    desk.passes(seconds=1)
    desk.start(session_id)
    for _ in range(12):
        desk.passes(minutes=5)
        desk.heard("BLR-1")
        assert desk.sweep() == {}
    assert (desk.state(session_id), desk.session(session_id).suspended) == (SessionState.CHARGING, status)


def test_what_a_connector_said_long_before_a_charge_is_none_of_it(desk: Desk) -> None:
    """Another car's pause; this one's charger has not said yet what it does."""
    desk.charger()
    desk.status("BLR-1", 1, "SuspendedEV")
    desk.passes(minutes=2)
    begun = desk.walk_up()
    assert desk.session(begun.session_id).suspended == ""


def test_a_card_filled_with_blanks_is_one_card(desk: Desk) -> None:
    """Q25: also where its stop does not know our number (Q21)."""
    asha = desk.driver()
    desk.charger()
    desk.do(tokens.add, "CARD01", user_id=asha)
    begun = desk.walk_up("CARD01  ", METER)
    assert desk.session(begun.session_id).user_id == asha
    desk.passes(minutes=5)
    desk.stop(begun.session_id, METER + 4_000, transaction_id=0, tag="CARD01  ")
    assert desk.bill(begun.session_id) == (4_000, 7_200)
