"""`python -m bench.push`: from a charger's meter to its driver's page, while 99 others watch 99 other charges.

One real Chromium is measured; the 99 are raw websockets that speak Reflex's protocol. The product runs as built, with
its database, journal and billing; every charger sends a meter value a second, and the watched one is timed from the
moment its frame is written to the moment the page shows its figure. The cost of a push is what the server uses with the
99 watching, less what it uses for the same traffic with nobody there.
"""

import argparse
import asyncio
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from playwright.async_api import Page
from sqlmodel import Session, select
from websockets.asyncio.client import ClientConnection, connect

from bench import ours
from bench.frames import written
from bench.processes import cpu_seconds
from domain import sign_ins
from domain.db import Database
from domain.models import User
from domain.sign_ins import Browser
from evapp.components.money import kwh
from evapp.state.charger import ChargerPage
from evapp.web.auth import COOKIE
from tests.e2e.browsers import chromium_browser
from tests.e2e.running import Product, running
from tests.e2e.wire import Wire

CHARGES = 100
BEAT_S = 1.0
STEP_WH = 10
"""Each beat's energy: 36 kW at one beat a second, and the hundredth of a kWh that the page shows."""

WATCH = """shown => {
  window.seen = {};
  const look = () => {
    const text = document.getElementById("main").textContent, at = Date.now();
    for (const word of shown) if (!(word in window.seen) && text.includes(word)) window.seen[word] = at;
  };
  new MutationObserver(look).observe(document.body, {subtree: true, childList: true, characterData: true});
}"""


@dataclass(slots=True)
class Meter:
    """A charger's socket, and what its meter has come to."""

    socket: ClientConnection
    transaction: int
    wh: int = 0
    count: int = 0

    async def beat(self) -> float:
        """Send the next value; when its frame was written, in ms since 1970."""
        self.wh += STEP_WH
        self.count += 1
        frame = written("MeterValues", f"{self.count}", transaction=self.transaction, register_wh=self.wh)
        at = time.time() * 1000
        await self.socket.send(frame.decode())
        await self.socket.recv()
        return at


def tokens(url: str) -> list[str]:
    """A sign-in for each driver of the bench, in the order of their chargers."""
    database = Database(url)
    try:
        return database.now(_sign_in)[0]
    finally:
        database.close()


def _sign_in(db: Session) -> list[str]:
    users = db.exec(select(User).order_by(User.id)).all()  # type: ignore[arg-type]
    made = [sign_ins.new_token() for _ in users]
    for user, token in zip(users, made, strict=True):
        sign_ins.start(db, user, Browser(sign_ins.hash_token(token), "bench", "127.0.0.1"))
    return made


async def beats(meters: list[Meter], count: int) -> list[float]:
    """`count` values from each, spread over every beat; when the first charger's were written."""
    times: list[float] = []

    async def go(number: int, meter: Meter) -> None:
        begun = time.monotonic() + number / len(meters) * BEAT_S
        for turn in range(count):
            await asyncio.sleep(max(0.0, begun + turn * BEAT_S - time.monotonic()))
            at = await meter.beat()
            if number == 0:
                times.append(at)

    await asyncio.gather(*(go(number, meter) for number, meter in enumerate(meters)))
    return times


def server_of(product: Product) -> int:
    """The process that answers: the supervisor's worker."""
    assert product.process is not None
    pid = product.process.pid
    while children := Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        pid = int(children[-1])
    return pid


async def measure(count: int) -> None:
    """Run it, and print the figures."""
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="evapp-bench-"))
        product = await stack.enter_async_context(running(Path(folder)))
        charges = ours.charge_everywhere(product.database, CHARGES)
        cookies = [f"{COOKIE}={token}" for token in tokens(product.database)]
        meters = []
        for name, transaction in charges:
            socket = await connect(f"{product.ocpp}/{name}", subprotocols=["ocpp1.6"], compression=None)  # type: ignore[list-item]
            stack.push_async_callback(socket.close)
            meters.append(Meter(socket, transaction))
        await beats(meters, 3)
        pid = server_of(product)

        before = cpu_seconds(pid)
        await beats(meters, count)
        unwatched = cpu_seconds(pid) - before

        wires = []
        for (name, _), cookie in list(zip(charges, cookies, strict=True))[1:]:
            wire = await stack.enter_async_context(Wire(product.url, cookie=cookie, origin=product.url))
            await wire.event(ChargerPage, "load", path=f"/c/{name}")
            wires.append(wire)
        page = await opened(stack, product, cookies[0], charges[0][0])
        words = [kwh(meters[0].wh + STEP_WH * turn) + "kWh" for turn in range(1, count + 1)]
        await page.evaluate(WATCH, words)
        heard = sum(wire.updates for wire in wires)
        before = cpu_seconds(pid)
        written_at = await beats(meters, count)
        watched = cpu_seconds(pid) - before
        await page.wait_for_function("word => word in window.seen", arg=words[-1])
        seen: dict[str, float] = await page.evaluate("() => window.seen")
        pushes = sum(wire.updates for wire in wires) - heard + len(seen)

    late = sorted(seen[word] - at for word, at in zip(words, written_at, strict=True) if word in seen)
    messages = count * CHARGES
    print(f"Charger to page, {CHARGES} charges with {CHARGES - 1} raw clients and one Chromium, {count} values each")
    print(f"  shown in the page     {len(late)} of {count}; median {median(late):.0f} ms, "
          f"p95 {late[int(len(late) * 0.95)]:.0f} ms, most {late[-1]:.0f} ms")  # fmt: skip
    print(f"  pushes                {pushes} for {messages} meter values")
    print(f"  server CPU, ms        {unwatched / messages * 1e3:.2f} a value unwatched, "
          f"{watched / messages * 1e3:.2f} watched: {(watched - unwatched) / pushes * 1e3:.2f} a push")  # fmt: skip


async def opened(stack: AsyncExitStack, product: Product, cookie: str, charger: str) -> Page:
    """The charger's page in Chromium, with its live figures on it."""
    browser = await stack.enter_async_context(chromium_browser())
    context = await browser.new_context(viewport={"width": 390, "height": 844})
    name, _, value = cookie.partition("=")
    await context.add_cookies([{"name": name, "value": value, "url": product.url}])
    page = await context.new_page()
    await page.goto(f"{product.url}/c/{charger}")
    await page.get_by_role("button", name="Stop charging").wait_for()
    return page


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.push", description=__doc__)
    parser.add_argument("--values", type=int, default=40, help="meter values of each charger")
    given = parser.parse_args()
    asyncio.run(measure(given.values))


if __name__ == "__main__":
    main()
