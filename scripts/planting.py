"""Puts one fault into a module: into the functions that are imported already, or, in a table, before it is imported."""

import ast
import importlib.abc
import importlib.machinery
import inspect
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

from hypothesis import Phase, settings
from pytest import hookimpl

from scripts.mutations import Mutant

ROOT = Path(__file__).parents[1]


class Faulty(importlib.abc.MetaPathFinder):
    """Gives Python the module with its fault."""

    def __init__(self, mutant: Mutant) -> None:
        self.mutant = mutant

    def find_spec(self, fullname: str, path: object, target: object = None) -> importlib.machinery.ModuleSpec | None:
        if fullname != name_of(self.mutant):
            return None
        code, file = _compiled(self.mutant.source, self.mutant), str(ROOT / self.mutant.module)

        class Loader(importlib.machinery.SourceFileLoader):
            def get_code(self, fullname: str) -> CodeType:
                return code

        return importlib.machinery.ModuleSpec(fullname, Loader(fullname, file), origin=file)


def name_of(mutant: Mutant) -> str:
    """domain.wallet."""
    return mutant.module.removesuffix(".py").replace("/", ".")


def prepare(database: Path) -> None:
    """Import once what every mutant's process needs and that has no fault; the tests copy this migrated database."""
    import _pytest.assertion.rewrite  # noqa: F401
    import fpdf  # noqa: F401
    import httpx  # noqa: F401
    import hypothesis.stateful  # noqa: F401
    import pytest_asyncio  # noqa: F401
    import reflex.state  # noqa: F401
    import sqlmodel  # noqa: F401
    import structlog  # noqa: F401
    from sqlalchemy.dialects import postgresql, sqlite  # noqa: F401

    from tests import databases

    databases.migrate = lambda url: shutil.copy(database, url.removeprefix("sqlite:///"))


class Collected:
    """A pytest plugin: with all tests imported, others are run in forks of this process."""

    def __init__(self, then: Callable[["Collected"], None]) -> None:
        self.then = then
        self.tests: dict[str, Any] = {}

    @hookimpl(trylast=True)
    def pytest_configure(self) -> None:
        """A failure is enough; nobody reads the shortest one."""
        settings.register_profile(
            "first failure", deadline=None, phases=(Phase.explicit, Phase.generate), database=None
        )
        settings.load_profile("first failure")

    def pytest_runtestloop(self, session: Any) -> bool:
        self.session, self.tests = session, {item.nodeid: item for item in session.items}
        self.then(self)
        return True

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.failed:
            os.write(2, f"{report.nodeid}\n{report.longreprtext}\n".encode())

    def run(self, tests: list[str], folder: Path) -> int:
        """One after the other until one fails: 1, else 0. For a fork, with a folder for the files of its tests."""
        folder.mkdir()
        os.environ["PYTEST_DEBUG_TEMPROOT"] = str(folder)
        for name, after in pairwise([*tests, ""]):
            item = self.tests[name]
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=self.tests.get(after))
            if self.session.testsfailed:
                return 1
        return 0


def alone(tests: list[str], quiet: Iterable[str], folder: Path) -> int:
    """How pytest ends that runs these tests in a process where nothing of ours is imported yet."""
    import pytest

    return int(pytest.main([*tests, *quiet, f"--basetemp={folder}"]))


def plant(mutant: Mutant) -> None:
    """From now on this process has the fault."""
    module = sys.modules.get(name_of(mutant))
    if module is None:
        sys.meta_path.insert(0, Faulty(mutant))
        return
    changed = functions(mutant)
    if mutant.was and not changed:
        raise LookupError(f"{mutant.name} is in no function, and {mutant.module} is imported already")
    for function in _live(module):
        if function.__qualname__ in changed:
            function.__code__ = changed.pop(function.__qualname__)
    if changed:
        raise LookupError(f"no function {', '.join(changed)}")


def functions(mutant: Mutant) -> dict[str, CodeType]:
    """The functions and methods that the fault changes, by their names; none where it is in a table or a default.

    Nor where a function loses a name that it closes over: that cannot be changed in place.
    """
    before = _essences(_written_anew(mutant.module))
    after = dict(_functions(_compiled(mutant.source, mutant)))
    changed = {name: code for name, code in after.items() if _essence(code) != before[name]}
    closed = all(len(code.co_freevars) == len(before[name][3]) for name, code in changed.items())
    return changed if closed else {}


@cache
def _written_anew(module: str) -> str:
    """The module without a fault, on the lines of one with a fault: a condition on several is other code."""
    return ast.unparse(ast.parse((ROOT / module).read_text()))


@cache
def _essences(source: str) -> dict[str, tuple[Any, ...]]:
    return {name: _essence(code) for name, code in _functions(compile(source, "", "exec"))}


def _compiled(source: str, mutant: Mutant) -> CodeType:
    return compile(source, str(ROOT / mutant.module), "exec")


def _functions(code: CodeType) -> Iterator[tuple[str, CodeType]]:
    """Of a module and of its classes; what is inside of a function comes with it."""
    for constant in code.co_consts:
        if not isinstance(constant, CodeType) or "<" in constant.co_qualname:
            continue
        if constant.co_flags & inspect.CO_OPTIMIZED:
            yield constant.co_qualname, constant
        else:
            yield from _functions(constant)


def _essence(code: CodeType) -> tuple[Any, ...]:
    """All but the lines, which a fault may shift."""
    constants = [_essence(each) if isinstance(each, CodeType) else (type(each), each) for each in code.co_consts]
    return code.co_code, code.co_names, code.co_varnames, code.co_freevars, repr(constants)


def _live(module: ModuleType) -> Iterator[FunctionType]:
    """Every function and method that this module made."""
    for each in list(vars(module).values()):
        inside = vars(each).values() if isinstance(each, type) and each.__module__ == module.__name__ else [each]
        for found in inside:
            bare = getattr(found, "fget", None) or inspect.unwrap(getattr(found, "__func__", found))
            if isinstance(bare, FunctionType) and bare.__module__ == module.__name__:
                yield bare
