"""From one small machine to many: every row arrives, the books are right, and the product goes on there."""

from argparse import Namespace
from contextlib import AbstractAsyncContextManager, closing
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlmodel import Session, SQLModel, col

from domain import goodwill
from domain.db import Database
from domain.models import Receipt, SessionState
from domain.recharges import PaymentGateway
from domain.shell import machines
from domain.shell.command import Shell
from scripts.move import Unfit, main, move
from tests.databases import migrate, postgres_database, postgres_server
from tests.money import chaos, charge_loop, house


@pytest.fixture
def lived_in(tmp_path: Path) -> str:
    """A SQLite database in which a driver recharged and charged, and got some of it back."""
    url = f"sqlite:///{tmp_path / 'evapp.db'}"
    migrate(url)
    with closing(Database(url)) as database:
        asha, _ = database.now(house.driver)
        database.now(house.give, asha, 1_000_000)
        database.now(chaos._free_charger)
        for _ in range(12):
            charge_loop.charge(database, asha)
            charge_loop.pay(database, asha)
        database.now(give_some_back)
    return url


def give_some_back(db: Session) -> None:
    """With a note, whose number comes before that of the receipt it corrects."""
    receipt = db.scalars(select(Receipt)).all()[0]
    goodwill.give_back(db, receipt.session_id, 1, "Sorry")
    assert (db.scalar(select(func.min(col(Receipt.number)))) or "") < receipt.number


def counts(database: Database) -> dict[str, int]:
    with database.engine.connect() as connection:
        return {
            table.name: connection.scalar(select(func.count()).select_from(table)) or 0
            for table in SQLModel.metadata.sorted_tables
        }


def test_all_of_it_arrives_and_goes_on(lived_in: str, capsys: pytest.CaptureFixture[str]) -> None:
    with postgres_database(postgres_server()) as target:
        migrate(target)
        assert main([lived_in, target]) == 0
        with closing(Database(lived_in)) as old, closing(Database(target)) as new:
            assert counts(new) == counts(old)
            assert counts(new)["charging_sessions"] > 0
            assert new.now(house.broken)[0] == []
            asha = new.now(lambda db: house.driver(db, "ravi"))[0] - 1
            for _ in range(8):
                charge_loop.charge(new, asha)
            sessions, _ = new.now(chaos._done)[0]
            assert {SessionState(session.state) for session in sessions} >= {SessionState.SETTLED}
            assert counts(new)["charging_sessions"] > counts(old)["charging_sessions"]
            assert new.now(house.broken)[0] == []
        assert main([lived_in, target]) == 1
        assert "it is in use" in capsys.readouterr().err


def test_a_charge_is_numbered_on_from_where_no_charger_was(lived_in: str) -> None:
    """An older backup that was restored, and whose charges `backup restored` numbers on far behind the last one."""
    with closing(Database(lived_in)) as database:
        next_ = machines.AHEAD + counts(database)["charging_sessions"] + 1
        [line] = machines.restored(Shell(database, _nobody), Namespace())
        assert f"number {next_}:" in line
    with postgres_database(postgres_server()) as target:
        migrate(target)
        assert main([lived_in, target]) == 0
        with closing(Database(target)) as new:
            counted = select(func.nextval(func.pg_get_serial_sequence("charging_sessions", "id")))
            assert new.now(lambda db: db.scalar(counted))[0] == next_


def _nobody() -> AbstractAsyncContextManager[PaymentGateway]:
    raise AssertionError("no gateway is asked")


def test_a_source_that_is_not_there_is_not_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    nowhere = tmp_path / "evap.db"
    assert main([f"sqlite:///{nowhere}", f"sqlite:///{tmp_path / 'new.db'}"]) == 1
    assert capsys.readouterr().err.startswith(f"There is no database {nowhere}.")
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        ("sqlite:///{folder}/none.db", "There is no database {folder}/none.db."),
        ("sqlite:///{folder}/empty.db", "The new database is not migrated: run `alembic upgrade head` on it first."),
        ("sqlite:///{folder}/evapp.db", "The new database is the old one."),
        ("sqlite:///{folder}/../{name}/evapp.db", "The new database is the old one."),
        ("mysql://evapp:secret@db/evapp", "The new database's address is"),
        ("nonsense", "The new database's address is"),
        ("postgresql+psycopg://nobody@127.0.0.1:1/none", "The database did not do it: connection failed"),
    ],
)
def test_an_odd_target_gets_a_sentence(
    lived_in: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], target: str, sentence: str
) -> None:
    (tmp_path / "empty.db").touch()
    assert main([lived_in, target.format(folder=tmp_path, name=tmp_path.name)]) == 1
    said = capsys.readouterr().err
    assert said.startswith(sentence.format(folder=tmp_path))
    assert (len(said.splitlines()), "secret" in said, (tmp_path / "none.db").exists()) == (1, False, False)


def test_an_odd_source_gets_a_sentence(lived_in: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty.db").touch()
    page = tmp_path / "page.db"
    page.write_text("no database")
    for source, sentence in (
        (f"sqlite:///{tmp_path / 'empty.db'}", "The old database is not migrated: run"),
        (f"sqlite:///{page}", "The database did not do it: file is not a database."),
        ("nonsense", "The old database's address is"),
    ):
        assert main([source, lived_in]) == 1
        assert capsys.readouterr().err.startswith(sentence)


def test_databases_of_two_revisions_are_refused(lived_in: str, tmp_path: Path) -> None:
    older = f"sqlite:///{tmp_path / 'older.db'}"
    migrate(older, "0001")
    with (
        closing(Database(lived_in)) as old,
        closing(Database(older)) as new,
        old.engine.connect() as reading,
        new.engine.connect() as writing,
        pytest.raises(Unfit, match="revisions"),
    ):
        move(reading, writing)
