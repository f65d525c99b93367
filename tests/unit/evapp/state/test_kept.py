"""Between processes a page's state lies in Redis: whatever any page keeps must come back from there as it was."""

import importlib
import pkgutil
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import reflex as rx
from reflex.state import BaseState

import evapp.state
from domain.charging import Limit
from domain.prices import Price
from evapp.state.live import Live

for found in pkgutil.walk_packages(evapp.state.__path__, "evapp.state."):
    importlib.import_module(found.name)


def states(root: type[BaseState] = rx.State) -> Iterator[type[BaseState]]:
    for cls in root.get_substates():
        if cls.__module__.startswith("evapp."):
            yield cls
        yield from states(cls)


def made(cls: type[BaseState]) -> BaseState:
    return cls(init_substates=False, _reflex_internal_init=True)


@pytest.mark.parametrize("cls", sorted(states(), key=lambda cls: cls.__name__), ids=lambda cls: cls.__name__)
def test_its_beginnings_come_back(cls: type[BaseState]) -> None:
    state = made(cls)
    again = BaseState._deserialize(state._serialize())
    assert type(again) is cls
    assert again._backend_vars == state._backend_vars


def test_figures_come_back() -> None:
    live = made(Live)
    kept = {"_price": Price(1_800, 500), "_limit": Limit(paise=5_000), "_started": datetime.now(UTC), "_watts": [1, 2]}
    for name, value in kept.items():
        setattr(live, name, value)
    again = BaseState._deserialize(live._serialize())
    assert {name: getattr(again, name) for name in kept} == kept
