"""Numbered lines: a text read line by line, every complaint with the line it is about."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

LARGEST = 10**18
"""No file of these formats means a number of more than nineteen digits, and none that long may cost time to read."""
ENDS = "\0\x1a"
"""With a zero or Ctrl-Z old programs end a text."""


class Malformed(ValueError):
    """A file that is not what it claims to be: the line, where there is one, and the reason."""

    def __init__(self, line: int | None, reason: str) -> None:
        super().__init__(reason if line is None else f"line {line}: {reason}")
        self.line, self.reason = line, reason


@dataclass(frozen=True, slots=True)
class TextLine:
    """One line that is not blank."""

    number: int
    text: str

    def wrong(self, reason: str) -> Malformed:
        """The error about this line, to be raised."""
        return Malformed(self.number, reason)

    def numbers(self, names: tuple[str, ...]) -> tuple[Decimal, ...]:
        """As many finite numbers as there are names, and nothing else."""
        words = self.text.split()
        if len(words) != len(names):
            raise self.wrong(f"{len(words)} values where {len(names)} are expected ({', '.join(names)})")
        return tuple(self.number_of(word, name) for word, name in zip(words, names, strict=True))

    def number_of(self, word: str, name: str) -> Decimal:
        """A word as a finite number. Raises Malformed."""
        try:
            value = Decimal(word)
        except InvalidOperation:
            raise self.wrong(f"{name} is {word!r}, not a number") from None
        if not value.is_finite():
            raise self.wrong(f"{name} is {word!r}, not a finite number")
        if value.copy_abs() > LARGEST:  # exactly: arithmetic with an exponent of millions overflows
            raise self.wrong(f"{name} is {_short(word)}: that is too large to count with")
        return value

    def whole(self, word: str, name: str, lowest: int = 0, highest: int = LARGEST) -> int:
        """A word as a whole number from ``lowest`` to ``highest``. Raises Malformed."""
        value = self.number_of(word, name)
        if value != value.to_integral_value():
            raise self.wrong(f"{name} is {word!r}, not a whole number")
        if value < lowest:
            raise self.wrong(f"{name} is {word}, less than {lowest}")
        if value > highest:
            raise self.wrong(f"{name} is {_short(word)}, more than {highest}")
        return int(value)

    def wholes(self, words: list[str]) -> list[int]:
        """Whole numbers from 0 on; a long row is read at once, and word by word only to say what is wrong."""
        if all(map(str.isdecimal, words)) and max(map(len, words)) < 19:
            return list(map(int, words))
        return [self.whole(word, f"entry {at}") for at, word in enumerate(words, 1)]


def _short(word: str) -> str:
    return word if len(word) <= 40 else f"{word[:40]}..."


class Lines:
    """The lines of a text that are neither blank nor a ``#`` comment, with their numbers, taken one after another."""

    def __init__(self, text: str) -> None:
        rows = [line.strip().strip(ENDS) for line in text.splitlines()]
        self.all = [TextLine(at, line) for at, line in enumerate(rows, 1) if line and not line.startswith("#")]
        self.last = max(1, len(rows))
        self.at = 0

    def __iter__(self) -> Iterator[TextLine]:
        while self.at < len(self.all):
            self.at += 1
            yield self.all[self.at - 1]

    def __bool__(self) -> bool:
        return self.at < len(self.all)

    def peek(self) -> TextLine | None:
        """The next line, which stays the next; None at the end."""
        return self.all[self.at] if self else None

    def take(self, what: str) -> TextLine:
        """The next line, which should be ``what``."""
        if not self:
            raise Malformed(self.last, f"the file ends where {what} should follow")
        self.at += 1
        return self.all[self.at - 1]
