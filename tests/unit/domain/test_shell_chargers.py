"""The shell's commands for chargers and prices."""

import re
from datetime import UTC, datetime

import pytest

from domain import chargers, safety, tariffs
from domain.__main__ import NOBODY_HEARD
from domain.db import Database
from domain.models import Charger, Connector, now
from domain.prices import Band, Price
from domain.settings import Settings, settings
from tests.money.charges import METER, Desk
from tests.unit.domain.test_shell import database, here, row, run, street

__all__ = ["database", "here", "run", "street"]


def test_a_charger_from_its_first_day_to_its_last(run, database: Database) -> None:  # type: ignore[no-untyped-def]
    said = run(
        'charger add BLR-017 --name "Indiranagar 1" --place "100 Feet Road" --connectors 2 --kw 7.4 --kind "Type 2"'
    )
    assert (said.code, said.err) == (0, "")
    assert "/ocpp/BLR-017." in said.out
    assert "set-key BLR-017 --random" in said.out
    plug = row(database, Connector, "BLR-017", 2)
    assert (plug.max_power_w, plug.kind) == (7_400, "Type 2")  # type: ignore[attr-defined]

    said = run("charger list")
    assert said.out.splitlines()[1].split("  ")[0] == "BLR-017"
    assert "1 Unknown, 2 Unknown" in said.out

    said = run("charger show BLR-017")
    assert said.code == 0
    assert all(word in said.out for word in ("Indiranagar 1", "100 Feet Road", "₹18.00 a kWh", "Type 2", "7.4"))

    assert "BLR-017 is pinged never." in run("charger set BLR-017 --ping off").out
    assert "must name its version" in run("charger set BLR-017 --ping 60 --subprotocol required").out
    assert "every 60 s" in run("charger show BLR-017").out
    assert "as all others" in run("charger set BLR-017 --ping default --subprotocol optional").out
    assert "Every message of BLR-017" in run("charger trace BLR-017 on").out
    assert row(database, Charger, "BLR-017").trace  # type: ignore[attr-defined]
    run("charger trace BLR-017 off")
    assert not row(database, Charger, "BLR-017").trace  # type: ignore[attr-defined]

    said = run("charger retire BLR-017")
    assert (said.code, NOBODY_HEARD in said.out) == (0, True)
    assert "retired" in run("charger list").out
    assert run("charger add BLR-017").code == 0
    assert "retired" not in run("charger list").out


def test_plugs_that_are_no_more_are_offered_no_more(run, street: Desk) -> None:  # type: ignore[no-untyped-def]
    """After a charger with one plug took the place of one with three, drivers started at the second one in vain."""
    street.charger(connectors=3)
    street.connect("BLR-1")
    street.status("BLR-1", 1, "Available")
    run("charger add BLR-1 --connectors 1")
    assert [plug.state for plug in street.do(chargers.view, "BLR-1").connectors] == ["free"] * 3
    session = street.charging(street.driver(), connector=2)
    said = run("charger set BLR-1 --connectors 1")
    assert (said.code, "is at a plug that would go" in said.err) == (2, True)
    assert "no connector beyond 2" in run("charger set BLR-1 --connectors 2").out
    assert [plug.number for plug in street.do(chargers.view, "BLR-1").connectors] == [1, 2]
    street.stop(session, METER)
    assert run("charger set BLR-1 --connectors 1").code == 0
    assert [plug.number for plug in street.do(chargers.view, "BLR-1").connectors] == [1]
    assert street.session(session).connector_number == 2
    assert run("charger set NOSUCH --connectors 1").code == 2


def test_one_where_somebody_charges_is_not_taken_out_of_service(run, street: Desk) -> None:  # type: ignore[no-untyped-def]
    street.charger()
    street.charging(street.driver())
    said = run("charger retire BLR-1")
    assert (said.code, "of BLR-1 is not over. Stop it first" in said.err) == (2, True)


def test_contact_is_what_drivers_are_told(run, street: Desk) -> None:  # type: ignore[no-untyped-def]
    street.charger()
    assert "in contact" in run("charger list").out
    street.passes(minutes=20)
    assert "no contact" in run("charger list").out, "its socket is open, and nobody has heard it"
    assert "no contact" in run("charger show BLR-1").out


