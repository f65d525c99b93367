"""Chargers: who may connect, and what a driver may know."""

import pytest
from pydantic import SecretStr
from sqlmodel import Session

from domain import charger_keys, chargers, typed_ids
from domain.chargers import (
    BUSY,
    FAULT,
    FREE,
    NO_CONTACT,
    OFF,
    ChargerIsRetired,
    ChargerKeyWrong,
    ChargerUnknown,
    NotACharger,
)
from domain.events import ChargerChanged, ChargerMustReconnect
from domain.models import Charger, Connector, now
from domain.settings import settings
from tests.money.charges import METER, Desk
from tests.money.house import connect

KEY = "0102030405060708090A0B0C0D0E0F1011121314"


def state(desk: Desk, number: int = 1) -> str:
    view = desk.do(chargers.view, "BLR-1")
    return next(c.state for c in view.connectors if c.number == number)


# Made known


def test_adding_makes_connectors_and_adding_again_describes_anew(db: Session) -> None:
    chargers.add(db, "BLR-1", name="Indiranagar", place="100 Feet Road", connectors=2, max_power_w=30_000, kind="CCS2")
    charger = chargers.add(db, "BLR-1", name="Indiranagar 1", connectors=2)
    assert (charger.name, charger.place, charger.find_key) == ("Indiranagar 1", "100 Feet Road", "BLR1")
    plugs = [db.get_one(Connector, ("BLR-1", n)) for n in (1, 2)]
    assert [(plug.max_power_w, plug.kind, plug.status) for plug in plugs] == [(30_000, "CCS2", "Unknown")] * 2
    assert chargers.everything(db) == [charger]


@pytest.mark.parametrize("charger_id", ["", "..", "BLR 17", "a/b", "x" * 49, "BLR-1\n", "बेंगलुरु"])
def test_what_is_no_id_is_not_made_known(db: Session, charger_id: str) -> None:
    with pytest.raises(NotACharger, match="48 characters: letters, digits"):
        chargers.add(db, charger_id)
    assert chargers.everything(db) == []


def test_a_charger_stands_in_a_state_that_there_is(db: Session) -> None:
    """Another name would make each of its invoices one for another state."""
    assert chargers.add(db, "BLR-1", state="Karnataka").state == "Karnataka"
    with pytest.raises(NotACharger, match="Karnatka is no state of India"):
        chargers.add(db, "BLR-1", state="Karnatka")


@pytest.mark.parametrize("kind", ["Type 2", "type2 socket", "TYPE 1", "AC", "Bharat AC-001"])
def test_a_plug_for_ac_gives_no_more_than_it_carries(db: Session, kind: str) -> None:
    """IEC 62196-2: 63 A on three phases of 400 V."""
    chargers.add(db, "BLR-1", max_power_w=44_000, kind=kind)
    with pytest.raises(NotACharger, match="gives at most 44 kW"):
        chargers.add(db, "BLR-2", max_power_w=44_001, kind=kind)


def test_a_plug_that_becomes_one_for_ac_is_described_with_its_power(db: Session) -> None:
    chargers.add(db, "BLR-1", max_power_w=60_000)
    with pytest.raises(NotACharger, match="gives at most 44 kW"):
        chargers.add(db, "BLR-1", kind="Type 2")
    chargers.add(db, "BLR-1", max_power_w=22_000, kind="Type 2")


@pytest.mark.parametrize("kind", ["", "CCS2", "CCS Type 2", "CHAdeMO", "GB/T", "NACS", "Bharat DC-001", "AC and DC"])
def test_other_plugs_give_up_to_a_megawatt(db: Session, kind: str) -> None:
    chargers.add(db, "BLR-1", max_power_w=1_000_000, kind=kind)
    with pytest.raises(NotACharger, match="gives at most 1000 kW"):
        chargers.add(db, "BLR-1", max_power_w=1_000_001, kind=kind)


@pytest.mark.parametrize("charger_id", ["A", "7", "..a..", "BLR-017", "x" * 48, "00:1B:44:11:3A:B7"])
def test_what_is_an_id_may_be_made_known(db: Session, charger_id: str) -> None:
    assert chargers.add(db, charger_id).id == charger_id


def test_a_charger_has_up_to_255_connectors(db: Session) -> None:
    chargers.add(db, "BLR-1", connectors=255)
    for wrong in (-1, 256):
        with pytest.raises(NotACharger, match="up to 255 connectors"):
            chargers.add(db, "BLR-1", connectors=wrong)


