"""Facts: what is known of a project that decides its matters and papers, filled by the fact table. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

from dispatch.path.fact_table import AnswerKind, FactDefinition, fact_table, with_derived
from dispatch.path.predicate import FactValue

# Asked as one fact in earlier releases, and kept so in projects of that time.
ONCE_ONE_FACT = {"touches_public_works": ("touches_road", "touches_green", "touches_drains")}


@dataclass(frozen=True, slots=True)
class Facts:
    """Every fact with its value. ``assumed``: asked of somebody, not answered yet, and taken to be as usual."""

    values: Mapping[str, FactValue]
    asked: tuple[str, ...]
    assumed: frozenset[str]

    def __getitem__(self, key: str) -> FactValue:
        return self.values[key]


def facts_of(given: Mapping[str, Any], *, shared: Mapping[str, bool] | None = None) -> Facts:
    """All facts: as given while they are asked, else as they stand unasked; ``shared`` is what the registers say.

    What is given and not asked in this case counts for nothing. Raises ValueError for an answer that is none."""
    answers = {**_earlier(given), **given}
    values: dict[str, FactValue] = dict(shared or {})
    asked: list[str] = []
    assumed = set()
    for key, fact in fact_table().items():
        if fact.kind is AnswerKind.DERIVED or key in values:
            continue
        answer = None if answers.get(key) is None else read_answer(fact, answers[key])
        if not fact.asked_when.holds(values):
            values[key] = fact.if_not_asked
            continue
        values[key] = fact.usual if answer is None else answer
        if fact.is_asked_of_people:
            asked.append(key)
            if answer is None:
                assumed.add(key)
    return Facts(with_derived(values), tuple(asked), frozenset(assumed))


def read_answer(fact: FactDefinition, answer: object) -> FactValue:
    """An answer as the fact's value. Raises ValueError."""
    if fact.kind is AnswerKind.BOOL:
        if isinstance(answer, bool):
            return answer
        raise ValueError(f"{fact.key} is {answer!r}, neither true nor false")
    if fact.kind is AnswerKind.CHOICE:
        if any(answer == choice.key for choice in fact.choices):
            return str(answer)
        raise ValueError(f"{fact.key} is {answer!r}, none of {', '.join(choice.key for choice in fact.choices)}")
    if not isinstance(answer, int | float) or isinstance(answer, bool) or not isfinite(answer):
        raise ValueError(f"{fact.key} is {answer!r}, not a number")
    if answer < 0:
        raise ValueError(f"{fact.key} cannot be negative")
    return float(answer)


def _earlier(given: Mapping[str, Any]) -> dict[str, Any]:
    """What a project of an earlier release said in one fact that is now several."""
    return {
        new: given[old]
        for old, news in ONCE_ONE_FACT.items()
        if given.get(old) is not None and not any(new in given for new in news)
        for new in news[:1]
    }
