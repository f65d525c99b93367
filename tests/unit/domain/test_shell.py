"""The operator's shell: every command, what it says, and that bad input gets a sentence and exit code 2."""

import asyncio
import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session, select

from domain import accounts, pins, socket, story, trail, wallet
from domain.__main__ import NOBODY_HEARD, main, parser
from domain.bus import LocalBus
from domain.db import Database
from domain.events import ChargerChanged, ChargerMustReconnect, Event, WalletChanged
from domain.models import Account, Charger, SignIn, User, now
from domain.settings import settings
from domain.shell import COMMANDS
from domain.shell.command import Command, signed_rupees
from tests.asked import asked
from tests.databases import ROOT
from tests.money import house
from tests.money.charges import Desk
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


def test_the_same_key_adjusts_a_wallet_once(run, database: Database, asha: User) -> None:  # type: ignore[no-untyped-def]
    """As after an answer that was lost: the line is typed again, word by word. It was done once, and is told once."""
    for _ in range(2):
        assert "who has ₹50.00 now" in run('wallet adjust asha 50 --reason "He waited" --key waited').out
    said = run('wallet adjust asha 60 --reason "He waited" --key waited')
    assert (said.code, said.out) == (2, "")
    assert said.err == "The key 'waited' names another adjustment. Nothing was moved.\n"
    assert "₹50.00" in run("user find asha").out
    assert [act.action for act in database.now(trail.entries)[0]] == ["wallet adjust"]


def test_nobody_is_found(run) -> None:  # type: ignore[no-untyped-def]
    said = run("user find nobody")
    assert (said.code, said.out, said.err) == (1, "", "Nobody matches 'nobody'.\n")


def test_a_user_is_kept_out_and_let_in(run, database: Database, asha: User) -> None:  # type: ignore[no-untyped-def]
    assert "asha is blocked" in run("user block asha").out
    assert "blocked" in run("user find asha").out
    ended = database.now(lambda db: db.exec(select(SignIn)).one().ended_at)[0]
    assert ended is not None
    assert "asha may sign in again." in run("user unblock 9845012345").out
    assert row(database, User, asha.id).blocked_at is None  # type: ignore[attr-defined]


def test_an_operator_who_is_blocked_is_found_as_blocked(run, asha: User) -> None:  # type: ignore[no-untyped-def]
    run("user make-operator asha")
    assert "operator" in run("user find asha").out
    run("user block asha")
    said = run("user find asha").out
    assert "blocked" in said
    assert "operator" not in said


def test_a_new_pin_is_a_good_one_and_works(run, database: Database, asha: User) -> None:  # type: ignore[no-untyped-def]
    said = run("user reset-pin 1")
    [pin] = re.findall(r"is (\d{6})$", said.out, re.MULTILINE)
    assert not pins.refusal(pin, asha.phone)
    kept = row(database, User, asha.id).pin_hash  # type: ignore[attr-defined]
    assert asyncio.run(pins.matches(pin, kept))
    assert pin not in run("user find asha").out


def test_who_is_called_by_anothers_number_is_not_taken_for_him(run, database: Database, asha: User) -> None:  # type: ignore[no-untyped-def]
    """Such names were given once: the operator must not act on somebody else."""

    def call(db: Session, name: str) -> int:
        user = db.get_one(User, house.driver(db, "eve"))
        user.username = name
        return user.id or 0

    eve = database.now(call, str(asha.id).zfill(3))[0]
    said = run(f"user reset-pin {str(asha.id).zfill(3)}")
    assert (said.code, said.out) == (2, "")
    assert f"is also how user {eve} is called" in said.err
    assert run(f"user reset-pin {eve}").code == 0


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
        "user free-phone asha",
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
        ("user free-phone", "user:1"),
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
    lines = database.now(story.lines, 1)[0]
    assert [(line.amount_paise, line.description) for line in lines] == [
        (-2_000, "too much"),
        (5_025, "for the blackout"),
    ]


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("-30.26 --reason x", "The wallet has only ₹0.00 available. Nothing was moved."),
        ("0 --reason x", "Choose an amount up to ₹1,00,000.00."),
        ("9999999 --reason x", "Choose an amount up to ₹1,00,000.00."),
        ("5 --reason ' '", "An adjustment needs a reason."),
    ],
)
def test_money_that_cannot_be_moved(run, database: Database, asha: User, typed: str, sentence: str) -> None:  # type: ignore[no-untyped-def]
    said = run(f"wallet adjust asha {typed}")
    assert (said.code, said.err) == (2, f"{sentence}\n")


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
    assert events == [ChargerChanged("BLR-1"), ChargerMustReconnect("BLR-1"), WalletChanged(asha)]
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


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_whoever_reads_no_further_hears_no_more_and_stops_nothing(database: Database, here: Path) -> None:
    """`… | head`, in processes of their own, as an operator has them."""
    unread, out = os.pipe()
    os.close(unread)
    try:
        for line in ("charger add BLR-1", "charger list"):
            done = subprocess.run(
                [sys.executable, "-m", "domain", *line.split()],
                cwd=ROOT,
                env={**os.environ, "EVAPP_DATABASE_URL": database.url, "EVAPP_VAR_DIR": str(here)},
                stdout=out,
                stderr=subprocess.PIPE,
                text=True,
                check=False,
            )
            assert (done.returncode, done.stderr) == (0, "")
    finally:
        os.close(out)
    assert row(database, Charger, "BLR-1")


# Reading beside those who write

READING = (
    "charger list",
    "charger show TEST-1",
    "charger sticker TEST-1",
    "tariff list",
    "tariff show TEST-1",
    "token list",
    "user find asha",
    "wallet audit",
    "refund list",
    "payments list",
    "session list",
    "session show 1",
    "findings list",
    "apikey list",
    "process list",
)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("line", READING)
def test_what_only_reads_keeps_nobody_from_writing(run: Any, database: Database, line: str) -> None:
    """On SQLite every start, stop and sample waits for whoever has begun to write."""
    database.now(house.charge, database.now(house.driver)[0])
    with asked() as found:
        said = run(line)
    assert said.code == 0, said.err
    assert {one.statement for one in found if one.statement.startswith("BEGIN")} == {"BEGIN"}
