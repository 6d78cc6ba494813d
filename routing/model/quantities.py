"""Windows and loads, and the check of a value when it is made.

Everything is whole seconds, metres, pieces and grams. Instants are seconds from the start of the run's day. A value
that exists is a valid value: a wrong one raises ``InvalidProblem``, which names the field and the value.
"""

from __future__ import annotations

from dataclasses import dataclass

MAX_INSTANT_S = 10**11
MAX_WEIGHT = 10**6
MAX_AMOUNT = 10**12


class InvalidProblem(ValueError):
    """A value that no routing problem can have; the message names the field and the value."""


def check_whole(name: str, value: object, lowest: int, highest: int) -> None:
    """Raises InvalidProblem when ``value`` is no whole number from ``lowest`` to ``highest``."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidProblem(f"{name} is {value!r}: it must be a whole number")
    if not lowest <= value <= highest:
        raise InvalidProblem(f"{name} is {value}: it must lie between {lowest} and {highest}")


def check_name(name: str, value: object) -> None:
    """Raises InvalidProblem when ``value`` is no text, or an empty one."""
    if not isinstance(value, str) or not value:
        raise InvalidProblem(f"{name} is {value!r}: it must be a text that is not empty")


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """A closed interval, in seconds from the start of the run's day."""

    opens_s: int
    closes_s: int

    def __post_init__(self) -> None:
        check_whole("window.opens_s", self.opens_s, 0, MAX_INSTANT_S)
        check_whole("window.closes_s", self.closes_s, 0, MAX_INSTANT_S)
        if self.closes_s < self.opens_s:
            raise InvalidProblem(f"window.closes_s is {self.closes_s}, before window.opens_s {self.opens_s}")


@dataclass(frozen=True, slots=True)
class Load:
    """An amount in the two dimensions that fill a vehicle."""

    pieces: int = 0
    grams: int = 0

    def __post_init__(self) -> None:
        check_whole("load.pieces", self.pieces, 0, MAX_AMOUNT)
        check_whole("load.grams", self.grams, 0, MAX_AMOUNT)

    def __add__(self, other: Load) -> Load:
        return Load(self.pieces + other.pieces, self.grams + other.grams)

    def __sub__(self, other: Load) -> Load:
        return Load(self.pieces - other.pieces, self.grams - other.grams)

    def fits(self, capacity: Load) -> bool:
        """Whether it exceeds the capacity in neither dimension."""
        return self.pieces <= capacity.pieces and self.grams <= capacity.grams


NOTHING = Load()
