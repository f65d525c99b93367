"""Papers to keep: one's own only, by the cookie, never in a cache."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlmodel import Session, select
from starlette.applications import Starlette

from domain import goodwill, history, placing, receipts, recharges, sessions, settlement, sign_ins, statements
from domain.db import opened, read, transact
from domain.models import ChargingSession, SessionState, User, now
from domain.recharges import OrderStatus
from domain.settings import settings
from domain.sign_ins import Browser, hash_token
from evapp.state.bill import bill_of
from evapp.web import auth, downloads, flash
from tests.money.house import charge, driver, give

Browse = Callable[[int | None], httpx.AsyncClient]

OPENS = {"sec-fetch-dest": "document"}
"""Of a browser that shows what comes, and does not keep it."""


def join(db: Session, name: str) -> int:
    user_id = driver(db, name)
    sign_ins.start(db, db.get_one(User, user_id), Browser(hash_token(f"token{user_id}"), "", ""))
    return user_id


@pytest.fixture
async def asha(sqlite_template: Path, tmp_path: Path) -> AsyncIterator[int]:
    async with opened(f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'evapp.db')}"):
        yield await transact(join, "asha")


@pytest.fixture
async def browse(asha: int) -> AsyncIterator[Browse]:
    """Browsers, with the cookie of a driver or without."""
    clients = []

    def browser(user_id: int | None) -> httpx.AsyncClient:
        cookies = {flash.name(auth.COOKIE): f"token{user_id}"} if user_id else {}
        transport = httpx.ASGITransport(Starlette(routes=downloads.routes))
        clients.append(httpx.AsyncClient(transport=transport, base_url=settings().url, cookies=cookies))
        return clients[-1]

    yield browser
    for client in clients:
        await client.aclose()


@pytest.fixture
async def charged(asha: int) -> str:
    """The reference of Asha's settled charge: 0.4 kWh, ₹7.20."""

    def settled(db: Session) -> str:
        give(db, asha, 100_000)
        session = db.get_one(ChargingSession, charge(db, asha, state=SessionState.STOPPING))
        session.meter_start_wh, session.started_at, session.stopped_at = 0, session.requested_at, now()
        session.energy_wh = 400
        settlement.settle(db, session, 400)
        return session.ref

    return await transact(settled)


@pytest.fixture
async def recharged(asha: int) -> str:
    """The id of Asha's paid order: ₹1,000."""
    order = await transact(placing.place, asha, 100_000, "n1")
    paid = OrderStatus("OMO1", "COMPLETED", 100_000, "4550", "OM1", "UPI_QR", "", {"state": "COMPLETED"})
    await transact(recharges.apply, order.merchant_order_id, paid)
    return order.merchant_order_id


def kept(answer: httpx.Response) -> dict[str, Any]:
    names = ("content-type", "content-disposition", "cache-control")
    return {name: answer.headers.get(name) for name in names}


async def test_a_charges_receipt(asha: int, browse: Browse, charged: str) -> None:
    answer = await browse(asha).get(f"/history/{charged}/receipt.pdf")
    assert answer.status_code == 200
    assert answer.content.startswith(b"%PDF-")
    year = (await read(_number, charged)).split("/")[1]
    assert kept(answer) == {
        "content-type": "application/pdf",
        "content-disposition": f'attachment; filename="receipt-EV-{year}-0000001.pdf"',
        "cache-control": "private, no-store",
    }


async def test_a_note_is_for_whoever_the_charge_was(asha: int, browse: Browse, charged: str) -> None:
    """payments.md C37."""
    session = await read(sessions.owned, asha, charged)
    await transact(goodwill.give_back, session.id or 0, 200, "For the test")
    charge = await read(history.one, asha, charged)
    [note] = bill_of(charge).notes
    assert [line.words for line in bill_of(charge).lines] == ["Energy: 0.400 kWh × ₹18.00/kWh", "Given back"]
    answer = await browse(asha).get(f"/history/notes/{note.value}.pdf")
    assert (answer.status_code, answer.content[:5]) == (200, b"%PDF-")
    assert answer.headers["content-disposition"] == f'attachment; filename="note-{note.value}.pdf"'
    ben = await transact(join, "ben")
    for user_id, name in ((ben, note.value), (asha, "CN-26-27-9999999"), (asha, "x"), (asha, "EV-26-27-0000001")):
        assert (await browse(user_id).get(f"/history/notes/{name}.pdf")).status_code == 404


async def test_a_recharges_receipt(asha: int, browse: Browse, recharged: str) -> None:
    answer = await browse(asha).get(f"/wallet/{recharged}/receipt.pdf")
    assert answer.status_code == 200
    assert answer.content.startswith(b"%PDF-")
    assert answer.headers["content-disposition"] == f'attachment; filename="payment-{recharged}.pdf"'


async def test_anothers_receipts_are_at_no_address(browse: Browse, charged: str, recharged: str) -> None:
    ben = await transact(join, "ben")
    for address in (f"/history/{charged}/receipt.pdf", f"/wallet/{recharged}/receipt.pdf"):
        answer = await browse(ben).get(address)
        assert answer.status_code == 404
        assert "There is no such receipt of yours." in answer.text


