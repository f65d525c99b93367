"""From one small machine to many: every row arrives, the books are right, and the product goes on there."""

from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlmodel import SQLModel

from domain.db import Database
from domain.models import SessionState
from scripts.move import Unfit, main, move
from tests.databases import migrate, postgres_database, postgres_server
from tests.money import chaos, charge_loop, house


@pytest.fixture
def lived_in(tmp_path: Path) -> str:
    """A SQLite database in which a driver recharged and charged."""
    url = f"sqlite:///{tmp_path / 'evapp.db'}"
    migrate(url)
    with closing(Database(url)) as database:
        asha, _ = database.now(house.driver)
        database.now(house.give, asha, 1_000_000)
        database.now(chaos._free_charger)
        for _ in range(12):
            charge_loop.charge(database, asha)
            charge_loop.pay(database, asha)
    return url


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
