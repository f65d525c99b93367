"""`make simulate`: live through one seed twice on new SQLite databases, and compare the two ledgers byte for byte."""

import argparse
import hashlib
import logging
import secrets
import sys
import tempfile
import time
from pathlib import Path

import structlog

from tests.databases import migrate
from tests.money.simulation.world import lived


def main() -> int:
    arguments = argparse.ArgumentParser(prog="make simulate", description=__doc__)
    arguments.add_argument("--seed", type=int, default=secrets.randbelow(10**6), help="default: drawn, and told")
    arguments.add_argument("--steps", type=int, default=2_000)
    arguments.add_argument("--seeds", type=int, default=1, help="this seed and so many minus one after it")
    asked = arguments.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    for seed in range(asked.seed, asked.seed + asked.seeds):
        if not same_twice(seed, asked.steps):
            return 1
    return 0


def same_twice(seed: int, steps: int) -> bool:
    print(f"seed {seed}, {steps} steps", flush=True)
    began, ledgers = time.monotonic(), []
    with tempfile.TemporaryDirectory() as home:
        for n in (1, 2):
            url = f"sqlite:///{Path(home) / f'{n}.db'}"
            migrate(url)
            try:
                ledger, happened = lived(url, seed, steps)
            except AssertionError:
                print(f"Seed {seed} with {steps} steps fails: mend it, and add it to tests/money/test_simulation.py.")
                raise
            ledgers.append(ledger)
    digest = hashlib.sha256(ledgers[0].encode()).hexdigest()[:16]
    print("  " + ", ".join(f"{name} {count}" for name, count in happened.most_common()))
    print(f"  ledger of {len(ledgers[0].splitlines())} rows, {digest}; {time.monotonic() - began:.0f} s", flush=True)
    if ledgers[0] != ledgers[1]:
        print("  The second run of the same seed has another ledger.")
    return ledgers[0] == ledgers[1]


if __name__ == "__main__":
    sys.exit(main())
