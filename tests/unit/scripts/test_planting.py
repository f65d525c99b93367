"""Planted faults: one in a table is in no function, or it would be planted nowhere and live through every test."""

import ast

import pytest

from scripts import planting
from scripts.mutants import MODULES, ROOT
from scripts.mutations import Mutant


def planted(module: str, was: str, now: str) -> Mutant:
    """A module with one fault, as `mutants` writes it."""
    file = f"domain/{module}.py"
    source = ast.unparse(ast.parse((ROOT / file).read_text()))
    assert was in source
    return Mutant(file, "somewhere", was, now, range(0), source.replace(was, now, 1))


@pytest.mark.parametrize("module", MODULES)
def test_a_module_that_is_only_written_anew_has_no_changed_function(module: str) -> None:
    """A condition of several lines is other code than the same in one: it had been planted in place of the fault."""
    assert planting.functions(planted(module, "", "")) == {}


def test_a_fault_in_a_function_changes_that_one_alone() -> None:
    assert [*planting.functions(planted("allowance", "ends_at is not None and at", "ends_at is None and at"))] == [
        "past_limit"
    ]


def test_what_is_in_no_function_cannot_be_planted_after_an_import() -> None:
    import domain.allowance  # noqa: F401

    with pytest.raises(LookupError):
        planting.plant(planted("allowance", "RESERVE_PAISE = 200", "RESERVE_PAISE = 201"))
