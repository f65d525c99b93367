"""The charge under way in words: what is said once, what is warned of, and how it ends."""

import shutil
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import reflex as rx
from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from domain import chargers, charging, connectors, history, limits, stops, vacancies, vehicles, wallet, wishes
from domain.charging import Limit
from domain.db import opened, read, transact
from domain.events import SessionMetered
from domain.models import User, now
from domain.prices import Price
from domain.settings import settings
from evapp.state.bill import bill_of
from evapp.state.effects import Effects
from evapp.state.live import Live
from evapp.state.notices import Notices
from tests.money.house import free_charger, give

METER = 1_000_000


@pytest.fixture
async def session(sqlite_template: Path, tmp_path: Path) -> AsyncIterator[charging.ChargingSession]:
    def begin(db: Session) -> charging.ChargingSession:
        user = User(username="asha", phone="+919845012345", pin_hash="")
        db.add(user)
        db.flush()
        wallet.open_accounts(db, user.id or 0)
        wallet.adjust(db, user.id or 0, 100_000, key="test", reason="For the test")
        vehicles.save(db, user.id or 0, {"battery": "30"})
        free_charger(db, "BLR-1", place="Mall", max_power_w=7_400, kind="Type 2")
        session = charging.request_start(db, user.id or 0, "BLR-1", 1)
        wishes.answered(db, session.id or 0, "accepted")
        began = {"charger_id": "BLR-1", "connector_number": 1, "tag": session.tag, "meter_start_wh": METER}
        charging.started(db, **began, at=now(), received_at=now())
        return session

    async with opened(f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'evapp.db')}"):
        yield await transact(begin)


@pytest.fixture
async def live(session: Any) -> Any:
    root = rx.State(_reflex_internal_init=True)  # type: ignore[call-arg]
    state = await root.get_state(Live)
    await state._refresh(session.user_id)
    return state


def silenced(db: Session, charger_id: str) -> None:
    """Its socket is open, and nobody has heard it for 20 minutes."""
    charger = chargers.info(db, charger_id)
    charger.heard_at = now() - timedelta(minutes=20)
    db.add(charger)


def reads(session: Any, wh: int, power_w: int = 7_400, soc: int | None = None) -> SessionMetered:
    return SessionMetered(session.id, "BLR-1", session.user_id, wh, wh * 18 // 10, power_w, now(), soc)


async def test_the_power_stands_beside_what_the_connector_gives(live: Any, session: Any) -> None:
    live._metered(reads(session, 1_000, 6_940))
    assert (live.power, live.power_unit, live.battery, live.ready) == ("6.9", "of 7.4 kW", "", "")


async def test_a_car_that_says_how_full_it_is_will_be_ready(live: Any, session: Any) -> None:
    live._metered(reads(session, 1_000, 7_500, soc=75))
    assert live.battery == "75"
    assert live.ready != ""
    live._metered(reads(session, 1_100, 7_500))
    assert live.battery == "75", "a reading without it takes nothing back"


@pytest.mark.parametrize(
    ("before", "says"), [("Available", "Push the plug in fully."), ("Preparing", "A car is plugged in.")]
)
async def test_who_has_plugged_in_is_not_told_to(asha: int, before: str, says: str) -> None:
    """A charger calls itself Preparing once it was asked, too: only what it said before that tells of a cable."""
    await transact(free_charger, "BLR-2", status=before)
    await transact(give, asha, 100_000)
    session = await transact(charging.request_start, asha, "BLR-2", 1)
    await transact(wishes.answered, session.id or 0, "accepted")
    told: dict[str, Any] = {"error_code": "NoError", "info": "", "at": None, "received_at": now()}
    await transact(connectors.status, "BLR-2", connector_number=1, status="Preparing", **told)
    live = await rx.State(_reflex_internal_init=True).get_state(Live)  # type: ignore[call-arg]
    await live._refresh(asha)
    assert live.state == "waiting"
    assert live.sentence.startswith(says)


async def test_a_charge_at_a_silent_charger_goes_on_without_contact(live: Any, session: Any) -> None:
    assert live.state == "charging"
    await transact(silenced, "BLR-1")
    await live._refresh(session.user_id)
    assert live.state == "silent"


async def test_a_screen_reader_hears_of_energy_every_five_minutes_alone(live: Any, session: Any) -> None:
    live._metered(reads(session, 1_000))
    said = live.spoken
    live._metered(reads(session, 2_000))
    assert live.spoken == said
    live._started -= timedelta(minutes=5)
    live._metered(reads(session, 3_000))
    assert live.spoken == "Charging. 3.00 kWh, ₹54.00 so far."


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        (Limit(wh=15_000), "Stops at 15 kWh"),
        (Limit(paise=20_000), "Stops at ₹200"),
        (Limit(wh=80_000), "Your wallet ends it sooner, at about 56 kWh"),
        (Limit(paise=200_000), "Your wallet ends it sooner, at about 56 kWh"),
    ],
)
async def test_a_limit_that_the_money_does_not_reach_is_not_promised(
    live: Any, session: Any, limit: Limit, words: str
) -> None:
    await transact(limits.change, session.user_id, limit)
    await live._refresh(session.user_id)
    assert live.goal_words == words


