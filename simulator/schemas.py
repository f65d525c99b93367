"""What a message of OCPP 1.6 may look like, from the schemas that the ocpp package carries."""

import json
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any

from jsonschema import Draft4Validator  # type: ignore[import-untyped]
from jsonschema.exceptions import best_match  # type: ignore[import-untyped]


@cache
def _validator(name: str) -> Any | None:
    schema = files("ocpp.v16").joinpath("schemas", f"{name}.json")
    if not name.isalnum() or not schema.is_file():
        return None
    # Decimals, because `multipleOf: 0.1` is wrong for most binary floats.
    return Draft4Validator(json.loads(schema.read_text("utf-8-sig"), parse_float=Decimal))


def known(name: str) -> bool:
    """Tell whether OCPP 1.6 has a message of this name (`Heartbeat`, `HeartbeatResponse`)."""
    return _validator(name) is not None


def flaw(name: str, payload: Any) -> str | None:
    """Say in one line what is wrong with the payload of a known message; None when nothing is."""
    validator = _validator(name)
    if validator is None:
        return f"OCPP 1.6 has no message {name}"
    error = best_match(validator.iter_errors(payload))
    if error is None:
        return None
    where = ".".join(str(step) for step in error.absolute_path)
    return f"{name}{'.' if where else ''}{where}: {error.message}"
