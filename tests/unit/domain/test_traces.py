"""Traces: one over two processes, with nothing of a person in it, and nothing at all while nobody asked for them."""

import asyncio
import os
import sys
import time
from asyncio.subprocess import PIPE, create_subprocess_exec
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import structlog
from structlog.contextvars import bound_contextvars, merge_contextvars
from structlog.testing import capture_logs

from domain import otlp, traces
from domain.bus import ChargerOffline, LocalBus
from domain.db import Database
from domain.events import RemoteStop
from domain.redis_bus import RedisBus
from domain.settings import Settings
from tests.collector import collected, collector, silent
from tests.csms.charger import connected
from tests.csms.test_process import listening_port
from tests.databases import ROOT
from tests.servers import redis
from tests.unit.domain.holder import accepts

STOP = RemoteStop(7)
SOON = 15
WITHOUT = """
import atexit, sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "opentelemetry":
            frame = sys._getframe(1)
            while "importlib" in frame.f_code.co_filename:
                frame = frame.f_back
            asked.add(frame.f_globals["__name__"].partition(".")[0])
            raise ModuleNotFoundError(name)

asked = set()
sys.meta_path.insert(0, Missing())
atexit.register(lambda: print("wanted by", sorted(asked), file=sys.stderr))
"""
"""A machine without the packages, which says in the end who wanted them."""
ONLY_REDIS = ("wanted by []", "wanted by ['redis']")
"""Its client takes them where they are, for figures of its own that nobody turns on."""
WEB = """
import asyncio
from domain.bus import ChargerOffline, bus
from domain.events import RemoteStop
from evapp.evapp import lifespan

async def main():
    async with lifespan():
        try:
            await bus().call("GONE", RemoteStop(7), 1)
        except ChargerOffline:
            print("started")

asyncio.run(main())
"""


async def test_nothing_begins_while_no_collector_is_named() -> None:
    async with traces.told(Settings(), "web"):
        with traces.COMMAND.span("RemoteStop") as span:
            assert span is traces.NONE
            assert span.traceparent() == ""
            with bound_contextvars(here=1), capture_logs([merge_contextvars]) as lines:
                structlog.get_logger().info("x")
    assert "trace_id" not in lines[0]


async def test_a_command_inside_one_process_follows_from_who_gave_it() -> None:
    bus = LocalBus()
    async with collected() as told:
        with bound_contextvars(request="r1", phone="+919845012345"), traces.REQUEST.span("api"):
            async with bus.attach("A", accepts):
                await bus.call("A", STOP, SOON)
    assert told.paths == {"/v1/traces"}
    asked = told.step("request api")
    command = told.child(asked, "command RemoteStop")
    assert (asked.service, asked.role, asked.parent) == ("evapp-web", "server", "")
    assert asked.said == {"action": "api", "request": "r1"}
    assert command.said == {"action": "RemoteStop", "charger": "A", "request": "r1", "outcome": "accepted"}


async def test_of_an_exception_its_name_is_told_and_not_its_words() -> None:
    async with collected() as told:
        with pytest.raises(ChargerOffline):
            await LocalBus().call("+919845012345's", STOP, SOON)
    step = told.step("command RemoteStop")
    assert (step.said["outcome"], step.well, step.events) == ("ChargerOffline", False, 0)


async def test_a_command_over_redis_is_one_trace_in_both_processes() -> None:
    with redis() as server:
        async with collected() as told:
            given = {"EVAPP_REDIS_URL": server.url, "EVAPP_OTLP_ENDPOINT": told.url, "PYTHONPATH": str(ROOT)}
            process = await create_subprocess_exec(
                sys.executable, "-m", "tests.unit.domain.holder", env=os.environ | given, stdin=PIPE, stdout=PIPE
            )
            try:
                assert process.stdout is not None
                async with asyncio.timeout(SOON):
                    name = (await process.stdout.readline()).decode().strip()

                async def holder(_: str) -> str:
                    return name

                async with RedisBus(server.url, holder) as bus:
                    assert (await bus.call("A", STOP, SOON)).accepted
                async with asyncio.timeout(SOON):
                    await process.communicate(b"")
            finally:
                if process.returncode is None:
                    process.kill()
                    await process.wait()
    sent = told.step("sent RemoteStop")
    command = told.child(sent, "command RemoteStop")
    assert (sent.service, sent.role, sent.parent, sent.said["outcome"]) == ("evapp-web", "client", "", "accepted")
    assert (command.service, command.role, command.said["charger"]) == ("evapp-csms", "server", "A")


