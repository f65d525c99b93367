"""Plants faults into the modules of money, one at a time, and counts those that no test finds (payments.md 2.4)."""

import argparse
import contextlib
import hashlib
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from scripts import planting
from scripts.mutations import Mutant, mutants

ROOT = Path(__file__).parents[1]
MODULES = (
    "money",
    "tariffs",
    "prices",
    "wallet",
    "story",
    "placing",
    "recharges",
    "charging",
    "wishes",
    "starts",
    "stops",
    "settlement",
    "receipts",
    "allowance",
    "interruptions",
    "idling",
    "cards",
    "metering",
    "running",
    "refunds",
    "suspense",
)
TESTS = (
    "tests/unit/domain",
    "tests/money",
    "tests/csms/test_cards.py",
    "tests/csms/test_reservations.py",
    "tests/csms/test_kilowatt_hours.py",
    "tests/csms/test_quirks_of_charges.py",
)
WITHOUT = (
    "not postgresql and not redis and not processes and not killed and not storm and not damage and not any_order.py"
)
"""SQLite only, since it is the fast one; nothing that runs in processes of its own, which have no fault; not the tests
of the audit, whose names cannot be asked for; and not what chance lives through, which finds nothing another time."""
ENOUGH = 0.95
SECONDS = 90
"""Of a processor for one mutant, so that a busy machine finds nothing; one that runs in circles is found, too."""
LONGEST = 40.0
"""Of a processor: so long the tests of one fault take without it."""
CONTROLLED = 20
"""So many tests must pass without a fault before one is planted."""
STUCK = 15 * SECONDS
"""By the clock: one that waits for what never comes."""
FOUND = (1, 2, 4)
"""Ends of pytest: a test failed, or could not even be read, or what all of its folder share could not."""
BROKEN = 9
LISTED = ROOT / "docs" / "mutants.md"
REWRITTEN = "ignore:Module already imported:pytest.PytestAssertRewriteWarning"
QUIET = ("-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:randomly", "--timeout=600", "-W", REWRITTEN)


Planned = tuple[Mutant, list[str]]
"""A fault, and the tests that run its lines."""
Run = Callable[[list[str], Path], int]
"""Runs tests with a folder for their files; gives how they ended."""


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


def baseline(reached: Path, jobs: int) -> dict[str, Any]:
    """Run every test once, in several processes, and keep which lines it runs. One that fails can find nothing."""
    if not reached.exists():
        modules = [f"domain/{module}.py" for module in MODULES]
        paths = [ROOT / path for path in TESTS]
        files = sorted(file for path in paths for file in ([path] if path.is_file() else path.rglob("test_*.py")))
        with tempfile.TemporaryDirectory() as home:
            parts = [Path(home) / str(n) for n in range(jobs)]
            running = [
                subprocess.Popen(
                    [sys.executable, "-m", "scripts.reached", *modules, "--", *files[n::jobs], *QUIET, "-k", WITHOUT],
                    cwd=ROOT,
                    env=os.environ | {"MUTANTS_MAP": str(part)},
                )
                for n, part in enumerate(parts)
            ]
            if any([process.wait() for process in running]):
                print("Tests that fail without a fault are left out; mend them.", flush=True)
            told = [json.loads(part.read_text()) for part in parts]
        whole = {kind: {test: what for part in told for test, what in part[kind].items()} for kind in told[0]}
        reached.write_text(json.dumps(whole))
    found: dict[str, Any] = json.loads(reached.read_text())
    return found


def tests_of(mutant: Mutant, reaching: dict[str, set[int]], seconds: dict[str, float], longest: float) -> list[str]:
    """The tests that run its lines, as many as there is time for: the module's own first, and the quick ones.

    `reaching` has the lines of its module that each test runs, in this order.
    """
    chosen, total = [], 0.0
    for test, lines in reaching.items():
        if not mutant.lines or not lines.isdisjoint(mutant.lines):
            total += seconds[test]
            if total > longest:
                break
            chosen.append(test)
    return chosen


def reaching(module: str, found: dict[str, Any]) -> dict[str, set[int]]:
    """The tests that run lines of this module, in the order in which they are tried, and the lines."""
    noun = Path(module).stem

    def soonest(test: str) -> tuple[bool, float]:
        return noun not in Path(test.split("::")[0]).stem, found["seconds"][test]

    of_module = {
        test: {line for file, line in found["lines"][test] if file == module}
        for test in sorted(found["lines"], key=soonest)
    }
    return {test: lines for test, lines in of_module.items() if lines}


def template(home: Path) -> Path:
    """A migrated database that each mutant's tests copy."""
    path = home / "evapp.db"
    environment = os.environ | {"EVAPP_DATABASE_URL": f"sqlite:///{path}"}
    subprocess.run(["alembic", "upgrade", "head"], cwd=ROOT, env=environment, check=True, capture_output=True)
    return path


