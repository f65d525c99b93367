"""No sentence reaches a person without passing through `t`."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from evapp.texts import t

EVAPP = Path(__file__).parents[4] / "evapp"
SHOWN = sorted([*EVAPP.glob("pages/*.py"), *EVAPP.glob("components/*.py")])
WORD = re.compile(r"(?<![A-Za-z])[A-Z][a-z]+")
"""A capital that begins a word: class names, addresses and SVG paths have none."""

NAMES = {"Effects"}


def test_holes_are_filled_by_name() -> None:
    assert t("Sign in to charge at {charger}", charger="BLR-017") == "Sign in to charge at BLR-017"


def test_a_sentence_without_holes_may_have_braces() -> None:
    assert t("{not a hole}") == "{not a hole}"


@pytest.mark.parametrize("module", SHOWN, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_sentence_passes_through_t(module: Path) -> None:
    bare = [f"line {line}: {text!r}" for line, text in _bare_sentences(module.read_text()) if text not in NAMES]
    assert not bare, f"wrap these in t(): {bare}"


def test_the_search_finds_a_bare_sentence() -> None:
    code = (
        '"""A docstring."""\ndef page():\n    """Another."""\n    return p(t("Fine"), "Not fine", class_name="flex")\n'
    )
    assert list(_bare_sentences(code)) == [(4, "Not fine")]


def _bare_sentences(code: str) -> Iterator[tuple[int, str]]:
    def walk(node: ast.AST) -> Iterator[tuple[int, str]]:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "t":
            return
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            return
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and WORD.search(node.value):
            yield node.lineno, node.value
        for child in ast.iter_child_nodes(node):
            yield from walk(child)

    yield from walk(ast.parse(code))
