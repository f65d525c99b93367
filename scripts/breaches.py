"""Takes each defence out of a copy of the product, one at a time, and sees whether its test fails (`make breaches`)."""

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from itertools import takewhile
from pathlib import Path

from tests.security.attacks import ATTACKS
from tests.security.attacks.defence import Defence

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "security.md"
SEEN = ROOT / "tests" / "security" / "seen.json"
"""By the mark of each defence whose test was seen to fail without it: on which day."""
DEFENCES = [one for defences in ATTACKS.values() for one in defences]
MARK = "## The attacks\n"
HEAD = """
Made by `python -m scripts.breaches --page` from `tests/security/attacks`. `make breaches` takes each defence out of
a copy of the product, as the fourth column says, and runs its test, which must fail then; it names each whose test does
not, and keeps in the last column on which day it was seen to fail. A row that was changed since has to be seen again.
It wants a machine of its own: a test that fails because others take its time shows nothing. Nothing is taken out for
`make storm` and `make chaos`, where many defences hold at once: processes killed with kill -9 in the middle of charges
and recharges, and the books compared afterwards.

Seen to fail: {seen} of {all}.

| attack | defence and where it stands | test | taken out | seen to fail |
|---|---|---|---|---|
"""
KIND = "not postgresql"
"""SQLite is the quick one; what holds an attack off is in front of both."""
SECONDS = 900
FAILED, HUNG = 1, -1
"""pytest's code for tests that failed, and what stands for one that did not end; any but the first says nothing about
the defence."""


def page() -> str:
    """docs/security.md as it should be now."""
    head = HEAD.format(seen=len(seen()), all=len(DEFENCES))
    return PAGE.read_text(encoding="utf-8").split(MARK)[0] + MARK + head + "".join(rows())


def rows() -> list[str]:
    told, days = [], seen()
    for attack, defences in ATTACKS.items():
        for number, one in enumerate(defences):
            cells = (
                _cell(attack) if number == 0 else "",
                f"{_cell(one.says)} (`{one.where}`)",
                f"`{one.test.removeprefix('tests/').replace('::', ' ')}`",
                _cell(_change(one)),
                days.get(mark(one), "not yet"),
            )
            told.append(f"| {' | '.join(cells)} |\n")
    return told


def seen() -> dict[str, str]:
    """The days on which defences, as they are in the table now, were seen to be missed."""
    kept: dict[str, str] = json.loads(SEEN.read_text(encoding="utf-8"))
    return {name: kept[name] for name in map(mark, DEFENCES) if name in kept}


def mark(one: Defence) -> str:
    """Of a row: another one as soon as anything but its words is changed."""
    return hashlib.sha256("\0".join(one[1:]).encode()).hexdigest()[:16]


def keep(one: Defence, failed: bool) -> None:
    """What was seen of a defence now, in the record and on the page."""
    days = seen()
    days.pop(mark(one), None)
    if failed:
        days[mark(one)] = datetime.now(UTC).date().isoformat()
    SEEN.write_text(json.dumps(days, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    PAGE.write_text(page(), encoding="utf-8")


def _change(one: Defence) -> str:
    """What was taken out, in one line."""
    kept = _common(one.text, one.without)
    before, after = (" ".join(side[kept : kept + 60].split()) for side in (one.text, one.without))
    return f"{before} → {after or 'nothing'}"


def _common(one: str, other: str) -> int:
    """Where they begin to differ, at the beginning of that word."""
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
    return max(one.rfind(" ", 0, same), one.rfind("\n", 0, same)) + 1


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


def copied(home: Path) -> None:
    """The product as it is in this folder, without what git does not know."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in listed.splitlines():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, home / name)


def run(home: Path, *tests: str) -> int:
    """Run tests in the copy; gives pytest's exit code, or HUNG."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-n", "0", "-p", "no:cacheprovider", "-k", KIND, *tests]
    with (home / "breaches.log").open("a") as log:
        try:
            return subprocess.run(command, cwd=home, stdout=log, stderr=log, timeout=SECONDS, check=False).returncode
        except subprocess.TimeoutExpired:
            log.write(f"not ended in {SECONDS} s: {' '.join(tests)}\n")
            return HUNG


def breached(home: Path, one: Defence) -> bool:
    """Whether the test fails without the defence."""
    path = home / one.where
    source = path.read_text(encoding="utf-8")
    path.write_text(source.replace(one.text, one.without, 1), encoding="utf-8")
    try:
        return run(home, one.test) == FAILED
    finally:
        path.write_text(source, encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(prog="make breaches", description=__doc__)
    parser.add_argument("words", nargs="*", help="only attacks and tests whose text has all of these")
    parser.add_argument(
        "--page", action="store_true", help="write the table into docs/security.md anew, and run nothing"
    )
    parser.add_argument("--left", action="store_true", help="only those that were not seen to fail yet")
    given = parser.parse_args()
    if given.page:
        PAGE.write_text(page(), encoding="utf-8")
        return 0
    passed_over = seen() if given.left else {}
    chosen = [
        (attack, one)
        for attack, defences in ATTACKS.items()
        for one in defences
        if mark(one) not in passed_over and all(word.lower() in f"{attack} {one}".lower() for word in given.words)
    ]
    with tempfile.TemporaryDirectory(prefix="evapp-breaches-") as folder:
        home = Path(folder)
        copied(home)
        if run(home, *dict.fromkeys(one.test for _, one in chosen)):
            print((home / "breaches.log").read_text()[-4000:])
            print("The tests fail with every defence in its place; mend them first.")
            return 1
        held = [one for attack, one in chosen if not _told(attack, one, breached(home, one))]
    print(f"{len(chosen) - len(held)} of {len(chosen)} defences are missed when they are gone.")
    return 1 if held else 0


def _told(attack: str, one: Defence, failed: bool) -> bool:
    keep(one, failed)
    print(f"{'fails' if failed else 'PASSES':6} without: {one.says} ({one.where}) [{attack}]", flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())
