"""What a request brings, read strictly: its key, its address, its filters, its body."""

import asyncio
import json
import math
import re
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from pydantic import BaseModel, TypeAdapter, ValidationError
from starlette.requests import ClientDisconnect, Request

from api.problems import Problem

M = TypeVar("M", bound=BaseModel)

LARGEST = 262_144
"""Bytes of a body: a quarter of the largest frame of a charger (docs/adr/0006), and many times the largest command."""
PATIENCE_S = 10.0
"""How long a body may take to come."""
MOST_FILTERS = 50
_KEY = re.compile(r"Bearer ([!-~]{1,200})", re.IGNORECASE)
IDEMPOTENCY_KEY = r"[A-Za-z0-9_.:-]{1,64}"


def key(request: Request) -> str:
    """The key it brings; empty for none, and for more than one."""
    given = request.headers.getlist("authorization")
    match = _KEY.fullmatch(given[0].strip()) if len(given) == 1 else None
    return match[1] if match else ""


def idempotency_key(request: Request, *, needed: bool) -> str:
    """The name by which its caller knows it; empty for none."""
    given = request.headers.getlist("idempotency-key")
    if not given and not needed:
        return ""
    if not given:
        raise Problem(
            400,
            "idempotency-key-missing",
            "This moves money or commands something, so it must bring an Idempotency-Key: a new one for each wish, "
            "the same one when it is sent again. Nothing was done.",
        )
    if len(given) > 1 or not re.fullmatch(IDEMPOTENCY_KEY, given[0]):
        raise Problem(
            400,
            "idempotency-key-unreadable",
            "An Idempotency-Key comes once, and has 1 to 64 letters, digits and the characters _ . : - only. "
            "Nothing was done.",
        )
    return given[0]


def path(wanted: dict[str, TypeAdapter[Any]], request: Request) -> dict[str, Any]:
    """What stands in the braces of its address."""
    found = {}
    for name, of in wanted.items():
        try:
            found[name] = of.validate_strings(request.path_params[name])
        except ValidationError as error:
            raise _wrong("path", error, name) from None
    return found


def query(wanted: type[M], request: Request) -> M:
    """The filters, each at most once."""
    try:
        pairs = parse_qsl(
            request.scope["query_string"].decode("ascii"),
            keep_blank_values=True,
            max_num_fields=MOST_FILTERS,
            errors="strict",
        )
    except ValueError:
        raise Problem(400, "query-unreadable", "What stands behind the ? of the address cannot be read.") from None
    filters = dict(pairs)
    if len(filters) != len(pairs):
        raise Problem(400, "query-unreadable", "A filter stands twice in the address.")
    try:
        return wanted.model_validate_strings(filters)
    except ValidationError as error:
        raise _wrong("query", error) from None


async def body(wanted: type[M] | None, request: Request) -> tuple[str, M | None]:
    """The body, in one spelling that compares, and read."""
    if wanted is None:
        return "", None
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Problem(415, "not-json", "This address takes a body of application/json.")
    raw = await _bytes(request)
    try:
        plain = json.loads(
            raw, object_pairs_hook=_once, parse_constant=_no_number, parse_float=_finite, parse_int=_of_64_bits
        )
        spelt = json.dumps(plain, sort_keys=True)
        return spelt, wanted.model_validate_json(raw)
    except ValidationError as error:
        if any(one["type"] == "json_invalid" for one in error.errors()):
            raise _unreadable() from None
        raise _wrong("body", error) from None
    except (ValueError, RecursionError):
        raise _unreadable() from None


async def _bytes(request: Request) -> bytes:
    gathered = bytearray()
    try:
        async with asyncio.timeout(PATIENCE_S):
            async for piece in request.stream():
                gathered += piece
                if len(gathered) > LARGEST:
                    raise Problem(413, "too-large", f"A body has at most {LARGEST // 1024} KiB. Nothing was done.")
    except TimeoutError:
        raise Problem(408, "too-slow", f"The body took more than {PATIENCE_S:.0f} s. Nothing was done.") from None
    except ClientDisconnect:
        raise Problem(400, "broken-off", "The request broke off. Nothing was done.") from None
    return bytes(gathered)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Of a name that comes twice, somebody before us may have read the other one."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name comes twice")
    return found


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _finite(digits: str) -> float:
    if not math.isfinite(number := float(digits)):
        raise ValueError("a number is too large")
    return number


def _of_64_bits(digits: str) -> int:
    if not -(2**63) <= (number := int(digits)) < 2**63:
        raise ValueError("a number is too large")
    return number


def _unreadable() -> Problem:
    return Problem(
        400, "body-unreadable", "The body is no JSON, or nobody could read it twice alike. Nothing was done."
    )


def _wrong(where: str, error: ValidationError, *names: str) -> Problem:
    errors = [
        {
            "where": ".".join(str(step) for step in (where, *names, *one["loc"])),
            "what": one["msg"].removeprefix("Value error, "),
        }
        for one in error.errors(include_url=False, include_input=False, include_context=False)
    ]
    detail = "; ".join(f"{one['where']}: {one['what']}" for one in errors[:3])
    return Problem(422, "not-right", f"Something in the request is not right. {detail}. Nothing was done.", errors)
