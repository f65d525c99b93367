"""The sandbox on a real port, from its start to its end."""

import asyncio
import contextlib

import httpx
import pytest

from simulator.phonepe import Sandbox, serve
from tests.e2e.running import free_port
from tests.unit.simulator.phonepe.desk import ASKED, CREDENTIALS


async def test_a_payment_over_real_sockets_with_its_webhook() -> None:
    heard: asyncio.Queue[bytes] = asyncio.Queue()

    async def hook(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        writer.close()
        heard.put_nowait(head)

    app = await asyncio.start_server(hook, "127.0.0.1")
    hook_url = f"http://127.0.0.1:{app.sockets[0].getsockname()[1]}/payments/phonepe/webhook"
    async with app, Sandbox(webhook_url=hook_url).serving() as url, httpx.AsyncClient(base_url=url) as http:
        granted = (await http.post("/v1/oauth/token", data=CREDENTIALS)).json()
        http.headers["Authorization"] = f"O-Bearer {granted['access_token']}"
        page = (await http.post("/checkout/v2/pay", json=ASKED)).json()["redirectUrl"]
        assert page.startswith(f"{url}/pay/")
        back = await http.post(page, data={"token": page.partition("token=")[2], "choice": "pay"})
        assert (back.status_code, back.headers["location"]) == (303, "http://app.example/payments/return?o=1")
        assert (await http.get("/checkout/v2/order/RCH-1/status")).json()["state"] == "COMPLETED"
        async with asyncio.timeout(5):
            assert (await heard.get()).startswith(b"POST /payments/phonepe/webhook HTTP/1.1")


async def test_a_held_answer_does_not_hold_up_the_end() -> None:
    sandbox = Sandbox()
    sandbox.faults["token"].append("timeout")
    async with asyncio.timeout(10), httpx.AsyncClient(timeout=30) as http:
        async with sandbox.serving() as url:
            held = asyncio.create_task(http.post(f"{url}/v1/oauth/token"))
            while not sandbox.calls["token"]:
                await http.get(url)
        assert (await held).status_code == 504


async def test_serve_runs_until_cancelled_and_leaves_the_port() -> None:
    port = free_port()
    running = asyncio.create_task(serve(host="127.0.0.1", port=port, webhook_url=""))
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http, asyncio.timeout(10):
        while not running.done():
            with contextlib.suppress(httpx.ConnectError):
                assert "None yet" in (await http.get("/")).text
                break
            await asyncio.sleep(0.01)
        with pytest.raises(OSError):
            await serve(host="127.0.0.1", port=port, webhook_url="")
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        with pytest.raises(httpx.ConnectError):
            await http.get("/")
