"""The sticker on a charger: a code that any phone's camera opens, the ID in words, and how to start.

One SVG of 90 x 130 mm in black on white that loads nothing: any printer and any print shop takes it.
"""

import re
from html import escape
from urllib.parse import unquote, urlsplit

import segno

from domain.chargers import IDENTITY
from domain.sentences import Sentence

WIDTH_MM, HEIGHT_MM = 90, 130
CODE_MM = 66
"""Of the code without the white around it; large enough to be read from half a metre."""

CAPITAL = 0.68
"""How wide a capital is, by the size of its text."""

HOW = ("1. Plug in.", "2. Scan with your phone's camera.", "3. Start, and pay for the units you use.")


_PAGE = re.compile(r"https?://(?P<host>[^/?#]+)(?:/[a-z]{2})?/c/(?P<id>[^/?#]+)/?(?:[?#].*)?", re.I)


class NotOurs(Exception):
    """A code that names no charger; the argument is a sentence for the driver."""


def address(url: str, charger_id: str) -> str:
    """What the code says: the charger's page; `url` is the app's own address."""
    return f"{url.rstrip('/')}/c/{charger_id}"


def scanned(url: str, text: str) -> str:
    """The charger's ID in a scanned code: a sticker's address at `url`, in any language, or the bare ID.

    Raises:
        NotOurs: it is something else.
    """
    found = _PAGE.fullmatch(text.strip())
    if found is not None:
        ours = found["host"].lower() == urlsplit(url).netloc.lower()
        named = unquote(found["id"]) if ours else ""
    else:
        named = text.strip()
    if IDENTITY.fullmatch(named) is None:
        raise NotOurs(Sentence("This code belongs to no charger here. Look for the code above the charger's ID."))
    return named


def sticker(url: str, charger_id: str, place: str = "") -> str:
    """The sticker of one charger, as an SVG.

    A quarter of the code may be scratched or dirty (level Q).
    """
    link = address(url, charger_id)
    parts = (
        _text(13, 8, "Charge here", weight=600),
        _code(link, top=22),
        _text(101, _fitting(10, charger_id), charger_id, weight=700),
        _text(106.5, _fitting(3.4, place), place) if place else "",
        *(_text(112.5 + 4.4 * n, 3.4, step) for n, step in enumerate(HOW)),
        _text(127, _fitting(2.8, opened := f"No camera? Open {link.split('://', 1)[-1]}"), opened),
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH_MM}mm" height="{HEIGHT_MM}mm" '
        f'viewBox="0 0 {WIDTH_MM} {HEIGHT_MM}" font-family="Arial, Helvetica, sans-serif" text-anchor="middle">'
        f"<title>{escape(f'Charger {charger_id}')}</title>"
        f'<rect width="{WIDTH_MM}" height="{HEIGHT_MM}" fill="#fff"/>{"".join(parts)}</svg>'
    )


def _code(link: str, *, top: float) -> str:
    code = segno.make(link, error="q", boost_error=False, micro=False)
    modules = code.symbol_size(border=0)[0]
    drawn = code.svg_inline(border=0, omitsize=True)
    left = (WIDTH_MM - CODE_MM) / 2
    return (
        f'<svg x="{left:g}" y="{top:g}" width="{CODE_MM}" height="{CODE_MM}" viewBox="0 0 {modules} {modules}">'
        f"{drawn}</svg>"
    )


def _text(y: float, size: float, words: str, *, weight: int = 400) -> str:
    return f'<text x="{WIDTH_MM / 2:g}" y="{y:g}" font-size="{size:g}" font-weight="{weight}">{escape(words)}</text>'


def _fitting(most: float, words: str) -> float:
    """The text size in mm, at most `most`, at which the words fit the width."""
    return min(most, round((WIDTH_MM - 8) / (CAPITAL * max(1, len(words))), 2))
