"""The pictures of the operators' pages: a street with something wrong on it, and somebody at the desk."""

from datetime import timedelta

from playwright.async_api import Page, expect
from sqlmodel import Session, select

from domain import accounts, findings, health, operators, placing, recharges, tariffs, trail, wallet
from domain.db import Database
from domain.health import Noted
from domain.models import User, now
from domain.prices import Band, Price
from domain.recharges import OrderStatus, Payment
from simulator.chargers import VirtualCharger
from tests.e2e.browsers import PIN
from tests.e2e.camera import Camera, register

OPERATOR = "meera"


async def become_operator(camera: Camera, database: Database) -> None:
    """Somebody new, whom the shell makes an operator."""
    username = f"{OPERATOR}{camera.number or ''}"
    await register(camera, username, f"98860{camera.number:05d}")
    [user] = await database.read(accounts.find, username)
    # The page that is open leaves by the gate when its sign-in ends, perhaps while the next one is being opened.
    await camera.page.goto("about:blank")
    await database.transact(operators.appoint, user.id, trail.shell())
    await sign_in(camera.page, camera.url, username)


async def sign_in(page: Page, url: str, username: str) -> None:
    """By the form, since every sign-in ended."""
    await page.goto(f"{url}/login?next=/ops")
    await page.get_by_label("Username or phone number").fill(username)
    await page.get_by_label("PIN", exact=True).fill(PIN)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("heading", name="Chargers", exact=True)).to_be_visible(timeout=15_000)


def _scene(db: Session, charger_id: str) -> None:
    if db.exec(select(User).where(User.username == "suresh")).first() is not None:
        return
    user = User(username="suresh", phone="+919741000001", pin_hash="-", email="suresh@example.org")
    db.add(user)
    db.flush()
    assert user.id is not None
    wallet.open_accounts(db, user.id)
    order = placing.place(db, user.id, 100_000, "scene")
    opened = Payment("OMO260001", "PENDING", "https://example.org", now() + timedelta(hours=1))
    recharges.opened(db, order.merchant_order_id, opened)
    paid = OrderStatus("OMO260001", "COMPLETED", 100_000, "455069731511", "T1", "UPI_INTENT", "", {})
    recharges.apply(db, order.merchant_order_id, paid)
    wallet.adjust(db, user.id, -15_000, key="scene", reason="Paid at the counter by mistake")
    findings.note(db, "orphan-stop", "BLR-104:7781:40215", "StopTransaction 7781 at 40215 Wh, reason EVDisconnected.")
    findings.note(db, "boot-loop", "BLR-061", "5 boots in 10 minutes; its set-up is left alone.")
    findings.note(db, "mismatch", order.merchant_order_id, "PhonePe says ₹900.00 for an order of ₹1,000.00.")
    health.add(db, {"BLR-061": Noted(boot_loop_at=now(), clock_skew_ms=420_000, repairs=12)}, now())
    tariffs.set_price(db, Price(1_850, 0))
    tariffs.set_price(
        db,
        Price(
            1_800,
            0,
            start_paise=1_000,
            idle_after_minutes=10,
            idle_per_minute_paise=200,
            bands=(Band(1_320, 360, 1_250),),
        ),
        group="malls",
    )
    tariffs.set_price(db, Price(2_200, 0), charger_id=charger_id, effective_at=now() + timedelta(days=9))


async def at_the_desk(camera: Camera, database: Database, charger: VirtualCharger, driver: str) -> None:
    """Every page of the operators."""
    page = camera.page
    await database.transact(_scene, charger.identity)
    await become_operator(camera, database)
    await camera.picture("ops-fleet", "/ops", "in contact")
    await camera.picture("ops-fleet-hindi", "/hi/ops", "संपर्क में")
    await camera.picture("ops-sessions", "/ops/sessions", "Stops that belong to no charge")
    await camera.picture("ops-charger-closed", f"/ops/c/{charger.identity}", "Changes need your PIN.")
    await page.get_by_role("link", name="Enter PIN").click()
    await expect(page.get_by_role("heading", name="Enter your PIN")).to_be_visible()
    await camera.shoot("ops-pin")
    await page.get_by_label("Your PIN", exact=True).fill(PIN)
    await page.get_by_role("button", name="Open changes").click()
    await expect(page.get_by_text("Changes are open until")).to_be_visible()
    await camera.shoot("ops-charger")
    await page.get_by_label("Often asked").select_option("GetConfiguration")
    await expect(page.get_by_label("Message", exact=True)).to_have_value("GetConfiguration")
    await page.get_by_role("button", name="Send", exact=True).click()
    await expect(page.get_by_text("HeartbeatInterval = ").first).to_be_visible()
    await page.get_by_text("HeartbeatInterval = ").scroll_into_view_if_needed()
    await camera.shoot("ops-command")
    await camera.picture("ops-findings", "/ops/findings", "5 boots in 10 minutes")
    await page.get_by_role("button", name="Resolve: A charger boots").click()
    await camera.shoot("ops-resolve")
    await camera.open("/ops/users", "A part of a username")
    await page.get_by_label("Number, phone, username or e-mail").fill("asha")
    await page.get_by_role("button", name="Find").click()
    await expect(page.get_by_role("link", name=driver).first).to_be_visible()
    await camera.shoot("ops-users")
    [user] = await database.read(accounts.find, "suresh")
    await camera.picture("ops-user", f"/ops/users/{user.id}", "What can be done")
    await page.get_by_role("button", name="Adjust the wallet").click()
    await page.get_by_label("Rupees").fill("50")
    await page.get_by_label("Why").fill("The charger lost its power on 24 November")
    await page.get_by_role("button", name="Go on…").click()
    await expect(page.get_by_role("alertdialog")).to_be_visible()
    await camera.shoot("ops-adjust")
    await page.get_by_role("button", name="Cancel").click()
    await camera.picture("ops-tariffs", "/ops/tariffs", "Now and later")
    await camera.picture("ops-refunds", "/ops/refunds", "In the wallet")
    await camera.picture("ops-trail", "/ops/trail", "user make-operator")
