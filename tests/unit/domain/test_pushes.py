"""What waits to be told to browsers: taken by one process at a time, tried again, given up, and never told twice."""

from contextlib import closing
from datetime import timedelta

import pytest
from sqlmodel import Session, select

from domain import (
    accounts,
    charging,
    history,
    placing,
    push,
    pushes,
    recharges,
    shortage,
    sign_ins,
    tariffs,
    vacancies,
    wallet,
    wishes,
)
from domain.db import Database
from domain.models import Push, PushSubscription, SignIn, User, Vehicle
from domain.prices import Price
from domain.pushes import KEPT, LATER, LEASE, Notice
from domain.recharges import OrderStatus, Payment
from domain.sign_ins import IDLE
from tests import receivers
from tests.money.charges import Desk
from tests.receivers import Receiver

SECOND = timedelta(seconds=1)
BROWSERS = select(PushSubscription)


def subscribed(desk: Desk, user_id: int, token: str = "phone") -> Receiver:
    """A browser of this driver that is told."""
    return desk.do(receivers.subscribed, user_id, token, desk.clock.at)


def waiting(desk: Desk) -> list[tuple[str, str]]:
    """What is to be told, whoever to."""
    rows = desk.do(lambda db: db.exec(select(Push).where(Push.due_at != None)).all())  # noqa: E711
    return sorted((row.kind, row.ref) for row in rows)


def take(desk: Desk) -> list[Notice]:
    taken: list[Notice] = desk.do(pushes.take, desk.clock.at)
    return taken


def tell_all(desk: Desk) -> list[tuple[str, str]]:
    """Tell all that is due; gives what it was."""
    notices = take(desk)
    for notice in notices:
        desk.do(pushes.told, notice)
    return [(notice.kind, notice.ref) for notice in notices]


@pytest.fixture
def asha(desk: Desk) -> int:
    user_id = desk.driver()
    subscribed(desk, user_id)
    return user_id


def test_a_notice_knows_its_browser_and_shows_none_of_its_secrets(desk: Desk) -> None:
    asha = desk.driver()
    receiver = subscribed(desk, asha)
    desk.do(accounts.speak, asha, "hi")
    assert not desk.do(pushes.due, desk.clock.at)
    desk.do(push.tell, asha, push.ENDED, "R1")
    assert desk.do(pushes.due, desk.clock.at)
    [notice] = take(desk)
    assert (notice.endpoint, notice.p256dh, notice.auth) == receiver.told
    assert (notice.kind, notice.ref, notice.user_id, notice.language, notice.tries) == ("ended", "R1", asha, "hi", 1)
    assert not [secret for secret in receiver.told if secret in repr(notice)]


def test_who_took_it_and_died_leaves_it_to_another(desk: Desk, asha: int) -> None:
    desk.do(push.tell, asha, push.ENDED, "R1")
    assert len(take(desk)) == 1
    desk.passes(seconds=LEASE.total_seconds() - 1)
    assert take(desk) == []
    desk.passes(seconds=1)
    assert [notice.tries for notice in take(desk)] == [2]


def test_two_processes_take_different_ones(desk: Desk, asha: int) -> None:
    """On SQLite one comes after the other, on PostgreSQL beside it, and neither waits."""
    for number in range(pushes.MOST + 5):
        desk.do(push.tell, asha, push.ENDED, f"R{number}")
    if desk.database.sqlite:
        first, second = take(desk), take(desk)
    else:
        with closing(Database(desk.database.url)) as other, Session(other.engine) as db:
            first = pushes.take(db, desk.clock.at)
            second = take(desk)
            db.commit()
    assert (len(first), len(second)) == (pushes.MOST, 5)
    assert not {one.ref for one in first} & {one.ref for one in second}
    assert take(desk) == []


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_browser_that_is_being_signed_out_keeps_no_bill_waiting(desk: Desk, asha: int) -> None:
    """Nor lets it fail: what refers to a browser would, which another transaction deletes."""
    with closing(Database(desk.database.url)) as other, Session(other.engine) as db:
        sign_ins.end_all(db, asha)
        desk.do(push.tell, asha, push.ENDED, "R1")
        db.commit()
    assert desk.do(lambda db: db.exec(select(Push)).all()) == []


