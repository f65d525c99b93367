"""Makes what a charger says fit its schema where that is safe, and notes each repair (ocpp.md Q12)."""

from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from domain.db import storable

Schema = dict[str, Any]
Notes = list[str]

FALLBACKS: dict[str, dict[str, str]] = {
    "errorCode": {"": "OtherError"},
    "reason": {"": "Other"},
    "context": {"": "Other"},
    "location": {"": "Body"},
    "status": {"occupied": "Preparing", "": "Unknown"},
}
"""What an unknown word becomes, by field: an old name's heir (OCPP 1.5 said Occupied), else the entry of "".

Other fields keep the unknown word: a measurand or unit that nobody knows must not be read as the default one.
"""

LARGEST = 2**53
"""Whole numbers beyond this are noise, and some databases refuse them."""

_GONE = object()


def mend(schema: Schema, payload: Any) -> tuple[dict[str, Any], list[str], list[str]]:
    """Repair a payload; gives it with the notes of what was repaired and the names of what is still missing."""
    notes: Notes = []
    if not isinstance(payload, dict):
        notes.append(f"payload of type {type(payload).__name__} dropped")
        payload = {}
    mended = _object(schema, payload, "", notes)
    return mended, notes, [name for name in schema.get("required", ()) if name not in mended]


def answer(schema: Schema, payload: Any) -> tuple[Any, list[str]]:
    """An answer to us, its words as the schema spells them and all else as it came; and notes of what was mended."""
    if not isinstance(payload, dict):
        return payload, []
    told = {name: inner["enum"] for name, inner in schema["properties"].items() if "enum" in inner}
    spelt = {name: same for name, words in told.items() if (same := _same(words, payload.get(name))) is not None}
    notes = [f"{name} {payload[name]!r} read as {same}" for name, same in spelt.items() if same != payload[name]]
    return {**payload, **spelt}, notes


def _mended(schema: Schema, value: Any, name: str, notes: Notes) -> Any:
    return _MENDERS[schema["type"]](schema, value, name, notes)


def _object(schema: Schema, value: Any, name: str, notes: Notes) -> Any:
    if not isinstance(value, dict):
        return _dropped(value, name, notes)
    known = schema["properties"]
    mended = {}
    for key, inner in value.items():
        spelt = key if key in known else _spelt(key, known)
        path = f"{name}.{key}" if name else key
        if spelt is None or (spelt != key and spelt in value):
            notes.append(f"{path[:80]} is unknown, left out")
        elif inner is None:
            notes.append(f"{path} is null, left out")
        else:
            if spelt != key:
                notes.append(f"{path} read as {spelt}")
            fitting = _mended(known[spelt], inner, path, notes)
            if fitting is not _GONE:
                mended[spelt] = fitting
    return mended


def _spelt(key: str, known: Schema) -> str | None:
    return next((name for name in known if name.lower() == key.lower()), None)


def _array(schema: Schema, value: Any, name: str, notes: Notes) -> Any:
    if not isinstance(value, list):
        notes.append(f"{name} made a list of one")
        value = [value]
    fitting = [_mended(schema["items"], inner, name, notes) for inner in value]
    return [inner for inner in fitting if inner is not _GONE]


def _string(schema: Schema, value: Any, name: str, notes: Notes) -> Any:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return _dropped(value, name, notes)
    if not isinstance(value, str):
        notes.append(f"{name} made text of a number")
        value = str(value)
    if "enum" in schema and value not in schema["enum"]:
        return _word(schema["enum"], value, name, notes)
    text = storable(value)
    if text != value:
        notes.append(f"{name} cleared of what is no text")
    if len(text) > schema.get("maxLength", len(text)):
        notes.append(f"{name} cut from {len(text)} to {schema['maxLength']} characters")
        text = text[: schema["maxLength"]]
    return text


def _word(words: list[str], value: str, name: str, notes: Notes) -> Any:
    if not value.strip():
        notes.append(f"{name} is empty, left out")
        return _GONE
    if same := _same(words, value):
        notes.append(f"{name} {value!r} read as {same}")
        return same
    heirs = FALLBACKS.get(name.rpartition(".")[2], {})
    word = heirs.get(value.lower(), heirs.get("", storable(value, 50)))
    notes.append(f"{name} {storable(value, 50)!r} is unknown, taken as {word}")
    return word


def _same(words: list[str], value: Any) -> str | None:
    """The word of the schema that is meant, in whatever case and with blanks around it."""
    told = value.strip().lower() if isinstance(value, str) else None
    return next((word for word in words if word.lower() == told), None)


def _integer(schema: Schema, value: Any, name: str, notes: Notes) -> Any:
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= LARGEST:
        return value
    try:
        exact = Decimal(str(value).strip())
        if not abs(exact) <= LARGEST:
            return _dropped(value, name, notes)
    except InvalidOperation:
        return _dropped(value, name, notes)
    notes.append(f"{name} {str(value)[:40]!r} read as a whole number")
    return int(exact.to_integral_value(ROUND_HALF_UP))


def _dropped(value: Any, name: str, notes: Notes) -> Any:
    shown = repr(value)[:40] if isinstance(value, (str, int, float)) else f"of type {type(value).__name__}"
    notes.append(f"{name} {shown} cannot be read, left out")
    return _GONE


_MENDERS: dict[str, Callable[[Schema, Any, str, Notes], Any]] = {
    "object": _object,
    "array": _array,
    "string": _string,
    "integer": _integer,
}
