"""What the shell says to whatever cannot be: one sentence, never a stack trace."""

import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from domain import db, patience
from domain.__main__ import main
from domain.db import Database
from domain.settings import settings
from domain.shell.command import clock
from tests.databases import ROOT
from tests.unit.domain.test_shell import Said, database, here, run

__all__ = ["database", "here", "run"]


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
        ("charger add 'BLR 17'", "digits and * + - _ . : with at least one letter or digit."),
        ("charger add ..", "A charger's ID has"),
        ("charger add ''", "A charger's ID has"),
        (f"charger add {'x' * 49}", "at most 48 characters"),
        ("charger add BLR-1 --kw lots", "a power in kW"),
        ("charger add BLR-1 --kw NaN", "a power in kW"),
        ("charger add BLR-1 --kw -7", "a power in kW"),
        ("charger add BLR-1 --kw 1e99999999", "a power in kW"),
        ("charger add BLR-1 --kw ७", "a power in kW"),
        ("charger add BLR-1 --kw 999 --kind 'Type 2'", "A plug of kind Type 2 gives at most 44 kW"),
        ("charger add BLR-1 --connectors 0", "a whole number from 1"),
        ("charger add BLR-1 --connectors 1000000", "a whole number from 1"),
        (f"charger add BLR-1 --name {'x' * 121}", "at most 120 characters"),
        ("charger show NONE", "There is no charger NONE."),
        ("charger set-key NONE --random", "There is no charger NONE."),
        ("charger set-key NONE", "Give a key, or --random"),
        ("charger set-key NONE 1234567890123456 --random", "Give a key, or --random"),
        ("charger set-key NONE short", "A key has 16 to 40 visible characters."),
        ("charger set-key NONE 'a key with spaces in it'", "A key has 16 to 40 visible characters."),
        ("charger set-key NONE 'a-key-and-a-space '", "A key has 16 to 40 visible characters."),
        (f"charger set-key NONE {'x' * 41}", "A key has 16 to 40 visible characters."),
        ("charger retire NONE", "There is no charger NONE."),
        ("charger trace NONE on", "There is no charger NONE."),
        ("charger set NONE --ping off", "There is no charger NONE."),
        ("charger set NONE", "Say what to set"),
        ("charger set NONE --ping 0", "a whole number"),
        ("charger trace NONE maybe", "invalid choice"),
        ("tariff set", "required: rupees"),
        ("tariff set eighteen", "Enter the amount in digits"),
        ("tariff set 18.005", "Enter the amount in digits"),
        ("tariff set -1", "Enter the amount in digits"),
        ("tariff set 18 --charger NONE", "There is no charger NONE."),
        ("tariff set 18 --charger ''", "at least 1"),
        ("tariff set 18 --group ' '", "at least 1"),
        ("tariff set 18 --from someday", "a day or time such as"),
        ("tariff set 18 --from 2020-01-01", "A price begins now or later"),
        ("user block nobody", "There is no user 'nobody'."),
        ("user block 999999999", "There is no user '999999999'."),
        ("user block ''", "There is no user ''."),
        ("user unblock 98450", "There is no user '98450'."),
        ("user reset-pin 9845099999", "There is no user '9845099999'."),
        ("wallet adjust nobody 5 --reason x", "There is no user 'nobody'."),
        ("wallet adjust nobody 5", "required: --reason"),
        ("wallet adjust nobody --5 --reason x", "required: rupees"),
        ("wallet adjust nobody 1e3 --reason x", "Enter the amount in digits"),
        ("session show nothing", "There is no session 'nothing'."),
        ("session show 7", "There is no session '7'."),
        ("session list --limit 0", "a whole number from 1"),
        ("session list --charger NONE", "There is no charger NONE."),
        ("payments list --user 42", "There is no user '42'."),
        ("findings resolve 7", "There is no finding 7."),
        ("findings resolve 99999999999999999999", "a whole number from 1"),
        ("findings resolve 7 --note ''", "at least 1 character"),
        ("findings resolve 7 --note ' '", "at least 1 character"),
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
    (tmp_path / "empty.db").touch()
    monkeypatch.setattr(settings(), "database_url", f"sqlite:///{tmp_path / 'empty.db'}")
    said = Said(capsys, "charger list")
    assert said.code == 1
    assert "make migrate" in said.err


@pytest.mark.parametrize("line", ["wallet audit", "charger list", "charger add BLR-1"])
def test_a_path_with_a_slip_makes_no_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], line: str
) -> None:
    nowhere = tmp_path / "vra" / "evapp.db"
    monkeypatch.setattr(settings(), "database_url", f"sqlite:///{nowhere}")
    said = Said(capsys, line)
    assert (said.code, said.out) == (1, "")
    assert said.err == f"There is no database {nowhere}. `alembic upgrade head` (make migrate) makes one.\n"
    assert [*tmp_path.iterdir()] == []


def test_a_database_that_is_not_there(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(settings(), "database_url", "postgresql+psycopg://nobody@127.0.0.1:1/none")
    monkeypatch.setattr(patience, "AWAY_S", 0.2)
    said = Said(capsys, "charger list")
    assert said.code == 1
    assert len(said.err.splitlines()) == 1


@pytest.mark.parametrize(
    "url", ["nonsense", "postgresql://evapp@db/evapp", "mysql://evapp@db/evapp"], ids=["no URL", "no driver", "no kind"]
)
def test_an_address_of_no_database(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], url: str
) -> None:
    monkeypatch.setattr(settings(), "database_url", url)
    said = Said(capsys, "charger list")
    assert said.code == 1
    assert said.err.startswith("EVAPP_DATABASE_URL is sqlite:")


def test_a_folder_that_cannot_be_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "var").touch()
    monkeypatch.setattr(settings(), "database_url", "")
    monkeypatch.setattr(settings(), "var_dir", str(tmp_path / "var"))
    said = Said(capsys, "charger list")
    assert said.code == 1
    assert said.err == f"{tmp_path / 'var'} cannot be used: File exists. Is EVAPP_VAR_DIR right, and yours?\n"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_commit_that_nobody_answered_for(run, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    def gone(commit: Callable[[], None], work: object) -> None:
        commit()
        raise patience.CommitUnknown("The connection to the database went during a commit.")

    with monkeypatch.context() as lost:
        lost.setattr(db, "_commit", gone)
        said = run("tariff set 21")
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith("Nobody knows whether it was done:")
    assert "before you type it again" in said.err


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


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("typed", ["9999-12-31T20:00+00:00", "9999-12-31T23:59-14:00", "9999-12-31"])
def test_a_time_at_the_end_of_all_years_can_be_listed(run, database: Database, typed: str) -> None:  # type: ignore[no-untyped-def]
    """Indian time is ahead of UTC, and no clock goes beyond 9999."""
    for made, listed in (
        ("token add OLD --until", "token list"),
        ("apikey create x --all --until", "apikey list"),
        ("tariff set 18 --from", "tariff list"),
    ):
        assert run(f"{made} {typed}").code == 0
        assert "9999-12-30" in run(listed).out


def test_a_time_that_is_stored_already_is_shown_all_the_same() -> None:
    assert clock(datetime.max.replace(tzinfo=UTC)).startswith("9999-12-30")
