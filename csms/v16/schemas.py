"""The messages of OCPP 1.6 as the `ocpp` package's schemas define them; what we send must fit them exactly."""

import json
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any

import jsonschema_rs
from jsonschema import Draft4Validator  # type: ignore[import-untyped]
from jsonschema.exceptions import best_match  # type: ignore[import-untyped]

from domain.events import CALLS

_FILES = {
    path.name.removesuffix(".json"): path
    for path in files("ocpp.v16").joinpath("schemas").iterdir()
    if path.name.endswith(".json")
}

CALLABLE = frozenset(CALLS)
"""What a central system may ask a charger."""


@cache
def schema(name: str) -> dict[str, Any]:
    """The schema of a request (`Heartbeat`) or a response (`HeartbeatResponse`).

    Raises:
        KeyError: OCPP 1.6 has no such message.
    """
    # Decimals, because `multipleOf: 0.1` is wrong for most binary floats.
    loaded: dict[str, Any] = json.loads(_FILES[name].read_text("utf-8-sig"), parse_float=Decimal)
    whole: dict[str, Any] = _spelt_out(loaded, loaded.pop("definitions", {}))
    return whole


def _spelt_out(part: Any, definitions: dict[str, Any]) -> Any:
    """The security extension's schemas refer to definitions; whoever mends a payload wants them in their places."""
    if isinstance(part, list):
        return [_spelt_out(inner, definitions) for inner in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        return _spelt_out(definitions[part["$ref"].rpartition("/")[2]], definitions)
    return {key: _spelt_out(inner, definitions) for key, inner in part.items()}


@cache
def _validator(name: str) -> Any:
    return Draft4Validator(schema(name))


@cache
def _compiled(name: str) -> jsonschema_rs.Draft4Validator:
    return jsonschema_rs.Draft4Validator(schema(name))


def fits(name: str, payload: Any) -> bool:
    """Whether a payload is valid, in a few microseconds; some valid ones are not known to be (performance.md 4)."""
    try:
        return _compiled(name).is_valid(payload)
    except ValueError:  # halves of characters, numbers beyond 64 bits
        return False


def flaw(name: str, payload: Any) -> str:
    """What is wrong with a payload, in one line; empty when nothing is.

    Raises:
        KeyError: OCPP 1.6 has no such message.
    """
    if fits(name, payload):
        return ""
    exact = json.loads(json.dumps(payload), parse_float=Decimal)
    error = best_match(_validator(name).iter_errors(exact))
    if error is None:
        return ""
    where = ".".join(str(step) for step in error.absolute_path)
    return f"{where}: {error.message}" if where else str(error.message)
