"""Where the bare address leads."""

import shutil
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from domain.db import opened
from domain.settings import settings
from evapp.web import home
from evapp.web.language import OfRequests


@pytest.mark.parametrize(
    ("path", "leads_to"), [("/", "/login"), ("/hi", "/hi/login"), ("/hi/", "/hi/login"), ("/hi?x=1", "/hi/login")]
)
async def test_a_stranger_is_led_to_sign_in_in_the_language_of_the_address(
    sqlite_template: Path, tmp_path: Path, path: str, leads_to: str
) -> None:
    transport = httpx.ASGITransport(OfRequests(Starlette(routes=home.routes)))
    async with (
        opened(f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'evapp.db')}"),
        httpx.AsyncClient(transport=transport, base_url=settings().url) as client,
    ):
        led = await client.get(path)
    assert (led.status_code, led.headers["location"]) == (303, leads_to)
