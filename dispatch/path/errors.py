"""Errors of an approval path: what is wrong with its matters or an edit. Pure."""

from __future__ import annotations


class PathError(ValueError):
    """The matters do not make a path."""


class UnknownMatter(PathError):
    """A prerequisite or an edit names a matter that is not in the path."""


class BadDays(PathError):
    """A limit that nobody can agree on: none at all, or longer than the law allows."""


class CycleFound(PathError):
    """Matters that wait for each other in a ring; ``cycle`` starts and ends with the same code."""

    def __init__(self, cycle: tuple[str, ...]) -> None:
        super().__init__(f"these matters wait for each other: {' → '.join(cycle)}")
        self.cycle = cycle
