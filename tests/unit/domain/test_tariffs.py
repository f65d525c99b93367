"""Which price is in force, where and when."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from domain import chargers, tariffs
from domain.models import Tariff, now
from domain.prices import Band, Price, Usage
from domain.settings import settings
from domain.tariffs import NotAPrice


@pytest.fixture(autouse=True)
def known(db: Session) -> None:
    chargers.add(db, "BLR-1")
    chargers.add(db, "BLR-2")


def rate(db: Session, charger_id: str = "BLR-1", hours: float = 0) -> int:
    return tariffs.price(db, charger_id, now() + timedelta(hours=hours)).paise_per_kwh


def test_without_any_the_settings_say(db: Session) -> None:
    assert tariffs.price(db, "BLR-1", now()) == Price(1_800, 0)


def test_the_common_one_is_for_all(db: Session) -> None:
    tariffs.set_price(db, Price(2_100, 0))
    assert (rate(db), rate(db, "BLR-2")) == (2_100, 2_100)


def test_a_chargers_own_goes_before_the_common_one_even_if_older(db: Session) -> None:
    tariffs.set_price(db, Price(2_500, 0), charger_id="BLR-1")
    tariffs.set_price(db, Price(2_100, 0))
    assert (rate(db), rate(db, "BLR-2")) == (2_500, 2_100)


def test_the_latest_in_force_counts_and_the_future_waits(db: Session) -> None:
    moment = now()
    for paise, hours in ((1_000, -2), (1_100, -1), (1_200, 1)):
        db.add(Tariff(paise_per_kwh=paise, gst_basis_points=1_800, effective_at=moment + timedelta(hours=hours)))
        db.flush()
    assert [rate(db, hours=h) for h in (-3, -1.5, 0, 1.5)] == [1_800, 1_000, 1_100, 1_200]


def test_a_price_to_come_is_replaced_and_one_in_force_stays(db: Session) -> None:
    past, future = now(), now() + timedelta(hours=1)
    for paise in (1_000, 1_100):
        tariffs.set_price(db, Price(paise, 0, bands=(Band(1_320, 360, paise),)), effective_at=future)
    tariffs.set_price(db, Price(1_200, 0), effective_at=past)
    with pytest.raises(NotAPrice, match="it stays"):
        tariffs.set_price(db, Price(1_300, 0), effective_at=past)
    assert (rate(db), rate(db, hours=2)) == (1_200, 1_100)
    assert len(tariffs.everything(db)) == 2


@pytest.mark.parametrize("scope", [{"charger_id": "BLR-1"}, {"group": "malls"}, {}])
def test_the_database_knows_one_price_a_moment(db: Session, scope: dict[str, str]) -> None:
    moment = now()
    first = tariffs.set_price(db, Price(1_000, 0), effective_at=moment, **scope)
    db.add(Tariff(**first.model_dump(exclude={"id"})))
    with pytest.raises(IntegrityError):
        db.flush()
    db.rollback()


def test_a_group_goes_between_the_charger_and_all(db: Session) -> None:
    for name in ("BLR-1", "BLR-2"):
        chargers.set_group(db, name, "malls")
    tariffs.set_price(db, Price(1_000, 0))
    tariffs.set_price(db, Price(1_100, 0), group="malls")
    tariffs.set_price(db, Price(1_200, 0), charger_id="BLR-1")
    chargers.add(db, "BLR-3")
    assert [rate(db, name) for name in ("BLR-1", "BLR-2", "BLR-3")] == [1_200, 1_100, 1_000]
    chargers.set_group(db, "BLR-2", "")
    assert rate(db, "BLR-2") == 1_000


def test_free_is_a_price_and_less_is_none(db: Session) -> None:
    tariffs.set_price(db, Price(0, 0))
    assert rate(db) == 0


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"paise_per_kwh": -1}, "negative"),
        ({"start_paise": -1}, "negative"),
        ({"paise_per_kwh": 1_000_001}, "up to ₹10,000.00"),
        ({"start_paise": 99_999_999_999_999}, "up to ₹10,000.00"),
        ({"per_minute_paise": 1_000_001}, "up to ₹10,000.00"),
        ({"idle_after_minutes": 10, "idle_per_minute_paise": 1_000_001}, "up to ₹10,000.00"),
        ({"bands": (Band(60, 120, 1_000_001),)}, "up to ₹10,000.00"),
        ({"charger_id": "BLR-1", "group": "malls"}, "not for both"),
        ({"idle_after_minutes": 10}, "needs both"),
        ({"idle_per_minute_paise": 100}, "needs both"),
        ({"idle_after_minutes": 4, "idle_per_minute_paise": 100}, "5 to 1440"),
        ({"group": ""}, "has a name"),
        ({"charger_id": " "}, "has a name"),
        ({"bands": (Band(60, 60, 1),)}, "another end"),
        ({"bands": (Band(60, 120, -1),)}, "not negative"),
        ({"bands": (Band(1_320, 360, 1), Band(300, 400, 1))}, "two prices"),
        ({"bands": tuple(Band(hour, hour + 1, 1) for hour in range(25))}, "up to 24"),
    ],
)
def test_nonsense_is_refused_in_a_sentence(db: Session, asked: dict[str, Any], sentence: str) -> None:
    scope = {name: asked[name] for name in asked if name in ("charger_id", "group")}
    parts = {"paise_per_kwh": 1_800} | {name: asked[name] for name in asked if name not in scope}
    with pytest.raises(NotAPrice, match=sentence):
        tariffs.set_price(db, Price(gst_basis_points=0, **parts), **scope)


def test_a_start_that_no_charge_may_hold_is_refused_in_a_sentence(db: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody could start, and who has money enough would be told to add some."""
    monkeypatch.setattr(settings(), "start_min_paise", 5_000)
    monkeypatch.setattr(settings(), "session_cap_paise", 200_000)
    with pytest.raises(NotAPrice, match=r"₹1,950\.00 at most: one charge may hold ₹2,000\.00, and ₹50\.00"):
        tariffs.set_price(db, Price(1_800, 0, start_paise=195_001))
    tariffs.set_price(db, Price(1_800, 0, start_paise=195_000))
    assert tariffs.least_to_start(tariffs.price(db, "BLR-1", now())) == settings().session_cap_paise