def test_what_was_told_is_told_no_more_until_it_is_old(desk: Desk, asha: int) -> None:
    desk.do(push.tell, asha, push.ENDED, "R1")
    assert tell_all(desk) == [("ended", "R1")]
    desk.do(push.tell, asha, push.ENDED, "R1")
    assert waiting(desk) == []
    desk.do(pushes.forget, desk.clock.at + KEPT)
    desk.do(push.tell, asha, push.ENDED, "R1")
    assert waiting(desk) == []
    desk.do(pushes.forget, desk.clock.at + KEPT + SECOND)
    assert desk.do(lambda db: db.exec(select(Push)).all()) == []


def test_tries_come_further_and_further_apart(desk: Desk, asha: int) -> None:
    desk.do(push.tell, asha, push.ENDED, "R1")
    made_at, moments = desk.clock.at, []
    for _ in range(6):
        [notice] = take(desk)
        moments.append(int((desk.clock.at - made_at).total_seconds()))
        desk.do(pushes.later, notice, desk.clock.at)
        while not desk.do(pushes.due, desk.clock.at):
            desk.passes(seconds=1)
    assert moments == [0, 30, 150, 630, 1110, 1590]
    [notice] = take(desk)
    assert desk.clock.at >= notice.made_at + notice.lasts


@pytest.mark.parametrize(("asked_s", "waits_s"), [(-5, 30), (0, 30), (29, 30), (31, 31), (480, 480), (86_400, 480)])
def test_a_push_service_may_ask_for_a_while(desk: Desk, asha: int, asked_s: int, waits_s: int) -> None:
    desk.do(push.tell, asha, push.ENDED, "R1")
    [notice] = take(desk)
    desk.do(pushes.later, notice, desk.clock.at, timedelta(seconds=asked_s))
    desk.passes(seconds=waits_s - 1)
    assert not desk.do(pushes.due, desk.clock.at)
    desk.passes(seconds=1)
    assert desk.do(pushes.due, desk.clock.at)
    assert LATER[-1] == timedelta(seconds=480)


