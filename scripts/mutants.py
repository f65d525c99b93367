"""Plants faults into the modules of money, one at a time, and counts those that no test finds (payments.md 2.4)."""

import argparse
import hashlib
import importlib.abc
import importlib.machinery
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from scripts.mutations import Mutant, mutants

ROOT = Path(__file__).parents[1]
MODULES = (
    "money",
    "tariffs",
    "prices",
    "wallet",
    "recharges",
    "charging",
    "starts",
    "stops",
    "settlement",
    "receipts",
)
TESTS = (
    "tests/unit/domain",
    "tests/money",
    "tests/csms/test_cards.py",
    "tests/csms/test_reservations.py",
    "tests/csms/test_quirks_of_charges.py",
)
WITHOUT = "not postgresql and not processes and not killed and not storm and not damage"
"""SQLite only, since it is the fast one; nothing that runs in processes of its own, which have no fault; and not the
audit's own tests, whose names cannot be asked for."""
ENOUGH = 0.95
SECONDS = 90
"""Of a processor for one mutant, so that a busy machine finds nothing; one that runs in circles is found, too."""
STUCK = 15 * SECONDS
"""By the clock: one that waits for what never comes."""
FOUND = (1, 2)
"""Ends of pytest: a test failed, or could not even be read."""
BROKEN = 9
LISTED = ROOT / "docs" / "mutants.md"
REWRITTEN = "ignore:Module already imported:pytest.PytestAssertRewriteWarning"
QUIET = ("-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:randomly", "--timeout=0", "-W", REWRITTEN)


class Coverage:
    """A pytest plugin: which test runs which line of the modules, and how long it takes."""

    def __init__(self, files: Iterable[str]) -> None:
        self.files = {str(ROOT / file): file for file in files}
        self.lines: dict[str, set[tuple[str, int]]] = defaultdict(set)
        self.seconds: dict[str, float] = {}
        self.test, self.began = "", 0.0

    def calls(self, frame: FrameType, event: str, arg: object) -> Any:
        return self.line if frame.f_code.co_filename in self.files else None

    def line(self, frame: FrameType, event: str, arg: object) -> Any:
        self.lines[self.test].add((self.files[frame.f_code.co_filename], frame.f_lineno))
        return self.line

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self.test, self.began = nodeid, time.process_time()
        sys.settrace(self.calls)

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        self.seconds[nodeid] = time.process_time() - self.began

    def pytest_sessionfinish(self) -> None:
        sys.settrace(None)
        lines = {test: sorted(lines) for test, lines in self.lines.items()}
        Path(os.environ["MUTANTS_MAP"]).write_text(json.dumps({"lines": lines, "seconds": self.seconds}))


