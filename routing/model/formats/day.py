"""The whole model as JSON: every field of a Problem under its own name, read back to the same problem.

The form follows from the dataclasses themselves, and so does its schema: a field that is added to the model is in the
file at once. What has its usual value may be left out. A key that is not known is refused by its path, not passed over.
A way that cannot be driven is null in a matrix. ``setup_s``, seconds for each place, are part of the ways once read.
"""

from __future__ import annotations

import enum
import types
import typing
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any

import numpy as np

from routing.model.formats.instance import Instance
from routing.model.formats.json_values import as_list, as_object
from routing.model.formats.numbered import Malformed
from routing.model.formats.parsed import Rounding
from routing.model.problem import Objective, Problem
from routing.model.profile import UNREACHABLE, Profile
from routing.model.quantities import InvalidProblem
from routing.model.request import Request
from routing.model.shared_setup import with_shared_setup
from routing.model.vehicle import Vehicle

FORM = "daiban-day/1"
"""The first key of a file, ``form``. A change that an old file does not survive gets another number."""
_PARTS: dict[str, Any] = {"requests": tuple[Request, ...], "vehicles": tuple[Vehicle, ...], "objective": Objective}


def parse(raw: object, name: str = "") -> Instance:
    """The day in a JSON value. Raises Malformed with the path of what is no day."""
    problem = problem_from(raw)
    names: dict[tuple[str, int], int | str] = {
        (request.id, side): request.id for request in problem.requests for side in range(len(request.stops))
    }
    return Instance(name, problem, Rounding.AS_GIVEN, 1, names, in_terms=True)


def problem_from(raw: object) -> Problem:
    """The problem in plain values. Raises Malformed, which names the path."""
    day = as_object("", raw, {"form", "profiles", "points", "setup_s", *_PARTS})
    if day.get("form") != FORM:
        raise Malformed(None, f"form is {day.get('form')!r}: it must be {FORM!r}")
    for key in ("profiles", "requests", "vehicles"):
        if key not in day:
            raise Malformed(None, f"{key} is missing")
    profiles = tuple(_profile(f"profiles[{at}]", each) for at, each in enumerate(as_list("profiles", day["profiles"])))
    parts = {key: _value(key, form, day[key]) for key, form in _PARTS.items() if key in day}
    points = day.get("points")
    if points is not None:
        parts["points"] = _value("points", tuple[tuple[float, float], ...], points)
    setup_s = _value("setup_s", tuple[int, ...], day.get("setup_s", []))
    try:
        problem = Problem(profiles, **parts)
        return with_shared_setup(problem, setup_s) if "setup_s" in day else problem
    except InvalidProblem as wrong:
        raise Malformed(None, str(wrong)) from wrong


def problem_as_dict(problem: Problem) -> dict[str, Any]:
    """The problem as plain values for JSON."""
    return {
        "form": FORM,
        "profiles": [_plain_profile(profile) for profile in problem.profiles],
        **{key: _plain(getattr(problem, key)) for key in _PARTS},
        "points": None if problem.points is None else [list(point) for point in problem.points],
    }


def _plain_profile(profile: Profile) -> dict[str, Any]:
    plain: dict[str, Any] = {"name": profile.name, "seconds": _plain_matrix(profile.seconds)}
    if profile.metres is not profile.seconds:
        plain["metres"] = _plain_matrix(profile.metres)
    return plain


def _plain_matrix(cells: np.ndarray[Any, np.dtype[np.int32]]) -> list[list[int | None]]:
    return [[None if cell == UNREACHABLE else cell for cell in row] for row in cells.tolist()]


def _plain(value: Any) -> Any:
    if isinstance(value, enum.Enum):
        return value.value
    if is_dataclass(value):
        return {
            each.name: _plain(getattr(value, each.name))
            for each in _fields(type(value))
            if getattr(value, each.name) != _usual(each)
        }
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return value


def _fields(kind: type) -> list[Field[Any]]:
    """What a file may say of a dataclass: every field but those that it computes."""
    return [each for each in fields(kind) if each.init]


def _usual(each: Field[Any]) -> Any:
    """The value that a field has where a file does not say it; MISSING where it must."""
    return each.default


def _profile(path: str, raw: object) -> Profile:
    plain = as_object(path, raw, {"name", "seconds", "metres"})
    if "seconds" not in plain:
        raise Malformed(None, f"{path}.seconds is missing")
    matrices = [_matrix(f"{path}.{key}", plain.get(key)) for key in ("seconds", "metres")]
    try:
        return Profile(matrices[0], matrices[1], plain.get("name", "road"))
    except InvalidProblem as wrong:
        raise Malformed(None, f"{path}: {wrong}") from wrong


