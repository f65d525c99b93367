"""Twelve pictures of the product, compared with those in tests/e2e/pictures: nobody changes a look by accident.

Fonts are the product's own, data is pinned, what a clock writes is covered. A picture that is not there, or that
differs on purpose, is taken anew by deleting it and running this once; then it is looked at and committed.
"""

from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from tempfile import gettempdir

import pytest
from PIL import Image, ImageChops
from playwright.async_api import Browser, expect
from sqlmodel import Session, select

from domain import charging, sign_ins, wallet, wishes
from domain.db import Database
from domain.models import ChargingSession, User, now
from evapp.web.auth import COOKIE
from tests.e2e.camera import STILL
from tests.e2e.running import Product
from tests.money.house import free_charger

pytestmark = pytest.mark.asyncio(loop_scope="session")

PICTURES = Path(__file__).parent / "pictures"
SIZES = {390: {"width": 390, "height": 844}, 1280: {"width": 1280, "height": 860}}
LEVELS = 48
"""Two colours nearer than this, of 255 in any channel, are the same: edges of letters differ between machines."""
DIFFERENT = 0.004
"""The part of a picture that may differ all the same; a changed word is more."""

FREE, OUT, LEFT, REF, AT = "PIC-1", "PIC-2", "PIC-3", "PICTUREDCHARGE", datetime(2026, 11, 2, 11, 32, tzinfo=UTC)

HOME_CLOCKS = ("h1 >> xpath=..", "text=so far >> xpath=..")
"""The greeting's line, for the greeting's own width goes with the hour, and the month's."""


@dataclass(frozen=True)
class View:
    """One picture: what is loaded, by whom, what it says when it is there, and what a clock writes in it."""

    name: str
    path: str
    shows: str
    width: int = 390
    theme: str = "light"
    guest: bool = False
    clocks: tuple[str, ...] = ()


VIEWS = (
    View("login", "/login?next=/c/BLR-017", "Sign in to charge", guest=True),
    View("login-wide", "/login", "Sign in", 1280, "dark", guest=True),
    View("register", "/register", "digits that are not easy to guess", theme="dark", guest=True),
    View("not-found", "/nothing-here", "Nothing at this address.", guest=True),
    View("help", "/help", "help@evapp.example", guest=True, clocks=("text=Right now >> xpath=..",)),
    View("home", "/dashboard", "Your chargers", clocks=HOME_CLOCKS),
    View("home-wide", "/dashboard", "Your chargers", 1280, "dark", clocks=HOME_CLOCKS),
    View("charger", f"/c/{FREE}", "Plug in, then start."),
    View("charger-wide", f"/c/{FREE}", "Plug in, then start.", 1280),
    View("charger-faulted", f"/c/{OUT}", "out of order", theme="dark", clocks=("main p",)),
    View("history", "/history", "Phoenix Mall", clocks=("text=For your accountant >> xpath=..",)),
    View("receipt", f"/history/{REF}", "Receipt number"),
)


def scene(db: Session) -> str:
    """A driver with one charge of a certain day, a free charger and one out of order; the token of his sign-in."""
    user = User(username="asha", phone="+919845012345", pin_hash="")
    db.add(user)
    db.flush()
    assert user.id is not None
    wallet.open_accounts(db, user.id)
    wallet.adjust(db, user.id, 124_050, key="pictures", reason="Welcome")
    for charger_id, status in ((FREE, "Available"), (OUT, "Faulted"), (LEFT, "Available")):
        free_charger(db, charger_id, status, place="Phoenix Mall, Whitefield", max_power_w=7_400, kind="Type 2")
    session = charging.request_start(db, user.id, LEFT, 1)
    session.ref = REF
    wishes.answered(db, session.id, "accepted")
    began = {"charger_id": LEFT, "connector_number": 1, "tag": session.tag, "meter_start_wh": 0}
    begun = charging.started(db, **began, at=now() - timedelta(hours=2), received_at=now() - timedelta(hours=2))
    ended = {"meter_stop_wh": 7_456, "at": now(), "received_at": now(), "reason": "Local", "tag": ""}
    charging.stopped(db, charger_id=LEFT, transaction_id=begun.transaction_id, **ended)
    row = db.exec(select(ChargingSession).where(ChargingSession.id == session.id)).one()
    row.requested_at, row.started_at, row.stopped_at = AT, AT, AT + timedelta(minutes=64)
    row.receipt_number = "26-27/PICTURE"
    db.add(row)
    token = sign_ins.new_token()
    sign_ins.start(db, user, sign_ins.Browser(sign_ins.hash_token(token), "", ""))
    return token


@pytest.fixture(scope="module")
def cookie(product: Product) -> dict[str, str]:
    with closing(Database(product.database)) as database:
        token, _ = database.now(scene)
    return {"name": COOKIE, "value": token, "url": product.url}


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
async def test_a_page_looks_as_it_did(view: View, product: Product, chromium: Browser, cookie: dict[str, str]) -> None:
    context = await chromium.new_context(viewport=SIZES[view.width], color_scheme=view.theme, locale="en-IN")  # type: ignore[arg-type]
    if not view.guest:
        await context.add_cookies([cookie])  # type: ignore[list-item]
    page = await context.new_page()
    await page.goto(product.url + view.path)
    await expect(page.get_by_text(view.shows).locator("visible=true").first).to_be_visible()
    await page.evaluate("document.fonts.ready")
    await page.evaluate(STILL)
    covered = [page.locator(clock) for clock in view.clocks]
    taken = await page.screenshot(caret="hide", animations="disabled", mask=covered)
    await context.close()
    compare(taken, PICTURES / f"{view.name}.png")


def compare(taken: bytes, kept: Path) -> None:
    """Pixel by pixel; what is seen now is left in /tmp when it differs."""
    if not kept.exists():
        kept.write_bytes(taken)
        pytest.fail(f"{kept.name} was not there and is now: look at it, and commit it")
    before, after = Image.open(kept).convert("RGB"), Image.open(BytesIO(taken)).convert("RGB")
    assert before.size == after.size
    apart = ImageChops.difference(before, after).point(lambda level: 255 if level > LEVELS else 0).convert("L")
    part = sum(apart.histogram()[1:]) / (apart.width * apart.height)
    if part > DIFFERENT:
        now_seen = Path(gettempdir()) / f"evapp-{kept.name}"
        now_seen.write_bytes(taken)
        pytest.fail(f"{part:.2%} of {kept.name} differs; it now looks like {now_seen}")
