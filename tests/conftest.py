"""What all tests share: a migrated, empty database on SQLite and on PostgreSQL, and who runs beside whom."""

import os
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path

import hypothesis
import pytest
from sqlmodel import Session

from domain import logs
from domain.db import Database, opened
from domain.settings import settings
from tests import quick
from tests.databases import begin_run, empty, migrate, postgres_database, postgres_server

BROWSER_TEST_S = 400
LIVES_S = 400
"""Lives in any order are many thousand transactions: a minute on a free machine, more on one that does other things."""
hypothesis.settings.register_profile("calm", deadline=None, derandomize=True)
"""A busy machine is no fault; timings belong in bench/. A change meets the same examples on every machine."""
hypothesis.settings.register_profile("curious", deadline=None)
"""Other examples in each run: ARGS="--hypothesis-profile=curious"."""

pytest_plugins = ["tests.leaks"]


def pytest_configure(config: pytest.Config) -> None:
    begin_run()
    hypothesis.settings.load_profile(config.getoption("--hypothesis-profile") or "calm")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """More than there are cores: tests wait for browsers, processes and clocks nearly half of their time."""
    return (os.cpu_count() or 1) * 3 // 2


def pytest_itemcollected(item: pytest.Item) -> None:
    """One worker has the built app: two builds at once would write the same .web; the first test waits for it. Those
    of many processes have a build of their own. What takes long has its time.

    Not in pytest_collection_modifyitems: xdist reads the groups in its own, before ours.
    """
    if "e2e" in item.path.parts:
        item.add_marker(pytest.mark.xdist_group("many" if "many" in item.path.parts else "app"))
        item.add_marker(pytest.mark.timeout(BROWSER_TEST_S))
    elif item.path.stem.endswith("_any_order"):
        item.add_marker(pytest.mark.timeout(LIVES_S))


@pytest.fixture(autouse=True)
def logs_of_the_product() -> None:
    """What tests log is written as servers write it, for tests/leaks.py to look through."""
    logs.configure()


@pytest.fixture(scope="session", autouse=True)
def pragmas_of_the_product() -> Iterator[tuple[str, ...]]:
    """What SQLite is asked for in production; tests in this process are quicker."""
    with quick.engines() as asked:
        yield asked


@pytest.fixture(autouse=True)
def settings_of_this_process() -> Iterator[None]:
    """Read before a test changes the environment, and forgotten after it, so that no test leaves others its own."""
    settings()
    yield
    settings.cache_clear()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "evapp.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgresql_template() -> Iterator[str]:
    with postgres_database(postgres_server()) as url:
        migrate(url)
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A migrated, empty database for this test alone; a test that asks for it runs on both kinds."""
    template = request.getfixturevalue(f"{request.param}_template")
    if request.param == "sqlite":
        yield f"sqlite:///{shutil.copy(template, tmp_path / 'evapp.db')}"
        return
    empty(template)
    yield template


@pytest.fixture(params=["sqlite", "postgresql"])
def bare_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database with nothing in it, on both kinds."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'bare.db'}"
        return
    with postgres_database(postgres_server()) as url:
        yield url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """The opened database: `transact` and `read` work on it."""
    async with opened(database_url) as database:
        yield database


@pytest.fixture
def db(database_url: str) -> Iterator[Session]:
    """One write transaction, for rules that need no event loop."""
    with (
        closing(Database(database_url)) as database,
        database.engine.connect().execution_options(writes=True) as connection,
        Session(connection, expire_on_commit=False) as session,
    ):
        yield session
