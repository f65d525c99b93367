"""Run programs side by side and end them together: on Ctrl-C, on SIGTERM, or when one of them ends by itself."""

import argparse
import asyncio
import shlex
import shutil
import signal
import sys

GRACE_SECONDS = 15
"""How long a program may take to end after it was asked to."""


def command(typed: str) -> str:
    """One whose program is there: else those before it would have begun."""
    try:
        words = shlex.split(typed)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{typed!r} cannot be read: {error}") from None
    if not words:
        raise argparse.ArgumentTypeError(f"{typed!r} names no program")
    if shutil.which(words[0]) is None:
        raise argparse.ArgumentTypeError(f"There is no program {words[0]!r}.")
    return typed


async def together(commands: list[str]) -> int:
    """Give 0 when somebody asked for the end, else the code of the program that ended first, at least 1."""
    asked = asyncio.Event()
    for wish in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(wish, asked.set)
    programs = [await asyncio.create_subprocess_exec(*shlex.split(command)) for command in commands]
    ends = [asyncio.create_task(program.wait()) for program in programs]
    wish_to_end = asyncio.create_task(asked.wait())
    await asyncio.wait([*ends, wish_to_end], return_when=asyncio.FIRST_COMPLETED)
    wish_to_end.cancel()
    code = 0 if asked.is_set() else _first_to_end(commands, programs)
    for program in programs:
        if program.returncode is None:
            program.terminate()
    _, stuck = await asyncio.wait(ends, timeout=GRACE_SECONDS)
    for program in programs:
        if program.returncode is None:
            program.kill()
    if stuck:
        await asyncio.wait(stuck)
    return code


def _first_to_end(commands: list[str], programs: list[asyncio.subprocess.Process]) -> int:
    for command, program in zip(commands, programs, strict=True):
        if program.returncode is not None:
            print(f"`{command}` ended with {program.returncode}, so the rest ends too.", file=sys.stderr)
            return abs(program.returncode) or 1
    raise AssertionError("unreachable")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python scripts/together.py", description=__doc__)
    parser.add_argument("command", nargs="+", type=command, help="a program and its arguments, as one word")
    sys.exit(asyncio.run(together(parser.parse_args().command)))
