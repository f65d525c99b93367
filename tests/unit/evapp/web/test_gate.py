"""Who comes in no more: those who left, those who are kept out, and those whom the gate sends to sign in."""

from typing import Any

import httpx
import pytest

from domain import attempts, wallet
from domain.accounts import block, unblock
from domain.db import transact
from evapp.web import auth
from tests.unit.evapp.web.test_auth import LOGIN, NEW_PIN, Browse, asha, browse, heard, house, left, quick, who

__all__ = ["asha", "browse", "heard", "house", "quick"]


async def test_deleting_asks_for_the_pin_and_leaves_no_way_back(asha: httpx.AsyncClient) -> None:
    await asha.post("/auth/delete", data={"pin": "918273"})
    assert left(asha, "delete")["errors"] == {"pin": "This is not your PIN."}
    answer = await asha.post("/auth/delete", data={"pin": "482913"})
    assert answer.headers["location"] == "/login"
    assert auth.COOKIE not in asha.cookies
    assert left(asha, "login")["note"] == "Your account is deleted."
    await asha.post("/auth/login", data=LOGIN)
    assert await who(asha) == ""


async def test_what_cannot_be_paid_back_is_given_up_by_its_sum(asha: httpx.AsyncClient) -> None:
    await transact(wallet.adjust, 1, 60, key="k", reason="for a test")
    for typed in ({}, {"waive": "61"}, {"waive": "-60"}, {"waive": "६०"}, {"waive": "9" * 4_000}):
        await asha.post("/auth/delete", data={"pin": "482913", **typed})
        assert left(asha, "delete")["errors"] == {
            "": "Your wallet has ₹0.60 left that cannot be paid back. Use it, or tick that you give it up, then delete "
            "your account."
        }
    await asha.post("/auth/delete", data={"pin": "482913", "waive": "60"})
    assert left(asha, "login")["note"] == "Your account is deleted."


async def test_an_account_that_cannot_go_costs_no_guess(
    asha: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def not_yet(db: Any, user_id: int, waived_paise: int) -> None:
        raise auth.NotDeleted("You owe ₹11.80.")

    monkeypatch.setattr(auth.accounts, "may_leave", not_yet)
    for _ in range(7):
        await asha.post("/auth/delete", data={"pin": "482913"})
    assert left(asha, "delete")["errors"] == {"": "You owe ₹11.80."}


@pytest.mark.parametrize("path", ["/auth/pin", "/auth/delete"])
async def test_signed_out_people_go_by_the_gate(browse: Browse, path: str) -> None:
    assert (await browse().post(path, data=NEW_PIN)).headers["location"] == "/auth/gate?next=%2Fprofile"


async def test_the_blocked_read_why_only_with_the_right_pin(asha: httpx.AsyncClient, browse: Browse) -> None:
    await transact(block, 1)
    assert await who(asha) == ""
    client = browse()
    await client.post("/auth/login", data=LOGIN | {"pin": "918273"})
    assert left(client, "login")["errors"] == {"": "That username or phone and PIN do not match."}
    await client.post("/auth/login", data=LOGIN)
    assert "blocked" in left(client, "login")["errors"][""]
    assert await who(client) == ""


async def test_right_pins_lock_no_blocked_account(asha: httpx.AsyncClient, browse: Browse) -> None:
    await transact(block, 1)
    for _ in range(attempts.ROUND + 1):
        client = browse()
        await client.post("/auth/login", data=LOGIN)
        assert "blocked" in left(client, "login")["errors"][""]
        assert auth.COOKIE not in client.cookies
    await transact(unblock, 1)
    await client.post("/auth/login", data=LOGIN)
    assert await who(client) == "asha"


async def test_the_gate_decides_by_the_cookie_of_the_moment(asha: httpx.AsyncClient, browse: Browse) -> None:
    assert (await asha.get("/auth/gate?next=/wallet")).headers["location"] == "/wallet"
    assert (await browse().get("/auth/gate?next=/wallet")).headers["location"] == "/login?next=%2Fwallet"
    assert (await browse().get("/auth/gate")).headers["location"] == "/login?next=%2Fdashboard"
