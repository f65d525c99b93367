"""The command `python -m simulator`: the demo chargers and the PhonePe sandbox, and a hand on a running one."""

import argparse
import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from simulator import control, demo
from simulator.phonepe import serve
from simulator.side_by_side import side_by_side

OCPP = f"ws://localhost:{os.environ.get('EVAPP_OCPP_PORT', '9000')}/ocpp"
WEBHOOK = f"http://localhost:{os.environ.get('EVAPP_PORT', '3000')}/payments/phonepe/webhook"
SANDBOX_PORT = 9100
MOST_PORT = 65_535


def say(who: str, what: str) -> None:
    """One readable line, in local time."""
    print(f"{datetime.now().astimezone():%H:%M:%S}  {who:<8} {what}", flush=True)


async def run(*, ocpp: str, sandbox_port: int, webhook: str, socket: Path) -> int:
    """Run the outside world until somebody ends it; gives the exit code."""
    asked_to_end = asyncio.Event()
    for wish in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(wish, asked_to_end.set)
    chargers = demo.fleet(ocpp, say)
    try:
        async with control.listening(chargers, socket):
            say("desk", f"chargers connect to {ocpp}; PhonePe sandbox on http://localhost:{sandbox_port}")
            await side_by_side(
                _until(asked_to_end),
                demo.live(chargers),
                serve(host="127.0.0.1", port=sandbox_port, webhook_url=webhook),
            )
    except control.Refused as refusal:
        print(refusal, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"The PhonePe sandbox cannot listen on port {sandbox_port}: {error}", file=sys.stderr)
        return 1
    say("desk", "ended")
    return 0


async def _until(event: asyncio.Event) -> None:
    await event.wait()


def _address(example: str) -> Callable[[str], str]:
    """Text that is an address as this one is, with a lock or without."""
    scheme = urlsplit(example).scheme

    def read(text: str) -> str:
        with contextlib.suppress(ValueError):  # of a port that cannot be, too
            url = urlsplit(text)
            if url.scheme in (scheme, f"{scheme}s") and url.hostname and url.port != 0:
                return text
        raise argparse.ArgumentTypeError(f"{text!r} is no address like {example}")

    return read


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 6 and 1 <= int(text) <= MOST_PORT):
        raise argparse.ArgumentTypeError(f"a port from 1 to {MOST_PORT}")
    return int(text)


def main(arguments: list[str] | None = None) -> int:
    """Read the command line; gives the exit code."""
    words = "\n".join(f"  {name:<10} {meaning}" for name, (meaning, _) in control.COMMANDS.items())
    parser = argparse.ArgumentParser(
        prog="python -m simulator",
        description="Runs DEMO-1 (free), DEMO-2 (in use), DEMO-3 (faulted) and a PhonePe sandbox beside the app.\n"
        "With a command, acts on a simulator that runs:\n\n" + words,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", nargs="?", choices=control.COMMANDS, metavar="command", help="see above")
    parser.add_argument("charger", nargs="?", default="DEMO-1", help="default: DEMO-1")
    parser.add_argument("value", nargs="?", default="", help="error code, card or seconds, as the command says")
    parser.add_argument("--connector", type=int, default=1, help="default: 1")
    ocpp, webhook = _address("ws://localhost:9000/ocpp"), _address("http://localhost:3000/payments/phonepe/webhook")
    parser.add_argument("--ocpp", type=ocpp, default=OCPP, help=f"where chargers connect to; default: {OCPP}")
    parser.add_argument(
        "--sandbox-port", type=_port, default=SANDBOX_PORT, help=f"the PhonePe sandbox's; default: {SANDBOX_PORT}"
    )
    parser.add_argument("--webhook", type=webhook, default=WEBHOOK, help=f"where it rings; default: {WEBHOOK}")
    parser.add_argument(
        "--socket", type=Path, default=control.SOCKET, help=f"where it takes commands; default: {control.SOCKET}"
    )
    asked = parser.parse_args(arguments)
    if asked.command is None:
        return asyncio.run(
            run(ocpp=asked.ocpp, sandbox_port=asked.sandbox_port, webhook=asked.webhook, socket=asked.socket)
        )
    try:
        command = control.Asked(asked.command, asked.charger, asked.connector, asked.value)
        print(asyncio.run(control.send(asked.socket, command)))
    except control.Refused as refusal:
        print(refusal, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
