"""Matching problems as JSON: the whole model, or plain costs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, TypeVar

from agents.matching.json_fields import FIELDS, degrees, identity, number, objects, refuse_unknown, whole
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
FLOW_RANGE = 2**62  # of costs times nodes
Noun = TypeVar("Noun", MatchingAgent, Need)
Candidates = list[tuple[Id, Id, float]]

PLAIN_KEYS = ("agents", "cases", "candidates", "evenness")
AGENT_KEYS, CASE_KEYS, CANDIDATE_KEYS = ("id", "capacity", "held"), ("id", "waiting"), ("case", "agent", "cost")
MODEL_KEYS = ("needs", "agents", "network", "weights")
PLACE_KEYS = ("code", "parent", "level", "lon", "lat")


@dataclass(frozen=True, slots=True)
class ModelProblem:
    """The whole model from a file."""

    needs: tuple[Need, ...]
    agents: tuple[MatchingAgent, ...]
    network: Network
    weights: Weights


@dataclass(frozen=True, slots=True)
class ScaledProblem:
    """Plain costs in whole units; one unit of the file is ``scale`` of them.

    ``must_be_placed`` are the cases without a cost of waiting. The problem has a high one for them, so that they wait
    only where no matching places them; where one of them waits, the file has no answer.
    """

    problem: PlainProblem
    scale: int
    must_be_placed: frozenset[Id]


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
    refuse_unknown(data, PLAIN_KEYS, "")
    agents, cases = objects(data, "agents", AGENT_KEYS), objects(data, "cases", CASE_KEYS)
    candidates = [
        (identity(c, "case"), identity(c, "agent"), number(c, "cost"))
        for c in objects(data, "candidates", CANDIDATE_KEYS)
    ]
    evenness = number(data, "evenness", 0)
    if evenness < 0:
        raise MatchingError("bad_field", f"evenness is {evenness}, less than 0", field="evenness")
    numbers = [cost for _, _, cost in candidates] + [evenness] + [number(c, "waiting", 0) for c in cases]
    scale = 1 if all(float(x).is_integer() for x in numbers) else FRACTION
    weight = round(evenness * scale)
    slots = _slots(agents, weight, len(cases))
    never = _never(candidates, cases, weight, len(agents), scale)
    waiting: dict[Id, int] = {}
    must_be_placed: set[Id] = set()
    for one in sorted(cases, key=lambda c: stable_key(identity(c, "id"))):
        case = identity(one, "id")
        if case in waiting:
            raise MatchingError("twice", f"case {case} is given twice", case=case)
        if one.get("waiting") is None:
            must_be_placed.add(case)
        waiting[case] = never if case in must_be_placed else round(number(one, "waiting") * scale)
    in_units = [(case, agent, round(cost * scale)) for case, agent, cost in candidates]
    return ScaledProblem(PlainProblem(slots, waiting, in_units), scale, frozenset(must_be_placed))


def _slots(agents: Sequence[Mapping[str, Any]], weight: int, cases: int) -> dict[Id, list[int]]:
    """Each agent's free slots by their costs."""
    slots: dict[Id, list[int]] = {}
    for one in sorted(agents, key=lambda a: stable_key(identity(a, "id"))):
        agent, capacity, held = identity(one, "id"), whole(one, "capacity"), whole(one, "held", 0)
        if agent in slots:
            raise MatchingError("twice", f"agent {agent} is given twice", agent=agent)
        if capacity < 0 or held < 0:
            raise MatchingError("negative_capacity", f"agent {agent} has capacity {capacity} and holds {held}",
                                agent=agent, capacity=capacity, held=held)  # fmt: skip
        # One slot more than there are cases says all of an agent who could take them all.
        free = range(held + 1, min(capacity, held + cases + 1) + 1)
        slots[agent] = [weight * (2 * k - 1) // capacity for k in free]
    return slots


def _never(candidates: Candidates, cases: Sequence[Mapping[str, Any]], weight: int, agents: int, scale: int) -> int:
    """A cost of waiting that is more than any exchange that places the case."""
    costs = [round(cost * scale) for _, _, cost in candidates] + [round(number(c, "waiting", 0) * scale) for c in cases]
    spread = max(costs, default=0) - min(costs, default=0) + 2 * weight
    never = 1 + max(0, *costs, 0) + len(cases) * spread
    if (never + spread) * (len(cases) + agents + 2) > FLOW_RANGE:
        fine = ", counted in millionths for their decimals," if scale > 1 else ""
        raise MatchingError("too_large", f"costs up to {max(costs)}{fine} are too large for {len(cases)} cases",
                            cases=len(cases), scale=scale)  # fmt: skip
    return never


def _model(data: Mapping[str, Any]) -> ModelProblem:
    refuse_unknown(data, MODEL_KEYS, "")
    network: dict[Node, NetworkPlace] = {}
    for one in objects(data, "network", PLACE_KEYS):
        code = str(identity(one, "code"))
        parent = one.get("parent")
        if code in network:
            raise MatchingError("twice", f"node {code} is given twice", node=code)
        network[code] = NetworkPlace(
            None if parent is None else str(parent), whole(one, "level"), degrees(one, "lon"), degrees(one, "lat")
        )
    weights = data.get("weights", {})
    if not isinstance(weights, dict):
        raise MatchingError("bad_field", "weights are not an object", field="weights")
    refuse_unknown(weights, _names(Weights), "weights")
    needs = tuple(_noun(Need, one) for one in objects(data, "needs", _names(Need)))
    led: dict[Id, Id] = {}
    for need in needs:
        if need.role == "lead" and (first := led.setdefault(need.project, need.id)) != need.id:
            raise MatchingError("twice", f"project {need.project} has two leads: needs {first} and {need.id}",
                                project=need.project)  # fmt: skip
    return ModelProblem(
        needs,
        tuple(_noun(MatchingAgent, one) for one in objects(data, "agents", _names(MatchingAgent))),
        network,
        Weights(**{name: whole(weights, name) for name in weights}),
    )


def _names(kind: type[MatchingAgent | Need | Weights]) -> tuple[str, ...]:
    return tuple(f.name for f in fields(kind))


def _noun(kind: type[Noun], one: Mapping[str, Any]) -> Noun:
    values = {name: FIELDS[name](one, name) for name in one}
    try:
        return kind(**values)
    except TypeError as error:
        named = f"{kind.__name__.lower()} {one.get('id')}"
        raise MatchingError("bad_field", f"{named}: {error}", id=one.get("id")) from error
