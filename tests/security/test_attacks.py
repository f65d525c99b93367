"""The table of attacks is whole: every defence stands where it says, and every test is there."""

import ast
from pathlib import Path

import pytest

from scripts.breaches import DEFENCES, PAGE, mark, page
from tests.security.attacks import ATTACKS
from tests.security.attacks.defence import Defence

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("attack", ATTACKS)
def test_every_attack_has_a_defence(attack: str) -> None:
    assert ATTACKS[attack]


@pytest.mark.parametrize("defence", DEFENCES, ids=lambda one: one.says)
def test_every_defence_stands_where_it_says(defence: Defence) -> None:
    """Once: or `make breaches` would not know which to take out."""
    assert (ROOT / defence.where).read_text(encoding="utf-8").count(defence.text) == 1
    assert defence.text != defence.without


@pytest.mark.parametrize("test", sorted({one.test for one in DEFENCES}))
def test_every_test_is_there(test: str) -> None:
    path, _, name = test.partition("::")
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    assert name in {node.name for node in tree.body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))}


def test_every_row_has_a_mark_of_its_own() -> None:
    """Or one of two would count as seen with the other."""
    assert len({mark(one) for one in DEFENCES}) == len(DEFENCES)


def test_the_page_has_the_table() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m scripts.breaches --page"