async def test_the_end_of_the_money_is_warned_of_in_calm_minutes(live: Any, session: Any) -> None:
    live._metered(reads(session, 1_000))
    assert (live.short, live.low) == ("", "")
    live._metered(reads(session, 50_100))
    assert live.short == "About 40 min left at this power. Add money to keep charging."
    live._metered(reads(session, 50_400))
    assert live.short == "About 40 min left at this power. Add money to keep charging."
    assert live.low == str(session.id)
    live._metered(reads(session, 50_400, soc=90))
    assert live.short == "", "the battery is full before"


async def test_a_limit_that_the_money_does_not_reach_takes_no_warning_away(live: Any, session: Any) -> None:
    """40 kWh are wanted and 17 kWh can be paid, of which minutes are a part."""
    live._price, live._limit, live._held_paise = Price(1_000, 0, per_minute_paise=200), Limit(wh=40_000), 50_000
    live._metered(SessionMetered(session.id, "BLR-1", session.user_id, 12_000, 32_500, 7_000, now(), None))
    assert (live.short != "", live.low) == (True, str(session.id))


async def wanted(live: Any, session: Any, cause: str, tries: int = 0) -> str:
    """Somebody wants the end, and the charger was asked so often; what the page says of it."""
    await transact(charging.request_stop, session.id, cause)
    for _ in range(tries):
        await transact(stops.stop_asked, session.id, False)
    await live._refresh(session.user_id)
    return str(live.sentence)


@pytest.mark.parametrize(
    ("cause", "said"),
    [
        ("driver", "Stopping. "),
        ("limit", "Your limit is reached. Stopping. "),
        ("funds", "The money for this charge is nearly used up. Stopping. "),
    ],
)
async def test_who_did_not_stop_it_himself_reads_who_did(live: Any, session: Any, cause: str, said: str) -> None:
    assert (await wanted(live, session, cause)).startswith(said)


async def test_a_charger_that_said_no_to_a_stop_is_not_said_to_be_silent(live: Any, session: Any) -> None:
    assert (await wanted(live, session, "driver", tries=2)).startswith("The charger does not stop yet.")


async def test_who_is_being_stopped_is_not_told_to_add_money_to_go_on(live: Any, session: Any) -> None:
    live._metered(reads(session, 54_000))
    assert live.short.endswith("Add money to keep charging.")
    await wanted(live, session, "funds")
    live._metered(reads(session, 54_500))
    assert (live.short, live.low) == ("", "")


async def test_before_the_first_reading_nothing_is_said_to_be_measured(live: Any, session: Any) -> None:
    """The page said 0.0 kW and 0 s for as long as none came, and never that it is late."""
    assert (live.as_of, live.power, live.time) == ("No reading yet", "–", "")
    assert live.news != "", "what restarts the clock of no news"
    live._metered(reads(session, 1_000))
    assert (live.power, live.time) == ("7.4", "0 s")


async def test_a_connector_that_is_free_again_charges_nobody(live: Any, session: Any) -> None:
    """A charger that restarted, or tells of the cable before its stop: the page said Charging for a minute more."""
    told: dict[str, Any] = {"error_code": "NoError", "info": "", "at": None}
    for status in ("Charging", "Available"):
        await transact(connectors.status, "BLR-1", connector_number=1, status=status, received_at=now(), **told)
    await live._refresh(session.user_id)
    assert (live.state, live.shown, live.flowing) == ("ending", "stopping", False)
    assert live.sentence.startswith("The charger no longer charges.")
    live._metered(reads(session, 1_000, 0))
    assert live.state == "ending", "some name a charge in their readings for ever"
    live._metered(reads(session, 1_000))
    assert (live.state, live.sentence) == ("charging", "")


async def test_a_cable_says_what_it_costs_once_it_does(live: Any, session: Any) -> None:
    """Until the next news of the charge the page went on to say until when there is time."""
    live._price = Price(1_800, 0, idle_after_minutes=10, idle_per_minute_paise=200)
    live._free_until = now() + timedelta(minutes=1)
    live._metered(reads(session, 1_000, 0))
    assert live.idle.startswith("Unplug by ")
    live._free_until = now()
    live._metered(reads(session, 1_000, 0))
    assert live.idle.startswith("Unplug now. Since ")


async def ends(live: Any, session: Any) -> None:
    ended = {"meter_stop_wh": METER + 7_456, "received_at": now(), "at": now(), "reason": "Local", "tag": ""}
    await transact(charging.stopped, charger_id="BLR-1", transaction_id=session.transaction_id, **ended)
    await live._refresh(session.user_id)


