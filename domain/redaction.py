"""What is a secret by its name, and how it is hidden in whatever is kept: logs, the trail, the journal, evidence."""

import json
import math
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

HIDDEN = "[hidden]"
"""Stands where a secret was."""
SECRET = re.compile(
    r"pin(?!g)|puk|token|secret|passw|passphrase|pwd|psk|credential|authorization|cookie|vpa|(?<!by)pass\d*$"
    r"|(?:hmac|private|shared|wifi|wpa|wep|aes|encryption|vpn|ssh|api)[ _.-]?key"
    r"|^endpoint$|^p256dh$|^auth$"
)
"""Parts of the names, in lower case, of values that are never kept; makers of chargers have many for one thing."""
HARMLESS = frozenset({"authorizationcacheenabled", "localauthorizationlist"})
"""Names of OCPP that only sound like secrets: a setting, and the cards of a SendLocalList."""
CREDENTIALS = re.compile(r"://[^/\s:\"]*:(?:(?!://)[^\s\"])*@")
"""A name and a password in an address. People write a password as it is, so it ends at the last at sign before a space,
a quotation mark or another address: rather too much is hidden than a part of it left."""
SHORT = 60
"""Characters of a name that is remembered: the same few come with every message, long ones only from strangers."""

Text = Callable[[str], str]
Shown = Callable[[Any], str]
ByName = Callable[[str], Shown | None]
"""How the value of a name is shown; None where its name gives no reason to hide it."""


def is_secret(name: str) -> bool:
    """Whether values of this name, of a field or of a charger's setting, are never kept."""
    folded = name.casefold()
    return SECRET.search(folded) is not None and folded not in HARMLESS


def wholly(_: Any) -> str:
    """Nothing of a secret is shown."""
    return HIDDEN


def its_end(value: Any) -> str:
    """The end of a phone number, by which its owner knows it again."""
    return f"…{str(value)[-4:]}"


def by_name(name: str) -> Shown | None:
    """How the value of this name is shown: nothing of a secret, the end of a phone number."""
    return _remembered(name) if len(name) <= SHORT else _by_name(name)


def _by_name(name: str) -> Shown | None:
    if is_secret(name):
        return wholly
    return its_end if "phone" in name.casefold() else None


_remembered = lru_cache(1_000)(_by_name)


def without_password(text: str) -> str:
    """The text without the name and the password in any address."""
    return CREDENTIALS.sub(f"://{HIDDEN}@", text) if "@" in text else text


def hidden(value: Any, text: Text = without_password, names: ByName = by_name, depth: float = math.inf) -> Any:
    """The same value as JSON has it, without secrets.

    Args:
        value: anything; what JSON has no form for becomes text.
        text: what is kept of a text, and of the name of a field.
        names: how the values of names are shown.
        depth: how many levels are kept; what lies deeper is hidden.
    """
    if isinstance(value, str):
        return _read(value, text, names, depth) if value.lstrip()[:1] in ("{", "[") else text(value)
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if depth <= 0:
        return HIDDEN
    if isinstance(value, (list, tuple, set, frozenset)):
        return [hidden(inner, text, names, depth - 1) for inner in value]
    if isinstance(value, (dict, Mapping)):
        return _fields(value, text, names, depth - 1)
    return text(str(value))


def _read(told: str, text: Text, names: ByName, depth: float) -> str:
    """A text that is JSON itself, as the data of a DataTransfer may be."""
    try:
        inner = json.loads(told)
        kept = hidden(inner, text, names, depth)
    except (ValueError, RecursionError):
        return text(told)
    return text(told if kept == inner else json.dumps(kept))


def _fields(fields: Mapping[Any, Any], text: Text, names: ByName, depth: float) -> dict[str, Any]:
    """Of a charger's setting, the field `key`, in any case, is the name of what the field `value` holds."""
    spelt = {str(name).lower(): name for name in fields}
    setting, value = fields.get(spelt.get("key")), spelt.get("value")
    kept = {}
    for field, inner in fields.items():
        name = str(field)
        shown = names(str(setting) if setting and field == value else name)
        kept[text(name)] = shown(inner) if shown else hidden(inner, text, names, depth)
    return kept