async def test_a_line_of_the_log_names_the_trace_in_other_threads_too(database: Database) -> None:
    def work(_: object) -> None:
        structlog.get_logger().info("inside")

    async with collected() as told:
        with capture_logs([merge_contextvars]) as lines:
            with traces.OPERATION.span("listed"):
                await database.transact(work)
            structlog.get_logger().info("outside")
    assert [line.get("trace_id") for line in lines] == [told.step("operation listed").trace_id, None]


async def test_whoever_ends_waits_two_seconds_for_a_collector_that_does_not_answer() -> None:
    with silent() as url:
        async with traces.told(Settings(otlp_endpoint=url), "web"):
            with traces.COMMAND.span("RemoteStop"):
                pass
            begun = time.monotonic()
        assert otlp.FAREWELL_S <= time.monotonic() - begun < otlp.FAREWELL_S + 4, "the library alone would take ten"
    assert traces.COMMAND.span("RemoteStop") is traces.NONE


@asynccontextmanager
async def started(
    tmp_path: Path, database_url: str, *command: str, **more: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process; where there is a sitecustomize.py in `tmp_path`, Python begins with that."""
    given = {"EVAPP_DATABASE_URL": database_url, "EVAPP_VAR_DIR": str(tmp_path / "var"), "EVAPP_OCPP_PORT": "0"}
    environment = os.environ | given | more | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    process = await create_subprocess_exec(
        sys.executable, *command, cwd=ROOT, env=environment, stdout=PIPE, stderr=PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_the_csms_starts_without_the_packages_and_does_not_ask_for_them(
    tmp_path: Path, database_url: str
) -> None:
    (tmp_path / "sitecustomize.py").write_text(WITHOUT)
    async with started(tmp_path, database_url, "-m", "csms") as process, asyncio.timeout(60):
        await listening_port(process)
        process.terminate()
        _, error = await process.communicate()
    assert (process.returncode, error.decode().strip() in ONLY_REDIS) == (0, True), error


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_the_web_app_starts_without_the_packages_and_does_not_ask_for_them(
    tmp_path: Path, database_url: str
) -> None:
    (tmp_path / "sitecustomize.py").write_text(WITHOUT)
    async with started(tmp_path, database_url, "-c", WEB) as process, asyncio.timeout(100):
        out, error = await process.communicate()
    assert (process.returncode, b"started" in out) == (0, True), error
    assert error.decode().splitlines()[-1] in ONLY_REDIS


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_named_collector_without_the_packages_is_refused(tmp_path: Path, database_url: str) -> None:
    (tmp_path / "sitecustomize.py").write_text(WITHOUT)
    command = started(tmp_path, database_url, "-m", "csms", EVAPP_OTLP_ENDPOINT="http://127.0.0.1:4318")
    async with command as process, asyncio.timeout(60):
        out, error = await process.communicate()
    sentence = "EVAPP_OTLP_ENDPOINT needs packages that are not installed: pip install -r requirements-otel.txt."
    assert (process.returncode, out, error.decode().splitlines()[0]) == (1, b"", sentence)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_web_app_and_csms_tell_the_collector_of_the_setting(tmp_path: Path, database_url: str) -> None:
    with collector() as told:
        named = {"EVAPP_OTLP_ENDPOINT": told.url}
        async with started(tmp_path, database_url, "-c", WEB, **named) as process, asyncio.timeout(100):
            out, error = await process.communicate()
            assert (process.returncode, b"started" in out) == (0, True), error
        async with started(tmp_path, database_url, "-m", "csms", **named) as process, asyncio.timeout(60):
            async with connected(await listening_port(process)) as raw:
                await raw.call("Authorize", idTag="CARD1")
            process.terminate()
            assert await process.wait() == 0
    assert told.step("command RemoteStop").service == "evapp-web"
    assert told.step("message Authorize").service == "evapp-csms"
