"""The car of a driver: what is kept of it, and what it takes at which connector."""

import pytest
from sqlmodel import Session

from domain import accounts, vehicles
from domain.accounts import FieldErrors
from domain.models import User, Vehicle

AC = "The most a car can take from AC is 44 kW."


def _driver(db: Session) -> int:
    user = User(username="asha", phone="+919845012345", pin_hash="")
    db.add(user)
    db.flush()
    assert user.id is not None
    return user.id


def test_a_car_is_kept_changed_and_forgotten(db: Session) -> None:
    user = _driver(db)
    assert vehicles.of(db, user) is None
    vehicles.save(db, user, {"name": " Nexon\n EV ", "battery": "30.2", "ac": "7.2", "dc": "50"})
    car = vehicles.of(db, user)
    assert car is not None
    assert (car.name, car.battery_wh, car.ac_w, car.dc_w) == ("Nexon EV", 30_200, 7_200, 50_000)
    vehicles.save(db, user, {"battery": "40"})
    assert (car.name, car.battery_wh, car.ac_w, car.dc_w) == ("", 40_000, 0, 0)
    vehicles.save(db, user, {"name": "", "battery": " "})
    db.flush()
    assert vehicles.of(db, user) is None


@pytest.mark.parametrize("typed", ["-1", "1e3", "30,2", "30.25", "१२", "10000", 30, "1001"])
def test_what_is_no_such_number_is_said_beside_its_field(db: Session, typed: object) -> None:
    with pytest.raises(FieldErrors) as refused:
        vehicles.save(db, _driver(db), {"battery": typed, "ac": "7.2", "dc": typed})
    assert set(refused.value.errors) == {"battery", "dc"}


@pytest.mark.parametrize("typed", ["1000.1", "5000", "99999", "999999999999"])
def test_more_than_any_car_has_is_told_the_most(db: Session, typed: str) -> None:
    with pytest.raises(FieldErrors) as refused:
        vehicles.save(db, _driver(db), dict.fromkeys(("battery", "ac", "dc"), typed))
    battery, dc = "The most a battery can hold here is 1,000 kWh.", "The most a car can take here is 1,000 kW."
    assert refused.value.errors == {"battery": battery, "ac": AC, "dc": dc}


@pytest.mark.parametrize("typed", ["44.1", "50", "999"])
def test_a_car_takes_no_more_from_ac_than_a_plug_for_it_carries(db: Session, typed: str) -> None:
    user = _driver(db)
    with pytest.raises(FieldErrors) as refused:
        vehicles.save(db, user, {"ac": typed, "dc": "250"})
    assert refused.value.errors == {"ac": AC}
    vehicles.save(db, user, {"ac": "44", "dc": "250"})


@pytest.mark.parametrize(
    ("kind", "nameplate_w", "flows_w"),
    [
        ("Type 2", 22_000, 7_200),
        ("Type 2", 3_300, 3_300),
        ("CCS 2", 60_000, 50_000),
        ("CHAdeMO", 25_000, 25_000),
        ("Bharat DC-001", 15_000, 15_000),
        ("", 22_000, 7_200),
        ("", 60_000, 50_000),
        ("CCS 2", 0, 50_000),
    ],
)
def test_a_car_takes_what_both_can(kind: str, nameplate_w: int, flows_w: int) -> None:
    car = Vehicle(user_id=1, ac_w=7_200, dc_w=50_000)
    assert vehicles.takes_w(car, kind, nameplate_w) == flows_w


def test_without_a_car_it_is_the_nameplate() -> None:
    assert vehicles.takes_w(None, "Type 2", 22_000) == 22_000
    assert vehicles.takes_w(Vehicle(user_id=1), "Type 2", 22_000) == 22_000
    assert vehicles.takes_w(Vehicle(user_id=1), "Type 2", 0) == 0


def test_a_car_goes_with_its_account() -> None:
    assert Vehicle in accounts.CHOICES
