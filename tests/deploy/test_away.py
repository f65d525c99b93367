"""While no process of the product is there, a driver's browser still has a page, with a way to try again."""

import asyncio
import os
import shutil
from pathlib import Path

import pytest

from tests.databases import ROOT
from tests.deploy.conftest import CADDYFILE, CHARGERS, DRIVERS, START_S, Behind, answers, certified, running
from tests.e2e.running import free_port

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(60)]

PAGE = "<!DOCTYPE html><h1>No connection</h1>"


async def test_a_page_that_nobody_can_serve_is_the_one_without_a_network(tmp_path: Path) -> None:
    """An installed app shows no address and no button to load it again: an empty answer would be its end."""
    caddy = shutil.which("caddy")
    if caddy is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("No Caddy on this machine: install one.")
    edge, nobody = free_port(), free_port()
    (tmp_path / "offline.html").write_text(PAGE)
    (tmp_path / "Caddyfile").write_text(CADDYFILE.format(port=edge, caddyfile=ROOT / "deploy" / "Caddyfile"))
    front = {
        **{"DRIVERS": DRIVERS, "CHARGERS": CHARGERS, "BUILD": str(tmp_path)},
        **{"WEB": f"127.0.0.1:{nobody}", "CSMS": f"127.0.0.1:{nobody}"},
        **{"XDG_DATA_HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)},
    }
    command = [caddy, "run", "--config", "Caddyfile", "--adapter", "caddyfile"]
    with running(command, tmp_path, front, tmp_path / "edge.log"):
        tls = await certified(tmp_path / "caddy/pki/authorities/local/root.crt")
        async with asyncio.timeout(START_S), Behind(nobody, nobody, edge, "", tmp_path, tls).client() as http:
            while not await answers(http, "/metrics", 404):  # its certificate comes a moment after its authority
                await asyncio.sleep(0.1)
            shown = await http.get("/c/BLR-017", headers={"Accept": "text/html"}, timeout=20)
            told = await http.get("/api/v1/chargers", timeout=20)
    assert (shown.status_code, shown.text) == (503, PAGE)
    assert shown.headers["cache-control"] == "no-store"
    assert "frame-ancestors 'none'" in shown.headers["content-security-policy"]
    assert (told.status_code, told.text) == (503, "")
