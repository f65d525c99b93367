"""JSON that is none as some chargers write it, read where it is plain what they mean."""

import json
import re
from typing import Any

_TEXT = r'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)'
"""A text, to its end or to the frame's; what stands in it is no part of the frame's own signs."""
_ODD = re.compile(rf"(?P<text>{_TEXT})|(?P<open>[\[{{])(?:\s*,)+|,(?=\s*[,\]}}])|:(?=\s*[,\]}}])", re.DOTALL)
_BRACKET = re.compile(rf"{_TEXT}|[\[{{\]}}]", re.DOTALL)
_ANSWER = re.compile(r'\s*\[\s*"?[34]"?\s*,')
_CLOSES = {"[": "]", "{": "}"}

LONGEST = 64 * 1024
"""Characters of a frame that is looked at so closely; those that chargers break are hundreds of times shorter."""

CONTROLS = "control characters within a text"
COMMAS = "a comma too many, or a value too few"
CUT = "an answer cut off, its brackets closed"


def read(text: str) -> tuple[Any, tuple[str, ...]]:
    """What a text says as JSON, and notes of what was mended for that.

    Wallbe writes NULs into its texts; Beny begins a list with a comma; AEFA leaves the number of a charge out where
    none was given to it, which is null; Grizzl-E forgets the last brackets of an answer. A call that is cut off is not
    mended: what is missing of it may be a register.

    Raises:
        ValueError: it is no JSON, and nobody can say what it means.
        RecursionError: it is nested too deeply.
    """
    try:
        return json.loads(text), ()
    except ValueError:
        if len(text) > LONGEST:
            raise
    whole = _ODD.sub(_mended, text)
    closed = _closed(whole) if _ANSWER.match(text) else whole
    for form, note in ((text, CONTROLS), (whole, COMMAS), (closed, CUT)):
        try:
            return json.loads(form, strict=False), (note,)
        except ValueError:
            continue
    raise ValueError("no JSON")


def _mended(odd: re.Match[str]) -> str:
    return odd["text"] or odd["open"] or (":null" if odd[0] == ":" else "")


def _closed(text: str) -> str:
    wanted: list[str] = []
    for bracket in _BRACKET.findall(text):
        if bracket in _CLOSES:
            wanted.append(_CLOSES[bracket])
        elif wanted and bracket == wanted[-1]:
            wanted.pop()
    return text + "".join(reversed(wanted))
