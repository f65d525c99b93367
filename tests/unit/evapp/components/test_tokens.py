"""Colours are few, have names, and can be read on what they lie on."""

import re
from pathlib import Path

import pytest

from evapp.components.tokens import COLORS, CORNERS, SIZES

ROOT = Path(__file__).parents[4]
CSS = (ROOT / "assets" / "theme.css").read_text()
SHOWN = sorted([*(ROOT / "evapp").glob("pages/*.py"), *(ROOT / "evapp").glob("components/*.py")])

PLAIN = {"left", "center", "right", "transparent", "current", "balance", "none", "full"}
"""Words after text-, bg-, border- or rounded- that are no names of ours."""

UTILITY = re.compile(r"(?:^|:)!?(?:text|bg|border|divide|decoration|rounded|outline)-([a-z][a-z0-9-]*)$")
SIDE = re.compile(r"^(?:[trblxyse]|tl|tr|bl|br)(?:-(.+))?$")

READ = (
    # what lies on what, and how much it must stand out (WCAG 1.4.3 and 1.4.11)
    ("ink", "paper", 7),
    ("ink", "surface", 7),
    ("ink", "sunken", 7),
    ("ink-2", "paper", 4.5),
    ("ink-2", "surface", 4.5),
    ("ink-2", "sunken", 4.5),
    ("ink-3", "paper", 4.5),
    ("ink-3", "surface", 4.5),
    ("peacock", "paper", 4.5),
    ("peacock", "surface", 4.5),
    ("amber-text", "paper", 4.5),
    ("amber-text", "surface", 4.5),
    ("leaf", "paper", 4.5),
    ("leaf", "surface", 4.5),
    ("vermilion", "paper", 4.5),
    ("vermilion", "surface", 4.5),
    ("on-peacock", "peacock", 4.5),
    ("on-marigold", "marigold", 4.5),
    ("on-stop", "stop", 4.5),
    ("edge", "paper", 3),
    ("edge", "surface", 3),
    ("focus", "paper", 3),
)


def _block(selector: str) -> dict[str, str]:
    found = re.search(rf"^{re.escape(selector)} {{(.*?)^}}", CSS, re.S | re.M)
    assert found, selector
    return dict(re.findall(r"--([a-z0-9-]+):\s*([^;]+?)\s*;", found[1] + ";"))


LIGHT = _block(":root")
DARK = LIGHT | _block(".dark") | _block(".dark, .meter")
ON_DARK = _block(".dark, .meter") | _block(".meter")
THEMES = {"light": LIGHT, "dark": DARK, "meter in light": LIGHT | ON_DARK, "meter in dark": DARK | ON_DARK}


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("front", "back", "least"), READ)
def test_what_must_be_read_stands_out(theme: str, front: str, back: str, least: float) -> None:
    tokens = THEMES[theme]
    assert _contrast(_value(tokens, front), _value(tokens, back)) >= least


@pytest.mark.parametrize("theme", ["meter in light", "meter in dark"])
@pytest.mark.parametrize("dot", ["leaf", "marigold", "vermilion", "peacock", "edge"])
def test_dots_show_on_the_meter_where_words_are_not_coloured(theme: str, dot: str) -> None:
    assert _contrast(_value(THEMES[theme], dot), _value(THEMES[theme], "paper")) >= 3


def test_every_named_colour_has_a_value() -> None:
    assert not set(COLORS) - set(LIGHT)


@pytest.mark.parametrize("module", SHOWN, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_class_names_use_only_our_names(module: Path) -> None:
    words = re.findall(r"[^\s\"'{}]+", module.read_text())
    used = {name for word in words for name in _names(word)}
    assert used <= {*COLORS, *SIZES, *CORNERS, *PLAIN}


def test_the_search_finds_a_stray_colour() -> None:
    assert _names("hover:bg-slate-300") == ["slate-300"]
    assert _names("border-t-vermilion") == ["vermilion"]
    assert _names("lg:border-r") == []


def _names(word: str) -> list[str]:
    found = UTILITY.search(word)
    if not found:
        return []
    side = SIDE.match(found[1])
    name = side[1] if side else found[1]
    return [] if name is None or name.isdigit() else [name]


def _value(tokens: dict[str, str], name: str) -> str:
    value = tokens[name]
    inner = re.fullmatch(r"var\(--([a-z0-9-]+)\)", value)
    return _value(tokens, inner[1]) if inner else value


def _contrast(one: str, other: str) -> float:
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    """WCAG's relative luminance of #RRGGBB."""
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