def test_the_end_of_the_money_is_news_for_a_shorter_time(desk: Desk, asha: int) -> None:
    for kind in push.KINDS:
        desk.do(push.tell, asha, kind, "R1")
    minutes = {notice.kind: notice.lasts // timedelta(minutes=1) for notice in take(desk)}
    assert minutes == {"ended": 30, "added": 30, "freed": 30, "low": 10, "idle": 30}


OVER = {
    "expired": lambda db, at: [setattr(row, "expires_at", at) for row in db.exec(select(SignIn))],
    "idle": lambda db, at: [setattr(row, "seen_at", at - IDLE) for row in db.exec(select(SignIn))],
    "ended by a version that knows no browsers": lambda db, at: [
        setattr(row, "ended_at", at) for row in db.exec(select(SignIn))
    ],
    "blocked by such a version": lambda db, at: [setattr(row, "blocked_at", at) for row in db.exec(select(User))],
}


@pytest.mark.parametrize("end", OVER)
def test_a_browser_whose_sign_in_is_over_is_asked_about_before_each(desk: Desk, asha: int, end: str) -> None:
    desk.do(push.tell, asha, push.ENDED, "R1")
    desk.do(OVER[end], desk.clock.at)
    assert take(desk) == []
    assert desk.do(lambda db: db.exec(select(PushSubscription)).all()) == []
    assert desk.do(lambda db: db.exec(select(Push)).all()) == []


def test_at_night_browsers_of_sign_ins_that_ended_by_time_are_forgotten(desk: Desk, asha: int) -> None:
    subscribed(desk, desk.driver())
    desk.do(
        lambda db: setattr(db.exec(select(SignIn).where(SignIn.user_id == asha)).one(), "expires_at", desk.clock.at)
    )
    desk.do(pushes.forget, desk.clock.at)
    left = desk.do(lambda db: [row.user_id for row in db.exec(select(PushSubscription))])
    assert left == [asha + 1]


def test_a_browser_that_is_gone_takes_its_notices_with_it(desk: Desk, asha: int) -> None:
    for ref in ("R1", "R2"):
        desk.do(push.tell, asha, push.ENDED, ref)
    notices = take(desk)
    desk.do(pushes.drop, notices[0])
    desk.do(pushes.later, notices[1], desk.clock.at)
    desk.do(pushes.told, notices[1])
    assert waiting(desk) == []


def test_a_browser_that_subscribed_anew_is_not_gone_with_its_old_address(desk: Desk, asha: int) -> None:
    """The page that says "this device tells you" opened while the push service answered for the address of before."""
    desk.do(push.tell, asha, push.ENDED, "R1")
    [notice] = take(desk)
    [(sign_in_id, renewed)] = desk.do(lambda db: [(one.sign_in_id, Receiver()) for one in db.exec(BROWSERS)])
    desk.do(push.subscribe, sign_in_id, asha, *renewed.told)
    desk.do(pushes.drop, notice)
    assert desk.do(lambda db: [one.endpoint for one in db.exec(BROWSERS)]) == [renewed.endpoint]
    assert waiting(desk) == [("ended", "R1")]


def test_news_that_came_again_while_it_was_told_is_told_again(desk: Desk, asha: int) -> None:
    """A charge that went on and ended anew in the seconds in which a push service took its first end."""
    desk.do(push.tell, asha, push.ENDED, "R1")
    [notice] = take(desk)
    desk.do(push.take_back, asha, push.ENDED, "R1")
    desk.passes(seconds=1)
    desk.do(push.tell, asha, push.ENDED, "R1")
    for answer in (pushes.told, pushes.over):
        desk.do(answer, notice)
        assert waiting(desk) == [("ended", "R1")]


# What is told


def test_the_end_of_a_charge_is_told_once(desk: Desk, asha: int) -> None:
    desk.charger()
    session_id = desk.begun(asha)
    ref = desk.session(session_id).ref
    assert waiting(desk) == []
    desk.stop(session_id, 12_000)
    assert tell_all(desk) == [("ended", ref)]
    desk.stop(session_id, 12_000)
    assert waiting(desk) == []


def test_of_a_walk_up_and_of_a_driver_without_a_browser_nobody_is_told(desk: Desk, asha: int) -> None:
    desk.charger(connectors=2)
    other = desk.charging(desk.driver(), connector=2)
    begun = desk.walk_up()
    desk.stop(begun.session_id, 1_000)
    desk.stop(other, 11_000)
    assert desk.do(lambda db: db.exec(select(Push)).all()) == []


def test_a_charge_that_lost_its_stop_is_told_of_at_once_and_not_again_when_it_is_billed(desk: Desk, asha: int) -> None:
    desk.charger()
    session_id = desk.estimated(asha)
    assert tell_all(desk) == [("ended", desk.session(session_id).ref)]
    desk.stop(session_id, 12_500)
    assert waiting(desk) == []


def test_a_charge_that_goes_on_after_all_ends_anew(desk: Desk, asha: int) -> None:
    desk.charger()
    session_id = desk.begun(asha)
    ref = desk.session(session_id).ref
    desk.lose(session_id)
    assert waiting(desk) == [("ended", ref)]
    desk.passes(minutes=1)
    desk.meter(session_id, 13_000)
    assert desk.state(session_id) == "CHARGING"
    assert waiting(desk) == []
    desk.stop(session_id, 13_000)
    assert waiting(desk) == [("ended", ref)]


def test_a_start_that_came_to_nothing_is_told_of_unless_the_driver_called_it_off(desk: Desk, asha: int) -> None:
    desk.charger()
    desk.do(charging.request_stop, desk.request(asha), "driver")
    assert waiting(desk) == []
    session_id = desk.request(asha)
    desk.do(wishes.answered, session_id, "accepted")
    desk.passes(seconds=106)
    desk.sweep()
    assert tell_all(desk) == [("ended", desk.session(session_id).ref)]
    desk.start(session_id)  # the plug came late
    desk.status("BLR-1", 1, "Charging")
    assert desk.state(session_id) == "CHARGING"
    desk.stop(session_id, 11_000)
    assert tell_all(desk) == [("ended", desk.session(session_id).ref)]


def test_a_charger_that_became_free_is_told_of_each_time_it_is_waited_for(desk: Desk, asha: int) -> None:
    desk.charger()
    for _ in range(2):
        desk.do(vacancies.wish, asha, "BLR-1")
        assert waiting(desk) == []
        desk.do(vacancies.tell, "BLR-1", desk.clock.at)
        desk.do(vacancies.tell, "BLR-1", desk.clock.at)
        assert tell_all(desk) == [("freed", "BLR-1")]


def test_the_end_of_the_money_is_told_once(desk: Desk) -> None:
    """At the moment at which the open page warns."""
    asha, ravi = desk.driver(300), desk.driver(300)
    subscribed(desk, asha)
    desk.charger(connectors=2, kw=7)
    mine, his = desk.charging(asha), desk.charging(ravi, connector=2)
    ref = desk.session(mine).ref

    def taken(kwh: int) -> None:
        desk.passes(hours=kwh / 7)
        for session_id in (mine, his):
            desk.meter(session_id, 10_000 + kwh * 1_000, 7_000)

    taken(1)
    assert desk.do(shortage.found, desk.clock.at) == []
    taken(10)
    assert desk.do(shortage.found, desk.clock.at) == [(asha, ref)]
    desk.do(push.tell, asha, push.LOW, ref)
    assert desk.do(shortage.found, desk.clock.at) == []
    assert tell_all(desk) == [("low", ref)]
    assert desk.do(shortage.found, desk.clock.at) == []
    subscribed(desk, asha, "tablet")
    assert desk.do(shortage.found, desk.clock.at) == [(asha, ref)]


def test_money_that_was_added_ends_too(desk: Desk) -> None:
    """Whoever is told adds money, drives on it, and is to hear of its end as of the first."""
    asha = desk.driver(100)
    subscribed(desk, asha)
    desk.charger(kw=7)
    session_id = desk.charging(asha)
    ref = desk.session(session_id).ref

    def taken(kwh: int) -> None:
        desk.passes(hours=1)
        desk.meter(session_id, 10_000 + kwh * 1_000, 7_000)

    taken(1)
    assert desk.do(shortage.found, desk.clock.at) == [(asha, ref)]
    desk.do(push.tell, asha, push.LOW, ref)
    assert tell_all(desk) == [("low", ref)]
    desk.do(wallet.fund_open_hold, asha)
    assert desk.do(shortage.found, desk.clock.at) == []
    desk.give(asha, 1_000)
    assert desk.do(shortage.found, desk.clock.at) == []
    for kwh in range(8, 51, 7):
        taken(kwh)
    assert desk.do(shortage.found, desk.clock.at) == [(asha, ref)]


def test_the_money_for_a_charge_that_costs_nothing_does_not_end(desk: Desk) -> None:
    asha = desk.driver(60)
    subscribed(desk, asha)
    desk.charger(kw=7)
    desk.do(tariffs.set_price, Price(0, 0), charger_id="BLR-1")
    session_id = desk.charging(asha)
    desk.passes(hours=1)
    desk.meter(session_id, 16_000, 7_000)
    assert desk.do(shortage.found, desk.clock.at) == []


def test_of_a_charge_with_money_for_long_no_reading_is_read(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every charge is looked at every 30 seconds, and one has thousands."""
    asha = desk.driver(1_500)
    subscribed(desk, asha)
    desk.do(lambda db: db.add(Vehicle(user_id=asha, battery_wh=40_000)))
    desk.charger(kw=7)
    session_id = desk.charging(asha)
    desk.meter(session_id, 10_000, 7_000)
    monkeypatch.delattr(history, "battery_percent")
    assert desk.do(shortage.found, desk.clock.at) == []


def test_money_that_is_enough_for_the_limit_is_not_short(desk: Desk) -> None:
    asha = desk.driver(300)
    subscribed(desk, asha)
    desk.charger(kw=7)
    session_id = desk.charging(asha, wh=12_000)
    desk.passes(hours=2)
    desk.meter(session_id, 21_000, 7_000)
    assert desk.do(shortage.found, desk.clock.at) == []


def test_a_recharge_is_told_of_once_when_it_is_credited(desk: Desk, asha: int) -> None:
    order_id = desk.do(placing.place, asha, 50_000, "n1").merchant_order_id
    desk.do(recharges.opened, order_id, Payment("G1", "PENDING", "https://pay.phonepe.com/1", None))
    assert waiting(desk) == []
    for _ in range(2):
        desk.do(recharges.apply, order_id, OrderStatus("G1", "COMPLETED", 50_000, "U1", "T1", "UPI", "", {}))
        assert waiting(desk) == [("added", order_id)]
