"""The document of the API (OpenAPI 3.1), made from the same table that serves it, so that neither can lie."""

from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from api import problems
from api.incoming import IDEMPOTENCY_KEY
from api.operation import Kind, Operation
from api.shapes import Part
from domain.api_keys import SCOPES

VERSION = "1.0.0"
PREFIX = "/api/v1"
REFERENCE = "#/components/schemas/{model}"
ALWAYS = (400, 401, 403, 422, 429, 500)
WITH_A_BODY = (408, 409, 413, 415)
ABOUT = """Chargers, charging sessions, cards, prices, users, money, findings and records, for operators' programs.

Money is whole paise, energy whole Wh, times are RFC 3339 in UTC. Writes honour an `Idempotency-Key`. Errors are
`application/problem+json` (RFC 9457) with one sentence for people in `detail`. docs/api.md tells how to use it."""


class Flaw(BaseModel):
    """Where a request is not right."""

    where: str
    what: str


class Problem(BaseModel):
    """Why something was not done."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[Flaw] = []


def document(operations: Sequence[Operation]) -> dict[str, Any]:
    """The whole document."""
    names, schemas = _schemas(operations)
    refusals = sorted({status for operation in operations for status in _refuses(operation)})
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation, names)
    return {
        "openapi": "3.1.0",
        "info": {"title": "evapp for operators", "version": VERSION, "description": ABOUT},
        "servers": [{"url": PREFIX}],
        "security": [{"key": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "key": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A key made by `python -m domain apikey create`. What it may: "
                    + "; ".join(f"`{scope}`: {what}" for scope, what in SCOPES.items())
                    + ".",
                }
            },
            "schemas": schemas,
            "responses": {str(status): _refusal(status, names) for status in refusals},
        },
    }


def _schemas(operations: Iterable[Operation]) -> tuple[dict[type[BaseModel], dict[str, Any]], dict[str, Any]]:
    bodies = {operation.body for operation in operations if operation.body is not None}
    answers = {operation.answers for operation in operations} | {Problem}
    wanted = [
        *((model, "validation") for model in sorted(bodies, key=_called)),
        *((model, "serialization") for model in sorted(answers, key=_called)),
    ]
    found, definitions = models_json_schema(wanted, ref_template=REFERENCE)  # type: ignore[arg-type]
    return {model: found[model, mode] for model, mode in wanted}, definitions["$defs"]  # type: ignore[index]


def _called(model: type[BaseModel]) -> str:
    return model.__name__


def _operation(operation: Operation, names: dict[type[BaseModel], dict[str, Any]]) -> dict[str, Any]:
    summary, _, more = operation.says.partition("\n")
    told: dict[str, Any] = {
        "operationId": operation.name,
        "summary": summary.rstrip("."),
        "tags": [operation.path.split("/")[1]],
        "security": [{"key": [operation.scope]}],
        "parameters": [*_in_path(operation), *_in_query(operation), *_in_header(operation)],
        "responses": _responses(operation, names),
    }
    if more.strip():
        told["description"] = " ".join(more.split())
    if operation.body is not None:
        told["requestBody"] = {"required": True, "content": {"application/json": {"schema": names[operation.body]}}}
    return told


def _in_path(operation: Operation) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": of.json_schema()}
        for name, of in operation.of_path.items()
    ]


def _in_query(operation: Operation) -> list[dict[str, Any]]:
    schema = operation.query.model_json_schema()
    return [
        {
            "name": name,
            "in": "query",
            "required": False,
            **({"description": what["description"]} if "description" in what else {}),
            "schema": _without_null(what),
        }
        for name, what in schema.get("properties", {}).items()
    ]


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """In an address what is left out is left out; there is no null."""
    choices = [choice for choice in schema.get("anyOf", [schema]) if choice.get("type") != "null"]
    return {name: value for name, value in choices[0].items() if name not in ("title", "description")}


def _in_header(operation: Operation) -> list[dict[str, Any]]:
    if operation.kind is Kind.READ:
        return []
    says = (
        "A name for this wish, new for each and the same when it is sent again: then the first answer is given again."
    )
    schema = {"type": "string", "pattern": f"^{IDEMPOTENCY_KEY}$"}
    return [
        {
            "name": "Idempotency-Key",
            "in": "header",
            "required": operation.named,
            "description": says,
            "schema": schema,
        }
    ]


def _refuses(operation: Operation) -> set[int]:
    """The statuses that it may answer with when it was not done."""
    refused = {*ALWAYS, *operation.refuses, *((404,) if operation.of_path else ())}
    return refused | {*WITH_A_BODY} if operation.kind is not Kind.READ else refused


def _responses(operation: Operation, names: dict[type[BaseModel], dict[str, Any]]) -> dict[str, Any]:
    return {
        str(operation.status): {
            "description": (operation.answers.__doc__ or Part.__doc__ or "").strip().partition("\n")[0],
            "content": {"application/json": {"schema": names[operation.answers]}},
        },
        **{str(status): {"$ref": f"#/components/responses/{status}"} for status in sorted(_refuses(operation))},
    }


def _refusal(status: int, names: dict[type[BaseModel], dict[str, Any]]) -> dict[str, Any]:
    told: dict[str, Any] = {
        "description": problems.TITLES[status],
        "content": {problems.MEDIA: {"schema": names[Problem]}},
    }
    if status == 429:
        told["headers"] = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer", "minimum": 1}}}
    return told
