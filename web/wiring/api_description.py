"""The API's description made whole: what each answer holds, ids, headers, limits and examples of every operation."""

import re
from collections.abc import Iterator
from typing import Any

from flask import Flask
from pydantic.json_schema import models_json_schema

from web.wiring.api_answers import DescribedAnswer
from web.wiring.api_examples import example_of
from web.wiring.api_schema import ProblemOut, problem_answer

REFERENCE = "#/components/schemas/{model}"
REQUESTS_A_MINUTE = 600
LANGUAGE = {
    "name": "Accept-Language", "in": "header", "schema": {"type": "string"}, "example": "en",
    "description": "The language of problems and of words in answers: zh or en. Without it, the account's.",
}  # fmt: skip
KEY = {
    "name": "Idempotency-Key", "in": "header", "schema": {"type": "string", "maxLength": 200},
    "example": "7d0f3c0a-6a39-4c8f-9a55-2f7b8f6b6c1e",
    "description": "Of your own making, for one request: sent again within two days it is answered as before"
    " (`Idempotency-Replayed: true`) and nothing happens twice.",
}  # fmt: skip
MATCH = {
    "name": "If-Match", "in": "header", "schema": {"type": "string"}, "example": '"3.5f0c9a1be2d47788"',
    "description": "The ETag of what you read: 412 when somebody changed it since. As `version` in the body.",
}  # fmt: skip
NONE_MATCH = {
    "name": "If-None-Match", "in": "header", "schema": {"type": "string"}, "example": '"3.5f0c9a1be2d47788"',
    "description": "The ETag of what you have: 304 without a body when nothing has changed.",
}  # fmt: skip
TOO_MANY = {
    "description": f"More than {REQUESTS_A_MINUTE} requests a minute of one account",
    "headers": {
        "Retry-After": {"description": "Seconds until the next request may be made", "schema": {"type": "integer"}}
    },
    "content": problem_answer(422)["content"],
}
ETAG = {"ETag": {"description": "For If-None-Match, and for If-Match of a change", "schema": {"type": "string"}}}


def complete(app: Flask, spec: dict[str, Any]) -> None:
    """Write into the description what the views say of themselves. Every operation has an answer with a schema."""
    schemas = spec.setdefault("components", {}).setdefault("schemas", {})
    operations = list(_operations(app, spec))
    models = {described.model for *_, described in operations if described is not None and described.model is not None}
    named, definitions = models_json_schema(
        [(model, "serialization") for model in sorted(models | {ProblemOut}, key=lambda one: one.__name__)],
        ref_template=REFERENCE,
    )
    for name, schema in definitions["$defs"].items():
        if schemas.setdefault(name, schema) != schema and schema.get("type") != "string":
            raise TypeError(f"two schemas of the API are named {name}")
    for view, endpoint, method, operation, described in operations:
        operation["operationId"] = endpoint.removeprefix("api_").replace(".", "_")
        _describe_headers(view, method, operation)
        operation["responses"].setdefault("429", TOO_MANY)
        if described is not None:
            schema = None if described.model is None else named[described.model, "serialization"]
            operation["responses"][str(described.status)] = _answer(schema, method)
            operation["responses"] = dict(sorted(operation["responses"].items()))
        if (words := getattr(view, "described_upload", None)) is not None:
            operation["requestBody"] = _upload(words)
    for *_, operation, _ in operations:
        _add_examples(operation, schemas)


def _operations(
    app: Flask, spec: dict[str, Any]
) -> Iterator[tuple[Any, str, str, dict[str, Any], DescribedAnswer | None]]:
    for rule in app.url_map.iter_rules():
        path = re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", rule.rule)
        for method, operation in spec["paths"].get(path, {}).items():
            if method.upper() in (rule.methods or set()) and method in {"get", "post", "put", "patch", "delete"}:
                view = app.view_functions[rule.endpoint]
                yield view, rule.endpoint, method, operation, getattr(view, "described_answer", None)


def _describe_headers(view: Any, method: str, operation: dict[str, Any]) -> None:
    parameters = operation.setdefault("parameters", [])
    parameters.append(LANGUAGE)
    if method == "get":
        parameters.append(NONE_MATCH)
        operation["responses"]["304"] = {"description": "Nothing has changed", "headers": ETAG}
    if hasattr(view, "offered_acts") or getattr(view, "takes_key", False):
        parameters.append(KEY)
        for status in (400, 409, 422):  # a key too long, of a request that still runs, of another request
            operation["responses"].setdefault(str(status), problem_answer(status))
    if any("version" in act.__dataclass_fields__ for act in getattr(view, "offered_acts", {})):
        parameters.append(MATCH)
        operation["responses"]["412"] = problem_answer(412)


def _answer(schema: dict[str, Any] | None, method: str) -> dict[str, Any]:
    described: dict[str, Any] = {"description": "Taken" if schema is None else "As asked"}
    if schema is not None:
        described["content"] = {"application/json": {"schema": schema}}
    if method == "get":
        described["headers"] = ETAG
    return described


def _upload(words: dict[str, str]) -> dict[str, Any]:
    fields: dict[str, Any] = {name: {"type": "string", "description": said} for name, said in words.items()}
    fields["file"] = {
        "type": "string",
        "format": "binary",
        "description": "PDF, OFD or a picture, at most 10 MB",
    }
    schema = {"type": "object", "properties": fields, "required": [*words, "file"]}
    return {"required": True, "content": {"multipart/form-data": {"schema": schema}}}


def _add_examples(operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    """Examples made from the schemas, so that none is out of date."""
    bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
    for body in bodies:
        for kind, content in body.get("content", {}).items():
            if kind == "application/json" and content.get("schema"):
                content["example"] = example_of(content["schema"], schemas)
