"""`make texts`: brings the catalogues up to date with the sentences in the code.

The template (evapp/texts/evapp.pot) lists every sentence of `t`, `later` and `Sentence`; each language's
catalogue then gets the new ones, without a translation, and loses those that nobody says any more. Nothing is
guessed: a changed sentence is a new one.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from evapp.texts.languages import CATALOGUES, ENGLISH, LANGUAGES

ROOT = Path(__file__).parents[1]
ROOMS = ("evapp", "domain")
KEYWORDS = {"t": None, "later": None, "Sentence": None}
TEMPLATE = CATALOGUES / "evapp.pot"
HEADER = """\
msgid ""
msgstr ""
"Language: {language}\\n"
"Content-Type: text/plain; charset=utf-8\\n"

"""


def template() -> Catalog:
    """Every sentence that the code says, and in which modules."""
    catalog = Catalog(project="evapp", charset="utf-8", fuzzy=False)
    for module, sentence in sorted(set(_said()), key=lambda said: (said[0], said[1])):
        catalog.add(sentence, locations=[(module, None)], flags=())
    return catalog


def _said() -> Iterator[tuple[str, str]]:
    for room in ROOMS:
        found = extract_from_dir(ROOT / room, [("**.py", "python")], keywords=KEYWORDS)
        for name, _, sentence, _, _ in found:
            if sentence:
                yield f"{room}/{Path(name).as_posix()}", str(sentence)


def updated(catalog: Catalog, template: Catalog) -> Catalog:
    """A language's catalogue with exactly the sentences of the template."""
    catalog.update(template, no_fuzzy_matching=True, update_header_comment=False)
    catalog.obsolete.clear()
    return catalog


def write(catalog: Catalog, path: Path, language: str = "") -> None:
    """With a header that holds no dates, so that only a changed sentence changes the file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(HEADER.format(language=language).encode())
        write_po(file, catalog, width=120, omit_header=True, include_lineno=False)


def main() -> int:
    """Write the template and the catalogues; gives the number of sentences that wait for a translation, at most 1."""
    found = template()
    write(found, TEMPLATE)
    waiting = 0
    for one in LANGUAGES.values():
        if one is not ENGLISH:
            catalog = Catalog(locale=one.code)
            if one.catalogue.exists():
                with one.catalogue.open("rb") as file:
                    catalog = read_po(file, locale=one.code)
            write(updated(catalog, found), one.catalogue, one.code)
            missing = [str(message.id) for message in catalog if message.id and not message.string]
            waiting += len(missing)
            for sentence in missing:
                print(f"{one.catalogue.relative_to(ROOT)}: {sentence!r} waits for its translation", file=sys.stderr)
    return min(waiting, 1)


if __name__ == "__main__":
    argparse.ArgumentParser(prog="make texts", description=__doc__).parse_args()
    raise SystemExit(main())
