"""Fact table: every fact that a condition may use, in asking order, with question, choices and defaults. Pure.

``dispatch/data/facts.csv`` holds it. A fact is asked while ``asked_when`` holds; derived facts name conditions."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from itertools import product
from pathlib import Path as File

from dispatch.path.predicate import BadPredicate, FactTest, FactValue, Predicate, predicate

FACTS_FILE = File(__file__).parent.parent / "data" / "facts.csv"
MUST_BE_ASKED = "must be asked"


class AnswerKind(StrEnum):
    """What an answer looks like; a derived fact has none."""

    BOOL = "bool"
    CHOICE = "choice"
    NUMBER = "number"
    DERIVED = "derived"


class WhoKnows(StrEnum):
    """Who can answer: the enterprise, the agent with it, the authority; a register or the program finds out itself."""

    ENTERPRISE = "enterprise"
    AGENT = "agent"
    AUTHORITY = "authority"
    REGISTER = "register"
    PROGRAM = "program"


@dataclass(frozen=True, slots=True)
class FactChoice:
    """One of the answers to choose from, in both languages."""

    key: str
    words: str
    words_en: str


@dataclass(frozen=True, slots=True)
class FactDefinition:
    """One fact: its question, its answers, when it is asked and what it is otherwise."""

    key: str
    families: frozenset[str]
    kind: AnswerKind
    unit: str
    question: str
    question_en: str
    choices: tuple[FactChoice, ...]
    must_be_asked: bool
    usual: FactValue  # until somebody answers: the default, else what an ordinary project would say
    asked_when: Predicate
    if_not_asked: FactValue
    who_knows: WhoKnows
    common: bool
    derived_from: Predicate
    help: str
    help_en: str

    @property
    def is_asked_of_people(self) -> bool:
        return self.who_knows in {WhoKnows.ENTERPRISE, WhoKnows.AGENT, WhoKnows.AUTHORITY}


@lru_cache(maxsize=1)
def fact_table() -> Mapping[str, FactDefinition]:
    """Every fact by its key, in asking order; derived facts last, each after those that it is derived from."""
    with FACTS_FILE.open(encoding="utf-8") as file:
        found = [_definition(row) for row in csv.DictReader(file)]
    return {fact.key: fact for fact in found}


def _definition(row: Mapping[str, str]) -> FactDefinition:
    kind = AnswerKind(row["type"])
    choices = tuple(_choice(part) for part in row["choices"].split(";") if part)
    must = row["default"] == MUST_BE_ASKED
    usual = row["assumed"] if must else row["default"]
    return FactDefinition(
        key=row["key"],
        families=frozenset(row["family"].split(";")),
        kind=kind,
        unit=row["unit"],
        question=row["question_zh"],
        question_en=row["question_en"],
        choices=choices,
        must_be_asked=must,
        usual=_value(kind, usual),
        asked_when=predicate(row["asked_when"]),
        if_not_asked=_value(kind, row["if_not_asked"] or usual),
        who_knows=WhoKnows(row["who_knows"]),
        common=row["common"] == "y",
        derived_from=predicate(row["derived_from"]),
        help=row["help_zh"],
        help_en=row["help_en"],
    )


def _choice(part: str) -> FactChoice:
    key, _, words = part.partition("=")
    zh, _, en = words.partition("~")
    return FactChoice(key, zh, en)


def _value(kind: AnswerKind, text: str) -> FactValue:
    if kind is AnswerKind.NUMBER:
        return float(text)
    return text if kind is AnswerKind.CHOICE else text == "yes"


def checked_predicate(text: str, family: str) -> Predicate:
    """A condition of a matter of this family: each fact is one of the family's, each value one of the fact's.

    Raises BadPredicate."""
    found = predicate(text)
    for test in found.tests():
        fact = fact_table().get(test.fact)
        if fact is None or family not in fact.families:
            raise BadPredicate(f"{family} has no fact {test.fact}")
        _check_values(fact, test)
    return found


def _check_values(fact: FactDefinition, test: FactTest) -> None:
    yes_or_no = fact.kind in {AnswerKind.BOOL, AnswerKind.DERIVED}
    if yes_or_no is bool(test.sign):
        raise BadPredicate(f"{fact.key} is a {fact.kind} and {'stands alone' if yes_or_no else 'is compared'}")
    known = {choice.key for choice in fact.choices}
    for value in test.values:
        if (fact.kind is AnswerKind.NUMBER) is isinstance(value, str):
            raise BadPredicate(f"{fact.key} is a {fact.kind}, {value!r} is none")
        if isinstance(value, str) and value not in known:
            raise BadPredicate(f"{fact.key} has no choice {value}")


def situations(*conditions: Predicate) -> Iterator[dict[str, FactValue]]:
    """Every assignment of the facts in these conditions that can make a difference; the other facts are as usual."""
    tests = [test for condition in conditions for test in _asked(condition)]
    values: dict[str, list[FactValue]] = {}
    for test in tests:
        fact = fact_table()[test.fact]
        if fact.kind is AnswerKind.NUMBER:
            marks = {float(mark) for other in tests if other.fact == test.fact for mark in other.values}
            values[fact.key] = sorted({0.0, *marks, *(mark + 0.5 for mark in marks)})
        else:
            values[fact.key] = (
                [False, True] if fact.kind is AnswerKind.BOOL else [choice.key for choice in fact.choices]
            )
    for answers in product(*values.values()):
        yield with_derived(
            {key: fact.usual for key, fact in fact_table().items() if fact.kind is not AnswerKind.DERIVED}
            | dict(zip(values, answers, strict=True))
        )


def _asked(condition: Predicate) -> Iterator[FactTest]:
    """The tests of a condition on facts that are not derived."""
    for test in condition.tests():
        fact = fact_table()[test.fact]
        if fact.kind is AnswerKind.DERIVED:
            yield from _asked(fact.derived_from)
        else:
            yield test


def with_derived(values: dict[str, FactValue]) -> dict[str, FactValue]:
    """These values, and what is derived from them."""
    for key, fact in fact_table().items():
        if fact.kind is AnswerKind.DERIVED:
            values[key] = fact.derived_from.holds(values)
    return values
