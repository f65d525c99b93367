"""Wiring of the API: every operation at its address, and the document of them."""

import json
import re
from collections import defaultdict
from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from api import chargers, findings, ledger, payments, records, sessions, tariffs, tokens, users
from api.limits import Buckets
from api.openapi import document
from api.operation import Operation
from api.problems import Problem
from api.service import Service
from domain.recharges import PaymentGateway

OPERATIONS = (
    *chargers.OPERATIONS,
    *sessions.OPERATIONS,
    *tokens.OPERATIONS,
    *tariffs.OPERATIONS,
    *users.OPERATIONS,
    *payments.OPERATIONS,
    *ledger.OPERATIONS,
    *findings.OPERATIONS,
    *records.OPERATIONS,
)
"""Every endpoint."""

Endpoint = Callable[[Request], Awaitable[Response]]


class Everything(Mount):
    """All that is under an address; Starlette's own pattern ends with a line, and leaves such an address to others."""

    def __init__(self, path: str, of: Starlette) -> None:
        super().__init__(path, of)
        self.path_regex = re.compile(self.path_regex.pattern, re.DOTALL)


def app(
    gateway: PaymentGateway, address_of: Callable[[HTTPConnection], str], buckets: Buckets | None = None
) -> Starlette:
    """What answers under /api/v1; `address_of` tells where a request comes from."""
    service = Service(gateway, address_of, buckets)
    text = written()

    async def show(request: Request) -> Response:
        return await service.show(text, request)

    made = Starlette(
        routes=[
            *(Route(path, _endpoint(service, of), methods=[*of]) for path, of in _by_path().items()),
            Route("/openapi.json", show, methods=["GET"]),
        ],
        exception_handlers={404: _nothing_here, 405: _not_so},
    )
    made.router.redirect_slashes = False
    return made


def written() -> str:
    """The document as it is given and committed."""
    return json.dumps(document(OPERATIONS), indent=2, ensure_ascii=False) + "\n"


def _by_path() -> dict[str, dict[str, Operation]]:
    """One route a path, so that whoever uses another method is told all that there are."""
    found: defaultdict[str, dict[str, Operation]] = defaultdict(dict)
    for operation in OPERATIONS:
        found[operation.path][operation.method] = operation
    return found


def _endpoint(service: Service, operations: dict[str, Operation]) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        method = "GET" if request.method == "HEAD" else request.method
        return await service.serve(operations[method], request)

    return endpoint


async def _nothing_here(request: Request, error: Exception) -> Response:
    return _said(Problem(404, "no-such-address", "The API has no such address; openapi.json has all of them."))


async def _not_so(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    allowed = (error.headers or {}).get("Allow", "")
    said = f"This address takes {allowed}, not {request.method[:20]}."
    return _said(Problem(405, "not-this-method", said, headers={"allow": allowed}))


def _said(problem: Problem) -> Response:
    response = problem.answer()
    response.headers["cache-control"] = "no-store"
    return response
