"""The same phones, drivers and chargers as in the tests beside; two web and two CSMS processes that share a build."""

from collections.abc import AsyncIterator
from unittest import mock

import pytest
import pytest_asyncio

from tests.chaos.house import House, running
from tests.deploy.containerfile import perform
from tests.e2e.running import free_port


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def product(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """The image's product, built for the address of its proxy."""
    port = free_port()
    with mock.patch.dict("os.environ", EVAPP_PUBLIC_URL=f"http://127.0.0.1:{port}"):
        built = perform("app", tmp_path_factory.mktemp("image"))
    async with running(tmp_path_factory.mktemp("many"), port=port, built=built) as house:
        yield house