def test_one_where_a_charge_is_not_over_stays_in_service(desk: Desk) -> None:
    """It could tell nobody what it delivered: its driver would pay an estimate."""
    desk.charger()
    charge = desk.charging(desk.driver())
    with pytest.raises(chargers.ChargerInUse, match=r"^Charge .+ of BLR-1 is not over. Stop it first"):
        desk.do(chargers.retire, "BLR-1")
    desk.stop(charge, METER + 1_000)
    desk.do(chargers.retire, "BLR-1")


def test_a_retired_one_may_not_connect_and_is_not_found_until_it_is_added_again(desk: Desk) -> None:
    desk.charger()
    desk.events.clear()
    desk.do(chargers.retire, "BLR-1")
    assert desk.events == [ChargerMustReconnect("BLR-1"), ChargerChanged("BLR-1")]
    with pytest.raises(ChargerIsRetired):
        desk.do(chargers.admit, "BLR-1", None, accept_unknown=True)
    with pytest.raises(ChargerUnknown):
        desk.do(chargers.view, "BLR-1")
    assert desk.do(typed_ids.find, "BLR-1").charger_id is None
    desk.do(chargers.add, "BLR-1")
    desk.do(chargers.admit, "BLR-1", None, accept_unknown=False)


@pytest.mark.parametrize("work", [chargers.info, chargers.view, chargers.retire])
@pytest.mark.parametrize("charger_id", ["NONE", "", "\x00", "BLR-1\x00", "\ud800", "x" * 5_000])
def test_what_is_not_there_is_unknown_whatever_was_typed(desk: Desk, work: object, charger_id: str) -> None:
    with pytest.raises(ChargerUnknown):
        desk.do(work, charger_id)  # type: ignore[arg-type]


def test_unknown_ones_by_policy(db: Session) -> None:
    with pytest.raises(ChargerUnknown):
        chargers.admit(db, "NEW-1", None, accept_unknown=False)
    assert db.get(Charger, "NEW-1") is None
    chargers.admit(db, "NEW-1", None, accept_unknown=True)
    assert db.get_one(Charger, "NEW-1").find_key == "NEW1"


@pytest.mark.parametrize(
    ("set_to", "sent"),
    [
        (KEY, KEY.encode()),
        (KEY, KEY.lower().encode()),
        (KEY.lower(), KEY.encode()),
        (KEY, bytes.fromhex(KEY)),
        ("correct-horse-battery", b"correct-horse-battery"),
        ("correct-horse-battery", b"correct-horse-battery".hex().encode()),
        ("correct-horse-battery", b"correct-horse-battery".hex().upper().encode()),
        ("FF" * 20, b"\xff" * 20),
    ],
)
def test_a_key_in_every_form(db: Session, set_to: str, sent: bytes) -> None:
    """ocpp.md Q8: raw or hexadecimal, on either side."""
    chargers.add(db, "BLR-1")
    chargers.set_key(db, "BLR-1", set_to)
    chargers.admit(db, "BLR-1", sent, accept_unknown=False)


@pytest.mark.parametrize("sent", [None, b"", KEY[:-2].encode(), b"\x00" * 20, KEY.encode() + b" ", b"zz" * 20])
def test_a_wrong_key(db: Session, sent: bytes | None) -> None:
    chargers.add(db, "BLR-1")
    chargers.set_key(db, "BLR-1", KEY)
    with pytest.raises(ChargerKeyWrong):
        chargers.admit(db, "BLR-1", sent, accept_unknown=True)


def test_a_key_is_no_other_chargers_and_can_be_taken_away(db: Session) -> None:
    for charger_id in ("BLR-1", "BLR-2"):
        chargers.add(db, charger_id)
        chargers.set_key(db, charger_id, KEY)
    hashes = {charger.key_hash for charger in chargers.everything(db)}
    assert len(hashes) == 2
    assert not any(KEY.lower() in kept.lower() for kept in hashes)
    chargers.set_key(db, "BLR-1", "")
    chargers.admit(db, "BLR-1", None, accept_unknown=False)


@pytest.mark.parametrize(
    "key", ["short", "x" * 15, "x" * 41, "a key with spaces in it", "a-key-and-a-space ", "ключ-зарядки-17"]
)
def test_what_is_no_key_is_never_one(db: Session, key: str) -> None:
    chargers.add(db, "BLR-1")
    for ask in (chargers.set_key, chargers.offer_key):
        with pytest.raises(charger_keys.NotAKey, match="A key has 16 to 40 visible characters"):
            ask(db, "BLR-1", key)
    assert not chargers.info(db, "BLR-1").key_hash


