"""Schemas: what every body and answer of the API has in common; unknown fields are refused."""

from datetime import date, datetime
from typing import Annotated, Any

from flask import Request
from flask.json.provider import DefaultJSONProvider
from pydantic import BaseModel, ConfigDict, Field

from dispatch.core.shanghai_time import in_shanghai
from web.wiring.field_faults import FieldFault

Id = Annotated[int, Field(ge=1, le=2**63 - 1)]
Day = Annotated[date, Field(ge=date(2000, 1, 1), le=date(2100, 12, 31))]  # what the calendar can reckon with


MOST_DEPTH, MOST_VALUES = 32, 100_000


class Json(DefaultJSONProvider):
    """JSON as programs expect it: days and instants in ISO 8601, Chinese as it is written; bounded as it comes in.

    Every instant carries Jiangsu's offset, whether it comes from a row or from a step that was just taken."""

    ensure_ascii = False

    @staticmethod
    def default(value: Any) -> Any:
        if isinstance(value, datetime):
            return in_shanghai(value).isoformat()
        if isinstance(value, date):
            return value.isoformat()
        return DefaultJSONProvider.default(value)

    def loads(self, s: str | bytes, **more: Any) -> Any:
        """What a body says. Raises ValueError for what no body of ours is: too deep, too many values, no number."""
        try:
            found = super().loads(s, parse_constant=_no_number, **more)
        except RecursionError:
            raise ValueError("nested too deeply") from None
        _check_bounds(found)
        return found


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no number")


def _check_bounds(found: Any) -> None:
    """Level by level, so that depth costs no stack. Raises ValueError."""
    level, values = [found], 0
    for _ in range(MOST_DEPTH):
        if not level:
            return
        level = [
            inner for one in level if isinstance(one, dict | list)
            for inner in (one.values() if isinstance(one, dict) else one)
        ]  # fmt: skip
        values += len(level)
        if values > MOST_VALUES:
            raise ValueError("too many values")
    if level:
        raise ValueError("nested too deeply")


class ApiRequest(Request):
    """No body at all is a body without fields; bytes of an address that are no text are read as the mark for such."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.query_string = self.query_string.decode("utf-8", "replace").encode()

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
    """What went wrong (RFC 9457), in the language of ``Accept-Language``; ``code`` never changes with it."""

    type: str
    title: str
    status: int
    code: str
    detail: str | None = None
    errors: list[FieldFault] | None = None
    facts: dict[str, Any] | None = None


PROBLEMS: dict[int, str] = {
    400: "The body is not JSON, or a cursor is not one of ours",
    401: "No token and no session",
    403: "The account waits for its approval",
    404: "Absent, not yours, or not for your role",
    409: "The stage does not allow it, or somebody else changed it",
    412: "If-Match names a version that is not the latest any more",
    422: "A value is missing, wrong or unknown",
    429: "Too many requests",
}


def problems(*statuses: int) -> Any:
    """For ``@bp.doc(responses=problems(404, 409))``: the problems of one operation, beside those that any may have."""
    return {status: problem_answer(status) for status in sorted({400, 401, 403, 404, *statuses})}


def problem_answer(status: int) -> dict[str, Any]:
    """A problem of this status as the description has it."""
    reference = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemOut"}}}
    return {"description": PROBLEMS[status], "content": reference}
