"""What a driver keeps: receipts and statements, made when asked for, of his own only."""

import asyncio
import re
from collections.abc import Callable
from functools import partial
from typing import TypeVar
from weakref import WeakValueDictionary

from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from domain import books, receipts, statements
from domain.db import read
from domain.models import now
from domain.receipts import ChargeReceipt, NoReceipt, PaymentReceipt
from domain.statements import NoMonth, Statement
from evapp.texts import speaking, t
from evapp.texts.languages import ENGLISH
from evapp.web import auth, paper, sheet
from evapp.web.checkout import page

R = TypeVar("R", ChargeReceipt, PaymentReceipt)

REFERENCE = re.compile(r"[A-Za-z0-9_-]{1,63}")
"""Of a charge or an order: ours, so no database is asked about anything else."""
AT_ONCE = 2
"""Papers drawn side by side: each is a tenth of a second's work."""
_drawing = asyncio.Semaphore(AT_ONCE)
_turns: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()
"""Of each driver who waits: his other papers keep nobody else waiting."""


async def receipt(
    find: Callable[[Session, int, str], R],
    draw: Callable[[R], bytes],
    name: Callable[[R], str],
    request: Request,
) -> Response:
    """The PDF of one of the driver's receipts; 404 for another's, and for what has none."""
    user = await auth.of_request(request)
    if user is None:
        return stranger(request, request.url.path)
    ref: str = request.path_params["ref"]
    try:
        if not REFERENCE.fullmatch(ref):
            raise NoReceipt(ref)
        found = await read(find, user.id, ref)
    except NoReceipt:
        return page(404, t("Nothing at this address."), t("There is no such receipt of yours."))
    return download(await drawn(user.id, draw, found), name(found), "application/pdf")


async def statement(draw: Callable[[Statement], bytes], ending: str, kind: str, request: Request) -> Response:
    """The driver's month, `?month=2026-11` or this one, as a file; 404 for what is no month that has begun."""
    user = await auth.of_request(request)
    if user is None:
        return stranger(request, "/wallet")
    wanted = request.query_params.get("month") or statements.name(now())
    try:
        found = await read(statements.of_month, user.id, wanted)
    except NoMonth:
        return page(404, t("Nothing at this address."), t("There is no statement of such a month."))
    return download(await drawn(user.id, draw, found), f"statement-{wanted}.{ending}", kind)


async def papers(request: Request) -> Response:
    """The driver's receipts and notes of a financial year, `?year=26-27` or this one; 404 for what is none."""
    user = await auth.of_request(request)
    if user is None:
        return stranger(request, "/history")
    year = request.query_params.get("year") or receipts.financial_year(now())
    try:
        found = await read(books.of_driver, user.id, year)
    except NoMonth:
        return page(404, t("Nothing at this address."), t("There is no such year."))
    return download(await drawn(user.id, sheet.papers, found), f"receipts-{year}.csv", "text/csv")


def stranger(request: Request, path: str) -> Response:
    """Who opens the address signs in first; a browser that only wants the file would keep that form under its name."""
    if request.headers.get("sec-fetch-dest") == "document":
        return RedirectResponse(auth.gate_to(path), 303)
    return page(401, t("You are signed out."), t("Sign in, then open it again."))


async def drawn(user_id: int, draw: Callable[..., bytes], *what: object) -> bytes:
    """A paper, made beside the event loop, one of a driver at a time; papers are in English (docs/adr/0008)."""
    async with _turns.setdefault(user_id, asyncio.Lock()), _drawing:
        with speaking(ENGLISH):
            return await asyncio.to_thread(draw, *what)


def download(content: bytes, name: str, kind: str) -> Response:
    """A file to keep, which no cache does."""
    safe = re.sub(r"[^A-Za-z0-9.-]+", "-", name)
    headers = {"content-disposition": f'attachment; filename="{safe}"', "cache-control": "private, no-store"}
    return Response(content, media_type=kind, headers=headers)


def _of_charge(found: ChargeReceipt) -> str:
    return f"{'note' if found.corrects else 'receipt'}-{found.number}.pdf"


def _of_payment(found: PaymentReceipt) -> str:
    return f"payment-{found.order_id}.pdf"


routes = [
    Route(
        "/history/{ref}/receipt.pdf",
        partial(receipt, receipts.of_charge, paper.charge, _of_charge),
        methods=["GET"],
    ),
    Route(
        "/history/notes/{ref}.pdf",
        partial(receipt, receipts.of_note, paper.charge, _of_charge),
        methods=["GET"],
    ),
    Route(
        "/wallet/{ref}/receipt.pdf",
        partial(receipt, receipts.of_payment, paper.payment, _of_payment),
        methods=["GET"],
    ),
    Route("/history/receipts.csv", papers, methods=["GET"]),
    Route("/wallet/statement.pdf", partial(statement, paper.statement, "pdf", "application/pdf"), methods=["GET"]),
    Route("/wallet/statement.csv", partial(statement, sheet.statement, "csv", "text/csv"), methods=["GET"]),
]
"""What answers under /history and /wallet beside their pages."""
