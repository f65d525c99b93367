"""No sentence reaches a person without passing through `t`, and none is said before somebody reads it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.sentences import Sentence
from evapp.texts import later, speaking, t
from evapp.texts.languages import HINDI, Language

EVAPP = Path(__file__).parents[4] / "evapp"
SHOWN = sorted([*EVAPP.glob("pages/*.py"), *EVAPP.glob("components/*.py")])
EVERY = sorted(EVAPP.rglob("*.py"))
WORD = re.compile(r"(?<![A-Za-z])[A-Z][a-z]+")
"""A capital that begins a word: class names, addresses and SVG paths have none."""

MARKS = ("t", "later")
NAMES = {
    "Effects",
    "Scanner",
    "globalThis.CloseWatcher",
    "('CloseWatcher' in globalThis)",
    "globalThis.Notification?.permission",
    "globalThis.Notification.requestPermission",
    "MutationObserver",
    "MutationObserver.prototype.observe.call",
    "Object.assign",
    "Reflect.construct",
    "self.Promise.all",
}
OTHER = Language("xx", "Other", "xx", "hi_IN", "/xx")
OTHER.__dict__["sentences"] = {"{sum} is owed.": "Owed is {sum}.", "Free": "Frei"}


def test_holes_are_filled_by_name() -> None:
    assert t("Sign in to charge at {charger}", charger="BLR-017") == "Sign in to charge at BLR-017"


def test_a_sentence_without_holes_may_have_braces() -> None:
    assert t("{not a hole}") == "{not a hole}"


def test_each_reader_has_his_own_language() -> None:
    with speaking(OTHER):
        assert t("{sum} is owed.", sum="₹5.00") == "Owed is ₹5.00."
        assert t("Nobody translated this.") == "Nobody translated this."
    assert t("{sum} is owed.", sum="₹5.00") == "₹5.00 is owed."


def test_a_sentence_of_a_table_is_said_when_it_is_read() -> None:
    word = later("Free")
    with speaking(OTHER):
        assert t(word) == "Frei"
    assert t(word) == "Free"


def test_a_sentence_of_the_domain_is_english_and_remembers_what_it_was_made_of() -> None:
    said = Sentence("{sum} is owed.", sum="₹5.00")
    assert said == "₹5.00 is owed."
    assert type(str(said)) is str
    with speaking(OTHER):
        assert t(said) == "Owed is ₹5.00."


def test_an_empty_sentence_stays_empty() -> None:
    with speaking(HINDI):
        assert t("") == ""


@pytest.mark.parametrize("module", SHOWN, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_sentence_passes_through_t(module: Path) -> None:
    bare = [f"line {line}: {text!r}" for line, text in _bare_sentences(module.read_text()) if text not in NAMES]
    assert not bare, f"wrap these in t(): {bare}"


def test_the_search_finds_a_bare_sentence() -> None:
    code = (
        '"""A docstring."""\ndef page():\n    """Another."""\n    return p(t("Fine"), "Not fine", class_name="flex")\n'
    )
    assert list(_bare_sentences(code)) == [(4, "Not fine")]


@pytest.mark.parametrize("module", EVERY, ids=lambda path: str(path.relative_to(EVAPP).with_suffix("")))
def test_nothing_is_said_while_a_module_is_imported(module: Path) -> None:
    early = [f"line {line}" for line in _said_early(ast.parse(module.read_text()))]
    assert not early, f"nobody reads yet, write later() and read the table with t(): {early}"


def test_the_search_finds_what_is_said_early() -> None:
    code = "TABLE = {1: t('Early')}\ndef page(word=t('Early')):\n    return lambda: t('Late')\n"
    assert list(_said_early(ast.parse(code))) == [1, 2]


@pytest.mark.parametrize("module", SHOWN, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_path_of_ours_is_in_the_readers_language(module: Path) -> None:
    astray = [f"line {line}: {text!r}" for line, text in _bare_paths(ast.parse(module.read_text()))]
    assert not astray, f"wrap these in at(), or use button_link, text_link or row: {astray}"


def test_the_search_finds_a_path_without_a_language() -> None:
    code = 'rx.el.a(href="/c")\nrx.el.a(href=at("/c"))\nrow("x", href="/c")\nrx.redirect("/c")\n'
    assert [line for line, _ in _bare_paths(ast.parse(code))] == [1, 4]


def _bare_sentences(code: str) -> Iterator[tuple[int, str]]:
    def walk(node: ast.AST) -> Iterator[tuple[int, str]]:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MARKS:
            return
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            return
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and WORD.search(node.value):
            yield node.lineno, node.value
        for child in ast.iter_child_nodes(node):
            yield from walk(child)

    yield from walk(ast.parse(code))


def _said_early(node: ast.AST) -> Iterator[int]:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "t":
        yield node.lineno
    for name, value in ast.iter_fields(node):
        if name == "body" and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _said_early(child)


def test_no_sentence_loses_what_it_was_made_of() -> None:
    """An error's sentence is its argument; `str` of it could not be said in another language."""
    lost = [str(module.relative_to(EVAPP)) for module in EVERY if "t(str(" in module.read_text()]
    assert lost == []


LINKS = {"rx.el.a", "NativeLink.create", "NativeForm.create", "rx.redirect"}
"""What takes a path as it is; the components of ours turn it to the reader's language themselves."""


def _bare_paths(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and ast.unparse(call.func) in LINKS:
            named = [keyword.value for keyword in call.keywords if keyword.arg in ("href", "action")]
            for path in [*named, *(call.args if ast.unparse(call.func) == "rx.redirect" else [])]:
                text = ast.unparse(path).lstrip("f").strip("'\"")
                if text.startswith("/") and not text.startswith("/auth/language"):
                    yield call.lineno, text
