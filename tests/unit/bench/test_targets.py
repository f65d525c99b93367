"""The gate of the measurements: what is worse than it was is named, and what falls short says so on its page."""

from pathlib import Path

import pytest

from bench import targets
from bench.targets import GATE, TARGETS, UNASKED, Target

PAGE = (Path(targets.__file__).parent / "README.md").read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def nothing_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(targets, "measured", {})


@pytest.mark.parametrize(
    ("target", "good", "bad"),
    [
        (Target(10), 7.1, 6.9),
        (Target(10, more=False), 14.2, 14.4),
        (Target(25, reached=12), 8.5, 8.3),
        (Target(1.2, more=False, reached=1.4), 1.98, 2.02),
    ],
)
def test_seven_tenths_of_the_target_or_of_what_is_reached_are_asked(
    monkeypatch: pytest.MonkeyPatch, target: Target, good: float, bad: float
) -> None:
    monkeypatch.setattr(targets, "TARGETS", {"T": target})
    targets.note("T", good)
    assert targets.report() == []
    targets.note("T", bad)
    assert targets.report() == ["T"]


def test_what_is_no_target_is_not_asked() -> None:
    targets.note("StatusNotification / ocpp defaults", 0.0)
    assert targets.report() == []


@pytest.mark.parametrize("name", [name for name, target in TARGETS.items() if target.reached is not None])
def test_a_figure_that_falls_short_is_on_the_page(name: str) -> None:
    target = TARGETS[name]
    assert target.reached is not None
    assert target.share(target.reached) < GATE
    assert f"{target.reached:,g}{'x' if target.unit == 'x' else ''}" in PAGE


def test_what_is_not_asked_is_a_target() -> None:
    assert set(UNASKED) < set(TARGETS)
