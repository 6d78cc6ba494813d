"""Generalised assignment problems as text, as the OR-Library writes them."""

from __future__ import annotations

import numpy as np

from agents.matching.gap import Gap
from agents.matching.json_fields import MOST
from agents.matching.model import MatchingError

DEAREST = 10**11  # of a job's cost or effort, below gap_search.NEVER


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
    read_as = []
    for start, before in ((0, ""), (1, f"{numbers[0]} problems, the first of ")):
        if len(numbers) >= start + 2:
            m, n = numbers[start : start + 2]
            read_as.append(f"{before}{m} agents and {n} jobs (alone {start + 2 + 2 * m * n + m} numbers)")
    return f"{len(numbers)} numbers, and neither way of reading the first ones fits: {' nor '.join(read_as)}"


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
