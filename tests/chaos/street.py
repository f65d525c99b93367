"""Virtual chargers in a process of their own: told what to do, and asked what they did, by lines of JSON.

`python -m tests.chaos.street '{"url": "ws://…", "names": […]}'` answers each line on its input with one on its output.
"""

import asyncio
import contextlib
import json
import sys
from typing import Any

from simulator.chargers import VirtualCharger
from simulator.connectors import Impossible

KEYS = {"TransactionMessageAttempts": "10", "TransactionMessageRetryInterval": "1"}
"""A charger that is answered by an error says it again soon; a minute later would be the same, and take longer."""


_swiping: dict[str, "asyncio.Task[str]"] = {}
"""The card of each driver, as long as his charger asks about it: held to the reader again, it would end the charge that
it began, or begin another one after the stop."""


async def main(plan: dict[str, Any]) -> None:
    async with contextlib.AsyncExitStack() as stack:
        chargers = {}
        for name in plan["names"]:
            charger = VirtualCharger(
                name,
                plan["url"],
                sample_seconds=plan["sample_seconds"],
                speed=plan["speed"],
                reconnect_seconds=(0.2, 2.0),
                call_seconds=30.0,
                keys=KEYS,
                locked=KEYS,
                seed=f"{plan['seed']}/{name}",
            )
            chargers[name] = await stack.enter_async_context(charger)
        lines = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
        while line := await lines.readline():
            asked = json.loads(line)
            told = {name: _done(chargers[name], asked["do"]) for name in asked["names"]}
            print(json.dumps(told), flush=True)  # noqa: T201 - its answer


def _done(charger: VirtualCharger, what: str) -> Any:
    connector = charger.connector(1)
    try:
        match what:
            case "plug":
                connector.plug()
            case "unplug":
                connector.unplug()
            case "press stop":
                connector.press_stop()
            case "swipe":
                _swipe(charger)
            case "tell":
                return _told(charger)
    except Impossible as error:
        return str(error)
    return "done"


def _swipe(charger: VirtualCharger) -> None:
    """Its own driver's card, once at a time; whether it begins is seen by asking again."""
    before = _swiping.get(charger.identity)
    if charger.connector(1).transaction is None and (before is None or before.done()):
        _swiping[charger.identity] = asyncio.create_task(charger.swipe(1, charger.identity))


def _told(charger: VirtualCharger) -> dict[str, Any]:
    """How it is, and every charge that it knows of: its registers, and the ids the central system gave it."""
    charges: dict[str, dict[str, Any]] = {}
    for exchange in charger.record.sent:
        if exchange.action == "StartTransaction":
            charge = charges.setdefault(exchange.payload["timestamp"], {"ids": [], "stop": None, "accepted": None})
            charge["start"] = exchange.payload["meterStart"]
            if exchange.answer is not None:
                charge["accepted"] = exchange.answer["idTagInfo"]["status"] == "Accepted"
                charge["ids"] = sorted({*charge["ids"], exchange.answer["transactionId"]})
    for exchange in charger.record.sent:
        if exchange.action == "StopTransaction":
            for charge in charges.values():
                if exchange.payload["transactionId"] in charge["ids"]:
                    charge["stop"] = exchange.payload["meterStop"]
    return {
        "online": charger.online,
        "status": charger.connector(1).status,
        "charging": charger.connector(1).transaction is not None,
        "waiting": [action for action in charger.outbox.waiting if action.endswith("Transaction")],
        "charges": list(charges.values()),
    }


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
