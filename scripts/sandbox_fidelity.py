"""Proves the PhonePe sandbox with code that nobody here wrote: PhonePe's own Python SDK drives it (payments.md D2).

    python -m scripts.sandbox_fidelity

The SDK pins old libraries and brings a top-level package named `tests`, so it gets an environment of its own in a
temporary folder, from the Python index that pip is set to, and runs there. Where it cannot be had, this says so and
gives 0.
"""

import asyncio
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

from simulator.phonepe import Sandbox

SDK = "phonepe-pg-sdk-python==3.0.1"
DRIVE = Path(__file__).with_name("sdk_drive.py")
INSTALL_S = 180
DRIVE_S = 60
DIRECT = {**os.environ, "NO_PROXY": "*"}
LAYOUTS = ("sandbox", "production")

Row = tuple[str, str, bool, str]
"""Layout, what was checked, whether it held, what was seen."""


class Unavailable(Exception):
    """The SDK cannot be had; the argument says why."""


def install(folder: Path) -> Path:
    """The SDK in an environment of its own; gives its Python.

    Raises:
        Unavailable: pip could not get it, or not in time.
    """
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", SDK]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_S, check=False)
    except subprocess.TimeoutExpired:
        raise Unavailable(f"pip did not finish in {INSTALL_S} s") from None
    if done.returncode:
        raise Unavailable((done.stderr.strip().splitlines() or ["pip failed"])[-1])
    return python


async def drive(python: Path, folder: Path, layout: str) -> list[Row]:
    """Let the SDK loose on a new sandbox in one URL layout."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    sandbox = Sandbox(webhook_url=f"http://127.0.0.1:{port}/payments/phonepe/webhook")
    async with sandbox.serving() as url:
        command = (str(python), shutil.copy(DRIVE, folder), layout, url, str(port))
        pipe = asyncio.subprocess.PIPE
        program = await asyncio.create_subprocess_exec(*command, cwd=folder, env=DIRECT, stdout=pipe, stderr=pipe)
        try:
            told, errors = await asyncio.wait_for(program.communicate(), DRIVE_S)
        except TimeoutError:
            program.kill()
            await program.wait()
            return [(layout, "the SDK's run", False, f"not finished in {DRIVE_S} s")]
    rows: list[Row] = [tuple(json.loads(line)) for line in told.decode().splitlines()]
    if program.returncode:
        said = (errors.decode().strip().splitlines() or ["nothing"])[-1]
        rows.append((layout, "the SDK's run", False, said))
    return rows


def table(rows: list[Row]) -> str:
    """A line for each check, and how many held in each layout."""
    lines = [f"{'ok  ' if held else 'FAIL'}  {layout:<10}  {what:<45} {seen[:60]}" for layout, what, held, seen in rows]
    for layout in LAYOUTS:
        of_layout = [held for name, _, held, _ in rows if name == layout]
        lines.append(f"{layout} layout: {sum(of_layout)} of {len(of_layout)} checks held")
    return "\n".join(lines)


async def main() -> int:
    with tempfile.TemporaryDirectory(prefix="evapp-phonepe-sdk-") as temporary:
        folder = Path(temporary)
        try:
            python = await asyncio.to_thread(install, folder / "environment")
        except Unavailable as error:
            print(f"skipped: {SDK} cannot be had: {error}")
            return 0
        rows = [row for layout in LAYOUTS for row in await drive(python, folder, layout)]
    print(f"{SDK} against the sandbox\n{table(rows)}")
    return 0 if rows and all(held for _, _, held, _ in rows) else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