class Kept:
    """What runs found so far, in a folder: one that was broken off goes on from there, or others beside it.

    A fault that was found is found for good as long as its module is the same: tests are added, not taken away.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.file = folder / "found"
        self.file.touch()
        self.found = set(self.file.read_text().split())
        self.reached = folder / f"reached-{_digest(*sorted(file.read_text() for file in _sources()))}"
        """Which test reaches which line, of the sources as they are."""

    def __contains__(self, mutant: Mutant) -> bool:
        return _digest(mutant.name, mutant.source) in self.found

    def add(self, mutant: Mutant) -> None:
        with open(self.file, "a") as file:
            file.write(_digest(mutant.name, mutant.source) + "\n")


def _digest(*texts: str) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:32]


def _sources() -> Iterable[Path]:
    return (file for room in ("domain", "tests", "scripts") for file in (ROOT / room).rglob("*.py"))


class Faulty(importlib.abc.MetaPathFinder):
    """Gives Python the module with its fault."""

    def __init__(self, mutant: Mutant) -> None:
        self.name = mutant.module.removesuffix(".py").replace("/", ".")
        self.mutant = mutant

    def find_spec(self, fullname: str, path: object, target: object = None) -> importlib.machinery.ModuleSpec | None:
        if fullname != self.name:
            return None
        source, file = self.mutant.source, str(ROOT / self.mutant.module)

        class Loader(importlib.machinery.SourceFileLoader):
            def get_code(self, fullname: str) -> CodeType:
                return compile(source, file, "exec")

        return importlib.machinery.ModuleSpec(fullname, Loader(fullname, file), origin=file)


def baseline(reached: Path) -> dict[str, Any]:
    """Run every test once, and keep which lines it runs."""
    command = [sys.executable, "-m", "scripts.mutants", "--trace"]
    environment = os.environ | {"MUTANTS_MAP": str(reached)}
    if not reached.exists() and subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode:
        reached.unlink(missing_ok=True)
        sys.exit("The tests fail without any fault; mend them first.")
    found: dict[str, Any] = json.loads(reached.read_text())
    return found


def trace() -> int:
    import pytest

    coverage = Coverage(f"domain/{module}.py" for module in MODULES)
    threading.settrace(coverage.calls)
    return int(pytest.main([*TESTS, *QUIET, "-k", WITHOUT], plugins=[coverage]))


def tests_of(mutant: Mutant, found: dict[str, Any], longest: float) -> list[str]:
    """The tests that run its lines, as many as there is time for: the module's own first, and the quick ones."""
    chosen, total = [], 0.0
    noun = Path(mutant.module).stem

    def soonest(test: str) -> tuple[bool, float]:
        return noun not in Path(test.split("::")[0]).stem, found["seconds"][test]

    for test in sorted(found["lines"], key=soonest):
        lines = {line for file, line in found["lines"][test] if file == mutant.module}
        if lines.intersection(mutant.lines) or (lines and not mutant.lines):
            total += found["seconds"][test]
            if total > longest:
                break
            chosen.append(test)
    return chosen


def template(home: Path) -> Path:
    """A migrated database that each mutant's tests copy."""
    path = home / "evapp.db"
    environment = os.environ | {"EVAPP_DATABASE_URL": f"sqlite:///{path}"}
    subprocess.run(["alembic", "upgrade", "head"], cwd=ROOT, env=environment, check=True, capture_output=True)
    return path


def plant(mutant: Mutant, tests: list[str], database: Path, home: Path) -> int:
    """Run the tests against the mutant in a process of its own; gives the process. What is foreign is imported."""
    process = os.fork()
    if process:
        return process
    os.setsid()
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 5))
    with open(home / f"{os.getpid()}.log", "w") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    code = BROKEN
    try:
        import pytest

        from tests import databases

        databases.migrate = lambda url: shutil.copy(database, url.removeprefix("sqlite:///"))
        sys.meta_path.insert(0, Faulty(mutant))
        code = pytest.main([*tests, *QUIET, f"--basetemp={home / str(os.getpid())}"])
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(int(code))


def preload() -> None:
    """Import once what every mutant's process needs and that has no fault."""
    import _pytest.assertion.rewrite  # noqa: F401
    import fpdf  # noqa: F401
    import httpx  # noqa: F401
    import hypothesis.stateful  # noqa: F401
    import pytest_asyncio  # noqa: F401
    import reflex.state  # noqa: F401
    import sqlmodel  # noqa: F401
    import structlog  # noqa: F401
    from sqlalchemy.dialects import postgresql, sqlite  # noqa: F401

    import tests.databases  # noqa: F401


def hunt(
    todo: list[tuple[Mutant, list[str]]], jobs: int, until: float, kept: Kept
) -> tuple[list[Mutant], list[Mutant]]:
    """The mutants that survive, and those that were tried before the time was over."""
    survivors: list[Mutant] = []
    tried, running = list[Mutant](), dict[int, tuple[Mutant, float]]()
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        database = template(home)
        preload()
        while running or (todo and time.monotonic() < until):
            while todo and len(running) < jobs and time.monotonic() < until:
                mutant, tests = todo.pop(0)
                running[plant(mutant, tests, database, home)] = mutant, time.monotonic()
            for process, (mutant, began) in list(running.items()):
                end = _end_of(process, time.monotonic() - began)
                if end is None:
                    continue
                del running[process]
                tried.append(mutant)
                if end == 0:
                    survivors.append(mutant)
                    print(f"survives: {mutant.name}", flush=True)
                elif end not in FOUND or mutant.was == mutant.now:
                    sys.exit(f"{mutant.name}\n{(home / f'{process}.log').read_text()}pytest ended with {end}.")
                else:
                    kept.add(mutant)
                shutil.rmtree(home / str(process), ignore_errors=True)
            time.sleep(0.02)
    return survivors, tried


