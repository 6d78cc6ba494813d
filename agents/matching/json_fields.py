"""Fields of a JSON file: each is read as its kind, and what is wrong or unknown is named."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from agents.matching.model import Id, MatchingError

MOST = 10**12  # of any number of a file: what comes of larger ones leaves the range of the flow


def refuse_unknown(one: Mapping[str, Any], known: Collection[str], path: str) -> None:
    """Raise for the first key of an object that no reader reads. ``path`` says where the object stands."""
    for name in one:
        if name not in known:
            where = f"{path}.{name}" if path else name
            raise MatchingError("unknown_field", f"{where[:200]} is unknown, known here: {', '.join(known)}",
                                field=name, path=where)  # fmt: skip


def objects(data: Mapping[str, Any], name: str, known: Collection[str]) -> list[dict[str, Any]]:
    """The list of objects under ``name``, which hold no other keys than the ``known`` ones."""
    found = data.get(name)
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise MatchingError("bad_field", f"{name} is not a list of objects", field=name)
    for at, one in enumerate(found):
        refuse_unknown(one, known, f"{name}[{at}]")
    return found


def identity(one: Mapping[str, Any], name: str) -> Id:
    found = one.get(name)
    if isinstance(found, bool) or not isinstance(found, int | str):
        raise MatchingError("bad_field", f"{name} is {found!r}, neither a whole number nor a text", field=name)
    return found


def number(one: Mapping[str, Any], name: str, default: float | None = None) -> float:
    found = one.get(name, default)
    if found is None and default is not None:
        return default
    if isinstance(found, bool) or not isinstance(found, int | float) or found != found or abs(found) > MOST:
        raise _wrong(one, name, "a number")
    return found


def whole(one: Mapping[str, Any], name: str, default: int | None = None) -> int:
    found = one.get(name, default)
    if isinstance(found, bool) or not isinstance(found, int) or abs(found) > MOST:
        raise _wrong(one, name, f"a whole number up to {MOST}")
    return found


def degrees(one: Mapping[str, Any], name: str) -> float:
    if abs(found := number(one, name)) > 180:
        raise _wrong(one, name, "a number of degrees")
    return found


def _flag(one: Mapping[str, Any], name: str) -> bool:
    if not isinstance(found := one[name], bool):
        raise _wrong(one, name, "true or false")
    return found


def _text(one: Mapping[str, Any], name: str) -> str:
    if not isinstance(found := one[name], str):
        raise _wrong(one, name, "a text")
    return found


def _perhaps(reader: Callable[[Mapping[str, Any], str], Any]) -> Callable[[Mapping[str, Any], str], Any]:
    return lambda one, name: None if one[name] is None else reader(one, name)


def _texts(one: Mapping[str, Any], name: str) -> frozenset[str]:
    if not isinstance(found := one[name], list) or not all(isinstance(each, str) for each in found):
        raise _wrong(one, name, "a list of texts")
    return frozenset(found)


def _ids(one: Mapping[str, Any], name: str) -> frozenset[Id]:
    if not isinstance(found := one[name], list):
        raise _wrong(one, name, "a list")
    return frozenset(identity({name: each}, name) for each in found)


def _wrong(one: Mapping[str, Any], name: str, wanted: str) -> MatchingError:
    whose = f" of {one['id']}" if "id" in one else ""
    return MatchingError("bad_field", f"{name}{whose} is {str(one.get(name))[:80]!r}, not {wanted}", field=name)


# How each field of the model is read; a test holds that none is missing.
FIELDS: dict[str, Callable[[Mapping[str, Any], str], Any]] = {
    **dict.fromkeys(("id", "project"), identity),
    **dict.fromkeys(("current", "first_ask", "lock", "stand_in", "team"), _perhaps(identity)),
    **dict.fromkeys(("node", "role"), _text),
    "language": _perhaps(_text),
    **dict.fromkeys(("level", "capacity", "held", "stars", "priority", "waiting_days"), whole),
    **dict.fromkeys(("lon", "lat"), degrees),
    **dict.fromkeys(("away", "told", "escalated"), _flag),
    **dict.fromkeys(("skills", "languages", "practised"), _texts),
    **dict.fromkeys(("previous", "bans"), _ids),
}