def test_a_price_begins_now_or_later(db: Session) -> None:
    """Whoever says now is heard a moment later, so the last minute is now."""
    tariffs.set_price(db, Price(1_000, 0), effective_at=now() - timedelta(seconds=30))
    assert rate(db) == 1_000
    with pytest.raises(NotAPrice, match="begins now or later"):
        tariffs.set_price(db, Price(1_000, 0), effective_at=now() - timedelta(seconds=90))


@pytest.mark.parametrize(
    ("typed", "band"),
    [
        ("22:00-06:00=12.50", Band(1_320, 360, 1_250)),
        ("00:00-24:00=1", Band(0, 0, 100)),
        ("17:05-24:00=0", Band(1_025, 0, 0)),
    ],
)
def test_hours_with_a_price_are_read(typed: str, band: Band) -> None:
    assert tariffs.parse_band(typed) == band


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "at night=12",
        "22:00-06:00",
        "22:00-25:00=12",
        "24:00-06:00=1",
        "22:00-06:00=1.234",
        "22:00-06:00=-1",
        "२2:00-06:00=1",
    ],
)
def test_hours_that_are_none_are_refused_in_a_sentence(typed: str) -> None:
    with pytest.raises(NotAPrice, match=r"like 22:00-06:00=12\.50"):
        tariffs.parse_band(typed)


def test_every_part_comes_back(db: Session) -> None:
    parts = {"start_paise": 1_000, "per_minute_paise": 50, "idle_after_minutes": 10, "idle_per_minute_paise": 200}
    bands = (Band(600, 660, 2_400), Band(1_320, 360, 1_200))
    tariffs.set_price(db, Price(1_800, 0, bands=bands, **parts))
    found = tariffs.price(db, "BLR-1", now())
    assert found == Price(1_800, 0, **parts, bands=bands)
    assert Price.kept(1_800, 0, found.terms) == found