def test_a_charger_in_another_state_says_so(run, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(settings(), "seller_state", "Karnataka")
    run("charger add COK-1")
    assert "Karnataka" in run("charger show COK-1").out
    assert run("charger add COK-1 --state Kerala").code == 0
    assert row(database, Charger, "COK-1").state == "Kerala"  # type: ignore[attr-defined]
    assert "Kerala" in run("charger show COK-1").out


def test_the_newest_that_a_charger_said_of_its_safety_is_shown(run, database: Database) -> None:  # type: ignore[no-untyped-def]
    run("charger add BLR-1")
    run("charger add BLR-2")
    assert "SECURITY EVENT" not in run("charger show BLR-1").out
    at = datetime(2026, 11, 26, 8, 47, tzinfo=UTC)
    for n in range(safety.SHOWN + 2):
        told = {"kind": f"Kind{n}", "detail": f"detail {n}", "at": at, "received_at": at}
        database.now(safety.report, "BLR-1", **told)
        database.now(safety.report, "BLR-2", kind="Other", detail="", at=at, received_at=at)
    head, *rows = run("charger show BLR-1").out.splitlines()[-1 - safety.SHOWN :]
    assert head.split() == ["SECURITY", "EVENT", "AT", "DETAIL"]
    kinds = [f"Kind{n}" for n in range(safety.SHOWN + 1, 1, -1)]
    assert [line.split()[0] for line in rows] == kinds
    assert rows[0].endswith(f"2026-11-26 14:17:00  detail {safety.SHOWN + 1}")


def test_a_sticker_is_an_svg_to_save(run, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(settings(), "public_url", "https://charge.example")
    run('charger add BLR-017 --place "Phoenix Mall"')
    said = run("charger sticker BLR-017")
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("<svg ")
    assert "charge.example/c/BLR-017" in said.out
    assert "Phoenix Mall" in said.out
    assert run("charger sticker NOSUCH-1").code == 2


def test_a_random_key_is_shown_once_and_lets_the_charger_in(run, database: Database) -> None:  # type: ignore[no-untyped-def]
    run("charger add BLR-1")
    said = run("charger set-key BLR-1 --random")
    [key] = re.findall(r"\b[0-9A-F]{40}\b", said.out)
    assert NOBODY_HEARD in said.out
    database.now(chargers.admit, "BLR-1", bytes.fromhex(key), accept_unknown=False)
    with pytest.raises(chargers.ChargerKeyWrong):
        database.now(chargers.admit, "BLR-1", None, accept_unknown=False)
    shown = run("charger show BLR-1")
    assert "set" in shown.out
    assert key not in shown.out
    assert run("charger set-key BLR-1 a-key-of-my-own-1").code == 0
    database.now(chargers.admit, "BLR-1", b"a-key-of-my-own-1", accept_unknown=False)


def test_prices(run, database: Database) -> None:  # type: ignore[no-untyped-def]
    run("charger add BLR-1")
    run("charger add BLR-2")
    said = run("tariff set 21")
    assert said.out.startswith("From now on a kWh costs ₹21.00, GST included, at every charger that has no price")
    run("tariff set 18.50 --charger BLR-1")
    said = run("tariff set 25 --charger BLR-2 --from 2099-12-01")
    assert "From 2099-12-01 00:00:00 on" in said.out
    prices = [database.now(tariffs.price, charger, now())[0].paise_per_kwh for charger in ("BLR-1", "BLR-2")]
    assert prices == [1_850, 2_100]


def test_a_price_of_every_part(run, database: Database) -> None:  # type: ignore[no-untyped-def]
    run("charger add BLR-1 --group malls")
    said = run(
        "tariff set 18 --group malls --start-fee 10 --per-minute 0.50 --idle-after 10 --idle-per-minute 2 "
        "--band 22:00-06:00=12 --band 18:00-22:00=24.50"
    )
    assert (said.code, said.err) == (0, "")
    sentences = (
        "From 22:00 to 06:00 a kWh costs ₹12.00.",
        "From 18:00 to 22:00 a kWh costs ₹24.50.",
        "The start costs ₹10.00, once energy flows.",
        "A minute of charging costs ₹0.50.",
        "A cable left in a car costs ₹2.00 a minute after 10 minutes without energy, ₹240.00 at most.",
    )
    bands = (Band(1_080, 1_320, 2_450), Band(1_320, 360, 1_200))
    assert database.now(tariffs.price, "BLR-1", now())[0] == Price(1_800, 0, 1_000, 50, 10, 200, bands)
    run("tariff set 19 --group malls --from 2099-12-01")
    shown, listed = run("tariff show BLR-1").out, run("tariff list").out
    assert all(sentence in said.out and sentence in shown and sentence in listed for sentence in sentences)
    assert "From 2099-12-01 00:00:00 on another price holds at the chargers of the group malls" in shown
    assert "`tariff show`" in run("charger show BLR-1").out
    assert "in no group" in run("charger group BLR-1").out
    assert database.now(tariffs.price, "BLR-1", now())[0].plain
    assert "BLR-1 is in the group malls" in run("charger group BLR-1 malls").out
    assert run("tariff show NOSUCH").code == 2
    assert "No charger is in the group mall." in run("tariff set 30 --group mall --from 2099-12-01").out
    assert run("tariff withdraw --from 2099-12-01 --group malls").out.startswith(
        "What was to come from 2099-12-01 00:00:00 on is taken back at the chargers of the group malls"
    )
    assert run("tariff withdraw --from 2099-12-01 --group malls").code == 2
    assert "2099-12-01" not in run("tariff show BLR-1").out


def test_a_price_of_ones_own_ends(run, database: Database) -> None:  # type: ignore[no-untyped-def]
    run("charger add BLR-1")
    run("tariff set 24 --charger BLR-1")
    said = run("tariff end --charger BLR-1 --at 2099-12-01").out
    assert said.startswith("From 2099-12-01 00:00:00 on the next wider price holds at BLR-1.")
    assert "From 2099-12-01 00:00:00 on the next wider price holds at BLR-1." in run("tariff show BLR-1").out
    assert "2099-12-01 00:00:00" in run("tariff list").out
    assert run("tariff end --charger BLR-1").code == 0
    assert "Now a kWh costs ₹18.00" in run("tariff show BLR-1").out
    assert run("tariff end --charger BLR-1").err.strip().endswith("No price of its own holds there then.")
    assert run("tariff end").code == 2


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ("18 --charger BLR-1 --group malls", "for one charger or for a group, not for both"),
        ("18 --idle-after 10", "Idling needs both"),
        ("18 --idle-per-minute 2", "Idling needs both"),
        ("18 --idle-after 4 --idle-per-minute 2", "a whole number from 5 to 1440"),
        ("18 --start-fee -1", "Enter the amount in digits"),
        ("18 --start-fee 1950.01", "A start may cost ₹1,950.00 at most"),
        ("18 --per-minute 1e3", "Enter the amount in digits"),
        ("18 --band 22:00-06:00", "like 22:00-06:00=12.50"),
        ("18 --band 22:00-25:00=12", "like 22:00-06:00=12.50"),
        ("18 --band 22:00-22:00=12", "another end"),
        ("18 --band 00:00-24:00=12", "another end"),
        ("18 --band 22:00-06:00=1.234", "like 22:00-06:00=12.50"),
        ("18 --band 20:00-23:00=12 --band 22:00-06:00=13", "two prices"),
        ("18 --from 2020-01-01", "now or later"),
        ("18 --charger NOSUCH", "no charger NOSUCH"),
    ],
)
def test_nonsense_about_prices_gets_a_sentence(run, database: Database, options: str, sentence: str) -> None:  # type: ignore[no-untyped-def]
    run("charger add BLR-1")
    said = run(f"tariff set {options}")
    assert (said.code, said.out) == (2, "")
    assert sentence in said.err
    assert database.now(tariffs.everything)[0] == []


@pytest.mark.parametrize(
    ("env", "certificate", "address"),
    [
        ("development", "", "ws://<this host>:9000/ocpp/BLR-1."),
        ("production", "cert.pem", "wss://<this host>:9000/ocpp/BLR-1."),
        ("production", "", "the chargers' address of docs/deploy.md, wss://<their name>/ocpp/BLR-1."),
    ],
)
def test_a_charger_is_told_an_address_that_is_right(
    run,  # type: ignore[no-untyped-def]
    monkeypatch: pytest.MonkeyPatch,
    env: str,
    certificate: str,
    address: str,
) -> None:
    monkeypatch.setattr(Settings, "check", lambda _: None)
    monkeypatch.setattr(settings(), "env", env)
    monkeypatch.setattr(settings(), "ocpp_port", 9000)
    monkeypatch.setattr(settings(), "ocpp_tls_cert", certificate)
    assert f"BLR-1 may connect, to {address}\n" in run("charger add BLR-1").out
