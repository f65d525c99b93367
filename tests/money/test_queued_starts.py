"""Charges that a charger tells when they are over, hours later: whose they are, and whom they leave alone (Q27, C9)."""

from datetime import datetime, timedelta

import pytest

from domain import charging, reservations, tokens, wishes
from domain.models import SessionState
from domain.starts import Started
from tests.money.charges import METER, Desk


def _back(desk: Desk) -> datetime:
    """The charger was away for three hours and is in contact again; gives when two of them had not passed yet."""
    desk.disconnect()
    desk.passes(hours=3)
    desk.connect()
    desk.status("BLR-1", 1, "Available")
    return desk.clock.at - timedelta(hours=2)


def _queued(desk: Desk, at: datetime, tag: str = "CARD", **told: object) -> Started:
    """The start of an hour of charging from `at` on."""
    return desk.walk_up(tag, METER, at=at, **told)


def _ends(desk: Desk, begun: Started, at: datetime) -> None:
    """Its stop, an hour and 20 kWh later."""
    desk.stop(begun.session_id, METER + 20_000, at=at + timedelta(hours=1))


def _card(desk: Desk, rupees: int = 1_000, **kind: object) -> int:
    user_id = desk.driver(rupees)
    desk.do(tokens.add, "CARD", user_id=user_id, **kind)
    return user_id


@pytest.mark.row("C9")
def test_a_charge_that_is_over_leaves_the_wish_of_who_waits_there_alone(desk: Desk) -> None:
    """Q27, C9: the card's user pays it, and the one in the app charges when he plugs in."""
    asha, bela = _card(desk), desk.driver()
    desk.charger()
    at = _back(desk)
    wish = desk.request(bela)
    desk.do(wishes.answered, wish, "accepted")
    old = _queued(desk, at)
    assert (old.status, old.stop) == ("Accepted", False)
    assert _queued(desk, at) == old
    assert desk.state(wish) == SessionState.AWAITING_PLUG
    _ends(desk, old, at)
    assert desk.bill(old.session_id) == (20_000, 36_000)
    assert desk.free(asha) == 640
    begun = desk.start(wish, METER + 20_000)
    assert (begun.session_id, begun.status, desk.state(wish)) == (wish, "Accepted", SessionState.CHARGING)


def test_a_charge_that_is_over_leaves_the_one_that_runs_there_alone(desk: Desk) -> None:
    """Q27, C9: the queue is told after the start of who charges now."""
    asha, bela = _card(desk), desk.driver()
    desk.charger()
    at = _back(desk)
    running = desk.charging(bela)
    old = _queued(desk, at)
    assert desk.state(running) == SessionState.CHARGING
    _ends(desk, old, at)
    assert (desk.bill(old.session_id), desk.free(asha)) == ((20_000, 36_000), 640)


def test_the_samples_of_a_charge_that_is_over_are_held_and_stop_nothing(desk: Desk) -> None:
    """Q23, Q27: without its stop the bill is an estimate, once, after a day."""
    asha, bela = _card(desk), desk.driver()
    desk.charger()
    at = _back(desk)
    wish = desk.request(bela)
    old = _queued(desk, at)
    told = {"at": at + timedelta(minutes=30), "power_w": None}
    assert desk.meter(old.session_id, METER + 10_000, **told) == []
    assert desk.state(old.session_id) == SessionState.INTERRUPTED
    assert desk.money(asha).held_paise == 18_000
    desk.do(charging.request_stop, wish, "driver")
    desk.passes(hours=24)
    desk.sweep()
    assert desk.bill(old.session_id) == (10_000, 18_000)
    _ends(desk, old, at)
    assert (desk.bill(old.session_id), desk.free(asha)) == ((20_000, 36_000), 640)


def test_a_charge_that_was_told_late_and_goes_on_is_stopped_where_another_one_waits(desk: Desk) -> None:
    """Q27: a live sample of it shows that it was not over."""
    _card(desk)
    desk.charger()
    at = _back(desk)
    desk.request(desk.driver())
    old = _queued(desk, at)
    assert desk.meter(old.session_id, METER + 20_000) == [old.session_id]


def test_a_charge_that_began_after_the_wish_takes_the_connector_however_late_it_is_told(desk: Desk) -> None:
    desk.charger()
    desk.disconnect()
    desk.connect()
    wish = desk.request(desk.driver())
    desk.do(wishes.answered, wish, "accepted")
    desk.passes(minutes=6)
    desk.disconnect()
    desk.connect()
    _queued(desk, desk.clock.at - timedelta(minutes=5, seconds=1))
    assert (desk.state(wish), desk.session(wish).stop_cause) == (SessionState.CANCELLED, wishes.TAKEN)


