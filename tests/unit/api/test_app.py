"""The wiring of the API: addresses, methods, and the document that is committed."""

import re

import httpx

from api.__main__ import PAGE
from api.app import OPERATIONS, written
from api.openapi import PREFIX, document
from domain.api_keys import SCOPES
from evapp.evapp import beside
from tests.unit.api.conftest import Caller, House


def test_the_committed_document_is_the_codes() -> None:
    assert PAGE.read_text(encoding="utf-8") == written(), "run: python -m api"


def test_every_refusal_that_is_described_is_one_that_comes_and_a_mistake_of_ours_may_come_anywhere() -> None:
    """Clients made from the document read the body of what it names, and of nothing else."""
    told = document(OPERATIONS)
    answers = [one["responses"] for path in told["paths"].values() for one in path.values()]
    referred = {of["$ref"].rpartition("/")[2] for each in answers for of in each.values() if "$ref" in of}
    assert referred == told["components"]["responses"].keys()
    assert all("500" in each for each in answers)


def test_every_scope_opens_something_and_every_endpoint_asks_for_one() -> None:
    assert {operation.scope for operation in OPERATIONS} == SCOPES.keys()


def test_what_moves_money_or_commands_must_have_a_name() -> None:
    must = {operation.name for operation in OPERATIONS if operation.named}
    moves = {operation.name for operation in OPERATIONS if operation.scope == "money:write"}
    assert must >= moves | {"chargers_call", "sessions_stop"}


def test_every_write_is_in_the_trail_and_says_what_it_does() -> None:
    for operation in OPERATIONS:
        told = bool(operation.action) or operation.name == "findings_resolve"  # the domain tells of that one
        assert told is (operation.method != "GET"), operation.name
        assert re.match(r"[A-Z].*\.", operation.says), operation.name


def test_names_are_unique() -> None:
    names = [operation.name for operation in OPERATIONS]
    assert len(names) == len(set(names))


async def test_other_addresses_and_methods_are_told_so(operator: Caller) -> None:
    assert (await operator.refused(404, "GET", "/nothing"))["type"] == "urn:evapp:problem:no-such-address"
    assert (await operator.refused(404, "GET", "/docs"))["title"] == "Not there"
    assert (await operator.refused(404, "GET", "/chargers/"))["title"] == "Not there"
    response = await operator("DELETE", "/chargers/BLR-1")
    assert (response.status_code, {*response.headers["allow"].split(", ")}) == (405, {"GET", "HEAD", "PUT"})


async def test_the_document_is_for_whoever_has_a_key(house: House) -> None:
    anybody = await house.caller("trail:read")
    response = await anybody("GET", "/openapi.json")
    assert response.text == written()
    await house.stranger().refused(401, "GET", "/openapi.json")
    assert response.json()["servers"] == [{"url": PREFIX}]


async def test_nothing_is_shared_with_other_sites(operator: Caller) -> None:
    response = await operator("GET", "/chargers", origin="https://evil.example")
    assert not [name for name in response.headers if name.startswith("access-control")]
    preflight = await operator("OPTIONS", "/chargers", origin="https://evil.example")
    assert preflight.status_code == 405


async def test_the_address_of_all_of_it_is_none_with_and_without_a_slash() -> None:
    """Beside the pages, where a redirect would lead to http, and to nothing."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(beside), base_url="https://evapp.test") as client:
        for path in (PREFIX, f"{PREFIX}/"):
            response = await client.get(path)
            assert (response.status_code, response.json()["type"]) == (404, "urn:evapp:problem:no-such-address")


async def test_an_address_with_the_end_of_a_line_is_the_apis_too() -> None:
    """It fell through to the pages, whose answer no program reads."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(beside), base_url="https://evapp.test") as client:
        response = await client.get(f"{PREFIX}/chargers/a%0Ab")
        assert (response.status_code, response.headers["content-type"]) == (401, "application/problem+json")
