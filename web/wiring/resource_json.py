"""Views as JSON: one function turns their dataclasses into what the API answers."""

from collections.abc import Collection
from dataclasses import fields, is_dataclass
from typing import Any


def as_json(view: object, but: Collection[str] = ()) -> dict[str, Any]:
    """A view's fields by name; a field whose name Python keeps for itself says its name in ``metadata["json"]``.

    ``but``: fields that are not sent."""
    if not is_dataclass(view):
        raise TypeError(f"{type(view).__name__} is no view")
    return {
        one.metadata.get("json", one.name): _plain(getattr(view, one.name))
        for one in fields(view)
        if one.name not in but
    }


def _plain(value: object) -> object:
    if is_dataclass(value):
        return as_json(value)
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value