def _matrix(path: str, raw: object) -> Any:
    if raw is None:
        return None
    rows = as_list(path, raw)
    for at, row in enumerate(rows):
        for column, cell in enumerate(as_list(f"{path}[{at}]", row)):
            if cell is not None and (isinstance(cell, bool) or not isinstance(cell, int)):
                raise Malformed(None, f"{path}[{at}][{column}] is {cell!r}: it must be a whole number, or null")
        if len(row) != len(rows):
            raise Malformed(None, f"{path}[{at}] has {len(row)} entries: there are {len(rows)} places")
    return np.array([[UNREACHABLE if cell is None else cell for cell in row] for row in rows], dtype=np.int64)


def _value(path: str, form: Any, raw: Any) -> Any:
    """A plain value as what the model's field holds."""
    origin, within = typing.get_origin(form), typing.get_args(form)
    if origin is types.UnionType:
        if raw is None and type(None) in within:
            return None
        return _value(path, next(each for each in within if each is not type(None)), raw)
    if origin is tuple:
        rows = as_list(path, raw)
        if within[-1] is not Ellipsis and len(rows) != len(within):
            raise Malformed(None, f"{path} has {len(rows)} values: it must have {len(within)}")
        return tuple(_value(f"{path}[{at}]", within[0], each) for at, each in enumerate(rows))
    if origin is frozenset:
        return frozenset(_value(f"{path}[{at}]", within[0], each) for at, each in enumerate(as_list(path, raw)))
    if is_dataclass(form):
        return _made(path, typing.cast("type", form), raw)
    if issubclass(form, enum.Enum):
        if raw not in [each.value for each in form]:
            raise Malformed(None, f"{path} is {raw!r}: there are {[each.value for each in form]}")
        return form(raw)
    return _scalar(path, form, raw)


def _scalar(path: str, form: type, raw: object) -> Any:
    wanted = (int, float) if form is float else form
    if isinstance(raw, bool) or not isinstance(raw, wanted):
        kind = {int: "a whole number", float: "a number", str: "a text"}[form]
        raise Malformed(None, f"{path} is {raw!r}: it must be {kind}")
    return raw


def _made(path: str, kind: type, raw: object) -> Any:
    hints = typing.get_type_hints(kind)
    known = {each.name: each for each in _fields(kind)}
    plain = as_object(path, raw, set(known))
    for name, each in known.items():
        if name not in plain and _usual(each) is MISSING:
            raise Malformed(None, f"{path}.{name} is missing")
    values = {name: _value(f"{path}.{name}", hints[name], value) for name, value in plain.items()}
    try:
        return kind(**values)
    except InvalidProblem as wrong:
        raise Malformed(None, f"{path}: {wrong}") from wrong


def schema() -> dict[str, Any]:
    """The JSON schema of a file, made from the model."""
    kinds: dict[str, Any] = {}
    cells = {"type": "array", "items": {"type": "array", "items": {"type": ["integer", "null"], "minimum": 0}}}
    profile = _closed({"name": {"type": "string"}, "seconds": cells, "metres": cells}, ["seconds"])
    parts = {key: _schema_of(form, kinds) for key, form in _PARTS.items()}
    points = _schema_of(tuple[tuple[float, float], ...] | None, kinds)
    properties = {"form": {"const": FORM}, "profiles": {"type": "array", "items": profile}, **parts, "points": points}
    properties["setup_s"] = _schema_of(tuple[int, ...], kinds)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A day to plan",
        **_closed(properties, ["form", "profiles", "requests", "vehicles"]),
        "$defs": kinds,
    }


def _closed(properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _schema_of(form: Any, kinds: dict[str, Any]) -> dict[str, Any]:
    origin, within = typing.get_origin(form), typing.get_args(form)
    if origin is types.UnionType:
        return {"anyOf": [_schema_of(each, kinds) for each in within]}
    if origin in (tuple, frozenset):
        many: dict[str, Any] = {"type": "array", "items": _schema_of(within[0], kinds)}
        if origin is tuple and within[-1] is not Ellipsis:
            many |= {"minItems": len(within), "maxItems": len(within)}
        return many
    if is_dataclass(form):
        kind = typing.cast("type", form)
        if kind.__name__ not in kinds:
            kinds[kind.__name__] = {}
            hints = typing.get_type_hints(kind)
            known = _fields(kind)
            needed = [each.name for each in known if _usual(each) is MISSING]
            kinds[kind.__name__] |= _closed({each.name: _schema_of(hints[each.name], kinds) for each in known}, needed)
        return {"$ref": f"#/$defs/{kind.__name__}"}
    if issubclass(form, enum.Enum):
        return {"enum": [each.value for each in form]}
    return {"type": {int: "integer", float: "number", str: "string", type(None): "null"}[form]}