async def test_a_stranger_signs_in_first(browse: Browse, charged: str) -> None:
    answer = await browse(None).get(f"/history/{charged}/receipt.pdf", headers=OPENS)
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/auth/gate?next=%2Fhistory%2F{charged}%2Freceipt.pdf"


@pytest.mark.parametrize("wants", [{"sec-fetch-dest": "empty"}, {}], ids=["Chromium", "WebKit"])
@pytest.mark.parametrize("file", ["/history/{charged}/receipt.pdf", "/wallet/statement.pdf", "/history/receipts.csv"])
async def test_no_browser_keeps_the_sign_in_page_for_a_file(
    browse: Browse, charged: str, file: str, wants: dict[str, str]
) -> None:
    """Of a link that downloads both keep whatever comes with 200, after redirects, and nothing of what is refused."""
    answer = await browse(None).get(file.format(charged=charged), headers=wants)
    assert answer.status_code == 401
    assert "Sign in, then open it again." in answer.text


async def test_a_months_statement_on_paper_and_for_a_spreadsheet(asha: int, browse: Browse, recharged: str) -> None:
    month = statements.name(now())
    for ending, kind, begin in (
        ("pdf", "application/pdf", b"%PDF-"),
        ("csv", "text/csv; charset=utf-8", b"\xef\xbb\xbf"),
    ):
        for query in ("", f"?month={month}"):
            answer = await browse(asha).get(f"/wallet/statement.{ending}{query}")
            assert answer.status_code == 200
            assert answer.content.startswith(begin)
            assert kept(answer) == {
                "content-type": kind,
                "content-disposition": f'attachment; filename="statement-{month}.{ending}"',
                "cache-control": "private, no-store",
            }
    assert recharged in answer.text


async def test_a_statement_is_of_whoever_asks(browse: Browse, recharged: str) -> None:
    ben = await transact(join, "ben")
    assert recharged not in (await browse(ben).get("/wallet/statement.csv")).text
    opened = await browse(None).get("/wallet/statement.csv", headers=OPENS)
    assert opened.headers["location"] == "/auth/gate?next=%2Fwallet"


@pytest.mark.parametrize("month", ["2026-13", "2099-01", "x", "../2026-11", "2026-11%0d%0aset-cookie: a=b"])
async def test_a_month_that_is_none_is_not_found(asha: int, browse: Browse, month: str) -> None:
    assert (await browse(asha).get(f"/wallet/statement.pdf?month={month}")).status_code == 404


async def test_a_years_receipts_for_the_accountant(asha: int, browse: Browse, charged: str) -> None:
    year = receipts.financial_year(now())
    number = (await read(lambda db: sessions.named(db, charged))).receipt_number
    for query in ("", f"?year={year}"):
        answer = await browse(asha).get(f"/history/receipts.csv{query}")
        assert kept(answer) == {
            "content-type": "text/csv; charset=utf-8",
            "content-disposition": f'attachment; filename="receipts-{year}.csv"',
            "cache-control": "private, no-store",
        }
        assert answer.content.startswith(b"\xef\xbb\xbfNumber,Date,")
        assert answer.text.count(number) == 1
    ben = await transact(join, "ben")
    assert number not in (await browse(ben).get("/history/receipts.csv")).text
    opened = await browse(None).get("/history/receipts.csv", headers=OPENS)
    assert opened.headers["location"] == "/auth/gate?next=%2Fhistory"


@pytest.mark.parametrize("year", ["2026", "26-28", "98-99", "x", "26-27%0d%0aset-cookie: a=b", "٢٦-٢٧"])
async def test_a_year_that_is_none_is_not_found(asha: int, browse: Browse, year: str) -> None:
    assert (await browse(asha).get(f"/history/receipts.csv?year={year}")).status_code == 404


@pytest.mark.parametrize("ref", ["x", "%00", "a%0d%0ab", "%F0%9F%94%8C", "x" * 3_000])
async def test_an_address_that_nobody_made_is_not_found(asha: int, browse: Browse, ref: str) -> None:
    for kind in ("history", "wallet"):
        assert (await browse(asha).get(f"/{kind}/{ref}/receipt.pdf")).status_code == 404


def _number(db: Session, ref: str) -> str:
    return db.exec(select(ChargingSession.receipt_number).where(ChargingSession.ref == ref)).one()


async def test_one_driver_keeps_no_other_waiting_for_his_paper(browse: Browse, asha: int) -> None:
    """Two are drawn at a time, and fifty asked for by one driver were all drawn before anybody else's."""
    ravi, done = await transact(join, "ravi"), []

    async def ask(user_id: int) -> None:
        await browse(user_id).get("/wallet/statement.pdf")
        done.append(user_id)

    await asyncio.gather(*(ask(asha) for _ in range(12)), ask(ravi))
    assert done.index(ravi) < 6