def test_gst_only_with_a_gstin(db: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    tariffs.set_price(db, Price(2_000, 0))
    assert tariffs.price(db, "BLR-1", now()) == Price(2_000, 0)
    monkeypatch.setattr(settings(), "seller_gstin", "29ABCDE1234F1Z5")
    assert tariffs.price(db, "BLR-1", now()) == Price(2_000, 1_800)


def test_a_price_computes(db: Session) -> None:
    assert Price(1_850, 1_800).cost(Usage(((1_850, 2_345),))) == 4_338
    assert Price(1_850, 1_800).gst(4_338) == 662


def test_some_hours_may_be_free_and_none_costs_less(db: Session) -> None:
    tariffs.set_price(db, Price(1_800, 0, bands=(Band(22 * 60, 6 * 60, 0),)))
    with pytest.raises(NotAPrice, match="a price that is not negative"):
        tariffs.set_price(db, Price(1_800, 0, bands=(Band(22 * 60, 6 * 60, -1),)))


def test_what_stands_is_what_holds_and_what_is_to_come(db: Session) -> None:
    moment = now()
    for paise, hours in ((1_000, -48), (1_100, -24), (1_200, 0), (1_300, 24)):
        db.add(Tariff(paise_per_kwh=paise, gst_basis_points=1_800, effective_at=moment + timedelta(hours=hours)))
        db.flush()
    for charger_id in ("BLR-1", "BLR-2"):
        tariffs.set_price(db, Price(2_500, 0), charger_id=charger_id, effective_at=moment)
    told = [(tariff.charger_id, price.paise_per_kwh) for tariff, price in tariffs.standing(db, moment)]
    assert sorted(told, key=str) == [("BLR-1", 2_500), ("BLR-2", 2_500), (None, 1_200), (None, 1_300)]
    assert [price.paise_per_kwh for _, price in tariffs.standing(db, moment + timedelta(days=1))] == [
        1_300,
        2_500,
        2_500,
    ]


def test_a_price_to_come_is_taken_back_and_one_that_has_begun_is_not(db: Session) -> None:
    """Set for the wrong charger it could only be replaced, so that the charger had a price of its own for ever."""
    past, future = now(), now() + timedelta(hours=1)
    tariffs.set_price(db, Price(1_900, 0), effective_at=past)
    for charger_id in ("BLR-1", None):
        tariffs.set_price(db, Price(2_500, 0, bands=(Band(0, 60, 1),)), charger_id=charger_id, effective_at=future)
    for charger_id, at in (("BLR-2", future), ("BLR-1", future + timedelta(hours=1))):
        with pytest.raises(NotAPrice, match="No price is to come"):
            tariffs.withdraw(db, at, charger_id=charger_id)
    tariffs.withdraw(db, future, charger_id="BLR-1")
    assert (rate(db, hours=2), len(tariffs.everything(db))) == (2_500, 2)
    tariffs.withdraw(db, future)
    assert rate(db, hours=2) == 1_900
    with pytest.raises(NotAPrice, match="has begun"):
        tariffs.withdraw(db, past)
    assert rate(db) == 1_900


def test_the_price_of_a_tariff_has_its_parts(db: Session) -> None:
    tariff = tariffs.set_price(db, Price(1_500, 0, start_paise=300, per_minute_paise=50))
    assert tariffs.of(db, tariff) == Price(1_500, 0, start_paise=300, per_minute_paise=50)


# The end of a price of one's own


@pytest.fixture
def mall(db: Session) -> None:
    """BLR-1 is in a group, and has a price of its own above that of the group and of all."""
    chargers.set_group(db, "BLR-1", "malls")
    tariffs.set_price(db, Price(1_000, 0))
    tariffs.set_price(db, Price(1_100, 0), group="malls")
    tariffs.set_price(db, Price(1_200, 0), charger_id="BLR-1")


@pytest.mark.usefixtures("mall")
def test_where_an_own_price_ends_the_next_wider_one_holds(db: Session) -> None:
    tariffs.end(db, charger_id="BLR-1")
    assert rate(db) == 1_100
    tariffs.end(db, group="malls")
    assert rate(db) == 1_000
    assert [tariff.paise_per_kwh for tariff, _ in tariffs.standing(db, now())] == [1_000]
    assert len(tariffs.everything(db)) == 3
    tariffs.set_price(db, Price(1_300, 0), charger_id="BLR-1")
    assert rate(db) == 1_300


@pytest.mark.usefixtures("mall")
def test_an_own_price_ends_later_and_the_end_is_taken_back(db: Session) -> None:
    monday = now() + timedelta(hours=5)
    tariffs.end(db, charger_id="BLR-1", ends_at=monday)
    assert [rate(db, hours=h) for h in (0, 4.9, 5.1)] == [1_200, 1_200, 1_100]
    tariffs.withdraw(db, monday, charger_id="BLR-1")
    assert rate(db, hours=5.1) == 1_200


@pytest.mark.usefixtures("mall")
def test_what_was_is_told_as_it_was(db: Session) -> None:
    before = now()
    tariffs.end(db, charger_id="BLR-1")
    assert tariffs.price(db, "BLR-1", before).paise_per_kwh == 1_200


@pytest.mark.usefixtures("mall")
def test_one_that_is_to_begin_after_an_end_begins_all_the_same(db: Session) -> None:
    tariffs.set_price(db, Price(1_400, 0), charger_id="BLR-1", effective_at=now() + timedelta(hours=5))
    tariffs.end(db, charger_id="BLR-1", ends_at=now() + timedelta(hours=2))
    assert [rate(db, hours=h) for h in (1, 3, 6)] == [1_200, 1_100, 1_400]


@pytest.mark.parametrize(
    ("scope", "hours", "words"),
    [
        ({}, 0, "has no other behind it"),
        ({"charger_id": "BLR-2"}, 0, "No price of its own holds"),
        ({"group": "malls"}, -1, "ends now or later"),
    ],
)
@pytest.mark.usefixtures("mall")
def test_what_cannot_end_is_refused(db: Session, scope: dict[str, str], hours: float, words: str) -> None:
    with pytest.raises(NotAPrice, match=words):
        tariffs.end(db, ends_at=now() + timedelta(hours=hours), **scope)


@pytest.mark.usefixtures("mall")
def test_what_has_ended_does_not_end_again(db: Session) -> None:
    tariffs.end(db, charger_id="BLR-1")
    with pytest.raises(NotAPrice, match="No price of its own holds"):
        tariffs.end(db, charger_id="BLR-1")