@pytest.mark.parametrize("sent", [None, b""])
def test_no_key_is_never_the_new_one(db: Session, sent: bytes | None) -> None:
    chargers.add(db, "BLR-1")
    chargers.set_key(db, "BLR-1", KEY)
    with pytest.raises(charger_keys.NotAKey):
        chargers.offer_key(db, "BLR-1", "")
    with pytest.raises(ChargerKeyWrong):
        chargers.admit(db, "BLR-1", sent, accept_unknown=False)


def test_after_another_secret_key_its_own_lets_it_in_once_it_was_told_again(
    db: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """docs/operate.md, Another secret key: nobody has to go to the charger."""
    chargers.add(db, "BLR-1")
    chargers.set_key(db, "BLR-1", KEY)
    monkeypatch.setattr(settings(), "secret_key", SecretStr("another secret of more than 32 characters"))
    with pytest.raises(ChargerKeyWrong):
        chargers.admit(db, "BLR-1", KEY.encode(), accept_unknown=False)
    chargers.set_key(db, "BLR-1", KEY)
    chargers.admit(db, "BLR-1", KEY.encode(), accept_unknown=False)


def test_a_new_key_drops_the_socket(desk: Desk) -> None:
    desk.charger()
    desk.events.clear()
    desk.do(chargers.set_key, "BLR-1", KEY)
    assert desk.events == [ChargerMustReconnect("BLR-1")]


# What a driver may know


@pytest.mark.parametrize(
    ("status", "shown"),
    [
        ("Available", FREE),
        ("Preparing", FREE),
        ("Charging", BUSY),
        ("SuspendedEV", BUSY),
        ("SuspendedEVSE", BUSY),
        ("Finishing", BUSY),
        ("Reserved", BUSY),
        ("Unavailable", OFF),
        ("Faulted", FAULT),
        ("Unknown", NO_CONTACT),
        ("Something new", NO_CONTACT),
    ],
)
def test_what_a_status_means(desk: Desk, status: str, shown: str) -> None:
    desk.charger()
    desk.status("BLR-1", 1, status)
    assert state(desk) == shown


def test_a_wish_takes_the_connector_before_the_charger_says_so(desk: Desk) -> None:
    desk.charger(connectors=2)
    desk.request(desk.driver())
    assert (state(desk, 1), state(desk, 2)) == (BUSY, FREE)


@pytest.mark.parametrize(("status", "shown"), [("Faulted", FAULT), ("Unavailable", OFF), ("Available", FREE)])
def test_the_charger_as_a_whole(desk: Desk, status: str, shown: str) -> None:
    """Connector 0 is no choice, but its fault is everyone's."""
    desk.charger()
    desk.status("BLR-1", 0, status)
    assert state(desk) == shown
    assert [c.number for c in desk.do(chargers.view, "BLR-1").connectors] == [1]


def test_silence_is_no_contact(desk: Desk) -> None:
    desk.charger()
    desk.passes(minutes=9)
    assert state(desk) == FREE
    desk.passes(minutes=1)
    assert state(desk) == NO_CONTACT
    desk.heard("BLR-1")
    assert state(desk) == FREE
    desk.disconnect()
    assert state(desk) == NO_CONTACT


def test_a_chargers_state_is_the_best_of_its_connectors(desk: Desk) -> None:
    desk.charger(connectors=3)
    seen = []
    for number, status in ((1, "Faulted"), (2, "Unavailable"), (3, "Charging"), (3, "Unknown"), (1, "Unavailable")):
        desk.status("BLR-1", number, status)
        seen.append(desk.do(chargers.view, "BLR-1").state)
    assert seen == [FREE, FREE, BUSY, FAULT, OFF]


def test_a_charger_without_connectors_is_out_of_contact(db: Session) -> None:
    chargers.admit(db, "NEW-1", None, accept_unknown=True)
    connect(db, "NEW-1", now())
    assert chargers.view(db, "NEW-1").state == NO_CONTACT


def test_everybody_may_know_how_many_chargers_are_in_contact(db: Session) -> None:
    assert chargers.counts(db) == (0, 0)
    for charger_id in ("BLR-1", "BLR-2", "BLR-3", "BLR-4"):
        chargers.add(db, charger_id)
    connect(db, "BLR-1", now())
    connect(db, "BLR-2", now() - chargers.SILENCE)
    connect(db, "BLR-4", now())
    chargers.retire(db, "BLR-4")
    assert chargers.counts(db) == (1, 3)
