"""An operator's PIN, once more: it opens changes on this sign-in for some minutes."""

import httpx
from sqlmodel import select

from domain import operators, sign_ins, trail
from domain.db import read, transact
from domain.events import Event, SignedOut
from domain.models import SignIn, User
from evapp.web import auth
from tests.unit.evapp.web.test_auth import LOGIN, Browse, asha, browse, heard, house, left, quick

__all__ = ["asha", "browse", "heard", "house", "quick"]


async def operator(asha: httpx.AsyncClient) -> None:
    """Asha becomes one, and signs in again."""
    user = await read(lambda db: db.exec(select(User)).one())
    await transact(operators.appoint, user.id or 0, trail.shell())
    await asha.post("/auth/login", data=LOGIN)


async def stepped_up(client: httpx.AsyncClient) -> bool:
    token = sign_ins.hash_token(client.cookies.get(auth.COOKIE) or "")
    found = await read(sign_ins.who, token)
    return found is not None and operators.open_until(found[1]) is not None


async def test_the_pin_opens_changes_under_a_new_token(asha: httpx.AsyncClient, heard: list[Event]) -> None:
    await operator(asha)
    before = asha.cookies[auth.COOKIE]
    assert not await stepped_up(asha)
    answer = await asha.post("/auth/step-up", data={"pin": "482913", "next": "/ops/users/7"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/ops/users/7")
    assert asha.cookies[auth.COOKIE] != before
    assert await stepped_up(asha)
    assert await read(sign_ins.who, sign_ins.hash_token(before)) is None
    assert heard[-1] == SignedOut((sign_ins.hash_token(before),))
    assert len(await read(lambda db: db.exec(select(SignIn).where(SignIn.ended_at == None)).all())) == 1  # noqa: E711


async def test_a_wrong_pin_opens_nothing_and_is_counted_like_any_other(asha: httpx.AsyncClient) -> None:
    await operator(asha)
    for _ in range(5):
        answer = await asha.post("/auth/step-up", data={"pin": "000000", "next": "/ops/tariffs"})
        assert answer.headers["location"] == "/ops/pin?next=%2Fops%2Ftariffs"
        assert left(asha, "step-up")["errors"] == {"pin": "This is not your PIN."}
    await asha.post("/auth/step-up", data={"pin": "482913"})
    assert "Too many tries." in left(asha, "step-up")["errors"][""]
    assert not await stepped_up(asha)


async def test_a_driver_and_a_stranger_open_nothing(asha: httpx.AsyncClient, browse: Browse) -> None:
    for client in (asha, browse()):
        answer = await client.post("/auth/step-up", data={"pin": "482913"})
        assert answer.headers["location"] == "/ops"
    assert not await stepped_up(asha)


async def test_the_way_on_after_the_pin_is_one_of_ours(asha: httpx.AsyncClient) -> None:
    await operator(asha)
    answer = await asha.post("/auth/step-up", data={"pin": "482913", "next": "//evil.example"})
    assert answer.headers["location"] == "/dashboard"
