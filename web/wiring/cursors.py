"""Cursors: where a list goes on, as an opaque word that names the last row and not a number of rows."""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from werkzeug.exceptions import BadRequest

R = TypeVar("R")


def encode(*values: str | int | float) -> str:
    """The sort values of the last row shown, as one word."""
    return base64.urlsafe_b64encode(json.dumps(values, separators=(",", ":")).encode()).decode().rstrip("=")


def decode(cursor: str | None, *kinds: type) -> tuple[Any, ...] | None:
    """The values of a cursor, one of each kind; None for the first page. Raises BadRequest when it is not ours."""
    if not cursor:
        return None
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError):
        raise BadRequest("not a cursor") from None
    if not isinstance(values, list) or len(values) != len(kinds):
        raise BadRequest("not a cursor")
    if any(type(value) is not kind for value, kind in zip(values, kinds, strict=True)):
        raise BadRequest("not a cursor")
    return tuple(values)


def page(rows: Sequence[R], limit: int, key: Callable[[R], Sequence[str | int | float]]) -> tuple[list[R], str | None]:
    """Of ``limit + 1`` rows that were asked for, those to show and the cursor of the next page, if there is one."""
    shown = list(rows[:limit])
    return shown, encode(*key(shown[-1])) if len(rows) > limit else None
