"""Predicates: conditions on a project's facts, as the catalogue's cells write them, parsed and evaluated. Pure.

``land = granted and site_ha > 0.5``: ``not`` binds tighter than ``and``, ``and`` tighter than ``or``; empty holds."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from operator import eq, ge, gt, le, lt, ne

from dispatch.path.errors import PathError

FactValue = bool | float | str

TOKEN = re.compile(r"\s*(?:(?P<number>[0-9]+(?:\.[0-9]+)?)|(?P<name>[a-z][a-z0-9_]*)|(?P<sign><=|>=|!=|=|<|>|\(|\)|,))")
WORDS = frozenset({"and", "or", "not", "in", "always", "never"})
COMPARE: Mapping[str, Callable[[float, float], bool]] = {"=": eq, "!=": ne, "<": lt, "<=": le, ">": gt, ">=": ge}


class BadPredicate(PathError):
    """A text that is no predicate; it names the character at which reading ends."""


@dataclass(frozen=True, slots=True)
class Constant:
    """``always`` or ``never``."""

    value: bool

    def holds(self, facts: Mapping[str, FactValue]) -> bool:
        return self.value

    def tests(self) -> Iterator[FactTest]:
        return iter(())


@dataclass(frozen=True, slots=True)
class FactTest:
    """A test of one fact: that it is true (no sign), that it is one of these choices, or a comparison."""

    fact: str
    sign: str = ""
    values: tuple[str | float, ...] = ()

    def holds(self, facts: Mapping[str, FactValue]) -> bool:
        value = facts[self.fact]
        if not self.sign:
            return value is True
        if self.sign == "in":
            return value in self.values
        other = self.values[0]
        if isinstance(other, str):
            return (value == other) is (self.sign == "=")
        return COMPARE[self.sign](float(value), other)

    def tests(self) -> Iterator[FactTest]:
        yield self


@dataclass(frozen=True, slots=True)
class Negation:
    """``not``."""

    part: Predicate

    def holds(self, facts: Mapping[str, FactValue]) -> bool:
        return not self.part.holds(facts)

    def tests(self) -> Iterator[FactTest]:
        return self.part.tests()


@dataclass(frozen=True, slots=True)
class Junction:
    """Parts of which all must hold (``and``), or one (``or``)."""

    all_of: bool
    parts: tuple[Predicate, ...]

    def holds(self, facts: Mapping[str, FactValue]) -> bool:
        return (all if self.all_of else any)(part.holds(facts) for part in self.parts)

    def tests(self) -> Iterator[FactTest]:
        for part in self.parts:
            yield from part.tests()


Predicate = Constant | FactTest | Negation | Junction


@dataclass(frozen=True, slots=True)
class PredicateWord:
    """A word of a predicate, and the character at which it begins, from 1."""

    kind: str
    text: str
    at: int


@lru_cache(maxsize=4096)
def predicate(text: str) -> Predicate:
    """A cell read as a predicate; an empty one always holds. Raises BadPredicate."""
    tokens = _tokens(text)
    if len(tokens) == 1:
        return Constant(True)
    reading = _Reading(text, tokens)
    found = reading.either()
    reading.take("end")
    return found


def _tokens(text: str) -> list[PredicateWord]:
    tokens, at = [], 0
    while text[at:].strip():
        found = TOKEN.match(text, at)
        if found is None or found.lastgroup is None:
            start = at + len(text[at:]) - len(text[at:].lstrip()) + 1
            raise BadPredicate(f"character {start}: {text[at:].strip()!r} is no part of a condition")
        tokens.append(PredicateWord(found.lastgroup, found[found.lastgroup], found.start(found.lastgroup) + 1))
        at = found.end()
    return [*tokens, PredicateWord("end", "", len(text) + 1)]


class _Reading:
    """A text being read from left to right."""

    def __init__(self, text: str, tokens: list[PredicateWord]) -> None:
        self.text, self.tokens, self.place = text, tokens, 0

    @property
    def here(self) -> PredicateWord:
        return self.tokens[self.place]

    def next_is(self, *texts: str) -> bool:
        return self.here.text in texts and self.here.kind != "end"

    def take(self, *kinds: str) -> PredicateWord:
        """The next word, which is of these kinds. Raises BadPredicate."""
        token = self.here
        if token.kind not in kinds or (token.text in WORDS and "word" not in kinds):
            found = repr(token.text) if token.text else "the end"
            raise BadPredicate(f"character {token.at}: {found} stands where a {' or '.join(kinds)} belongs")
        self.place += token.kind != "end"
        return token

    def skip(self, text: str) -> None:
        """The next word, which is this one. Raises BadPredicate."""
        if not self.next_is(text):
            found = repr(self.here.text) if self.here.text else "the end"
            raise BadPredicate(f"character {self.here.at}: {found} stands where {text!r} belongs")
        self.place += 1

    def either(self) -> Predicate:
        return self._joined("or", lambda: self._joined("and", self.negated))

    def _joined(self, word: str, part: Callable[[], Predicate]) -> Predicate:
        parts = [part()]
        while self.next_is(word):
            self.place += 1
            parts.append(part())
        return parts[0] if len(parts) == 1 else Junction(word == "and", tuple(parts))

    def negated(self) -> Predicate:
        if self.next_is("not"):
            self.place += 1
            return Negation(self.negated())
        if self.next_is("("):
            self.place += 1
            inside = self.either()
            self.skip(")")
            return inside
        if self.next_is("always", "never"):
            self.place += 1
            return Constant(self.tokens[self.place - 1].text == "always")
        return self.test()

    def test(self) -> FactTest:
        fact = self.take("name").text
        if self.next_is("in"):
            self.place += 1
            self.skip("(")
            values = [self.take("name").text]
            while self.next_is(","):
                self.place += 1
                values.append(self.take("name").text)
            self.skip(")")
            return FactTest(fact, "in", tuple(values))
        if self.next_is(*COMPARE):
            sign = self.take("sign").text
            value = self.take("name", "number") if sign in {"=", "!="} else self.take("number")
            return FactTest(fact, sign, (float(value.text) if value.kind == "number" else value.text,))
        return FactTest(fact)