def test_a_clock_of_three_minutes_ago_makes_no_start_an_old_one(desk: Desk) -> None:
    """Q39: whoever began there just now has the connector, by whatever clock."""
    desk.charger()
    desk.passes(hours=1)
    desk.disconnect()
    desk.connect()
    wish = desk.request(desk.driver())
    _queued(desk, desk.clock.at - timedelta(minutes=3))
    assert desk.state(wish) == SessionState.CANCELLED


def test_a_late_plug_that_is_over_leaves_the_wish_of_who_waits_there_alone(desk: Desk) -> None:
    """Q28: a driver's own charge of hours ago is his; who waits there now goes on waiting."""
    asha, bela = desk.driver(), desk.driver()
    desk.charger()
    first = desk.request(asha)
    desk.disconnect()
    desk.do(wishes.answered, first, "silent")
    desk.passes(hours=3)
    desk.connect()
    desk.status("BLR-1", 1, "Available")
    wish = desk.request(bela)
    desk.do(wishes.answered, wish, "accepted")
    at = desk.clock.at - timedelta(hours=3) + timedelta(minutes=1)
    # The tag of the first wish, though another driver waits at its connector by now.
    begun = desk.start(first, at=at)
    assert (begun.session_id, begun.stop) == (first, False)
    assert desk.state(wish) == SessionState.AWAITING_PLUG
    desk.stop(first, METER + 20_000, at=at + timedelta(hours=1))
    assert (desk.bill(first), desk.free(asha)) == ((20_000, 36_000), 640)


def test_a_charge_that_is_over_is_paid_though_its_user_charges_elsewhere_now(desk: Desk) -> None:
    """C9: what the charge of now holds cannot be held for it, so that it is owed until that one is over."""
    asha = _card(desk)
    desk.charger()
    at = _back(desk)
    desk.charger("BLR-2")
    running = desk.charging(asha, "BLR-2")
    old = _queued(desk, at)
    assert (old.status, old.stop) == ("Accepted", False)
    _ends(desk, old, at)
    assert (desk.bill(old.session_id), desk.session(old.session_id).user_id) == ((20_000, 36_000), asha)
    assert desk.state(running) == SessionState.CHARGING
    assert (desk.money(asha).held_paise, desk.money(asha).arrears_paise) == (100_000, 36_000)
    desk.stop(running, METER)
    assert (desk.free(asha), desk.money(asha).arrears_paise) == (640, 0)


def test_two_cards_of_one_user_that_charged_at_once_offline_are_both_paid(desk: Desk) -> None:
    asha = _card(desk)
    desk.do(tokens.add, "CARD2", user_id=asha)
    desk.charger(connectors=2)
    at = _back(desk)
    both = [_queued(desk, at), _queued(desk, at + timedelta(minutes=2), "CARD2", connector_number=2)]
    for begun in both:
        _ends(desk, begun, at)
    assert [desk.session(begun.session_id).user_id for begun in both] == [asha, asha]
    assert desk.free(asha) == 280


def test_a_card_that_has_expired_since_pays_what_it_began_in_time(desk: Desk) -> None:
    """C9: and one that had expired before it began pays nothing."""
    desk.charger()
    at = _back(desk)
    asha = _card(desk, expires_at=at + timedelta(seconds=1))
    old = _queued(desk, at)
    assert (old.status, old.stop) == ("Accepted", False)
    _ends(desk, old, at)
    assert desk.free(asha) == 640
    assert _queued(desk, at + timedelta(hours=1, minutes=1)).status == "Expired"


def _reserved(desk: Desk, tag: str) -> None:
    told = {"number": 7, "connector_number": 1, "tag": tag, "parent": ""}
    desk.do(reservations.asked, "BLR-1", expires_at=desk.clock.at + timedelta(hours=1), **told)
    desk.do(reservations.answered, "BLR-1", 7, True)


@pytest.mark.parametrize("tag", ["CARD", "ANOTHER"])
def test_a_reservation_of_now_has_nothing_to_do_with_a_charge_of_hours_ago(desk: Desk, tag: str) -> None:
    """OCPP 1.6, 5.13: it neither ends with that charge nor forbids it, whomever it is for."""
    _card(desk)
    desk.charger()
    at = _back(desk)
    _reserved(desk, tag)
    old = _queued(desk, at)
    assert (old.status, old.stop) == ("Accepted", False)
    assert desk.do(reservations.holding, "BLR-1", 1, desk.clock.at) is not None
    _ends(desk, old, at)
    assert desk.bill(old.session_id) == (20_000, 36_000)


def test_a_reservation_that_was_made_before_an_offline_charge_holds(desk: Desk) -> None:
    _card(desk)
    desk.charger()
    _reserved(desk, "ANOTHER")
    desk.disconnect()
    desk.passes(minutes=40)
    desk.connect()
    assert _queued(desk, desk.clock.at - timedelta(minutes=30)).stop
