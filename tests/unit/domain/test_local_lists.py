"""The list of cards that a charger gets again, in as many parts as it can take."""

from typing import Any

import pytest

from domain import local_lists


def entries(*tags: str) -> list[dict[str, Any]]:
    return [{"idTag": tag, "idTagInfo": {"status": "Accepted"}} for tag in tags]


def whole(version: int, *tags: str) -> dict[str, Any]:
    return {"listVersion": version, "updateType": "Full", "localAuthorizationList": entries(*tags)}


@pytest.mark.parametrize(("tags", "most"), [((), 1), (("A",), 1), (("A", "B"), 2), (("A", "B", "C"), None)])
def test_a_list_that_is_short_enough_stays_whole(tags: tuple[str, ...], most: int | None) -> None:
    assert local_lists.parts(whole(7, *tags), most) == [whole(7, *tags)]


@pytest.mark.parametrize(("version", "versions"), [(7, [5, 6, 7]), (3, [1, 2, 3]), (2, [3, 4, 5])])
def test_a_longer_one_ends_at_its_version_by_rising_ones(version: int, versions: list[int]) -> None:
    """OCPP 1.6, 5.15: a differential update has a higher version than the list before. 0 is no list's version (5.10):
    where there is no room below, they go on above it, and none of them but the last is taken for the whole."""
    first, second, third = local_lists.parts(whole(version, "A", "B", "C", "D", "E"), 2)
    assert [part["listVersion"] for part in (first, second, third)] == versions
    assert [part["updateType"] for part in (first, second, third)] == ["Full", "Differential", "Differential"]
    tags = [[entry["idTag"] for entry in part["localAuthorizationList"]] for part in (first, second, third)]
    assert tags == [["A", "B"], ["C", "D"], ["E"]]
