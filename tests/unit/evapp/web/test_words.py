"""What a browser shows while evapp is closed: the same words as an open page, in the driver's language."""

import json
from datetime import timedelta

from domain import charging, push, pushes, shortage, tariffs, vacancies, wishes
from domain.models import SessionState, User
from domain.prices import Price
from evapp.components.money import clock as clock_of
from evapp.web import words
from evapp.web.push import LARGEST
from tests import receivers
from tests.money.charges import METER, Desk
from tests.money.conftest import clock, desk
from tests.money.priced import IDLE, priced

__all__ = ["clock", "desk"]


def subscribed(desk: Desk, rupees: int = 1_000) -> int:
    user_id = desk.driver(rupees)

    desk.do(receivers.subscribed, user_id, "phone", desk.clock.at)
    return user_id


def said(desk: Desk) -> tuple[str, str] | None:
    """Sentence and address of the only notice that is due."""
    [notice] = desk.do(pushes.take, desk.clock.at)
    message = desk.do(words.message, notice)
    desk.passes(minutes=2)
    if message is None:
        return None
    assert message["tag"] == message["body"]
    assert len(json.dumps(message, ensure_ascii=False).encode()) < LARGEST
    return message["body"], message["data"].removeprefix("http://localhost:3000")


def test_how_a_charge_ended_and_its_receipt(desk: Desk) -> None:
    asha = subscribed(desk)
    desk.charger()
    session_id = desk.begun(asha)
    desk.stop(session_id, 12_345)
    ref = desk.session(session_id).ref
    assert said(desk) == ("Your charge at BLR-1 has ended: 2.35 kWh, ₹42.21.", f"/history/{ref}")
    desk.do(lambda db: setattr(db.get_one(User, asha), "language", "hi"))
    assert said(desk) == ("BLR-1 पर आपकी चार्जिंग ख़त्म हुई: 2.35 kWh, ₹42.21।", f"/hi/history/{ref}")


def test_a_charge_without_a_stop_as_far_as_it_is_known(desk: Desk) -> None:
    desk.charger()
    session_id = desk.begun(subscribed(desk))
    desk.lose(session_id)
    assert said(desk) == (
        "No final reading of your charge at BLR-1 yet. By the last one it is 2.00 kWh, ₹36.00.",
        f"/history/{desk.session(session_id).ref}",
    )


def test_why_a_start_came_to_nothing_and_the_charger(desk: Desk) -> None:
    asha = subscribed(desk)
    desk.charger("BLR*1+2")
    session_id = desk.request(asha, "BLR*1+2")
    desk.do(wishes.answered, session_id, "accepted")
    desk.passes(seconds=106)
    desk.sweep()
    assert said(desk) == (
        "Charging did not begin within 90 seconds. Nothing was charged. Push the plug in fully, then start again.",
        "/c/BLR%2A1%2B2",
    )


def test_a_charger_that_is_free_as_long_as_it_is_waited_for(desk: Desk) -> None:
    asha = subscribed(desk)
    desk.charger()
    desk.do(vacancies.wish, asha, "BLR-1")
    desk.do(vacancies.tell, "BLR-1", desk.clock.at)
    sentence, address = said(desk) or ("", "")
    assert (sentence[:21], address) == ("BLR-1 became free at ", "/c/BLR-1")
    desk.do(vacancies.forget, asha, "BLR-1")
    assert said(desk) is None


def test_the_end_of_the_money_as_long_as_it_is_near(desk: Desk) -> None:
    asha = subscribed(desk, 300)
    desk.charger(kw=7)
    session_id = desk.charging(asha)
    desk.passes(hours=2)
    desk.meter(session_id, 24_000, 7_000)
    desk.do(push.tell, asha, push.LOW, desk.session(session_id).ref)
    left = "About 20 min left at this power. Add money to keep charging."
    assert said(desk) == (left, "/c/BLR-1")
    desk.do(lambda db: charging.request_stop(db, session_id, "driver"))
    desk.stop(session_id, 24_000)
    low = next(one for one in desk.do(pushes.take, desk.clock.at) if one.kind == push.LOW)
    assert desk.do(words.message, low) is None


def test_money_that_was_not_short_for_a_moment_is_told_of_when_it_is(desk: Desk) -> None:
    """The car took less between the look at the charges and the words; then it goes on as before."""
    asha = subscribed(desk, 1_000)
    desk.charger()
    session_id = desk.charging(asha)
    short = [(asha, desk.session(session_id).ref)]
    desk.flows(session_id, 2)
    assert desk.do(shortage.found, desk.clock.at) == short
    desk.do(push.tell, asha, push.LOW, short[0][1])
    desk.meter(session_id, 12_000, 20_000)
    [notice] = desk.do(pushes.take, desk.clock.at)
    assert desk.do(words.message, notice) is None
    desk.do(pushes.over, notice)
    assert desk.do(shortage.found, desk.clock.at) == []
    desk.flows(session_id, 1)
    assert desk.do(shortage.found, desk.clock.at) == short


def test_a_cable_that_is_about_to_cost_until_it_is_pulled(desk: Desk) -> None:
    """Who walked away hears of it while the minutes are free: in the charge, anew after it, and not once it is over."""
    asha, session_id = priced(desk, **IDLE)
    desk.do(receivers.subscribed, asha, "phone", desk.clock.at)
    desk.flows(session_id, 2)
    desk.status("BLR-1", 1, "SuspendedEV")
    until = clock_of(desk.clock.at + timedelta(minutes=10))
    costs = f"Unplug by {until}. After that each minute costs ₹2.00, at most ₹240.00."
    assert said(desk) == (f"Your car takes no energy now. {costs}", "/c/BLR-1")
    desk.stop(session_id, METER + 2_000)
    desk.do(lambda db: pushes.take(db, desk.clock.at))
    desk.status("BLR-1", 1, "Finishing")
    until = clock_of(desk.clock.at + timedelta(minutes=10))
    costs = f"Unplug by {until}. After that each minute costs ₹2.00, at most ₹240.00."
    assert said(desk) == (f"The cable is still in the car. {costs}", "/c/BLR-1")
    desk.status("BLR-1", 1, "Available")
    assert [one.kind for one in desk.do(pushes.take, desk.clock.at) if desk.do(words.message, one)] == [push.ENDED]


def told_of_idling(desk: Desk) -> bool:
    return push.IDLE in [one.kind for one in desk.do(pushes.take, desk.clock.at) if desk.do(words.message, one)]


def test_a_car_that_pauses_before_its_start_is_told_of(desk: Desk) -> None:
    """The connector said so first: no change of it follows (Q19)."""
    asha = subscribed(desk)
    desk.do(tariffs.set_price, Price(1_800, 0, **IDLE), effective_at=desk.clock.at)
    desk.charger()
    session_id = desk.request(asha)
    desk.do(wishes.answered, session_id, "accepted")
    desk.passes(seconds=5)
    desk.status("BLR-1", 1, "SuspendedEV")
    desk.start(session_id)
    assert told_of_idling(desk)


def test_a_car_that_pauses_while_its_charge_was_lost_is_told_of(desk: Desk) -> None:
    asha, session_id = priced(desk, **IDLE)
    desk.do(receivers.subscribed, asha, "phone", desk.clock.at)
    desk.flows(session_id, 2)
    desk.lose(session_id)
    desk.status("BLR-1", 1, "SuspendedEV")
    desk.meter(session_id, METER + 2_100)
    assert desk.session(session_id).state == SessionState.CHARGING
    assert told_of_idling(desk)


def test_there_are_words_for_every_kind() -> None:
    assert set(words.SAYS) == set(push.KINDS)