@pytest.mark.parametrize(
    ("address", "tone"),
    [("/c/BLR-1", "quiet"), ("/hi/c/blr1", "quiet"), ("/c/BLR%201", "quiet"), ("/wallet", "message"), ("/", "message")],
)
async def test_a_page_that_shows_the_receipt_needs_no_notice(live: Any, session: Any, address: str, tone: str) -> None:
    """However its address spells the charger; who does not see it hears it all the same."""
    root = live.parent_state
    root.router = root.router.__class__.from_router_data({"pathname": address, "asPath": address})
    await ends(live, session)
    effects = await live.get_state(Effects)
    assert (effects._tone, effects._sentence != "") == (tone, True)


async def test_a_charge_that_ended_is_told_once(live: Any, session: Any) -> None:
    await ends(live, session)
    effects = await live.get_state(Effects)
    assert effects._sentence.startswith("Your charge at BLR-1 has ended: ")
    assert live.state == ""
    said = effects._count
    await live._refresh(session.user_id)
    assert effects._count == said


async def test_an_end_that_could_not_be_read_is_told_later(
    live: Any, session: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hub refreshes the page again (evapp/web/live.py)."""

    def away(*_: Any) -> None:
        raise OperationalError("", {}, Exception("the database is away"))

    with monkeypatch.context() as without, pytest.raises(OperationalError):
        without.setattr(history, "just_ended", away)
        await ends(live, session)
    await live._refresh(session.user_id)
    assert (await live.get_state(Effects))._sentence.startswith("Your charge at BLR-1 has ended: ")


async def test_the_cap_of_one_charge_is_not_blamed_on_the_wallet(
    live: Any, session: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings(), "session_cap_paise", 50_000)
    await transact(wallet.resize_hold, session.id, 50_000)
    await transact(limits.change, session.user_id, Limit(wh=80_000))
    await live._refresh(session.user_id)
    assert live.goal_words == "One charge goes up to ₹500, about 28 kWh"
    live._metered(reads(session, 27_000))
    assert live.short == "About 6 min left at this power. One charge goes up to ₹500; start again to go on."
    live._metered(reads(session, 27_000, 0))
    assert live.short == "₹14.00 is left for this charge. One charge goes up to ₹500; start again to go on."
    await transact(wallet.adjust, session.user_id, -50_000, key="gone", reason="For the test")
    await live._refresh(session.user_id)
    assert live.goal_words == "Your wallet ends it sooner, at about 28 kWh"


async def test_an_end_is_not_lost_to_other_news_of_the_same_moment(live: Any, session: Any) -> None:
    """One push brings both: the charge ended, and the charger that its driver waits for became free."""
    await transact(free_charger, "BLR-2")
    await transact(vacancies.wish, session.user_id, "BLR-2")
    notices, effects = await live.get_state(Notices), await live.get_state(Effects)
    await notices._refresh(session.user_id)
    live._get_root_state()._clean()
    await transact(vacancies.tell, "BLR-2", now())
    await ends(live, session)
    await notices._refresh(session.user_id)
    ended, freed = "Your charge at BLR-1 has ended: ", ". BLR-2 became free at "
    assert (effects._sentence.startswith(ended), freed in effects._sentence) == (True, True)
    assert effects._tone == "success"


async def test_an_end_by_the_cap_of_one_charge_says_so_on_the_receipt(
    live: Any, session: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings(), "session_cap_paise", 50_000)
    await transact(wallet.resize_hold, session.id, 50_000)
    await transact(charging.request_stop, session.id, "funds")
    await ends(live, session)
    past = await read(history.just_ended, session.user_id, "BLR-1")
    assert past is not None
    assert bill_of(past).reason == "Stopped: one charge goes up to ₹500"
    monkeypatch.setattr(settings(), "session_cap_paise", 200_000)
    past = await read(history.just_ended, session.user_id, "BLR-1")
    assert past is not None
    assert bill_of(past).reason == "Stopped: your wallet was nearly used up"


async def test_of_a_silent_charger_no_sum_is_said_to_be_what_is_paid(live: Any, session: Any) -> None:
    """₹11.49 it said, ₹34.43 was the bill: the charger went on giving where nobody heard it."""
    live._metered(reads(session, 2_000))
    assert live.stop_question == "You pay ₹36.00 for 2.00 kWh so far. The rest stays in your wallet."
    await transact(silenced, "BLR-1")
    await live._refresh(session.user_id)
    assert "it may have given more" in live.stop_question
    assert "You pay by its meter." in live.stop_question
    assert "You pay ₹" not in live.stop_question


async def test_without_a_limit_it_is_said_where_the_money_ends_the_charge(
    live: Any, session: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Long before its last hour, of which a warning tells."""
    assert live.no_limit_words == "You stop it yourself. It ends shortly before the ₹1,000 in your wallet are used up."
    monkeypatch.setattr(settings(), "session_cap_paise", 50_000)
    await transact(wallet.resize_hold, session.id, 50_000)
    await live._refresh(session.user_id)
    assert live.no_limit_words == "You stop it yourself. It ends shortly before ₹500: one charge goes no further."
    await transact(wallet.resize_hold, session.id, 0)
    await live._refresh(session.user_id)
    assert live.no_limit_words == "You stop it yourself."
