"""Each request and each event has an id, which its answer and every line about it carry."""

import json

import httpx
import pytest
import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from domain import logs, metrics
from evapp.web.requests import Named, OfEvents, door_of
from tests.collector import collected


async def answer(request: Request) -> PlainTextResponse:
    structlog.get_logger().info("inside")
    if request.url.path == "/wallet/broken":
        raise ValueError("told to nobody but the log")
    return PlainTextResponse("ok")


def client(**how: bool) -> httpx.AsyncClient:
    app = Named(Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "POST"])]))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app, **how), base_url="http://x")


def lines(said: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in said.splitlines() if line.startswith("{")]


async def test_a_request_and_what_it_does_have_one_id(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure()
    async with client() as http:
        one, other = await http.get("/wallet?token=abc"), await http.post("/auth/login")
    ids = [one.headers["x-request-id"], other.headers["x-request-id"]]
    assert len(set(ids)) == 2
    told = lines(capsys.readouterr().out)
    assert [(line["event"], line["request"]) for line in told] == [
        ("inside", ids[0]),
        ("request", ids[0]),
        ("inside", ids[1]),
        ("request", ids[1]),
    ]
    assert (told[1]["method"], told[1]["path"], told[1]["status"]) == ("GET", "/wallet", 200)


async def test_an_id_that_a_stranger_sends_is_not_taken(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure()
    async with client() as http:
        answer = await http.get("/wallet", headers={"X-Request-Id": "x\tforged"})
    assert "forged" not in answer.headers["x-request-id"]
    assert "forged" not in capsys.readouterr().out


async def test_files_and_health_fill_no_log(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure()
    async with client() as http:
        for path in ("/assets/a.js", "/icons/a.png", "/health/live", "/ping"):
            await http.get(path)
    assert [line["event"] for line in lines(capsys.readouterr().out)] == ["inside"] * 4


async def test_a_request_that_fails_is_counted_as_500(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure()
    before = metrics.REQUESTS.cell("wallet", "500").n
    async with client(raise_app_exceptions=False) as http:
        assert (await http.get("/wallet/broken")).status_code == 500
    assert metrics.REQUESTS.cell("wallet", "500").n == before + 1


async def test_an_event_has_an_id_of_its_own() -> None:
    from reflex.event import Event

    event = Event(name="reflex___state____state.evapp___state___wallet____wallet.load", payload={})
    structlog.contextvars.clear_contextvars()
    await OfEvents().preprocess(None, None, event)  # type: ignore[arg-type]
    bound = structlog.contextvars.get_contextvars()
    structlog.contextvars.clear_contextvars()
    assert bound["handler"] == "evapp___state___wallet____wallet.load"
    assert len(str(bound["request"])) == 16


@pytest.mark.parametrize(
    ("path", "door"),
    [
        ("/wallet", "wallet"),
        ("/hi/wallet", "wallet"),
        ("/history/AB12", "history"),
        ("/history.csv", "history"),
        ("/assets/x.js", "files"),
        ("/", "other"),
        ("/wp-admin.php", "other"),
        ("/" + "a" * 5_000, "other"),
    ],
)
def test_strangers_make_up_no_label(path: str, door: str) -> None:
    assert door_of(path) == door


async def test_a_trace_has_the_requests_of_our_doors_and_their_lines_name_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    logs.configure()
    async with collected() as collector, client(raise_app_exceptions=False) as http:
        answer = await http.get("/wallet?phone=9845012345", headers={"traceparent": f"00-{'a' * 32}-{'b' * 16}-01"})
        await http.get("/auth/gate/broken")
        for path in ("/assets/a.js", "/health/live", "/wp-admin", "/_event"):
            await http.get(path)
    wallet, gate = collector.steps
    assert (wallet.name, wallet.parent, gate.name) == ("request wallet", "", "request auth")
    assert wallet.said == {"action": "wallet", "request": answer.headers["x-request-id"], "outcome": "200"}
    told = lines(capsys.readouterr().out)
    assert [line.get("trace_id") for line in told[:2]] == [wallet.trace_id] * 2
    assert "trace_id" not in told[-1]


async def test_a_request_that_fails_fails_in_the_trace() -> None:
    async with collected() as collector, client(raise_app_exceptions=False) as http:
        await http.get("/wallet/broken")
    (step,) = collector.steps
    assert (step.well, step.said["outcome"]) == (False, "ValueError")
