"""Small faults that a programmer could make, one at a time: what `make mutants` plants into the modules of money."""

import ast
import copy
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

COMPARED = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
ORDERED = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)
CALCULATED = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
NAMES = {"min": "max", "max": "min", "any": "all", "all": "any"}
KEPT_CALLS = ("add", "add_all", "flush", "refresh")
"""Of a session, and seldom seen from outside: a row that was read is written anyway, and a query flushes by itself."""


@dataclass(frozen=True)
class Mutant:
    """One fault in one module."""

    module: str
    where: str
    """The function it stands in, and which of its like there."""
    was: str
    now: str
    lines: range
    """Of the statement it stands in; in a table of the module, every line of the module could show it."""
    source: str
    """The module with the fault."""

    @property
    def name(self) -> str:
        """The same as long as the function stays as it is, wherever it stands."""
        return f"{self.module} {self.where}: {self.was} → {self.now}"


def mutants(module: str, source: str) -> Iterator[Mutant]:
    """Every fault there is for this module, from top to bottom.

    Left alone are words (tests read the sentences), annotations, decorators, assertions, and locks: a test with one
    process does not miss them; the storms on PostgreSQL do.
    """
    tree = ast.parse(source)
    seen: Counter[str] = Counter()
    for site in _sites(tree):
        for change in _changes(site.node):
            mutated = copy.deepcopy(tree)
            twin = _at(mutated, site.path)
            new = change(twin)
            if new is not twin:
                _put(mutated, site.path, new)
            was, now = _words(site.node), _words(new)
            seen[f"{site.function} {was} {now}"] += 1
            count = seen[f"{site.function} {was} {now}"]
            where = site.function + (f" #{count}" if count > 1 else "")
            yield Mutant(module, where, was, now, site.lines, ast.unparse(ast.fix_missing_locations(mutated)))


Path = tuple[tuple[str, int | None], ...]


@dataclass(frozen=True)
class _Site:
    node: ast.AST
    path: Path
    function: str
    lines: range


def _sites(tree: ast.Module) -> Iterator[_Site]:
    yield from _below(tree, (), "module", range(0))


def _below(node: ast.AST, path: Path, function: str, lines: range) -> Iterator[_Site]:
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "returns", "decorator_list", "bases", "type_params"):
            continue
        children = enumerate(value) if isinstance(value, list) else [(None, value)]
        for index, child in children:
            if not isinstance(child, ast.AST) or isinstance(child, (ast.Assert, ast.Import, ast.ImportFrom)):
                continue
            if _is_docstring(child) or _is_exports(child) or _is_lock(child):
                continue
            inside, its_lines = function, lines
            if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                inside = child.name if function == "module" else f"{function}.{child.name}"
            if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
                its_lines = range(child.body[0].lineno, (child.end_lineno or 0) + 1)
            elif isinstance(child, ast.stmt) and lines:  # an import has run what stands in no function
                its_lines = _range(child)
            here = (*path, (field, index))
            yield _Site(child, here, inside, its_lines)
            yield from _below(child, here, inside, its_lines)


def _range(statement: ast.stmt) -> range:
    """A compound statement is run when its head is."""
    body = getattr(statement, "body", None)
    last = body[0].lineno - 1 if body else statement.end_lineno or statement.lineno
    return range(statement.lineno, max(last, statement.lineno) + 1)


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_exports(node: ast.AST) -> bool:
    return isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"


def _is_lock(node: ast.AST) -> bool:
    return isinstance(node, ast.keyword) and node.arg == "with_for_update"


def _at(tree: ast.AST, path: Path) -> ast.AST:
    for field, index in path:
        value = getattr(tree, field)
        tree = value if index is None else value[index]
    return tree


def _put(tree: ast.AST, path: Path, new: ast.AST) -> None:
    parent = _at(tree, path[:-1])
    field, index = path[-1]
    if index is None:
        setattr(parent, field, new)
    else:
        getattr(parent, field)[index] = new


def _words(node: ast.AST) -> str:
    """A node in a line; of an `if` or a loop only its head."""
    text = ast.unparse(node)
    return text.splitlines()[0] if isinstance(node, (ast.If, ast.While, ast.For)) else " ".join(text.split())


Change = Callable[[ast.AST], ast.AST]


def _changes(node: ast.AST) -> list[Change]:
    match node:
        case ast.Compare(ops=[op]) if type(op) in COMPARED:
            return [_set("ops", [COMPARED[type(op)]()])]
        case ast.BinOp(op=op) if type(op) in CALCULATED:
            return [_set("op", CALCULATED[type(op)]())]
        case ast.AugAssign(op=op) if type(op) in CALCULATED:
            return [_set("op", CALCULATED[type(op)]())]
        case ast.BoolOp(op=op):
            return [_set("op", ast.And() if isinstance(op, ast.Or) else ast.Or())]
        case ast.UnaryOp(op=ast.Not() | ast.USub()):
            return [lambda twin: twin.operand]  # type: ignore[attr-defined]
        case ast.Constant(value=bool(value)):
            return [_set("value", not value)]
        case ast.Constant(value=int(value)):
            return [_set("value", value + 1)]
        case ast.Name(id=name) if name in NAMES:
            return [_set("id", NAMES[name])]
        case ast.If(test=test) | ast.IfExp(test=test) | ast.While(test=test):
            return [] if _is_negated_itself(test) else [_negated]
        case ast.Return(value=value) if value is not None and not _is_none(value):
            return [_set("value", ast.Constant(None))]
        case ast.Raise() | ast.AugAssign() | ast.Continue():
            return [lambda _: ast.Pass()]
        case ast.Expr(value=ast.Call(func=func)) if _is_worth_dropping(func):
            return [lambda _: ast.Pass()]
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript() | ast.Tuple()]):
            return [lambda _: ast.Pass()] if _sets_fields(node) else []
    return []


def _set(field: str, value: object) -> Change:
    def change(twin: ast.AST) -> ast.AST:
        setattr(twin, field, value)
        return twin

    return change


def _negated(twin: ast.AST) -> ast.AST:
    twin.test = ast.UnaryOp(ast.Not(), twin.test)  # type: ignore[attr-defined]
    return twin


def _is_negated_itself(test: ast.expr) -> bool:
    """Whether another fault of this test is already its negation."""
    return isinstance(test, ast.UnaryOp) or (isinstance(test, ast.Compare) and not isinstance(test.ops[0], ORDERED))


def _is_none(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is None


def _is_worth_dropping(func: ast.expr) -> bool:
    return not (isinstance(func, ast.Attribute) and func.attr in KEPT_CALLS and ast.unparse(func.value) == "db")


def _sets_fields(node: ast.Assign) -> bool:
    target = node.targets[0]
    names = target.elts if isinstance(target, ast.Tuple) else [target]
    return all(isinstance(name, (ast.Attribute, ast.Subscript)) for name in names)
