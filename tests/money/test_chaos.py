"""Processes in each other's way, and killed ones, end on the exact totals: a short form of `make storm`."""

import pytest

from tests.money import chaos


def test_a_storm_of_processes_ends_on_the_exact_totals(database_url: str) -> None:
    chaos.stormed(database_url, 3, processes=3, recharges=5, charges=10, kills=2)


@pytest.mark.row("C5", "C6", "R25", "R27")
def test_killed_in_the_middle_of_charges_and_recharges(database_url: str) -> None:
    """What was said again is settled once, and credited once (C5, C6, R25, R27)."""
    chaos.killed(database_url, 7, kills=6, charges=12)
