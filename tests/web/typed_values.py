"""A value of any view: each field gets something of its own type, so that a template meets all that it may read."""

import types
import typing
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from enum import Enum
from typing import Any, get_args, get_origin
from uuid import UUID

from tests.dispatch.builders import TEN

PLAIN: dict[type, object] = {
    str: "1",
    int: 1,
    float: 1.0,
    bool: True,
    datetime: TEN,
    date: TEN.date(),
    UUID: UUID(int=1),
}


def a_value(wanted: Any, **given: object) -> Any:
    """One value of this type; ``given`` names fields of a view that should have another one."""
    if get_origin(wanted) in {typing.Union, types.UnionType}:
        return a_value(next(one for one in get_args(wanted) if one is not type(None)))
    if get_origin(wanted) in {list, tuple}:
        parts = [part for part in get_args(wanted) if part is not Ellipsis]
        return get_origin(wanted)(a_value(part) for part in parts)
    if get_origin(wanted) is dict:
        return {}
    if is_dataclass(wanted):
        hints = typing.get_type_hints(wanted)
        return wanted(**{one.name: given.get(one.name, a_value(hints[one.name])) for one in fields(wanted)})
    if issubclass(wanted, Enum):
        return next(iter(wanted))
    return PLAIN[wanted] if wanted in PLAIN else wanted("1") if issubclass(wanted, str) else wanted()
