"""The street from afar: filters, search, keyset, and what each charger does."""

from datetime import timedelta

import pytest

from domain import chargers, fleet, health
from domain.chargers import ChargerUnknown
from domain.fleet import CHARGING, EVERY, FAULT, FLAGGED, RETIRED, SILENT, Counts, Seen
from domain.health import Noted
from domain.models import ChargerHealth, now
from tests.money.charges import Desk


@pytest.fixture
def street(desk: Desk) -> Desk:
    for charger_id in ("A-1", "B-1", "C-1", "D-1", "E-1"):
        desk.charger(charger_id, connectors=2)
    desk.do(chargers.rename, "A-1", "Gate", "Phoenix Mall_1")
    desk.charging(desk.driver(), "B-1")
    desk.status("C-1", 1, "Faulted")
    desk.disconnect("D-1")
    desk.do(chargers.retire, "E-1")
    return desk


def ids(seen: list[Seen]) -> list[str]:
    return [one.charger.id for one in seen]


@pytest.mark.parametrize(
    ("which", "found"),
    [
        (EVERY, ["A-1", "B-1", "C-1", "D-1"]),
        (CHARGING, ["B-1"]),
        (FAULT, ["C-1"]),
        (SILENT, ["D-1"]),
        (RETIRED, ["E-1"]),
        (FLAGGED, []),
    ],
)
def test_each_filter_shows_its_own(street: Desk, which: str, found: list[str]) -> None:
    assert ids(street.do(fleet.page, which=which)) == found


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("b1", ["B-1"]),
        ("B-1", ["B-1"]),
        ("phoenix", ["A-1"]),
        ("gate", ["A-1"]),
        ("Mall_1", ["A-1"]),
        ("Mall%1", []),
        ("'; DROP TABLE chargers", []),
    ],
)
def test_a_charger_is_found_by_id_name_and_place(street: Desk, typed: str, found: list[str]) -> None:
    assert ids(street.do(fleet.page, typed=typed)) == found


def test_pages_follow_each_other(street: Desk) -> None:
    first = street.do(fleet.page, limit=2)
    assert ids(first) == ["A-1", "B-1"]
    assert ids(street.do(fleet.page, after=first[-1].charger.id, limit=9)) == ["C-1", "D-1"]


def test_what_each_does(street: Desk) -> None:
    free, busy, faulted, silent = street.do(fleet.page)
    of_free, of_busy, of_faulted = ([(plug.number, it) for plug, it in one.plugs] for one in (free, busy, faulted))
    assert (free.state, free.charging, of_free) == (chargers.FREE, 0, [(1, chargers.FREE), (2, chargers.FREE)])
    assert (busy.charging, of_busy[0]) == (1, (1, chargers.BUSY))
    assert (faulted.state, of_faulted[0]) == (chargers.FREE, (1, chargers.FAULT))
    assert silent.state == chargers.NO_CONTACT
    assert street.do(fleet.counts) == Counts(all=4, in_contact=3, charging=1, faulted=1)


def test_a_charger_that_fell_silent_is_out_of_contact(street: Desk) -> None:
    long_ago = street.clock.at - chargers.SILENCE - timedelta(seconds=1)

    def silence(db: object) -> None:
        chargers.info(db, "A-1").heard_at = long_ago  # type: ignore[arg-type]

    street.do(silence)
    assert ids(street.do(fleet.page, which=SILENT)) == ["A-1", "D-1"]
    assert street.do(fleet.one, "A-1").state == chargers.NO_CONTACT


@pytest.mark.parametrize(
    ("noted", "flags"),
    [
        (Noted(clock_skew_ms=301_000), ("skew",)),
        (Noted(clock_skew_ms=-301_000), ("skew",)),
        (Noted(clock_skew_ms=299_000), ()),
        (Noted(boot_loop_at=now()), ("boot_loop",)),
        (Noted(repairs=1), ("repairs",)),
        (Noted(unanswered=2), ("unanswered",)),
        (Noted(connects=5, boots=3), ()),
    ],
)
def test_what_is_wrong_with_its_health_is_flagged(street: Desk, noted: Noted, flags: tuple[str, ...]) -> None:
    street.do(health.add, {"A-1": noted}, now())
    assert street.do(fleet.one, "A-1").flags == flags
    assert ids(street.do(fleet.page, which=FLAGGED)) == (["A-1"] if flags else [])


def test_an_unknown_one_is_unknown(street: Desk) -> None:
    with pytest.raises(ChargerUnknown):
        street.do(fleet.one, "NOSUCH")
    assert health.flags(ChargerHealth(charger_id="X")) == ()
