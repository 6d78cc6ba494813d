"""Calibration: whether what was promised with 85 in 100 came true 85 times in 100, beside simpler forecasts. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import erf, sqrt

from dispatch.forecast.durations import Fit
from dispatch.forecast.path_sampling import PathSampler
from dispatch.forecast.promise import Outlook, Recalibration

LEVELS = tuple(round(0.05 + 0.1 * step, 2) for step in range(10))  # 5, 15 … 95 per cent
TENTHS = 10
FAITH = 200  # closed projects that the model's own probabilities are worth against experience
Z95 = 1.959964


@dataclass(frozen=True, slots=True)
class Closed:
    """A project that ended: what its outlook had said of the very day, up to and including it and before it."""

    below: float
    upto: float

    def __post_init__(self) -> None:
        if not 0 <= self.below <= self.upto <= 1:
            raise ValueError(f"probabilities must rise from 0 to 1, not {self.below} to {self.upto}")


@dataclass(frozen=True, slots=True)
class CalibrationPoint:
    """One statement after the fact: the probability stated for "done by that day", and whether it was."""

    stated: float
    came_true: bool


@dataclass(frozen=True, slots=True)
class Reliability:
    """One row of the reliability page: of what should be true ``level`` of the time, how often it was."""

    level: float
    observed: float
    low: float
    high: float
    cases: int

    @property
    def error(self) -> float:
        return self.observed - self.level


def close(view: Outlook, took_wd: int) -> Closed:
    """Compare an outlook with the working days that the project took in the end."""
    return Closed(view.chance_by_wd(took_wd - 1), view.chance_by_wd(took_wd))


def reliability(closed: Sequence[Closed], levels: Iterable[float] = LEVELS) -> tuple[Reliability, ...]:
    """How often the outcome fell below each quantile, with a 95 % interval.

    Days are whole, so an outcome stands for a range of probabilities; it is spread over that range evenly, by the
    case's place in the sequence and not by chance: the same cases give the same page."""
    spread = [case.below + _corput(place) * (case.upto - case.below) for place, case in enumerate(closed, start=1)]
    rows = []
    for level in levels:
        hits = sum(1 for value in spread if value <= level)
        low, high = wilson(hits, len(spread))
        rows.append(Reliability(level, hits / len(spread) if spread else 0.0, low, high, len(spread)))
    return tuple(rows)


def by_stated(said: Iterable[CalibrationPoint]) -> tuple[Reliability, ...]:
    """Statements put together by what they stated, in tenths: the mean stated against the share that came true."""
    sorted_by: list[list[CalibrationPoint]] = [[] for _ in range(TENTHS)]
    for one in said:
        sorted_by[min(TENTHS - 1, int(one.stated * TENTHS))].append(one)
    rows = []
    for inside in filter(None, sorted_by):
        hits = sum(1 for one in inside if one.came_true)
        low, high = wilson(hits, len(inside))
        rows.append(
            Reliability(sum(o.stated for o in inside) / len(inside), hits / len(inside), low, high, len(inside))
        )
    return tuple(rows)


def brier(said: Sequence[CalibrationPoint]) -> float:
    """Mean squared distance between the stated probability and what happened: 0 is clairvoyant, 0.25 is a coin."""
    if not said:
        raise ValueError("nothing was said yet")
    return sum((one.stated - one.came_true) ** 2 for one in said) / len(said)


def recalibration(closed: Sequence[Closed], faith: float = FAITH) -> Recalibration:
    """What experience teaches about stated probabilities; little experience changes little."""
    if not closed:
        return Recalibration()
    levels = [step / 20 for step in range(1, 20)]
    seen = reliability(closed, levels)
    weight = len(closed) / (len(closed) + faith)
    true, floor = [0.0], 0.0
    for row in seen:
        floor = max(floor, weight * row.observed + (1 - weight) * row.level)
        true.append(floor)
    return Recalibration((0.0, *levels, 1.0), (*true, 1.0))


def pert_ahead(ready: PathSampler, chain: Sequence[str], days: float) -> float:
    """The textbook's probability for a path under way: what is left of one chain, gaps included, as if independent."""
    row_of = {code: row for row, code in enumerate(ready.codes)}
    mean, variance = ready.today, 0.0
    for row in (row_of[code] for code in chain):
        if ready.finished[row] is not None or ready.timeless[row]:
            continue
        fit = Fit(float(ready.mu[row]), float(ready.sigma[row]), float(ready.floor[row]))
        if ready.accepted[row] is None:
            mean += fit.mean + (0.0 if ready.gaps is None else float(ready.gaps[row].mean()))
            variance += fit.variance + (0.0 if ready.gaps is None else float(ready.gaps[row].var()))
        else:
            mean += max(1.0, fit.mean - float(ready.used[row]))
            variance += fit.variance
    if variance == 0:
        return float(days >= mean)
    return 0.5 * (1 + erf((days + 0.5 - mean) / sqrt(2 * variance)))


def base_rate(history: Sequence[bool]) -> float:
    """The share that came true so far, with one imagined case of each kind."""
    return (sum(history) + 1) / (len(history) + 2)


def wilson(hits: int, cases: int) -> tuple[float, float]:
    """A 95 % interval for a share, sound for small numbers."""
    if cases == 0:
        return 0.0, 1.0
    share, z2 = hits / cases, Z95 * Z95
    middle = (share + z2 / (2 * cases)) / (1 + z2 / cases)
    half = Z95 * sqrt(share * (1 - share) / cases + z2 / (4 * cases * cases)) / (1 + z2 / cases)
    return max(0.0, middle - half), min(1.0, middle + half)


def _corput(place: int) -> float:
    """Van der Corput's sequence: fills 0 to 1 evenly, in any stretch."""
    value, part = 0.0, 0.5
    while place:
        value += part * (place & 1)
        place >>= 1
        part /= 2
    return value
