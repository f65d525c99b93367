"""`make chaos`: 200 charges on two web and two CSMS processes, while each of them, Redis and PostgreSQL die in turn."""

import argparse
import asyncio
import secrets
import tempfile
import time
from pathlib import Path

from tests.chaos.chaos import Chaos
from tests.databases import begin_run


def main() -> None:
    arguments = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    arguments.add_argument("--seed", type=int, default=secrets.randbelow(10**6), help="default: drawn, and told")
    arguments.add_argument("--charges", type=int, default=200, help="at the same time")
    arguments.add_argument("--keep", type=Path, help="a folder for the processes' logs, which else are thrown away")
    asked = arguments.parse_args()
    print(f"seed {asked.seed}", flush=True)
    begin_run()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        home = asked.keep or Path(folder)
        home.mkdir(exist_ok=True)
        found = asyncio.run(Chaos(home, asked.seed, charges=asked.charges, say=print).run())
    print(f"{found}; exact after {time.monotonic() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main()
