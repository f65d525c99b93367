"""Charges in the operator's shell: what they moved and cost, and who must look at what."""

from domain import charges, charging, findings, tariffs
from domain.db import Database
from domain.models import Finding, now
from domain.prices import Price
from tests.money.charges import METER, Desk
from tests.unit.domain.test_shell import database, here, row, run, street

__all__ = ["database", "here", "run", "street"]


def test_charges_and_what_they_moved(run, street: Desk) -> None:  # type: ignore[no-untyped-def]
    street.charger(connectors=2)
    session_id = street.charging(street.driver())
    street.flows(session_id, 2)
    running = run("session list --running")
    assert "BLR-1/1" in running.out
    assert "CHARGING" in running.out
    assert street.session(session_id).ref in run("charger show BLR-1").out
    street.stop(session_id, METER + 2_005)
    assert len(run("session list --running --charger BLR-1").out.splitlines()) == 1
    assert "2.005" in run("session list --limit 1").out
    ref, receipt = street.session(session_id).ref, street.session(session_id).receipt_number
    for name in (ref, ref.lower(), receipt, receipt.lower(), str(session_id)):
        said = run(f"session show {name}")
        assert said.code == 0
        assert all(word in said.out for word in ("driver_0", "2.005 kWh", "₹36.09", "-₹36.09", "wallet:1", "/0000001"))


def test_a_charge_that_runs_has_its_cost_of_now(run, street: Desk) -> None:  # type: ignore[no-untyped-def]
    _, session_id = street.a_charge(kwh=10)
    assert "₹180.00" in run("session list").out
    assert "₹180.00" in run(f"session show {session_id}").out


def test_a_charge_without_its_stop_is_not_over(run, street: Desk) -> None:  # type: ignore[no-untyped-def]
    _, session_id = street.a_charge(kwh=1)
    street.lose(session_id)
    assert street.session(session_id).ref in run("session list --running").out


def test_a_walk_up_has_no_driver(run, street: Desk) -> None:  # type: ignore[no-untyped-def]
    street.charger()
    street.do(
        charging.started,
        charger_id="BLR-1",
        connector_number=1,
        tag="CARD",
        meter_start_wh=0,
        at=now(),
        received_at=now(),
    )
    assert "walk-up" in run("session list").out
    assert "walk-up" in run("session show 1").out


def test_findings_are_shown_until_somebody_has_looked(run, database: Database) -> None:  # type: ignore[no-untyped-def]
    assert run("findings list").out == "Nothing to look at.\n"
    database.now(findings.note, "orphan-stop", "BLR-1:7:100", "StopTransaction 7 \x1b[2J of nobody")
    said = run("findings list")
    assert "StopTransaction 7 ?[2J of nobody" in said.out, "no charger moves an operator's cursor"
    assert run("findings list --kind review").out == "Nothing to look at.\n"
    assert "of nobody" in run("findings list --kind orphan-stop").out
    assert run("findings resolve 1").code == 0
    assert run("findings list").out == "Nothing to look at.\n"
    assert row(database, Finding, 1).resolved_at is not None  # type: ignore[attr-defined]


def test_part_of_a_bill_is_given_back(run, street: Desk) -> None:  # type: ignore[no-untyped-def]
    street.charger()
    session_id = street.charging(street.driver())
    street.flows(session_id, 4)
    street.stop(session_id, METER + 4_000)
    ref = street.session(session_id).ref
    said = run(f"session give-back {ref} 20 --reason 'It was slow'")
    assert (said.code, said.out) == (0, f"driver_0 gets ₹20.00 back of {ref}, with credit note CN/26-27/0000001.\n")
    shown = run(f"session show {session_id}").out
    assert "goodwill" in shown
    assert "Given back of a charge at BLR-1, connector 1: It was slow" in shown
    again = run(f"session give-back {ref} 20 --reason 'It was slow'")
    assert (again.code, again.err) == (2, "₹20.00 of this charge was given back already.\n")
    assert run(f"session give-back {ref} 20").code == 2


def test_the_charges_at_a_wrong_price_are_seen_by_it(run, street: Desk) -> None:  # type: ignore[no-untyped-def]
    """Forty charges of an hour had to be opened one by one to see which had it."""
    street.charger(connectors=2)
    old = street.charging(street.driver(), connector=1)
    street.flows(old, 1)
    street.stop(old, METER + 1_000)
    street.passes(hours=1)
    since = street.clock.at
    street.do(tariffs.set_price, Price(180_00, 0, start_paise=1), effective_at=since)
    street.heard("BLR-1")
    wrong = street.charging(street.driver(), connector=2)
    said = run(f"session list --since {since.isoformat()} --limit 1000").out
    assert street.session(wrong).ref in said
    assert "₹180.00+" in said
    assert street.session(old).ref not in said
    assert "₹18.00 " in run("session list").out


def test_a_note_finds_its_charge(run, street: Desk) -> None:  # type: ignore[no-untyped-def]
    """A driver reads the number of the paper in the hand, which may be a credit note's."""
    street.charger()
    session_id = street.charging(street.driver())
    street.flows(session_id, 4)
    street.stop(session_id, METER + 4_000)
    run(f"session give-back {session_id} 20 --reason 'It was slow'")
    ref = street.session(session_id).ref
    assert run("session show cn/26-27/0000001").out.startswith(ref)
    assert [one.session.ref for one in street.do(charges.page, which=charges.EVERY, typed="CN/26-27/0000001")] == [ref]
    assert run("session list").out.splitlines()[-1].endswith("₹20.00")
