"""Odd frames by the thousand: no connection ends, nothing is raised; the long run is `make fuzz`."""

import pytest

from bench.fuzz import fuzz


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_no_frame_ends_a_connection_or_raises(database_url: str) -> None:
    heard = fuzz(database_url, 3_000, seeded=16)
    assert heard["frames"] >= 3_000
    assert heard["results"] > 200
    assert heard["FormationViolation"] > 50
