"""The figures of a start, in plain numbers."""

import pytest

from domain.charging import Refused
from tests.money.charges import Desk


@pytest.mark.parametrize(("kind", "most"), [("paise", 1_000_000), ("wh", 10_000_000), ("minutes", 10_000)])
def test_a_limit_has_its_most(desk: Desk, kind: str, most: int) -> None:
    desk.charger()
    asha = desk.driver()
    with pytest.raises(Refused):
        desk.request(asha, **{kind: most + 1})
    desk.request(asha, **{kind: most})
