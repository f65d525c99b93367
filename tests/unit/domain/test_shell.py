"""The operator's shell: every command, what it says, and that bad input gets a sentence and exit code 2."""

import asyncio
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlmodel import Session, select

from domain import accounts, chargers, charging, findings, patience, pins, socket, tariffs, trail, wallet
from domain.__main__ import NOBODY_HEARD, main, parser
from domain.bus import LocalBus
from domain.db import Database
from domain.events import ChargerChanged, ChargerRetired, Event, WalletChanged
from domain.models import Account, Charger, Connector, Finding, SignIn, User, now
from domain.prices import Band, Price
from domain.settings import settings
from domain.shell import COMMANDS
from domain.shell.command import Command, signed_rupees
from tests.databases import ROOT
from tests.money import house
from tests.money.charges import METER, Desk
from tests.money.house import Clock

OPERATE = ROOT / "docs" / "operate.md"


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of this test's own, short enough for a socket."""
    monkeypatch.setattr(pins, "COST", 4)
    with tempfile.TemporaryDirectory(prefix="ev") as folder:
        monkeypatch.setattr(settings(), "var_dir", folder)
        yield Path(folder)


@pytest.fixture
def database(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """The database that the shell works on, as somebody else sees it."""
    monkeypatch.setattr(settings(), "database_url", database_url)
    with closing(Database(database_url)) as database:
        yield database
        assert database.now(house.broken)[0] == []


@pytest.fixture
def street(database: Database, clock: Clock) -> Desk:
    return Desk(database, clock)


class Said:
    """What a command answered."""

    def __init__(self, capsys: pytest.CaptureFixture[str], line: str) -> None:
        try:
            self.code = main(shlex.split(line))
        except SystemExit as left:
            self.code = int(str(left.code))
        self.out, self.err = capsys.readouterr()
        assert "Traceback" not in self.out + self.err


@pytest.fixture
def run(database: Database, capsys: pytest.CaptureFixture[str]) -> object:
    return lambda line: Said(capsys, line)


def row(database: Database, table: type, *key: object) -> object:
    return database.now(lambda db: db.get_one(table, key if len(key) > 1 else key[0]))[0]


# Chargers and prices


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


def test_a_charger_in_another_state_says_so(run, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(settings(), "seller_state", "Karnataka")
    run("charger add COK-1")
    assert "Karnataka" in run("charger show COK-1").out
    assert run("charger add COK-1 --state Kerala").code == 0
    assert row(database, Charger, "COK-1").state == "Kerala"  # type: ignore[attr-defined]
    assert "Kerala" in run("charger show COK-1").out


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


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ("18 --charger BLR-1 --group malls", "for one charger or for a group, not for both"),
        ("18 --idle-after 10", "Idling needs both"),
        ("18 --idle-per-minute 2", "Idling needs both"),
        ("18 --idle-after 4 --idle-per-minute 2", "a whole number from 5 to 1440"),
        ("18 --start-fee -1", "Write the amount in digits"),
        ("18 --per-minute 1e3", "Write the amount in digits"),
        ("18 --band 22:00-06:00", "hours and rupees for a kWh, such as 22:00-06:00=12.50"),
        ("18 --band 22:00-25:00=12", "hours and rupees"),
        ("18 --band 22:00-22:00=12", "end at another time"),
        ("18 --band 00:00-24:00=12", "end at another time"),
        ("18 --band 22:00-06:00=1.234", "hours and rupees"),
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


# Users and money


@pytest.fixture
def asha(database: Database) -> User:
    return database.now(_asha)[0]


def _asha(db: Session) -> User:
    form = accounts.Registration("asha", "+919845012345", "asha@example.in", "482913")
    user = accounts.register(db, form, "kept")
    db.add(SignIn(user_id=user.id or 0, token_hash="t", expires_at=now()))
    return user


@pytest.mark.parametrize("text", ["asha", "ash", "9845012345", "+91 98450 12345", "1", "example.in"])
def test_a_user_is_found(run, asha: User, text: str) -> None:  # type: ignore[no-untyped-def]
    said = run(f"user find '{text}'")
    assert said.code == 0
    assert all(word in said.out for word in ("asha", "+919845012345", "₹0.00"))


def test_nobody_is_found(run) -> None:  # type: ignore[no-untyped-def]
    said = run("user find nobody")
    assert (said.code, said.out, said.err) == (1, "", "Nobody is found by 'nobody'.\n")


def test_a_user_is_kept_out_and_let_in(run, database: Database, asha: User) -> None:  # type: ignore[no-untyped-def]
    assert "asha is blocked" in run("user block asha").out
    assert "blocked" in run("user find asha").out
    ended = database.now(lambda db: db.exec(select(SignIn)).one().ended_at)[0]
    assert ended is not None
    assert "asha may sign in again." in run("user unblock 9845012345").out
    assert row(database, User, asha.id).blocked_at is None  # type: ignore[attr-defined]


def test_a_new_pin_is_a_good_one_and_works(run, database: Database, asha: User) -> None:  # type: ignore[no-untyped-def]
    said = run("user reset-pin 1")
    [pin] = re.findall(r"is (\d{6})$", said.out, re.MULTILINE)
    assert not pins.refusal(pin, asha.phone)
    kept = row(database, User, asha.id).pin_hash  # type: ignore[attr-defined]
    assert asyncio.run(pins.matches(pin, kept))
    assert pin not in run("user find asha").out


def test_what_changes_something_stands_in_the_trail(run, database: Database) -> None:  # type: ignore[no-untyped-def]
    database.now(house.driver, "asha")
    for typed in (
        "charger add A-1 --name Gate",
        "charger set-key A-1 0123456789ABCDEF",
        "charger trace A-1 on",
        "tariff set 18.50 --charger A-1",
        "token add CARD-1 --user asha",
        "token block CARD-1",
        'wallet adjust asha 50 --reason "He waited"',
        "user block asha",
        "charger retire A-1",
    ):
        assert run(typed).code == 0, typed
    for typed in ("charger list", "user find asha", "charger retire NOSUCH", 'wallet adjust asha -500 --reason "No"'):
        run(typed)
    entries, _ = database.now(trail.entries)
    assert [(entry.action, entry.subject) for entry in reversed(entries)] == [
        ("charger add", "charger:A-1"),
        ("charger set-key", "charger:A-1"),
        ("charger trace", "charger:A-1"),
        ("tariff set", "charger:A-1"),
        ("token add", "card:CARD-1"),
        ("token block", "card:CARD-1"),
        ("wallet adjust", "user:1"),
        ("user block", "user:1"),
        ("charger retire", "charger:A-1"),
    ]
    assert "0123456789ABCDEF" not in str([entry.detail for entry in entries])


def test_an_operator_is_made_and_unmade(run, database: Database) -> None:  # type: ignore[no-untyped-def]
    database.now(house.driver, "asha")
    said = run("user make-operator asha")
    assert said.code == 0
    assert "asha is an operator" in said.out
    assert "/ops" in said.out
    assert "operator" in run("user find asha").out
    assert "asha is a driver" in run("user make-driver asha").out
    assert "operator" not in run("user find asha").out
    entries, _ = database.now(trail.entries)
    assert [entry.actor_kind for entry in entries] == ["shell", "shell"]


@pytest.mark.parametrize("command", ["user unblock 1", "user reset-pin 1", "user make-operator 1"])
def test_who_left_stays_away(run, database: Database, asha: User, command: str) -> None:  # type: ignore[no-untyped-def]
    def leave(db: Session) -> None:
        user = db.get_one(User, 1)
        user.pin_hash = ""
        db.add(user)

    database.now(leave)
    said = run(command)
    assert (said.code, said.err) == (2, "User 1 has deleted this account; it cannot be opened again.\n")


def test_money_is_given_and_taken_with_a_reason(run, database: Database, asha: User) -> None:  # type: ignore[no-untyped-def]
    said = run("wallet adjust asha 50.25 --reason 'for the blackout'")
    assert said.out == "₹50.25 given to asha, who has ₹50.25 now and reads the reason in the wallet.\n"
    said = run("wallet adjust asha -20 --reason 'too much'")
    assert said.out.startswith("₹20.00 taken from asha, who has ₹30.25 now")
    lines = database.now(wallet.lines, 1)[0]
    assert [(line.amount_paise, line.description) for line in lines] == [
        (-2_000, "too much"),
        (5_025, "for the blackout"),
    ]
    said = run("wallet adjust asha -30.26 --reason x")
    assert (said.code, said.err) == (2, "asha has only ₹30.25 free. Nothing was moved.\n")


def test_the_audit_names_every_rule_and_what_breaks_it(run, database: Database, asha: User) -> None:  # type: ignore[no-untyped-def]
    said = run("wallet audit")
    assert said.code == 0
    assert re.search(r"All \d+ rules hold", said.out)
    assert "ok      every transfer adds up to nothing" in said.out

    def damage(db: Session, by: int) -> None:
        account = db.get_one(Account, "wallet:1")
        account.balance_paise += by
        db.add(account)

    database.now(damage, 100)
    said = run("wallet audit")
    assert said.code == 1
    assert "BROKEN  every balance is the sum of its entries\n        wallet:1" in said.out
    assert "Stop and ask for help" in said.err
    database.now(damage, -100)


# Charges


def test_charges_and_what_they_moved(run, street: Desk) -> None:  # type: ignore[no-untyped-def]
    street.charger(connectors=2)
    session_id = street.charging(street.driver())
    street.flows(session_id, 2)
    running = run("session list --running")
    assert "BLR-1/1" in running.out
    assert "CHARGING" in running.out
    assert street.session(session_id).ref in run("charger show BLR-1").out
    street.stop(session_id, METER + 2_005)
    assert len(run("session list --running --charger BLR-1").out.splitlines()) == 1
    assert "2.005" in run("session list --limit 1").out
    for name in (street.session(session_id).ref, street.session(session_id).ref.lower(), str(session_id)):
        said = run(f"session show {name}")
        assert said.code == 0
        assert all(word in said.out for word in ("driver_0", "2.005 kWh", "₹36.09", "-₹36.09", "wallet:1", "/0000001"))


def test_a_walk_up_has_no_driver(run, street: Desk) -> None:  # type: ignore[no-untyped-def]
    street.charger()
    street.do(
        charging.started,
        charger_id="BLR-1",
        connector_number=1,
        tag="CARD",
        meter_start_wh=0,
        at=now(),
        received_at=now(),
    )
    assert "walk-up" in run("session list").out
    assert "walk-up" in run("session show 1").out


def test_findings_are_shown_until_somebody_has_looked(run, database: Database) -> None:  # type: ignore[no-untyped-def]
    assert run("findings list").out == "Nothing to look at.\n"
    database.now(findings.note, "orphan-stop", "BLR-1:7:100", "StopTransaction 7 \x1b[2J of nobody")
    said = run("findings list")
    assert "StopTransaction 7 ?[2J of nobody" in said.out, "no charger moves an operator's cursor"
    assert run("findings resolve 1").code == 0
    assert run("findings list").out == "Nothing to look at.\n"
    assert row(database, Finding, 1).resolved_at is not None  # type: ignore[attr-defined]


# Mistakes


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("", "required"),
        ("charger", "required"),
        ("dance", "invalid choice"),
        ("charger dance", "invalid choice"),
        ("charger add", "required: id"),
        ("charger add 'a/b'", "A charger's ID has"),
        ("charger add ..", "A charger's ID has"),
        ("charger add ''", "A charger's ID has"),
        (f"charger add {'x' * 49}", "at most 48 characters"),
        ("charger add BLR-1 --kw lots", "a power in kW"),
        ("charger add BLR-1 --kw NaN", "a power in kW"),
        ("charger add BLR-1 --kw -7", "a power in kW"),
        ("charger add BLR-1 --kw 1e99999999", "a power in kW"),
        ("charger add BLR-1 --kw ७", "a power in kW"),
        ("charger add BLR-1 --connectors 0", "a whole number from 1"),
        ("charger add BLR-1 --connectors 1000000", "a whole number from 1"),
        (f"charger add BLR-1 --name {'x' * 121}", "at most 120 characters"),
        ("charger show NONE", "There is no charger NONE."),
        ("charger set-key NONE --random", "There is no charger NONE."),
        ("charger set-key NONE", "Give a key, or --random"),
        ("charger set-key NONE 1234567890123456 --random", "Give a key, or --random"),
        ("charger set-key NONE short", "A key has 16 to 40 characters."),
        ("charger retire NONE", "There is no charger NONE."),
        ("charger trace NONE on", "There is no charger NONE."),
        ("charger set NONE --ping off", "There is no charger NONE."),
        ("charger set NONE", "Say what to set"),
        ("charger set NONE --ping 0", "a whole number"),
        ("charger trace NONE maybe", "invalid choice"),
        ("tariff set", "required: rupees"),
        ("tariff set eighteen", "Write the amount in digits"),
        ("tariff set 18.005", "Write the amount in digits"),
        ("tariff set -1", "Write the amount in digits"),
        ("tariff set 18 --charger NONE", "There is no charger NONE."),
        ("tariff set 18 --from someday", "a day or time such as"),
        ("tariff set 18 --from 2020-01-01", "A price begins now or later"),
        ("user block nobody", "There is no user 'nobody'."),
        ("user block 999999999", "There is no user '999999999'."),
        ("user block ''", "There is no user ''."),
        ("user unblock 98450", "There is no user '98450'."),
        ("user reset-pin 9845099999", "There is no user '9845099999'."),
        ("wallet adjust nobody 5 --reason x", "There is no user 'nobody'."),
        ("wallet adjust nobody 5", "required: --reason"),
        ("wallet adjust nobody 0 --reason x", "needs an amount and a reason"),
        ("wallet adjust nobody 5 --reason ' '", "needs an amount and a reason"),
        ("wallet adjust nobody --5 --reason x", "required: rupees"),
        ("wallet adjust nobody 1e3 --reason x", "Write the amount in digits"),
        ("session show nothing", "There is no session 'nothing'."),
        ("session show 7", "There is no session '7'."),
        ("session list --limit 0", "a whole number from 1"),
        ("findings resolve 7", "There is no finding 7."),
        ("findings resolve 99999999999999999999", "a whole number from 1"),
    ],
)
def test_a_mistake_gets_a_sentence(run, line: str, sentence: str) -> None:  # type: ignore[no-untyped-def]
    said = run(line)
    assert (said.code, said.out) == (2, "")
    assert sentence in said.err
    assert len(said.err.splitlines()) == 1
    assert said.err.endswith((".\n", "--help\n"))


