"""What a charger was asked in vain is asked again when it reads otherwise, or when only its answer may be lost."""

from datetime import timedelta

import pytest

from domain.models import now
from domain.set_ups import PATIENCE, Try

AT = now()
BEFORE = AT - PATIENCE


@pytest.mark.parametrize(
    ("before", "repeats"),
    [
        (None, False),
        (Try("120", "90"), True),
        (Try("60", "90"), False),
        (Try("120", "80"), False),
        (Try("120", "90", (BEFORE + timedelta(seconds=1)).isoformat()), True),
        (Try("120", "90", BEFORE.isoformat()), False),
    ],
)
def test_the_same_is_not_tried_twice(before: Try | None, repeats: bool) -> None:
    assert Try("120", "90", AT.isoformat()).repeats(before, AT) == repeats
