"""This CSMS as it really runs: `python -m csms` on a migrated database with drivers who charge on held money."""

from datetime import timedelta
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlmodel import Session

from bench.peers import KEY
from bench.processes import ROOT, module
from domain import chargers, charging, connectors, wallet, wishes
from domain.db import Database
from domain.models import Charger, User, now

SECRET = "a secret of the bench, 32 characters or more"  # noqa: S105


def migrated(url: str) -> None:
    """Bring an empty database to the newest revision."""
    config = Config(ROOT / "alembic.ini")
    config.attributes["url"] = url
    command.upgrade(config, "head")


def charge_everywhere(url: str, count: int, *, keys: bool = False) -> list[tuple[str, int]]:
    """`count` chargers, each with a driver who charges; gives their identities and transactions."""
    database = Database(url)
    try:
        return [database.now(_charge, number, keys)[0] for number in range(count)]
    finally:
        database.close()


def known(url: str, count: int, *, keys: bool = False) -> list[tuple[str, int]]:
    """`count` idle chargers."""
    database = Database(url)
    try:
        return database.now(_know, count, keys)[0]
    finally:
        database.close()


def _know(db: Session, count: int, keys: bool) -> list[tuple[str, int]]:
    for number in range(count):
        _add(db, f"IDLE-{number}", keys)
    return [(f"IDLE-{number}", 1) for number in range(count)]


def _add(db: Session, name: str, key: bool) -> Charger:
    charger = chargers.add(db, name, connectors=1, max_power_w=60_000)
    if key:
        chargers.set_key(db, name, KEY)
    return charger


def _charge(db: Session, number: int, keys: bool) -> tuple[str, int]:
    name, at = f"BENCH-{number}", now()
    charger = _add(db, name, keys)
    user_id = driver(db, number, 200_000)
    charger.online, charger.heard_at = True, at
    connectors.status(
        db,
        name,
        connector_number=1,
        status="Available",
        error_code="NoError",
        info="",
        at=None,
        received_at=at,
    )
    session = charging.request_start(db, user_id, name, 1)
    wishes.answered(db, session.id, "accepted")
    begun = charging.started(
        db,
        charger_id=name,
        connector_number=1,
        tag=session.tag,
        meter_start_wh=0,
        at=at - timedelta(seconds=1),
        received_at=at,
    )
    return name, begun.transaction_id


def driver(db: Session, number: int, paise: int) -> int:
    """A user with this much money; gives the id."""
    user = User(username=f"bench{number}", phone=f"+9190000{number:05}", pin_hash="")
    db.add(user)
    db.flush()
    wallet.open_accounts(db, user.id)
    wallet.post(db, f"bench:{number}", "adjustment", {wallet.GOODWILL: -paise, wallet.wallet_code(user.id): paise})
    return user.id


def serve() -> list[str]:
    return module("csms")


def environment(url: str, folder: Path) -> dict[str, str]:
    """The settings of a server on this database; everything else as it comes."""
    return {
        "EVAPP_DATABASE_URL": url,
        "EVAPP_OCPP_HOST": "127.0.0.1",
        "EVAPP_OCPP_PORT": "0",
        "EVAPP_VAR_DIR": str(folder),
        "EVAPP_SECRET_KEY": SECRET,
    }