def test_what_cannot_be_printed_is_no_text(capsys: pytest.CaptureFixture[str]) -> None:
    for typed in ("\udcff", "a\x00b", "a\nb"):
        with pytest.raises(SystemExit) as left:
            main(["charger", "show", typed])
        assert left.value.code == 2
        assert "cannot be printed" in capsys.readouterr().err


def test_a_database_that_is_not_migrated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(settings(), "database_url", f"sqlite:///{tmp_path / 'empty.db'}")
    said = Said(capsys, "charger list")
    assert said.code == 1
    assert "make migrate" in said.err


def test_a_database_that_is_not_there(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(settings(), "database_url", "postgresql+psycopg://nobody@127.0.0.1:1/none")
    monkeypatch.setattr(patience, "AWAY_S", 0.2)
    said = Said(capsys, "charger list")
    assert said.code == 1
    assert len(said.err.splitlines()) == 1


def test_settings_that_are_unsafe(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(settings(), "env", "production")
    said = Said(capsys, "charger list")
    assert said.code == 1
    assert "EVAPP_SECRET_KEY must be set" in said.err


def test_settings_that_cannot_be_read(tmp_path: Path) -> None:
    """In a process of its own, as an operator has it."""
    done = subprocess.run(
        [sys.executable, "-m", "domain", "charger", "list"],
        cwd=ROOT,
        env={"EVAPP_PORT": "many", "EVAPP_VAR_DIR": str(tmp_path), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("EVAPP_PORT: Input should be a valid integer")
    assert len(done.stderr.splitlines()) == 1


# The running server


async def test_a_running_server_hears_of_it(
    database: Database, street: Desk, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bus = LocalBus()
    heard = bus.subscribe()
    asha = street.driver(rupees=0)
    async with socket.serving(bus):
        for line in ("charger add BLR-1", "charger set-key BLR-1 --random", f"wallet adjust {asha} 5 --reason x"):
            said = await asyncio.to_thread(Said, capsys, line)
            assert (said.code, NOBODY_HEARD in said.out) == (0, False)
        said = await asyncio.to_thread(Said, capsys, "charger list")
    events: list[Event] = [await anext(heard) for _ in range(3)]
    assert events == [ChargerChanged("BLR-1"), ChargerRetired("BLR-1"), WalletChanged(asha)]
    await heard.aclose()  # type: ignore[attr-defined]


def test_without_a_server_only_what_matters_is_said(run, asha: User) -> None:  # type: ignore[no-untyped-def]
    assert NOBODY_HEARD not in run("charger add BLR-1").out
    assert NOBODY_HEARD in run("user block asha").out
    assert NOBODY_HEARD not in run("wallet adjust asha 5 --reason x").out


def test_an_adjustment_is_made_once_however_often_its_transaction_runs(
    run,
    database: Database,
    asha: User,
    monkeypatch: pytest.MonkeyPatch,  # type: ignore[no-untyped-def]
) -> None:
    once = wallet.adjust

    def twice(db: Session, *args: object, **kwargs: object) -> object:
        once(db, *args, **kwargs)  # type: ignore[arg-type]
        return once(db, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(wallet, "adjust", twice)
    run("wallet adjust asha 5 --reason x")
    assert database.now(wallet.balance, 1)[0].balance_paise == 500
    run("wallet adjust asha 5 --reason x")
    assert database.now(wallet.balance, 1)[0].balance_paise == 1_000, "a second call is a second wish"


def test_minus_is_a_sign() -> None:
    assert (signed_rupees("-50.25"), signed_rupees("50")) == (-5_025, 5_000)


def test_part_of_a_bill_is_given_back(run, street: Desk) -> None:  # type: ignore[no-untyped-def]
    street.charger()
    session_id = street.charging(street.driver())
    street.flows(session_id, 4)
    street.stop(session_id, METER + 4_000)
    ref = street.session(session_id).ref
    said = run(f"session give-back {ref} 20 --reason 'It was slow'")
    assert (said.code, said.out) == (0, f"driver_0 gets ₹20.00 back of {ref}, with credit note CN/26-27/0000001.\n")
    shown = run(f"session show {session_id}").out
    assert "goodwill" in shown
    assert "Given back of a charge at BLR-1, connector 1: It was slow" in shown
    again = run(f"session give-back {ref} 20 --reason 'It was slow'")
    assert (again.code, again.err) == (2, "₹20.00 of this charge was given back already.\n")
    assert run(f"session give-back {ref} 20").code == 2


# Documents


def manual() -> dict[str, str]:
    """Each command of the manual, and its row there."""
    rows = re.findall(r"^\| `(\w+ [a-z-]+)(.*)$", OPERATE.read_text(encoding="utf-8"), re.MULTILINE)
    return {words: words + rest for words, rest in rows}


def test_the_manual_has_the_commands_and_no_others() -> None:
    assert manual().keys() == {command.words for command in COMMANDS}


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.words)
def test_the_manual_has_every_argument(command: Command) -> None:
    told = manual()[command.words]
    assert [a.name for a in command.arguments if f"`{a.name}`" not in told and f"<{a.name}>" not in told] == []


def test_examples_in_the_documents_can_be_typed() -> None:
    for page in (OPERATE, ROOT / "README.md"):
        for line in re.findall(r"^python -m domain (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE):
            assert parser().parse_args(shlex.split(line, comments=True)).command
