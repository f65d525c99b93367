"""Endpoints for users and their wallets."""

from datetime import timedelta

from sqlmodel import Session, select

from domain import firms
from domain.db import read, transact
from domain.models import Role, SignIn, User, now
from tests.unit.api.conftest import Caller, House


async def test_users_are_found_by_what_is_known_of_them(house: House, operator: Caller) -> None:
    first, second = house.desk.driver(), house.desk.driver(0)
    for query, found in {
        "": [first, second],
        "?find=driver_1": [second],
        f"?find={first}": [first, second],  # its number, and a part of the other's name
        "?find=_": [first, second],
        "?blocked=true": [],
        "?blocked=false": [first, second],
    }.items():
        assert [one["id"] for one in (await operator.get(f"/users{query}"))["items"]] == found, query
    told = await operator.get(f"/users/{first}")
    assert told["wallet"] == {
        "balance_paise": 100_000,
        "held_paise": 0,
        "free_paise": 100_000,
        "arrears_paise": 0,
    }
    assert "pin_hash" not in told
    assert told["firm"] is None
    firm = {"gstin": "33AABCK4567Q1Z1", "name": "Kaveri Cabs", "address": "7 Anna Salai, Chennai"}
    await transact(firms.save, first, firm)
    assert (await operator.get(f"/users/{first}"))["firm"] == firm


async def test_somebody_is_kept_out_and_let_in_again(house: House, operator: Caller) -> None:
    user = house.desk.driver()
    await transact(lambda db: db.add(SignIn(user_id=user, token_hash="h", expires_at=now())))
    await operator.refused(422, "POST", f"/users/{user}/block", {})
    blocked = await operator.done("POST", f"/users/{user}/block", {"reason": "Two complaints"})
    assert blocked["blocked_at"] is not None
    assert [one.ended_at for one in await read(lambda db: db.exec(select(SignIn)).all())] != [None]
    assert (await operator.done("POST", f"/users/{user}/unblock", {"reason": "Cleared up"}))["blocked_at"] is None
    assert [(act.action, act.subject) for act in await house.trail()] == [
        ("user block", f"user:{user}"),
        ("user unblock", f"user:{user}"),
    ]


async def test_a_key_neither_shuts_nor_opens_an_operators_account(house: House, operator: Caller) -> None:
    user, until = house.desk.driver(0), now() + timedelta(days=9)

    def lock(db: Session) -> None:
        row = db.get_one(User, user)
        row.role, row.failures, row.locked_until = Role.OPERATOR, 50, until
        db.add_all([row, SignIn(user_id=user, token_hash="h", expires_at=until)])

    await transact(lock)
    for deed in ("block", "unblock"):
        told = await operator.refused(403, "POST", f"/users/{user}/{deed}", {"reason": "A stolen key"})
        assert told["type"] == "urn:evapp:problem:not-allowed"
    told = await operator.get(f"/users/{user}")
    assert (told["blocked_at"], told["locked_until"] is None) == (None, False)
    assert [one.ended_at for one in await read(lambda db: db.exec(select(SignIn)).all())] == [None]
    assert await house.trail() == []


async def test_who_is_gone_is_not_let_in_again(house: House, operator: Caller) -> None:
    user = house.desk.driver(0)

    def gone(db):  # type: ignore[no-untyped-def]
        row = db.get_one(User, user)
        row.pin_hash = ""
        db.add(row)

    await transact(gone)
    assert (await operator.get(f"/users/{user}"))["deleted"] is True
    told = await operator.refused(409, "POST", f"/users/{user}/unblock", {"reason": "x"})
    assert told["type"] == "urn:evapp:problem:account-deleted"


async def test_a_wallet_is_corrected_and_the_driver_reads_why(house: House, operator: Caller) -> None:
    user = house.desk.driver(0)
    path = f"/users/{user}/adjustments"
    given = await operator.done("POST", path, {"amount_paise": 5_000, "reason": "A power cut"})
    assert given["wallet"]["balance_paise"] == 5_000
    taken = await operator.done("POST", path, {"amount_paise": -2_000, "reason": "Too much"})
    assert taken["wallet"]["balance_paise"] == 3_000
    lines = (await operator.get(f"/users/{user}/movements"))["items"]
    assert [(one["amount_paise"], one["description"]) for one in lines] == [
        (-2_000, "Too much"),
        (5_000, "A power cut"),
    ]
    first = await operator.get(f"/users/{user}/movements?limit=1&kind=adjustment")
    rest = await operator.get(f"/users/{user}/movements?limit=1&cursor={first['next']}")
    assert first["items"] + rest["items"] == lines
    assert rest["next"] is None
    assert [act.detail for act in await house.trail()] == [
        '{"amount_paise": 5000, "reason": "A power cut"}',
        '{"amount_paise": -2000, "reason": "Too much"}',
    ]


async def test_corrections_that_cannot_be(house: House, operator: Caller) -> None:
    user = house.desk.driver(0)
    path = f"/users/{user}/adjustments"
    told = await operator.refused(409, "POST", path, {"amount_paise": -1, "reason": "x"})
    assert told["type"] == "urn:evapp:problem:not-adjusted"
    assert told["detail"] == "The wallet has only ₹0.00 available. Nothing was moved."
    told = await operator.refused(422, "POST", path, {"amount_paise": 0, "reason": "x"})
    assert "amount_paise: nothing would be moved" in told["detail"]
    for wrong in (1.5, "5", 10_000_001, -10_000_001, True, None):
        await operator.refused(422, "POST", path, {"amount_paise": wrong, "reason": "x"})
    for wrong in ("", " ", "a\nb", "x" * 201, None):
        await operator.refused(422, "POST", path, {"amount_paise": 1, "reason": wrong})
    await operator.refused(404, "POST", "/users/999/adjustments", {"amount_paise": 1, "reason": "x"})
    for nobody in ("/users/999", "/users/999/movements"):
        await operator.refused(404, "GET", nobody)
    assert (await operator.get(f"/users/{user}"))["wallet"]["balance_paise"] == 0
