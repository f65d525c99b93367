"""GET /metrics: on the loopback address alone, and true."""

import asyncio
import socket
from datetime import timedelta

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlmodel import Session

from domain import metrics, scrape
from domain.db import Database
from domain.metrics import METRICS
from domain.models import Charger, ChargingSession, Chore, Finding, RechargeOrder, SessionState, User, now
from domain.redis_bus import RedisBus
from domain.scrape import scraped
from domain.settings import Settings, SettingsError
from tests.e2e.running import free_port
from tests.servers import redis

pytestmark = pytest.mark.timeout(60)


async def told(port: int, host: str = "127.0.0.1") -> dict[str, float]:
    """Every sample, by its name and its labels."""
    async with httpx.AsyncClient() as http:
        answer = await http.get(f"http://{host}:{port}/metrics")
    assert answer.status_code == 200
    return {
        sample.name + "".join(f" {value}" for _, value in sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def scene(db: Session) -> None:
    moment = now()
    db.add(User(username="asha", phone="+919845012345", pin_hash="x"))
    db.add(Charger(id="BLR-017", find_key="blr017"))
    db.flush()
    for number, state in enumerate((SessionState.CHARGING, SessionState.INTERRUPTED, SessionState.SETTLED)):
        db.add(
            ChargingSession(
                ref=f"R{number}",
                charger_id="BLR-017",
                connector_number=number,
                tag=f"T{number}",
                state=state,
                paise_per_kwh=1_800,
                gst_basis_points=0,
                due_at=moment - timedelta(seconds=90) if state == SessionState.INTERRUPTED else None,
            )
        )
    db.add(Finding(kind="audit", ref="a rule"))
    db.add(Finding(kind="review", ref="looked at", resolved_at=moment))
    db.add(Chore(name="books", due_at=moment, taken_at=moment, done_at=moment - timedelta(hours=2)))


async def test_what_the_database_knows_is_told(database: Database) -> None:
    await database.transact(scene)
    async with scraped(free_port(), "web") as port:
        said = await told(port)
    assert said["evapp_sessions CHARGING"] == 1
    assert said["evapp_sessions INTERRUPTED"] == 1
    assert said["evapp_sessions REQUESTED"] == 0
    assert "evapp_sessions SETTLED" not in said
    assert 90 <= said["evapp_overdue_seconds session"] < 120
    assert said["evapp_overdue_seconds recharge"] == 0
    assert said["evapp_findings_open audit"] == said["evapp_ledger_audit_broken"] == 1
    assert "evapp_findings_open review" not in said
    assert 7_200 <= said["evapp_ledger_audit_age_seconds"] < 7_300
    assert said["evapp_database_up"] == 1
    assert said["evapp_writer_queue"] == 0
    assert 0 <= said["evapp_loop_lag_seconds"] < 5
    assert said["evapp_commit_seconds_count transaction"] >= 1


async def test_a_recharge_counts_once_it_is_committed(database: Database) -> None:
    from domain import placing, recharges

    metrics.RECHARGES.cells.clear()
    user = await database.transact(_asha)
    order: RechargeOrder = await database.transact(placing.place, user, 50_000, "n1")
    await database.transact(recharges.rejected, order.merchant_order_id, "NO")
    assert {labels: cell.n for labels, cell in metrics.RECHARGES.cells.items()} == {("REJECTED",): 1}


def _asha(db: Session) -> int:
    user = User(username="asha", phone="+919845012345", pin_hash="x")
    db.add(user)
    db.flush()
    return user.id or 0


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_without_its_database_it_tells_the_rest(database: Database) -> None:
    async with scraped(free_port(), "csms") as port:
        database.engine.dispose()
        await database.transact(_broken)
        said = await told(port)
    assert said["evapp_database_up"] == 0
    assert not any(name.startswith("evapp_sessions") for name in said)
    assert said["evapp_writer_queue"] == 0
    assert any(name.startswith("evapp_build_info") and "csms" in name for name in said)


def _broken(db: Session) -> None:
    db.connection().exec_driver_sql("ALTER TABLE findings RENAME TO lost")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_only_this_machine_is_answered(database: Database) -> None:
    """Whatever other addresses it has, nothing listens there."""
    async with scraped(free_port(), "web") as port:
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.2", port)) != 0
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_host_may_be_named(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A container's Prometheus is another container."""
    monkeypatch.setattr(scrape, "settings", lambda: Settings(metrics_host="127.0.0.2"))
    async with scraped(free_port(), "web") as port:
        assert (await told(port, "127.0.0.2"))["evapp_database_up"] == 1
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0
    monkeypatch.setattr(scrape, "settings", lambda: Settings(metrics_host="192.0.2.1"))
    with pytest.raises(SettingsError, match=r"192\.0\.2\.1:\d+ cannot be used.*EVAPP_METRICS_HOST"):
        async with scraped(free_port(), "web"):
            pass


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_redis_gone_and_back_is_told(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing of it where there is one process."""
    monkeypatch.setattr(metrics.BUS_UP, "read", dict)
    async with scraped(free_port(), "csms") as port:
        assert "evapp_bus_up" not in await told(port)
        with redis() as server:
            async with RedisBus(server.url):
                assert (await told(port))["evapp_bus_up"] == 1
                server.kill()
                await _until_told(port, 0)
                server.start()
                await _until_told(port, 1)


async def _until_told(port: int, up: float) -> None:
    async with asyncio.timeout(15):
        while (await told(port))["evapp_bus_up"] != up:
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_taken_port_is_said_and_no_port_means_none(database: Database) -> None:
    async with scraped(0, "web") as port:
        assert port == 0
    async with scraped(free_port(), "web") as port:
        with pytest.raises(SettingsError, match=f"127.0.0.1:{port} cannot be used"):
            async with scraped(port, "web"):
                pass


def test_every_metric_is_read_without_an_error() -> None:
    assert all(metric.read() is not None for metric in METRICS.values() if isinstance(metric, metrics.Gauge))
