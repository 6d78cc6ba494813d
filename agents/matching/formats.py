"""Matching problems as files: plain costs or the whole model as JSON, generalised assignment problems as text."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, TypeVar

import numpy as np

from agents.matching.gap import Gap
from agents.matching.model import (
    Id,
    MatchingAgent,
    MatchingError,
    Need,
    Network,
    NetworkPlace,
    Node,
    Weights,
    stable_key,
)
from agents.matching.plain import PlainProblem

FRACTION = 1_000_000  # plain costs with decimals are counted in millionths
MOST = 10**12  # of any number of a file: what comes of larger ones leaves the range of the flow
DEAREST = 10**11  # of a job's cost or effort in a generalised assignment problem, below gap_search.NEVER
FLOW_RANGE = 2**62  # of costs times nodes
Noun = TypeVar("Noun", MatchingAgent, Need)


@dataclass(frozen=True, slots=True)
class ModelProblem:
    """The whole model from a file."""

    needs: tuple[Need, ...]
    agents: tuple[MatchingAgent, ...]
    network: Network
    weights: Weights


@dataclass(frozen=True, slots=True)
class ScaledProblem:
    """Plain costs in whole units; one unit of the file is ``scale`` of them."""

    problem: PlainProblem
    scale: int


def read_json(text: str) -> ModelProblem | ScaledProblem:
    """A file with ``needs`` is the whole model, one with ``cases`` and ``candidates`` is plain."""
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise MatchingError("bad_json", f"line {error.lineno}: {error.msg}", line=error.lineno) from error
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, brackets without end
        raise MatchingError("bad_json", str(error)) from error
    if not isinstance(data, dict):
        raise MatchingError("bad_json", "the file is not one JSON object")
    return _model(data) if "needs" in data else _plain(data)


def _plain(data: Mapping[str, Any]) -> ScaledProblem:
    agents, cases = _list(data, "agents"), _list(data, "cases")
    candidates = [(_id(c, "case"), _id(c, "agent"), _number(c, "cost")) for c in _list(data, "candidates")]
    evenness = _number(data, "evenness", 0)
    if evenness < 0:
        raise MatchingError("bad_field", f"evenness is {evenness}, less than 0", field="evenness")
    numbers = [cost for _, _, cost in candidates] + [evenness] + [_number(c, "waiting", 0) for c in cases]
    scale = 1 if all(float(x).is_integer() for x in numbers) else FRACTION

    slots: dict[Id, list[int]] = {}
    for one in sorted(agents, key=lambda a: stable_key(_id(a, "id"))):
        agent, capacity, held = _id(one, "id"), _whole(one, "capacity"), _whole(one, "held", 0)
        if agent in slots:
            raise MatchingError("twice", f"agent {agent} is given twice", agent=agent)
        if capacity < 0 or held < 0:
            raise MatchingError("negative_capacity", f"agent {agent} has capacity {capacity} and holds {held}",
                                agent=agent, capacity=capacity, held=held)  # fmt: skip
        weight = round(evenness * scale)
        # One slot more than there are cases says all of an agent who could take them all.
        free = range(held + 1, min(capacity, held + len(cases) + 1) + 1)
        slots[agent] = [weight * (2 * k - 1) // capacity for k in free]
    whole = [(case, agent, round(cost * scale)) for case, agent, cost in candidates]
    # A case without a waiting cost waits only where no exchange whatever could place it.
    most = [c for *_, c in whole] + [round(_number(c, "waiting", 0) * scale) for c in cases]
    spread = max(most, default=0) - min(most, default=0) + 2 * round(evenness * scale)
    never = 1 + max(0, *most, 0) + len(cases) * spread
    if (never + spread) * (len(cases) + len(agents) + 2) > FLOW_RANGE:
        fine = ", counted in millionths for their decimals," if scale > 1 else ""
        raise MatchingError("too_large", f"costs up to {max(most)}{fine} are too large for {len(cases)} cases",
                            cases=len(cases), scale=scale)  # fmt: skip
    waiting: dict[Id, int] = {}
    for one in sorted(cases, key=lambda c: stable_key(_id(c, "id"))):
        case = _id(one, "id")
        if case in waiting:
            raise MatchingError("twice", f"case {case} is given twice", case=case)
        waiting[case] = never if one.get("waiting") is None else round(_number(one, "waiting") * scale)
    return ScaledProblem(PlainProblem(slots, waiting, whole), scale)


def _model(data: Mapping[str, Any]) -> ModelProblem:
    network: dict[Node, NetworkPlace] = {}
    for one in _list(data, "network"):
        code = str(_id(one, "code"))
        parent = one.get("parent")
        if code in network:
            raise MatchingError("twice", f"node {code} is given twice", node=code)
        network[code] = NetworkPlace(
            None if parent is None else str(parent), _whole(one, "level"), _degrees(one, "lon"), _degrees(one, "lat")
        )
    weights = data.get("weights", {})
    if not isinstance(weights, dict) or not weights.keys() <= {f.name for f in fields(Weights)}:
        raise MatchingError("bad_field", f"weights are an object of {', '.join(f.name for f in fields(Weights))}")
    needs = tuple(_noun(Need, one) for one in _list(data, "needs"))
    led: dict[Id, Id] = {}
    for need in needs:
        if need.role == "lead" and (first := led.setdefault(need.project, need.id)) != need.id:
            raise MatchingError("twice", f"project {need.project} has two leads: needs {first} and {need.id}",
                                project=need.project)  # fmt: skip
    return ModelProblem(
        needs,
        tuple(_noun(MatchingAgent, one) for one in _list(data, "agents")),
        network,
        Weights(**{name: _whole(weights, name) for name in weights}),
    )


def _noun(kind: type[Noun], one: Mapping[str, Any]) -> Noun:
    names = {f.name for f in fields(kind)}
    if strange := sorted(one.keys() - names):
        raise MatchingError("bad_field", f"{kind.__name__.lower()} {one.get('id')} has unknown fields {strange}",
                            id=one.get("id"), fields=strange)  # fmt: skip
    values = {name: FIELDS[name](one, name) for name in one}
    try:
        return kind(**values)
    except TypeError as error:
        named = f"{kind.__name__.lower()} {one.get('id')}"
        raise MatchingError("bad_field", f"{named}: {error}", id=one.get("id")) from error


def _list(data: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    found = data.get(name)
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise MatchingError("bad_field", f"{name} is not a list of objects", field=name)
    return found


def _id(one: Mapping[str, Any], name: str) -> Id:
    found = one.get(name)
    if isinstance(found, bool) or not isinstance(found, int | str):
        raise MatchingError("bad_field", f"{name} is {found!r}, neither a whole number nor a text", field=name)
    return found


def _number(one: Mapping[str, Any], name: str, default: float | None = None) -> float:
    found = one.get(name, default)
    if found is None and default is not None:
        return default
    if isinstance(found, bool) or not isinstance(found, int | float) or found != found or abs(found) > MOST:
        raise _wrong(one, name, "a number")
    return found


def _whole(one: Mapping[str, Any], name: str, default: int | None = None) -> int:
    found = one.get(name, default)
    if isinstance(found, bool) or not isinstance(found, int) or abs(found) > MOST:
        raise _wrong(one, name, f"a whole number up to {MOST}")
    return found


def _degrees(one: Mapping[str, Any], name: str) -> float:
    if abs(found := _number(one, name)) > 180:
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
    return frozenset(_id({name: each}, name) for each in found)


def _wrong(one: Mapping[str, Any], name: str, wanted: str) -> MatchingError:
    whose = f" of {one['id']}" if "id" in one else ""
    return MatchingError("bad_field", f"{name}{whose} is {str(one.get(name))[:80]!r}, not {wanted}", field=name)


# How each field of the model is read; a test holds that none is missing.
FIELDS: dict[str, Callable[[Mapping[str, Any], str], Any]] = {
    **dict.fromkeys(("id", "project"), _id),
    **dict.fromkeys(("current", "first_ask", "lock", "stand_in", "team"), _perhaps(_id)),
    **dict.fromkeys(("node", "role"), _text),
    "language": _perhaps(_text),
    **dict.fromkeys(("level", "capacity", "held", "stars", "priority", "waiting_days"), _whole),
    **dict.fromkeys(("lon", "lat"), _degrees),
    **dict.fromkeys(("away", "told", "escalated"), _flag),
    **dict.fromkeys(("skills", "languages", "practised"), _texts),
    **dict.fromkeys(("previous", "bans"), _ids),
}


def read_gap(text: str) -> list[Gap]:
    """OR-Library's generalised assignment problems, to be minimised.

    ``m n``, the costs and then the efforts agent by agent, the rooms; before them the number of problems, which files
    with a single problem may leave out.
    """
    numbers: list[int] = []
    for line, words in enumerate(text.splitlines(), 1):
        try:
            numbers += [int(word) if word.isdecimal() and len(word) < 19 else _integral(word) for word in words.split()]
        except ValueError as error:
            raise MatchingError("bad_gap", f"line {line}: {error}", line=line) from error
    for start, count in ((0, 1), (1, numbers[0] if numbers else 0)):
        if (found := _problems(numbers, start, count)) is not None:
            return found
    raise MatchingError("bad_gap", _announced(numbers), numbers=len(numbers))


def _integral(word: str) -> int:
    try:
        value = float(word)
    except ValueError:
        raise ValueError(f"{word[:40]!r} is not a number") from None
    if not value.is_integer():
        raise ValueError(f"{word[:40]!r} is not a whole number")
    if abs(value) > MOST:
        raise ValueError(f"{word[:40]!r} is too large to count with")
    return int(value)


def _announced(numbers: list[int]) -> str:
    """What the first numbers announce, beside what there is."""
    if len(numbers) < 2:
        return "the file ends before a problem: the number of problems, then agents and jobs should begin it"
    said = []
    for start, before in ((0, ""), (1, f"{numbers[0]} problems, the first of ")):
        if len(numbers) >= start + 2:
            m, n = numbers[start : start + 2]
            said.append(f"{before}{m} agents and {n} jobs (alone {start + 2 + 2 * m * n + m} numbers)")
    return f"{len(numbers)} numbers, and neither way of reading the first ones fits: {' nor '.join(said)}"


def _problems(numbers: list[int], start: int, count: int) -> list[Gap] | None:
    """So many problems that use the numbers up exactly, or None."""
    shapes: list[tuple[int, int, int]] = []
    at = start
    for _ in range(count):
        if at + 2 > len(numbers):
            return None
        m, n = numbers[at], numbers[at + 1]
        if m <= 0 or n <= 0 or at + 2 + 2 * m * n + m > len(numbers):
            return None
        shapes.append((at + 2, m, n))
        at += 2 + 2 * m * n + m
    if at != len(numbers) or not shapes:
        return None
    return [_gap(numbers, *shape) for shape in shapes]


def _gap(numbers: list[int], at: int, m: int, n: int) -> Gap:
    values = np.array(numbers[at : at + 2 * m * n + m], dtype=np.int64)
    if (large := np.flatnonzero(np.abs(values[: 2 * m * n]) > DEAREST)).size:
        what = "cost" if large[0] < m * n else "effort"
        agent, job = divmod(int(large[0]) % (m * n), n)
        raise MatchingError("too_large", f"the {what} of job {job} at agent {agent} is {values[large[0]]}, "
                            f"more than {DEAREST}", agent=agent, job=job)  # fmt: skip
    return Gap(values[: m * n].reshape(m, n), values[m * n : 2 * m * n].reshape(m, n), values[2 * m * n :])
