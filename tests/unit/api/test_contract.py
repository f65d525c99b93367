"""The document and the endpoints agree: whatever schemathesis sends, an answer comes that the document names."""

import itertools
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings

from api.app import OPERATIONS, app
from api.cursors import sealed
from api.openapi import document
from domain import api_keys, bus, db, wallet
from domain.api_keys import SCOPES
from domain.bus import LocalBus
from domain.db import Database
from tests.money import house
from tests.money.charges import Desk
from tests.money.house import Clock, Gateway
from tests.unit.api.conftest import NO_LIMIT

CASES = 4
"""Of each endpoint, beside the borders of every field."""
CONFIG = {"generation": {"max-examples": CASES, "database": "none", "with-security-parameters": False}, "seed": 7}
SHORT = CONFIG | {"phases": {"coverage": {"enabled": False}}}

BY_NAME = ("/chargers", "/fleet", "/tokens", "/papers")
"""Listings whose rows are in the order of a text."""

wishes, addresses = itertools.count(), itertools.count()
"""Each request comes from somewhere else: wrong keys are among what is sent."""

schema, in_short = (
    schemathesis.openapi.from_dict(document(OPERATIONS) | {"servers": []}, config=schemathesis.Config.from_dict(config))
    for config in (CONFIG, SHORT)
)
schema.app = in_short.app = app(Gateway(), lambda _: f"address {next(addresses)}", NO_LIMIT)

sent = settings(
    deadline=None,
    derandomize=True,
    database=None,
    max_examples=CASES,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def keys(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """A street with drivers, money and charges; a key that may everything, and one that may nothing here."""
    path = shutil.copy(sqlite_template, tmp_path_factory.mktemp("contract") / "evapp.db")
    with closing(Database(f"sqlite:///{path}")) as database, pytest.MonkeyPatch.context() as patch:
        patch.setattr(db, "_database", database)
        patch.setattr(bus, "_bus", LocalBus())
        desk = Desk(database, Clock())
        desk.charger()
        desk.driver()
        everything = desk.do(api_keys.create, "everything", tuple(SCOPES))[1]
        nothing = desk.do(api_keys.create, "nothing", ["trail:read"])[1]
        yield everything, nothing
        assert desk.do(house.broken) == []
        assert desk.do(wallet.balance, 1).balance_paise >= 0


def whole(body: Any) -> Any:
    """The same with 3.0 as 3, and whole numbers of 64 bits."""
    if isinstance(body, dict):
        return {name: whole(one) for name, one in body.items()}
    if isinstance(body, list):
        return [whole(one) for one in body]
    number = int(body) if isinstance(body, float) and body.is_integer() else body
    return (
        number % 2**63 if isinstance(number, int) and not isinstance(number, bool) and abs(number) >= 2**63 else number
    )


def as_meant(case: schemathesis.Case) -> schemathesis.Case:
    """Where something good is meant: only a listing itself makes cursors, each wish has a name of its own, and a whole
    number is written without a point and has 64 bits, which JSON Schema does not ask."""
    if case.meta is not None and case.meta.generation.mode.is_positive:
        if case.query and "cursor" in case.query:
            case.query["cursor"] = sealed(
                "A" if case.operation.path in ("/chargers", "/fleet", "/tokens", "/papers") else 1
            )
        if case.headers and "Idempotency-Key" in case.headers:
            case.headers["Idempotency-Key"] = f"wish-{next(wishes)}"
        case.body = whole(case.body)
    return case


@schema.parametrize()
@sent
def test_every_endpoint_does_what_the_document_says(case: schemathesis.Case, keys: tuple[str, str]) -> None:
    as_meant(case).call_and_validate(headers={"Authorization": f"Bearer {keys[0]}"})


@in_short.parametrize()
@sent
def test_a_key_without_the_scope_is_told_so_whatever_it_sends(case: schemathesis.Case, keys: tuple[str, str]) -> None:
    response = case.call(headers={"Authorization": f"Bearer {keys[1]}"})
    if case.operation.definition.raw["security"] != [{"key": ["trail:read"]}]:
        assert response.status_code in (403, 404), response.status_code  # 404: what was sent made another address
        assert response.headers["content-type"] == ["application/problem+json"]
