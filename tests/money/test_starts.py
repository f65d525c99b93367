"""Starts that are told again, late, or by nobody we know (payments.md C26, C33; ocpp.md Q16-Q20), and their limits."""

from datetime import timedelta

import pytest

from domain import accounts, charging, settings, wallet
from domain.charging import ENDINGS, Refused
from domain.models import SessionState
from tests.money import house
from tests.money.charges import METER, Desk


@pytest.fixture
def strict(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unknown cards may not charge, as in production."""
    monkeypatch.setattr(settings.settings(), "ocpp_accept_unknown", False)


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


def test_a_start_that_is_repeated_with_a_broken_clock_while_it_runs(desk: Desk) -> None:
    """Q19: our tags are used once, so it is the same charge however long the answer was on its way."""
    desk.charger()
    session_id = desk.request(desk.driver())
    first = desk.start(session_id, at=desk.clock.at)
    desk.passes(hours=2)
    again = desk.start(session_id, at=desk.clock.at)
    assert again.transaction_id == first.transaction_id
    assert desk.state(session_id) == SessionState.CHARGING


def test_a_broken_clock_repeats_a_card_only_for_a_while(desk: Desk) -> None:
    """Q19: two charges with the same card and a meter that begins at zero are never made one."""
    desk.charger()
    first = desk.walk_up()
    desk.passes(minutes=14)
    assert desk.walk_up() == first
    desk.passes(minutes=2)
    assert desk.walk_up() != first


def test_a_card_in_the_same_second_on_the_other_connector_is_another_charge(desk: Desk) -> None:
    """Q19: nor are they at a family that starts both its cars."""
    desk.charger(connectors=2)
    assert desk.walk_up() != desk.walk_up(connector_number=2)


@pytest.mark.parametrize("has_clock", [True, False])
def test_a_card_is_repeated_after_the_stop_too(desk: Desk, has_clock: bool) -> None:
    """Q19: by the charger's time however late, without one for a quarter of an hour."""
    desk.charger()
    told = {"at": desk.clock.at - timedelta(seconds=1)} if has_clock else {}
    first = desk.walk_up(**told)
    desk.passes(minutes=5)
    desk.stop(first.session_id, 1_000)
    desk.passes(minutes=120 if has_clock else 5)
    assert desk.walk_up(**told) == first


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


@pytest.mark.row("C26")
def test_a_plug_after_we_gave_up_charges_if_money_allows(desk: Desk) -> None:
    """C26, Q28."""
    asha = desk.driver()
    desk.charger()
    session_id = desk.request(asha)
    desk.do(charging.answered, session_id, "silent")
    desk.passes(minutes=3)
    begun = desk.start(session_id)
    assert (begun.session_id, begun.status, begun.stop) == (session_id, "Accepted", False)
    assert desk.money(asha).held_paise == 100_000
    desk.flows(session_id, 1)
    desk.stop(session_id, METER + 1_000)
    assert desk.bill(session_id) == (1_000, 1_800)


def _spend(desk: Desk, asha: int) -> None:
    desk.do(wallet.adjust, asha, -96_000, key="spent", reason="for a test")


def _owe(desk: Desk, asha: int) -> None:
    desk.do(house.owe, asha, 100)


def _block(desk: Desk, asha: int) -> None:
    desk.do(accounts.block, asha)


def test_a_plug_after_we_gave_up_charges_with_the_least_that_a_start_needs(desk: Desk) -> None:
    desk.charger()
    session_id = desk.request(desk.driver(rupees=50))
    desk.do(charging.answered, session_id, "silent")
    assert not desk.start(session_id).stop


@pytest.mark.parametrize("meanwhile", [_spend, _owe, _block])
def test_a_plug_after_we_gave_up_is_ended_if_a_start_would_be_refused(desk: Desk, meanwhile: object) -> None:
    """Q28: what it delivers until it stops is paid from what there is."""
    asha = desk.driver()
    desk.charger()
    session_id = desk.request(asha)
    desk.do(charging.answered, session_id, "silent")
    meanwhile(desk, asha)  # type: ignore[operator]
    begun = desk.start(session_id)
    assert (begun.status, begun.stop) == ("Invalid", True)
    assert desk.start(session_id, at=desk.session(session_id).started_at) == begun
    assert desk.state(session_id) == SessionState.STOPPING
    desk.flows(session_id, 1)
    desk.stop(session_id, METER + 1_000, reason="DeAuthorized")
    assert desk.bill(session_id) == (1_000, 1_800)


def test_a_plug_after_the_driver_cancelled_is_ended(desk: Desk) -> None:
    """Q28: also when the cable is still in."""
    asha = desk.driver()
    desk.charger()
    session_id = desk.request(asha)
    desk.do(charging.request_stop, session_id, "driver")
    begun = desk.start(session_id)
    assert (begun.session_id, begun.status, begun.stop) == (session_id, "Invalid", True)
    desk.stop(session_id, METER)
    assert desk.bill(session_id) == (0, 0)
    assert desk.free(asha) == 1_000


def test_a_plug_after_the_driver_went_elsewhere_is_ended_and_costs_him_nothing(desk: Desk) -> None:
    """Q28: one charge a driver; his tag does not make it a free one either."""
    asha = desk.driver()
    desk.charger()
    desk.charger("BLR-2")
    first = desk.request(asha)
    desk.do(charging.answered, first, "silent")
    second = desk.charging(asha, "BLR-2")
    begun = desk.start(first)
    assert begun.session_id not in (first, second)
    assert (begun.status, begun.stop) == ("Invalid", True)
    assert desk.state(first) == SessionState.CANCELLED
    assert desk.state(second) == SessionState.CHARGING


def test_a_tag_of_ours_is_good_for_one_charge(desk: Desk) -> None:
    """Q25, Q32: used again it is nobody's, even where unknown cards may charge."""
    _, session_id = desk.a_charge(kwh=1)
    desk.stop(session_id, METER + 1_000)
    assert desk.do(charging.authorize, "BLR-1", desk.session(session_id).tag) == "Invalid"
    again = desk.start(session_id, METER + 1_000)
    assert again.session_id != session_id
    assert (again.status, again.stop) == ("Invalid", True)
    assert desk.session(again.session_id).user_id is None


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
