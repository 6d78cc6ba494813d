"""What the OpenAPI document says of an answer, and how a real answer differs from it."""

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jsonschema_rs
from werkzeug.test import TestResponse

METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True)
class Description:
    """An OpenAPI document."""

    spec: dict[str, Any]

    @cached_property
    def operations(self) -> dict[str, dict[str, Any]]:
        """Each operation under its method and path."""
        return {
            f"{method.upper()} {path}": operation
            for path, methods in self.spec["paths"].items()
            for method, operation in methods.items()
            if method in METHODS
        }

    @cached_property
    def _closed(self) -> dict[str, Any]:
        """The components, with objects that hold nothing but what they describe."""
        return {"schemas": {name: _close(one) for name, one in self.spec["components"]["schemas"].items()}}

    def resolved(self, schema: dict[str, Any]) -> dict[str, Any]:
        """What a reference names."""
        if "$ref" not in schema:
            return schema
        found: dict[str, Any] = self.spec["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]]
        return found

    def content_of(self, method: str, path: str, status: int, kind: str = "application/json") -> dict[str, Any]:
        """How an answer of this operation is described. Raises KeyError for one that is not."""
        found: dict[str, Any] = self._operation(method, path)["responses"][str(status)]["content"][kind]
        return found

    def _operation(self, method: str, path: str) -> dict[str, Any]:
        for label, operation in self.operations.items():
            known, pattern = label.split(" ", 1)
            if known == method and re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", pattern), path):
                return operation
        raise KeyError(f"{method} {path}")

    def faults(self, content: dict[str, Any], value: object) -> list[str]:
        """What differs: a type, a missing field, one that is not described."""
        schema = {"$ref": "#/wanted", "wanted": _close(content["schema"]), "components": self._closed}
        found = jsonschema_rs.Draft202012Validator(schema).iter_errors(value)
        return [f"{one.message[:200]} at {list(one.instance_path)}" for one in found]

    def check(self, method: str, path: str, answer: TestResponse) -> None:
        """A real answer is what the document says. Raises AssertionError."""
        described = self._operation(method, path)["responses"]
        assert str(answer.status_code) in described, (
            f"{method} {path} answers {answer.status_code}: {answer.text[:300]}"
        )
        kinds = described[str(answer.status_code)].get("content", {})
        if not kinds:
            assert answer.text == "", f"{method} {path} answers more than nothing"
            return
        faults = self.faults(kinds[answer.content_type], answer.json)
        assert faults == [], f"{method} {path} {answer.status_code}: {faults}"


def _close(schema: Any) -> Any:
    """The same, holding no field that it does not name."""
    if isinstance(schema, list):
        return [_close(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: _close(one) for key, one in schema.items()}
    if schema.get("type") == "object" and "properties" in schema:
        closed.setdefault("additionalProperties", False)
    return closed
