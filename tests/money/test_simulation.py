"""The product simulated from one seed: the same seed is the same ledger, and every seed ends with exact books."""

import shutil
from pathlib import Path

import pytest

from tests.money.simulation.world import lived

FAILED_ONCE = ((2, 400), (6, 400))
"""Seeds and steps. Both were faults of the simulation: 2 judged an offline queue too strictly, in 6 several messages
arrived in the same instant. No seed has found one of the product yet."""


@pytest.mark.parametrize("seed", [1])
def test_a_seed_ends_with_exact_books(database_url: str, seed: int) -> None:
    _, happened = lived(database_url, seed, 120)
    assert len(happened) > 10


@pytest.mark.parametrize(("seed", "steps"), FAILED_ONCE)
def test_a_seed_that_failed_once(sqlite_template: Path, tmp_path: Path, seed: int, steps: int) -> None:
    lived(f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'evapp.db')}", seed, steps)


def test_the_same_seed_is_the_same_ledger(sqlite_template: Path, tmp_path: Path) -> None:
    def ledger(name: str, seed: int) -> str:
        return lived(f"sqlite:///{shutil.copy(sqlite_template, tmp_path / name)}", seed, 80)[0]

    first, again, other = ledger("first", 3), ledger("again", 3), ledger("other", 4)
    assert first == again != other
    assert "transfers" in first
