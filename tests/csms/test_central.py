"""Whose turn it is when thousands of chargers come at once."""

from itertools import pairwise

from csms.central import Central, Pace
from domain.bus import LocalBus
from domain.settings import Settings


def test_chargers_that_come_at_once_are_set_up_one_after_the_other() -> None:
    """The first after it has settled, a thousand within ten seconds; so no boot waits behind set-ups."""
    central = Central(LocalBus(), Settings(), Pace(settle=3.0))
    waits = [central.settled_in() for _ in range(1_000)]
    assert 2.9 < waits[0] <= 3.0
    assert 12.0 < waits[-1] <= 13.0
    assert all(before < later for before, later in pairwise(waits))
