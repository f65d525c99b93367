"""The end of a month in the operator's shell: its sums are the ledger's, and its papers add up to them."""

import csv
from datetime import timedelta

import pytest

from domain import books, chargers, firms, goodwill, statements
from domain.india import INDIA
from domain.models import now
from domain.settings import settings
from tests.money.charges import METER, Desk
from tests.unit.domain.test_shell import database, here, run, street

__all__ = ["database", "here", "run", "street"]


@pytest.fixture
def month(street: Desk, monkeypatch: pytest.MonkeyPatch) -> str:
    """One of two charges, within the seller's state and beyond it, of which something of the second went back."""
    monkeypatch.setattr(settings(), "seller_gstin", "29ABCDE1234F1Z5")
    monkeypatch.setattr(settings(), "seller_state", "Karnataka")
    for charger_id, state in (("BLR-1", ""), ("CHE-1", "Tamil Nadu")):
        street.charger(charger_id)
        street.do(chargers.add, charger_id, state=state)
        session = street.charging(street.driver(), charger_id)
        street.flows(session, 10)
        street.stop(session, METER + 10_000)
    street.do(goodwill.give_back, session, 5_000, "It was slow")
    return statements.name(street.clock.at)


def test_a_month_adds_up(run, street: Desk, month: str) -> None:  # type: ignore[no-untyped-def]
    sums = {one.kind: one for one in street.do(books.of_month, month)}
    assert sum(one.closing_paise for one in sums.values()) == 0
    papers = street.do(lambda db: list(books.papers(db, month)))
    assert sum(one.taxable_paise for one in papers) == sums["revenue"].closing_paise == 26_271
    assert sum(sum(one.taxes.values()) for one in papers) == sums["gst"].closing_paise == 4_729
    said = run(f"books month {month}")
    assert (said.code, said.err) == (0, "")
    for line in (
        ("wallet", "₹0.00", "₹2,050.00", "₹360.00", "₹1,690.00"),
        ("EV/26-27", "2", "EV/26-27/0000001", "EV/26-27/0000002", "₹305.08", "₹13.73", "₹13.73", "₹27.46", "₹360.00"),
        ("CN/26-27", "1", "CN/26-27/0000001", "CN/26-27/0000001", "-₹42.37", "₹0.00", "₹0.00", "-₹7.63", "-₹50.00"),
        ("29ABCDE1234F1Z5", "B2C", "Tamil", "Nadu", "18", "%", "₹110.17", "₹0.00", "₹0.00", "₹19.83", "₹130.00"),
    ):
        assert any(row.split()[: len(line)] == list(line) for row in said.out.splitlines()), (line, said.out)


def test_papers_are_a_table_for_a_spreadsheet(run, month: str) -> None:  # type: ignore[no-untyped-def]
    head, first, _, note = csv.reader(run(f"books papers {month}").out.splitlines())
    assert head == books.HEAD.split(",")
    assert first[0] == "EV/26-27/0000001"
    assert first[3:] == ["29ABCDE1234F1Z5", "Karnataka", "18", "152.54", "13.73", "13.73", "0.00", "180.00", "", ""]
    assert (note[0], note[2], note[10]) == ("CN/26-27/0000001", "EV/26-27/0000002", "-50.00")


def test_what_firms_were_invoiced_stands_apart(run, street: Desk, month: str) -> None:  # type: ignore[no-untyped-def]
    """GSTR-1: each invoice to a registered buyer with his GSTIN, all others by place and rate; notes likewise."""
    asha = street.driver()
    street.do(firms.save, asha, {"gstin": "33AABCK4567Q1Z1", "name": "=Kaveri Cabs", "address": "Chennai"})
    street.charger("BLR-2")
    session = street.charging(asha, "BLR-2")
    street.flows(session, 10)
    street.stop(session, METER + 10_000)
    street.do(goodwill.give_back, session, 5_000, "It was slow")
    said = run(f"books month {month}").out.splitlines()
    for line in (
        ("29ABCDE1234F1Z5", "B2B", "Tamil", "Nadu", "18", "%", "₹110.17", "₹0.00", "₹0.00", "₹19.83", "₹130.00"),
        ("29ABCDE1234F1Z5", "B2C", "Tamil", "Nadu", "18", "%", "₹110.17", "₹0.00", "₹0.00", "₹19.83", "₹130.00"),
    ):
        assert sum(row.split() == list(line) for row in said) == 1, (line, said)
    *_, invoice, _, note = csv.reader(run(f"books papers {month}").out.splitlines())
    assert invoice[0] == "EV/26-27/0000003"
    for paper in (invoice, note):
        assert (paper[4], paper[-2:]) == ("Tamil Nadu", ["33AABCK4567Q1Z1", "'=Kaveri Cabs"])


def test_a_month_that_is_over_has_nothing_of_the_next(run, street: Desk, month: str) -> None:  # type: ignore[no-untyped-def]
    before = statements.name(now().astimezone(INDIA).replace(day=1) - timedelta(days=1))
    assert street.do(books.of_month, before) == []
    assert run(f"books papers {before}").out.splitlines() == [books.HEAD]
    for typed in ("2099-01", "2026-13", "november"):
        assert run(f"books month {typed}").code == 2
