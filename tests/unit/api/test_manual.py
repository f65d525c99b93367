"""docs/api.md says what is so: its examples run with curl against a server, and its tables are the code's."""

import asyncio
import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from granian.constants import Interfaces
from granian.server.embed import Server
from starlette.applications import Starlette
from starlette.routing import Mount

from api.app import app
from api.incoming import LARGEST, PATIENCE_S
from api.limits import A_SECOND, AT_ONCE
from api.openapi import PREFIX
from domain import findings
from domain.api_keys import SCOPES
from domain.db import transact
from domain.events import Command, Reply
from tests.databases import ROOT
from tests.e2e.running import free_port
from tests.money.house import Clock, driver
from tests.unit.api.conftest import NO_LIMIT, address_of, serving

MANUAL = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```sh\n(.*?)```\n\n```json\n(.*?)```", MANUAL, re.DOTALL)


def test_the_scopes_are_those_of_the_code() -> None:
    told = dict(re.findall(r"^\| `(\w+:\w+)` \| (.*)\. \|$", MANUAL, re.MULTILINE))
    assert {scope: what.lower() for scope, what in told.items()} == {
        scope: what.lower() for scope, what in SCOPES.items()
    }


def test_the_limits_are_those_of_the_code() -> None:
    assert f"({A_SECOND:.0f} requests a second, {AT_ONCE:.0f} at once, for each process)" in MANUAL
    assert f"more than {LARGEST // 1024} KiB" in MANUAL
    assert f"slower than {PATIENCE_S:.0f} s" in MANUAL


def fits(told: Any, shown: Any) -> bool:
    """Whether an answer has all that the manual shows of it."""
    if isinstance(shown, dict):
        return all(name in told and fits(told[name], one) for name, one in shown.items())
    if isinstance(shown, list):
        return len(told) == len(shown) and all(map(fits, told, shown))
    return bool(told == shown)


@pytest.mark.skipif(not shutil.which("curl"), reason="no curl on this machine")
async def test_the_examples_do_what_the_manual_says(sqlite_template: Path, tmp_path: Path, clock: Clock) -> None:
    async with serving(f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'evapp.db')}", clock) as house:
        key = (await house.caller()).key
        house.desk.charger("DEMO-1")
        await transact(driver, "asha")
        await transact(findings.note, "orphan-stop", "DEMO-1:7:100", "StopTransaction 7 at 100 Wh.")

        async def charger(command: Command) -> Reply:
            return Reply("Accepted", {"status": "Accepted"})

        served = Starlette(routes=[Mount(PREFIX, app(house.gateway, address_of, NO_LIMIT))])
        port = free_port()
        server = Server(served, address="127.0.0.1", port=port, interface=Interfaces.ASGINL, log_enabled=False)
        running = asyncio.create_task(server.serve())
        async with house.bus.attach("DEMO-1", charger):
            await listening(port)
            for command, shown in EXAMPLES:
                told = await run(command, {"EVAPP": f"http://127.0.0.1:{port}{PREFIX}", "KEY": key})
                assert fits(json.loads(told), json.loads(shown)), f"{command}{told}"
        server.stop()
        await running
    assert len(EXAMPLES) == MANUAL.count("```sh")


async def listening(port: int) -> None:
    async with asyncio.timeout(20):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return


async def run(command: str, names: dict[str, str]) -> str:
    process = await asyncio.create_subprocess_exec(
        "bash", "-ec", command, env={"PATH": os.environ["PATH"], **names}, stdout=-1, stderr=-1
    )
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    return out.decode()
