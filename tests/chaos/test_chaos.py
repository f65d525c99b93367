"""A short form of `make chaos`: a web process, a CSMS, Redis and PostgreSQL die under a few charges."""

from pathlib import Path

import pytest

from tests.chaos.chaos import Chaos

SMOKE_S = 500
"""It takes a minute; a machine that does three other things takes longer."""


@pytest.mark.xdist_group("chaos")
@pytest.mark.timeout(SMOKE_S)
async def test_what_dies_in_the_middle_costs_nobody_anything(tmp_path: Path) -> None:
    blows = ("web-1", "csms-1", "redis", "postgres")
    await Chaos(tmp_path, 3, charges=8, blows=blows, sample_seconds=1.0).run()
