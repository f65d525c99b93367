"""GET /metrics: on the loopback address alone, and true."""

import socket
from datetime import timedelta

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlmodel import Session

from domain import metrics
from domain.db import Database
from domain.metrics import METRICS
from domain.models import Charger, ChargingSession, Chore, Finding, RechargeOrder, SessionState, User, now
from domain.scrape import scraped
from domain.settings import SettingsError
from tests.e2e.running import free_port

pytestmark = pytest.mark.timeout(60)


async def told(port: int) -> dict[str, float]:
    """Every sample, by its name and its labels."""
    async with httpx.AsyncClient() as http:
        answer = await http.get(f"http://127.0.0.1:{port}/metrics")
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
    db.add(Chore(name="books", due_at=moment, taken_at=moment - timedelta(hours=2)))


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
    from domain import recharges

    metrics.RECHARGES.cells.clear()
    user = await database.transact(_asha)
    order: RechargeOrder = await database.transact(recharges.place, user, 50_000, "n1")
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
async def test_a_taken_port_is_said_and_no_port_means_none(database: Database) -> None:
    async with scraped(0, "web") as port:
        assert port == 0
    async with scraped(free_port(), "web") as port:
        with pytest.raises(SettingsError, match=f"127.0.0.1:{port} cannot be used"):
            async with scraped(port, "web"):
                pass


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_open_charges_are_counted_by_their_index(database: Database) -> None:
    """However many charges are over: a scrape comes every few seconds."""
    from domain.vitals import _sessions

    def plan(db: Session) -> str:
        seen: list[str] = []
        from sqlalchemy import event

        @event.listens_for(db.connection().engine, "before_cursor_execute")
        def keep(_c: object, _u: object, statement: str, *_: object) -> None:
            seen.append(statement)

        _sessions(db)
        event.remove(db.connection().engine, "before_cursor_execute", keep)
        asked = next(one for one in seen if "GROUP BY" in one)
        return " ".join(str(row) for row in db.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {asked}").fetchall())

    assert "INDEX uq_charging_sessions_open" in await database.read(plan)


def test_every_metric_is_read_without_an_error() -> None:
    assert all(metric.read() is not None for metric in METRICS.values() if isinstance(metric, metrics.Gauge))
