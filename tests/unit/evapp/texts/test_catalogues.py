"""Every sentence of the code is in the catalogues, whole: `make texts` keeps them so."""

import re
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from domain.models import User
from evapp.texts.languages import ENGLISH, LANGUAGES, Language
from scripts.texts import TEMPLATE, template

HOLE = re.compile(r"\{(\w*)\}")
OTHERS = [one for one in LANGUAGES.values() if one is not ENGLISH]


@pytest.fixture(scope="module")
def said() -> set[str]:
    """What the code says; English needs no more than this, since its sentences are the keys."""
    return _keys(template())


def test_the_template_is_what_the_code_says(said: set[str]) -> None:
    assert _keys(_read(TEMPLATE)) == said, "run `make texts`"
    assert len(said) > 400


@pytest.mark.parametrize("language", OTHERS, ids=lambda one: one.code)
def test_every_sentence_has_its_translation(language: Language, said: set[str]) -> None:
    assert sorted(said - language.sentences.keys()) == [], (
        f"write them into {language.catalogue.name} of {language.code}"
    )


@pytest.mark.parametrize("language", OTHERS, ids=lambda one: one.code)
def test_a_catalogue_fills_the_same_holes(language: Language) -> None:
    catalog = _read(language.catalogue)
    assert [one.id for one in catalog if one.id and one.string and _holes(one.id) != _holes(one.string)] == []


@pytest.mark.parametrize("language", OTHERS, ids=lambda one: one.code)
def test_a_catalogue_has_the_sentences_of_the_code_and_no_others(language: Language, said: set[str]) -> None:
    catalog = _read(language.catalogue)
    assert _keys(catalog) == said, "run `make texts`"
    assert list(catalog.obsolete) == []
    assert [one.id for one in catalog if one.id and one.fuzzy] == []


def _read(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file)


def _keys(catalog: Catalog) -> set[str]:
    return {str(one.id) for one in catalog if one.id}


def _holes(sentence: Any) -> list[str]:
    return sorted(HOLE.findall(str(sentence)))


def test_a_driver_may_have_each_language() -> None:
    """What the database refuses would be a page that fails on You."""
    (known,) = (str(one.sqltext) for one in User.__table_args__ if str(one.name).endswith("known_language"))
    assert re.findall(r"'(\w+)'", known) == [*LANGUAGES]