def hunt(todo: list[Planned], jobs: int, until: float, kept: Kept) -> tuple[list[Mutant], list[Mutant]]:
    """The mutants that survive, and those that were tried before the time was over.

    Those of a table or a default come first, each in a process that imports everything anew; the others change a
    function of what is imported once.
    """
    import pytest

    survivors, tried = list[Mutant](), list[Mutant]()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        home = Path(name)

        def look_at(part: list[Planned], run: Run) -> None:
            for some in (controls(part), part):
                alive, done = _hunt(some, jobs, until, kept, home, run)
                survivors.extend(mutant for mutant in alive if mutant.was)
                tried.extend(mutant for mutant in done if mutant.was)

        planting.prepare(template(home))
        warm = [each for each in todo if planting.functions(each[0])]
        look_at(
            [each for each in todo if each not in warm],
            lambda tests, folder: planting.alone(tests, (*QUIET, "-x"), folder),
        )
        collected = planting.Collected(lambda collected: look_at(warm, collected.run))
        code = pytest.main([*TESTS, *QUIET, "-k", WITHOUT, "--capture=no"], plugins=[collected])
        if code not in (0, 5):
            sys.exit(f"The tests could not be collected: pytest ended with {code}.")
    return survivors, tried


def controls(todo: list[Planned]) -> list[Planned]:
    """For each module one without a fault, with the first tests of that fault of it that has the most."""
    longest = {mutant.module: (mutant, tests) for mutant, tests in sorted(todo, key=lambda each: len(each[1]))}
    return [
        (replace(mutant, source=(ROOT / mutant.module).read_text(), was="", now=""), tests[:CONTROLLED])
        for mutant, tests in longest.values()
    ]


def _hunt(
    todo: list[Planned], jobs: int, until: float, kept: Kept, home: Path, run: Run
) -> tuple[list[Mutant], list[Mutant]]:
    survivors: list[Mutant] = []
    tried, running = list[Mutant](), dict[int, tuple[Mutant, float]]()
    while running or (todo and time.monotonic() < until):
        while todo and len(running) < jobs and time.monotonic() < until:
            mutant, tests = todo.pop(0)
            running[plant(mutant, tests, home, run)] = mutant, time.monotonic()
        for process, (mutant, began) in list(running.items()):
            end = _end_of(process, time.monotonic() - began)
            if end is None:
                continue
            del running[process]
            tried.append(mutant)
            if end == 0:
                survivors.append(mutant)
                print(
                    f"survives: {mutant.name}" if mutant.was else f"sound without a fault: {mutant.module}", flush=True
                )
            elif end not in FOUND or mutant.was == mutant.now:
                sys.exit(f"{mutant.name}\n{(home / f'{process}.log').read_text()}pytest ended with {end}.")
            else:
                kept.add(mutant)
            shutil.rmtree(home / str(process), ignore_errors=True)
        time.sleep(0.02)
    return survivors, tried


def plant(mutant: Mutant, tests: list[str], home: Path, run: Run) -> int:
    """Run the tests against the mutant in a process of its own; gives the process."""
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
        planting.plant(mutant)
        code = run(tests, home / str(os.getpid()))
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


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
    all_, some = ", ".join(MODULES), "try only so many of the faults, drawn by the seed"
    arguments.add_argument("modules", type=_module, nargs="*", default=list(MODULES), help=f"of {all_}; all")
    arguments.add_argument("--share", type=_share, default=1.0, help=some)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--minutes", type=_count, default=120, help="stop planting after so long")
    arguments.add_argument("--keep", type=_folder, help="a folder for what was found, from which another run goes on")
    arguments.add_argument("--jobs", type=_count, default=os.cpu_count() or 1)
    wanted = arguments.parse_args()
    with tempfile.TemporaryDirectory() as home:
        return look(wanted, Kept(wanted.keep or Path(home)))


def _module(typed: str) -> str:
    if typed not in MODULES:
        raise argparse.ArgumentTypeError(f"{typed!r} is none of the modules of money: {', '.join(MODULES)}")
    return typed


def _count(typed: str) -> int:
    """Not the one of the operator's shell: nothing of the domain is imported before a fault is planted."""
    if not (typed.isascii() and typed.isdigit() and len(typed) < 5 and int(typed)):
        raise argparse.ArgumentTypeError("a whole number from 1 to 9999")
    return int(typed)


def _share(typed: str) -> float:
    with contextlib.suppress(ValueError):
        if 0 < (share := float(typed)) <= 1:
            return share
    raise argparse.ArgumentTypeError("a part of the faults, above 0 and at most 1")


def _folder(typed: str) -> Path:
    folder = Path(typed)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{typed} is no folder that can be made: {error.strerror}") from None
    return folder


def look(wanted: argparse.Namespace, kept: Kept) -> int:
    """Plant what is wanted and was not found before, and report."""
    began = time.monotonic()
    files = [f"domain/{module}.py" for module in wanted.modules]
    found, dice = baseline(kept.reached, wanted.jobs), random.Random(wanted.seed)
    drawn = [
        mutant for file in files for mutant in mutants(file, (ROOT / file).read_text()) if dice.random() < wanted.share
    ]
    known = [mutant for mutant in drawn if mutant in kept]
    by_module = {file: reaching(file, found) for file in files}
    todo = [
        (mutant, tests_of(mutant, by_module[mutant.module], found["seconds"], LONGEST))
        for mutant in drawn
        if mutant not in kept
    ]
    unseen = [mutant for mutant, tests in todo if not tests]
    seen = [(mutant, tests) for mutant, tests in todo if tests]
    print(f"{len(drawn)} faults; {len(known)} of them were found before", flush=True)
    survivors, tried = hunt(seen, wanted.jobs, began + wanted.minutes * 60, kept)
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
