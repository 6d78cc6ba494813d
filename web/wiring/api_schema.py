"""Schemas: what every body and answer of the API has in common; unknown fields are refused."""

from datetime import date
from typing import Annotated, Any

from flask import Request
from flask.json.provider import DefaultJSONProvider
from pydantic import BaseModel, ConfigDict, Field

Id = Annotated[int, Field(ge=1, le=2**63 - 1)]
Day = Annotated[date, Field(ge=date(2000, 1, 1), le=date(2100, 12, 31))]  # what the calendar can reckon with


class Json(DefaultJSONProvider):
    """JSON as programs expect it: days and instants in ISO 8601, Chinese as it is written."""

    ensure_ascii = False

    @staticmethod
    def default(value: Any) -> Any:
        if isinstance(value, date):
            return value.isoformat()
        return DefaultJSONProvider.default(value)


class ApiRequest(Request):
    """No body at all is a body without fields: what may be left out need not be sent as ``{}``."""

    def get_json(self, force: bool = False, silent: bool = False, cache: bool = True) -> Any:
        return super().get_json(force, silent, cache) if self.get_data(cache=True) else None


class Strict(BaseModel):
    """A body that is taken as it is written, or not at all."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class OutModel(BaseModel):
    """What we answer; made from our own rows."""

    model_config = ConfigDict(from_attributes=True)


class PageQuery(Strict):
    """Where a list goes on, and how much of it."""

    cursor: str | None = Field(default=None, max_length=400, description="`next_cursor` of the page before")
    limit: int = Field(default=50, ge=1, le=200)


class ProblemOut(BaseModel):
    """What went wrong (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str | None = None
    errors: Any = None
    facts: dict[str, Any] | None = None


PROBLEMS: dict[int, str] = {
    400: "The body is not JSON, or a cursor is not one of ours",
    401: "No token and no session",
    403: "The account waits for its approval",
    404: "Absent, not yours, or not for your role",
    409: "The stage does not allow it, or somebody else changed it",
    422: "A value is missing, wrong or unknown",
    429: "Too many requests",
}


def problems(*statuses: int) -> Any:
    """For ``@bp.doc(responses=problems(404, 409))``: the problems of one operation, beside those that any may have."""
    reference = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemOut"}}}
    possible = sorted({400, 401, 403, 404, *statuses})
    return {status: {"description": PROBLEMS[status], "content": reference} for status in possible}
