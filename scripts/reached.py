"""Which test runs which line of some modules: `python -m scripts.reached domain/money.py … -- tests …`, for mutants.py.

The modules are imported with a mark before each statement, which costs the tests next to nothing.
"""

import ast
import importlib.abc
import importlib.machinery
import json
import os
import sys
import time
from pathlib import Path
from types import CodeType
from typing import Any

ROOT = Path(__file__).parents[1]
REACHED = set[tuple[str, int]]()
"""Since the test began: module and line of each statement that was run."""


class Marks(ast.NodeTransformer):
    """Puts a mark before each statement of a function."""

    def __init__(self, file: str) -> None:
        self.file = file

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        if isinstance(node, (ast.Module, ast.ClassDef)):
            return node
        for field in ("body", "orelse", "finalbody"):
            statements = getattr(node, field, None)
            if isinstance(statements, list):
                setattr(node, field, [each for one in statements for each in (self._mark(one), one)])
        return node

    def _mark(self, statement: ast.stmt) -> ast.stmt:
        mark = ast.parse(f"__reached__.add(({self.file!r}, {statement.lineno}))").body[0]
        return ast.fix_missing_locations(ast.copy_location(mark, statement))


class Marked(importlib.abc.MetaPathFinder):
    """Gives Python the modules with their marks."""

    def __init__(self, files: list[str]) -> None:
        self.files = {file.removesuffix(".py").replace("/", "."): file for file in files}

    def find_spec(self, fullname: str, path: object, target: object = None) -> importlib.machinery.ModuleSpec | None:
        if fullname not in self.files:
            return None
        file = self.files[fullname]

        class Loader(importlib.machinery.SourceFileLoader):
            def get_code(self, fullname: str) -> CodeType:
                tree = Marks(file).visit(ast.parse((ROOT / file).read_text()))
                return compile(tree, str(ROOT / file), "exec")

            def exec_module(self, module: Any) -> None:
                module.__reached__ = REACHED
                super().exec_module(module)

        return importlib.machinery.ModuleSpec(fullname, Loader(fullname, str(ROOT / file)), origin=str(ROOT / file))


class Listener:
    """A pytest plugin: what each test reached, and how much of a processor it took."""

    def __init__(self) -> None:
        self.lines: dict[str, list[tuple[str, int]]] = {}
        self.seconds: dict[str, float] = {}
        self.began, self.failed = 0.0, False

    def pytest_runtest_logstart(self) -> None:
        REACHED.clear()
        self.began, self.failed = time.process_time(), False

    def pytest_runtest_logreport(self, report: Any) -> None:
        self.failed |= report.failed

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        if not self.failed:
            self.lines[nodeid] = sorted(REACHED)
            self.seconds[nodeid] = time.process_time() - self.began

    def pytest_sessionfinish(self) -> None:
        Path(os.environ["MUTANTS_MAP"]).write_text(json.dumps({"lines": self.lines, "seconds": self.seconds}))


def main() -> int:
    import pytest

    there = sys.argv.index("--")
    sys.meta_path.insert(0, Marked(sys.argv[1:there]))
    return int(pytest.main(sys.argv[there + 1 :], plugins=[Listener()]))


if __name__ == "__main__":
    sys.exit(main())