def _end_of(process: int, seconds: float) -> int | None:
    """How a mutant's tests ended, None while they run; one that runs in circles is ended here."""
    ended, status = os.waitpid(process, os.WNOHANG)
    if ended:
        end = os.waitstatus_to_exitcode(status)
        return FOUND[0] if end == -signal.SIGXCPU else end
    if seconds < STUCK:
        return None
    os.killpg(process, signal.SIGKILL)
    os.waitpid(process, 0)
    return FOUND[0]


def main() -> int:
    arguments = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    arguments.add_argument("modules", nargs="*", default=list(MODULES), help=f"of {', '.join(MODULES)}; all")
    arguments.add_argument("--share", type=float, default=1.0, help="try only so many of the faults, drawn by the seed")
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--minutes", type=float, default=120.0, help="stop planting after so long")
    arguments.add_argument("--keep", type=Path, help="a folder for what was found, from which another run goes on")
    arguments.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    arguments.add_argument("--trace", action="store_true", help=argparse.SUPPRESS)
    wanted = arguments.parse_args()
    if wanted.trace:
        return trace()
    with tempfile.TemporaryDirectory() as home:
        return look(wanted, Kept(wanted.keep or Path(home)))


def look(wanted: argparse.Namespace, kept: Kept) -> int:
    """Plant what is wanted and was not found before, and report."""
    began = time.monotonic()
    files = [f"domain/{module}.py" for module in wanted.modules]
    found, dice = baseline(kept.reached), random.Random(wanted.seed)
    drawn = [
        mutant for file in files for mutant in mutants(file, (ROOT / file).read_text()) if dice.random() < wanted.share
    ]
    known = [mutant for mutant in drawn if mutant in kept]
    todo = [(mutant, tests_of(mutant, found, SECONDS / 2)) for mutant in drawn if mutant not in kept]
    unseen = [mutant for mutant, tests in todo if not tests]
    seen = [(mutant, tests) for mutant, tests in todo if tests]
    print(f"{len(drawn)} faults; {len(known)} of them were found before", flush=True)
    survivors, tried = list[Mutant](), list[Mutant]()
    if seen:
        control = replace(seen[0][0], source=(ROOT / seen[0][0].module).read_text(), was="", now="")
        survivors, tried = hunt([(control, seen[0][1]), *seen], wanted.jobs, began + wanted.minutes * 60, kept)
        survivors, tried = ([mutant for mutant in some if mutant != control] for some in (survivors, tried))
    return report([*unseen, *survivors], [*known, *unseen, *tried], len(drawn), time.monotonic() - began)


def report(survivors: list[Mutant], tried: list[Mutant], planted: int, seconds: float) -> int:
    """Say what came of it; fails for a module below 95 %, and for a survivor without a reason in docs/mutants.md."""
    alive, all_ = (Counter(mutant.module for mutant in some) for some in (survivors, tried))
    for module, count in sorted(all_.items()):
        print(f"{module}: {count} faults, {alive[module]} survive, {1 - alive[module] / count:.1%} found")
    listed = LISTED.read_text() if LISTED.exists() else ""
    unexplained = [mutant for mutant in survivors if f"`{mutant.name}`" not in listed]
    for mutant in unexplained:
        print(f"not in {LISTED.relative_to(ROOT)}: {mutant.name}")
    print(f"{len(tried)} of {planted} faults tried in {seconds:.0f} s; {len(survivors)} survive")
    poor = any(alive[module] > (1 - ENOUGH) * count for module, count in all_.items())
    return int(poor or bool(unexplained))


if __name__ == "__main__":
    sys.exit(main())
