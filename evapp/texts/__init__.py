"""Every sentence a person reads passes through here and comes out in the reader's language.

The English sentence itself is the key, as with gettext: a page stays readable from top to bottom and a
sentence without a translation shows in English instead of as a code. Write

    t("Sign in to charge at {charger}", charger=SignIn.charger)

with whole sentences and named holes, never with pieces glued together, because other languages order
their words differently. A hole takes a Python value or a Reflex Var. A table that is made while a module is
imported, when nobody reads yet, keeps `later("…")` and is read with `t(TABLE[key])`.

Whose language it is stands in one place for each way in (evapp/web/language.py); the other languages are
gettext catalogues beside this file, made by `make texts` and read by Babel at the first sentence. English has
none: its sentences are the keys. tests/unit/evapp/texts fails when a page shows a sentence that did not come
through `t`, and when a catalogue lacks one.
"""

from dataclasses import dataclass

from domain.sentences import Sentence
from evapp.texts.languages import at, bare, language, speaking

__all__ = ["Later", "at", "bare", "language", "later", "speaking", "t"]


@dataclass(frozen=True, slots=True)
class Later:
    """A sentence of a table; only `t` makes words of it."""

    sentence: str


def later(sentence: str) -> Later:
    """A sentence that is said when somebody reads it."""
    return Later(sentence)


def t(sentence: str | Later, **holes: object) -> str:
    """A sentence in the reader's language, its {named} holes filled."""
    key = sentence.sentence if isinstance(sentence, Later) else sentence
    if isinstance(sentence, Sentence):
        key, holes = sentence.key, {**sentence.facts, **holes}
    words = language().sentences.get(key, key)
    return words.format(**holes) if holes else words
