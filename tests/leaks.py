"""A pytest plugin: after the last test, what the whole suite left behind holds none of the secrets it used.

Looked through are what each test printed and logged, every log file, and every row of every SQLite database; left
out are what a table keeps on purpose (KEPT) and what was made up (INVENTED). A leak fails the run, whatever the tests
say. Works with xdist.
"""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

SECRETS = {
    "a PIN": re.compile(r"(?<![\w.])(?:482913|705318|918273|274918)(?![\w.])"),
    "a full phone number": re.compile(r"(?<![\w.])(?:\+|%2B)?(?:91)?984(?:50|50\d)\d{4,5}(?![\w.])"),
    "a VPA": re.compile(r"[a-z][a-z.]+@ybl\b"),
    "a charger's key": re.compile(r"00112233445566778899[Aa]{2}[Bb]{2}"),
    "the gateway's secrets": re.compile(r"sandbox-secret|hook12345"),
    "the gateway's token": re.compile(r"O-Bearer (?!\[)\S{6}"),
    "a sign-in's token": re.compile(r"evapp_sign_in=[\w-]{20}"),
    "a browser's push address": re.compile(r"fcm\.googleapis\.com/fcm/send/[\w-]{100}"),
    "the key of the house": re.compile(r"a secret of the tests, 32 characters"),
}
KEPT = {("users", "phone"), ("users", "email"), ("push_subscriptions", "endpoint")}
"""Where a secret is at home: drivers are reached there."""
INVENTED = ("test_no_frame_ends_a_connectio", "contract")
"""How folders begin whose rows Hypothesis made up: of words in our code, the sandbox's among them."""
SHOWN = 20


def found(text: str) -> Iterator[tuple[str, str]]:
    """Each secret in a text, with what stands around it."""
    for name, looks in SECRETS.items():
        if match := looks.search(text):
            yield name, " ".join(text[max(0, match.start() - 60) : match.end() + 20].split())


def in_database(path: Path) -> Iterator[tuple[str, str]]:
    """Each secret in the rows of a SQLite database."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        database.row_factory = sqlite3.Row
        for (table,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            for row in database.execute(f'SELECT * FROM "{table}"'):  # noqa: S608 - its own word
                kept = [str(row[name]) for name in row.keys() if (table, name) not in KEPT]  # noqa: SIM118
                for name, around in found("\n".join(kept)):
                    yield name, f"{table}: {around}"


class Leaks:
    """What was found so far, and where."""

    def __init__(self) -> None:
        self.found: dict[str, None] = {}

    def note(self, where: str, leaks: Iterator[tuple[str, str]]) -> None:
        self.found.update((f"{name} in {where}: {around}", None) for name, around in leaks)

    @pytest.hookimpl
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        for title, text in report.sections:
            self.note(f"{title} of {report.nodeid}", found(text))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        self.look_through(session.config._tmp_path_factory.getbasetemp())  # type: ignore[attr-defined]
        if self.found and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def look_through(self, folder: Path) -> None:
        """The log files and databases of every test, and of every worker."""
        for path in sorted(folder.rglob("*.log")):
            for number, line in enumerate(path.read_text(errors="replace").splitlines(), start=1):
                self.note(f"{path.relative_to(folder)}:{number}", found(line))
        for path in sorted(folder.rglob("*.db")):
            if path.parent.name.startswith(INVENTED):
                continue
            try:
                self.note(str(path.relative_to(folder)), in_database(path))
            except sqlite3.DatabaseError:
                continue  # some tests damage theirs on purpose

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        if self.found:
            terminalreporter.section("Secrets were left behind", red=True)
            for leak in list(self.found)[:SHOWN]:
                terminalreporter.line(leak)
            terminalreporter.line(f"{len(self.found)} in all; hide them where they are written (domain/logs.py).")


def pytest_configure(config: pytest.Config) -> None:
    """Once for all workers: they hand their reports on."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Leaks(), "leaks")
