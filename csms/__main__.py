"""The CSMS as a process of its own, and a shell that asks chargers anything."""

import argparse
import asyncio
import contextlib
import gc
import json
import signal
import sys
from typing import Any

import structlog

from csms.server import listening
from domain import complaints, logs, socket, traces, trail
from domain.bus import joined
from domain.db import Database, opened
from domain.processes import living
from domain.scrape import scraped
from domain.settings import settings
from domain.wire import too_deep, writable

try:
    from uvloop import new_event_loop
except ImportError:
    from asyncio import new_event_loop  # type: ignore[assignment]

ABOUT = """Serve chargers from this process, with the database of the settings.

With EVAPP_REDIS_URL any number of these serve drivers together with the web processes (docs/operate.md). Without it
this process reaches no other: the web app cannot start or stop charges here, and its pages do not hear what happens
here; then let the web app run the CSMS (EVAPP_OCPP_EMBEDDED, the default)."""
TOO_DEEP = "The payload is nested too deeply; no message of OCPP 1.6 is."


def main() -> int:
    logs.configure()
    parser = argparse.ArgumentParser(
        prog="python -m csms", description=ABOUT, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command")
    call = commands.add_parser("call", help="ask a charger that the running server holds")
    call.add_argument("charger", help="its identity")
    call.add_argument("action", help="a message of OCPP 1.6: GetConfiguration, Reset, UnlockConnector …")
    call.add_argument("payload", nargs="?", default="{}", help="its payload as JSON")
    given = parser.parse_args()
    try:
        return _call(given.charger, given.action, given.payload) if given.command == "call" else _serve()
    except complaints.KNOWN as error:
        return _failed(complaints.complaint(error))


def _call(charger: str, action: str, text: str) -> int:
    try:
        payload: Any = json.loads(text)
    except ValueError as error:
        return _failed(f"The payload is not JSON: {error}.")
    except RecursionError:
        return _failed(TOO_DEEP)
    if not isinstance(payload, dict):
        return _failed('The payload must be a JSON object, such as \'{"type": "Soft"}\'.')
    if too_deep(payload):
        return _failed(TOO_DEEP)
    if writable(payload) != payload:
        return _failed(r"The payload has half a character, such as \ud800 alone; no charger can be sent one.")
    try:
        answer = _asked(charger, action, payload)
    except (socket.NoServer, socket.Failed) as error:
        return _failed(str(error))
    print(json.dumps(answer["payload"], indent=2))
    return 0


def _asked(charger: str, action: str, payload: dict[str, Any]) -> dict[str, Any]:
    """The charger's answer; that it was asked stands in the trail before it is, and what came of it after (ADR 0011).

    Raises:
        socket.NoServer, socket.Failed: it was not asked, or did not answer.
    """
    by, subject = trail.shell(), f"charger:{charger}"
    with contextlib.closing(Database(settings().database)) as database:
        database.now(trail.note, by, f"call {action}", subject, payload)
        try:
            answer = socket.call(charger, action, payload)
        except (socket.NoServer, socket.Failed) as error:
            database.now(trail.note, by, f"answer {action}", subject, str(error))
            raise
        database.now(trail.note, by, f"answer {action}", subject, answer["status"] or "Answered")
    return answer


def _serve() -> int:
    settings().check()
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(_serve_until_told())
    return 0


async def _serve_until_told() -> None:
    logs.take_over()
    for doubt in settings().doubts():
        structlog.get_logger().warning(doubt)
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, told.set)
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(traces.told(settings(), "csms"))
        bus = await stack.enter_async_context(joined(settings()))
        await stack.enter_async_context(opened(settings().database, bus.publish))
        await stack.enter_async_context(living(bus, "csms"))
        host, port = settings().ocpp_host, settings().ocpp_port
        bound = await stack.enter_async_context(listening(host=host, port=port, bus=bus, settings=settings()))
        await stack.enter_async_context(scraped(settings().metrics_port, "csms"))
        # After all that can fail: it takes the path over from whoever serves here.
        await stack.enter_async_context(socket.serving(bus))
        scheme = "wss" if settings().ocpp_tls_cert else "ws"
        settle_memory()
        print(f"Chargers connect to {scheme}://{host}:{bound}/<charger-id>.", flush=True)
        await told.wait()


def settle_memory() -> None:
    """What is there when a server begins stays: the collector need not look at it again (a tenth of the CPU time)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


def _failed(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
