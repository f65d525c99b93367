"""The languages of the app, which of them is spoken now, and the addresses of its pages in each (docs/adr/0008)."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import overload

import reflex as rx
from babel.messages.pofile import read_po

CATALOGUES = Path(__file__).parent


@dataclass(frozen=True)
class Language:
    """One language of the app."""

    code: str
    """As it is stored with a driver, and names its catalogue."""
    name: str
    """In the language itself."""
    tag: str
    """For `lang` (BCP 47)."""
    locale: str
    """Babel's, for numbers, money and dates."""
    prefix: str
    """Of the addresses of its pages."""

    @property
    def catalogue(self) -> Path:
        return CATALOGUES / self.code / "LC_MESSAGES" / "evapp.po"

    @cached_property
    def sentences(self) -> Mapping[str, str]:
        """The English sentence → this language's. Read once, at the first sentence (15 ms)."""
        if not self.catalogue.exists():
            return {}
        with self.catalogue.open("rb") as file:
            return {str(one.id): str(one.string) for one in read_po(file) if one.id and one.string and not one.fuzzy}


ENGLISH = Language("en", "English", "en-IN", "en_IN", "")
HINDI = Language("hi", "हिन्दी", "hi-IN", "hi_IN", "/hi")
LANGUAGES = {one.code: one for one in (ENGLISH, HINDI)}

_spoken: ContextVar[Language] = ContextVar("language", default=ENGLISH)


def language() -> Language:
    """The language of whoever reads now."""
    return _spoken.get()


def speak(one: Language) -> None:
    """Speak it until the end of this task: for whoever is handed a task of their own."""
    _spoken.set(one)


@contextmanager
def speaking(one: Language) -> Iterator[None]:
    """Speak it inside the block."""
    token = _spoken.set(one)
    try:
        yield
    finally:
        _spoken.reset(token)


@overload
def at(path: str, one: Language | None = None) -> str: ...
@overload
def at(path: rx.Var[str] | str, one: Language | None = None) -> rx.Var[str] | str: ...
def at(path: rx.Var[str] | str, one: Language | None = None) -> rx.Var[str] | str:
    """A path of ours in the reader's language, or in another; what is no path of ours stays as it is."""
    prefix = (one or language()).prefix
    if not prefix or (isinstance(path, str) and not path.startswith("/")):
        return path
    return prefix + path  # type: ignore[operator]


def bare(path: str) -> str:
    """A path of ours without its language."""
    return path.removeprefix(of_path(path).prefix) or "/"


def moved(path: str, one: Language) -> str:
    """The same page in another language."""
    return at(bare(path), one)


def of_path(path: str) -> Language:
    """The language whose page is at this path."""
    return next((one for one in LANGUAGES.values() if one.prefix and f"{path}/".startswith(f"{one.prefix}/")), ENGLISH)
