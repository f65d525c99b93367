"""What travels between processes is read by the version before and the one after, too."""

import msgspec
import pytest

from domain.events import ChargerMustReconnect, Event, HabitsChanged
from domain.wire import packed, unpacked


@pytest.mark.parametrize(
    ("event", "name"),
    [(ChargerMustReconnect("BLR-1"), "ChargerRetired"), (HabitsChanged("BLR-1"), "ChargerLearned")],
)
def test_an_event_that_was_renamed_travels_by_its_first_name(event: Event, name: str) -> None:
    """Else a process of the version before lets a charger stay that was retired by one of this version."""
    assert packed(event)[0] == name
    assert unpacked((name, msgspec.Raw(b'{"charger_id":"BLR-1"}'))) == event
