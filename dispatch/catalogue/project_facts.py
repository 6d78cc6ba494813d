"""Project facts: what a project's row keeps, as the facts that decide which matters apply."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from functools import lru_cache
from math import isfinite
from typing import Any, get_type_hints

from dispatch.path.applicability import Facts


def facts_of(given: Mapping[str, Any]) -> Facts:
    """A project's facts as its row keeps them; what is not given keeps its default. Raises ValueError."""
    kinds = _fact_kinds()
    values: dict[str, Any] = {}
    for name, value in given.items():
        kind = kinds.get(name)
        if kind is None or value is None:
            continue
        if kind is bool and not isinstance(value, bool):
            raise ValueError(f"{name} is {value!r}, neither true nor false")
        if kind is float and not _is_amount(value):
            raise ValueError(f"{name} is {value!r}, not a number")
        values[name] = kind(value)
    return Facts(**values)


def _is_amount(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


@lru_cache(maxsize=1)
def _fact_kinds() -> dict[str, type]:
    hints = get_type_hints(Facts)
    return {field.name: hints[field.name] for field in fields(Facts)}
