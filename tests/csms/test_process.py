"""`python -m csms` as people run it: it serves, takes calls from a shell, and stops with a word."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process, create_subprocess_exec
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from domain import trail
from domain.db import Database
from tests.csms.charger import SECONDS, connected
from tests.e2e.running import free_port

ROOT = Path(__file__).parents[2]


async def run(database_url: str, *arguments: str, port: int = 0, **more: str) -> Process:
    """`python -m csms` in the directory of this test; `more` are settings."""
    settings = {"EVAPP_OCPP_HOST": "127.0.0.1", "EVAPP_OCPP_PORT": str(port), "EVAPP_DATABASE_URL": database_url}
    environment = {**os.environ, **settings, **more, "PYTHONPATH": str(ROOT)}
    return await create_subprocess_exec(
        sys.executable, "-m", "csms", *arguments, env=environment, stdout=PIPE, stderr=PIPE
    )


async def answered(database_url: str, *arguments: str, port: int = 0) -> tuple[int | None, str, str]:
    process = await run(database_url, *arguments, port=port)
    async with asyncio.timeout(3 * SECONDS):
        out, error = await process.communicate()
    return process.returncode, out.decode(), error.decode()


async def listening_port(process: Process) -> int:
    assert process.stdout is not None
    async with asyncio.timeout(3 * SECONDS):
        while not (line := (await process.stdout.readline()).decode()).startswith("Chargers connect to"):
            assert line, "the process ended"
    return int(line.rpartition(":")[2].partition("/")[0])


def acts(database_url: str) -> list[tuple[str, str]]:
    """What was done to RAW-1 at the shell by the trail, newest first, each with its detail."""
    with closing(Database(database_url)) as database:
        entries, _ = database.now(trail.entries, subject="charger:RAW-1", actor=trail.shell())
        return [(entry.action, entry.detail) for entry in entries]


async def test_it_serves_takes_calls_and_stops(database_url: str) -> None:
    process = await run(database_url)
    try:
        port = await listening_port(process)
        async with connected(port) as raw:
            await raw.boot()
            shell = asyncio.create_task(answered(database_url, "call", "RAW-1", "Reset", '{"type": "Soft"}'))
            async with asyncio.timeout(3 * SECONDS):  # the shell is a process, which takes its time to start
                kind, id_, action, payload = json.loads(await raw.socket.recv())
                if action == "GetConfiguration":  # the set-up begins after three seconds: before or after the shell
                    await raw.send([3, id_, {"configurationKey": []}])
                    kind, id_, action, payload = json.loads(await raw.socket.recv())
            assert (kind, action, payload) == (2, "Reset", {"type": "Soft"})
            await raw.send([3, id_, {"status": "Accepted"}])
            code, out, _ = await shell
            assert (code, json.loads(out)) == (0, {"status": "Accepted"})
            code, _, error = await answered(database_url, "call", "RAW-1", "Reset", '{"type": "Warm"}')
            assert (code, "Traceback" in error) == (1, False)
            assert "Warm" in error
            assert acts(database_url)[:2] == [
                ("answer Reset", error.strip()),
                ("call Reset", '{"type": "Warm"}'),
            ]
            assert acts(database_url)[2:] == [("answer Reset", "Accepted"), ("call Reset", '{"type": "Soft"}')]
            code, _, error = await answered(database_url, port=port)
            assert (code, "Traceback" in error) == (1, False)
            assert f"Cannot listen on 127.0.0.1:{port}" in error
            process.send_signal(signal.SIGTERM)
            assert await raw.gone() == 1012
        async with asyncio.timeout(SECONDS):
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_it_tells_its_figures_on_a_port_of_its_own(database_url: str) -> None:
    metrics_port = free_port()
    process = await run(database_url, EVAPP_METRICS_PORT=str(metrics_port))
    try:
        async with connected(await listening_port(process)) as raw, httpx.AsyncClient() as http:
            await raw.boot()
            said = (await http.get(f"http://127.0.0.1:{metrics_port}/metrics")).text
            assert "evapp_chargers_connected 1.0" in said
            assert 'evapp_ocpp_messages_total{action="BootNotification",outcome="answered"} 1.0' in said
            second = await run(database_url, EVAPP_METRICS_PORT=str(metrics_port))
            _, error = await asyncio.wait_for(second.communicate(), 3 * SECONDS)
            assert second.returncode == 1
            assert f"EVAPP_METRICS_PORT: 127.0.0.1:{metrics_port} cannot be used" in error.decode()
            _, _, said = await answered(database_url, "call", "NOBODY", "Reset", '{"type": "Soft"}')
            assert "NOBODY is not connected" in said, "whoever could not start left the shell no way to who runs"
    finally:
        process.kill()
        await process.wait()


async def test_the_shell_answers_in_sentences(database_url: str) -> None:
    for arguments, words in (
        (("call", "RAW-1", "Reset", "{"), "not JSON"),
        (("call", "RAW-1", "Reset", "[]"), "must be a JSON object"),
        (("call", "RAW-1", "Reset", '{"a":' * 60 + "1" + "}" * 60), "nested too deeply"),
        (("call", "RAW-1", "Reset", "[" * 9_000), "nested too deeply"),
        (("call", "RAW-1", "Reset", '{"a": "\\ud800"}'), "half a character"),
        (("call", "RAW-1", "Reset"), "No server answers"),
    ):
        code, _, error = await answered(database_url, *arguments)
        assert (code, words in error, "Traceback" in error) == (1, True, False), error


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"EVAPP_METRICS_PORT": "abc"}, "EVAPP_METRICS_PORT: Input should be a valid integer"),
        ({"EVAPP_REDIS_URL": "nonsense"}, "EVAPP_REDIS_URL is the address of a Redis"),
        ({"EVAPP_DATABASE_URL": "sqlite:///{folder}/empty.db"}, "make migrate"),
        ({"EVAPP_VAR_DIR": "{folder}/file", "EVAPP_DATABASE_URL": ""}, "Is EVAPP_VAR_DIR right"),
        (
            {"EVAPP_OCPP_TLS_CERT": "{folder}/none.pem", "EVAPP_OCPP_TLS_KEY": "{folder}/none.pem"},
            "EVAPP_OCPP_TLS_CERT, EVAPP_OCPP_TLS_KEY or EVAPP_OCPP_TLS_CLIENT_CA: No such file or directory",
        ),
    ],
    ids=lambda given: "".join(given) if isinstance(given, dict) else "",
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_what_keeps_it_from_serving_is_a_sentence(
    database_url: str, tmp_path: Path, given: dict[str, str], words: str
) -> None:
    (tmp_path / "file").touch()
    process = await run(database_url, **{name: value.format(folder=tmp_path) for name, value in given.items()})
    async with asyncio.timeout(3 * SECONDS):
        _, error = await process.communicate()
    *_, sentence = error.decode().splitlines()
    assert (process.returncode, "Traceback" in error.decode()) == (1, False), error
    assert words in sentence
