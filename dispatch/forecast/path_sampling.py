"""Path sampling: every matter's end on an approval path, drawn many times at once. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from math import log

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri

from dispatch.core.working_days import Calendar
from dispatch.forecast.correlated_noise import FittedLaws, Sample, correlated_noise, gap_days, noise_given_decided
from dispatch.forecast.durations import Durations, Fit
from dispatch.path.approval_graph import Path
from dispatch.path.matter_node import AreaEffect, Basis
from dispatch.path.path_step import Counting, PathStep, WaitLink
from dispatch.path.schedule import MatterProgress

SAMPLES = 2_000


class NothingToPromise(ValueError):
    """The path has no matter whose end could be promised."""


@dataclass(frozen=True, slots=True, eq=False)
class PathSampler:
    """A path made ready for drawing: laws, waits and what has happened, in working days from the project's start."""

    codes: tuple[str, ...]
    starts_after: tuple[tuple[int, ...], ...]
    decided_after: tuple[tuple[int, ...], ...]
    finished: tuple[float | None, ...]
    accepted: tuple[float | None, ...]
    mu: Sample
    sigma: Sample
    floor: Sample
    timeless: npt.NDArray[np.bool_]
    cap: Sample  # what a duration is held to, infinite unless somebody acts
    used: Sample  # working days already used of what is under way
    paused: Sample
    today: float
    goals: tuple[int, ...]
    noise: Sample  # correlated standard normals, a row for each matter
    gaps: Sample | None  # whole working days from the last prerequisite to the acceptance

    def draw(self) -> Sample:
        """Finish of every matter in every sample: an array of matters by samples."""
        samples = self.noise.shape[1]
        lasts = np.exp(self._conditional() * self.sigma[:, None] + self.mu[:, None])
        lasts += self.floor[:, None]
        np.rint(lasts, out=lasts)
        np.minimum(lasts, self.cap[:, None], out=lasts)
        lasts[self.timeless] = 0
        finish: Sample = np.empty((len(self.codes), samples), dtype=np.float32)
        for row in range(len(self.codes)):
            out = finish[row]
            if (done := self.finished[row]) is not None:
                out.fill(done)
                continue
            if (accepted := self.accepted[row]) is not None:
                np.maximum(lasts[row], self.used[row] + (lasts[row] <= self.used[row]), out=out)
                out += accepted + self.paused[row]
            else:
                out.fill(self.today)
                for before in self.starts_after[row]:
                    np.maximum(out, finish[before], out=out)
                out += lasts[row]
                if self.gaps is not None and not self.timeless[row]:
                    out += self.gaps[row]
            for before in self.decided_after[row]:
                np.maximum(out, finish[before], out=out)
        return finish

    def _conditional(self) -> Sample:
        """The noise, given that what is under way has already lasted as long as it has."""
        under_way = [
            row for row, at in enumerate(self.accepted) if at is not None and self.used[row] + 0.5 > self.floor[row]
        ]
        if not under_way:
            return self.noise
        noise = self.noise.copy()
        lasted = self.used[under_way] + 0.5 - self.floor[under_way]
        bound = ndtr((np.log(lasted) - self.mu[under_way]) / self.sigma[under_way])[:, None]
        share = np.minimum(bound + (1 - bound) * ndtr(noise[under_way]), 1 - 1e-7)
        noise[under_way] = ndtri(share)
        return noise


@dataclass(frozen=True, slots=True)
class DecidingPlace:
    """Where matters are decided: the city, and the authority of each matter where it is not the catalogue's."""

    city: str = ""
    authorities: Mapping[str, str] = field(default_factory=dict)

    def authority_of(self, step: PathStep) -> str:
        return self.authorities.get(step.code, step.matter.authority)


@dataclass(frozen=True, slots=True)
class PathSoFar:
    """What has happened to a path by ``today``.

    ``paused_wd``: how long special procedures have stood so far; ``pause_ahead_wd``: how long they are still expected
    to. ``LegalClock.pauses_wd`` gives both."""

    calendar: Calendar
    start_on: date
    today: date
    progress: Mapping[str, MatterProgress] = field(default_factory=dict)
    paused_wd: Mapping[str, int] = field(default_factory=dict)
    pause_ahead_wd: Mapping[str, int] = field(default_factory=dict)

    def day_of(self, on: date | None) -> float | None:
        """A date as working days from the project's start."""
        return None if on is None else float(self.calendar.working_days_between(self.start_on, on))


ANYWHERE = DecidingPlace()


def prepare_path_samples(
    path: Path,
    durations: Durations,
    *,
    place: DecidingPlace = ANYWHERE,
    counting: Counting = Counting.ELAPSED,
    goals: Iterable[str] | None = None,
    so_far: PathSoFar | None = None,
    samples: int = SAMPLES,
) -> PathSampler:
    """Make a path ready for drawing. Without ``so_far`` nothing has happened yet. All projects share their draws."""
    wanted = tuple(path.goals if goals is None else goals)
    if not wanted:
        raise NothingToPromise("no matter of this path counts towards a target")
    row_of = {code: row for row, code in enumerate(path.codes)}
    fits = [law(step, durations, place, counting) for step in path.steps]
    laws = FittedLaws(
        np.array([fit.mu if fit else 0.0 for fit in fits], dtype=np.float32),
        np.array([fit.sigma if fit else 1.0 for fit in fits], dtype=np.float32),
        np.array([fit.floor if fit else 0.0 for fit in fits], dtype=np.float32),
    )
    timeless = np.array([fit is None for fit in fits])
    happened = _happened(path.codes, so_far)
    lasted = {row: days for row, days in happened.lasted.items() if not timeless[row]}
    authorities = [place.authority_of(step) for step in path.steps]
    noise = correlated_noise(path.codes, authorities, durations, samples)
    return PathSampler(
        codes=path.codes,
        starts_after=_rows_waited_for(path, row_of, WaitLink.START),
        decided_after=_rows_waited_for(path, row_of, WaitLink.DECISION),
        finished=happened.finished,
        accepted=happened.accepted,
        mu=laws.mu,
        sigma=laws.sigma,
        floor=laws.floor,
        timeless=timeless,
        cap=np.full(len(path.steps), np.inf, dtype=np.float32),
        used=happened.used,
        paused=happened.paused,
        today=happened.today,
        goals=tuple(row_of[code] for code in wanted),
        noise=noise_given_decided(noise, lasted, laws, authorities, durations) if lasted else noise,
        gaps=np.stack([gap_days(f"/gap/{code}", samples, durations.gap) for code in path.codes])
        if counting is Counting.ELAPSED
        else None,
    )


def _rows_waited_for(path: Path, row_of: Mapping[str, int], link: WaitLink) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(row_of[wait.on] for wait in step.waits if wait.link is link) for step in path.steps)


@dataclass(frozen=True, slots=True, eq=False)
class _Happened:
    """What has happened to each matter, a row each, in working days from the project's start."""

    finished: tuple[float | None, ...]
    accepted: tuple[float | None, ...]
    used: Sample
    paused: Sample
    today: float
    lasted: Mapping[int, float]  # of what is decided: its days without those of special procedures


def _happened(codes: Sequence[str], so_far: PathSoFar | None) -> _Happened:
    if so_far is None:
        nothing: Sample = np.zeros(len(codes), dtype=np.float32)
        return _Happened((None,) * len(codes), (None,) * len(codes), nothing, nothing, 0.0, {})
    told = [so_far.progress.get(code, MatterProgress()) for code in codes]
    accepted = tuple(so_far.day_of(one.accepted_on) for one in told)
    finished = tuple(so_far.day_of(one.decided_on) for one in told)
    stood: Sample = np.array([so_far.paused_wd.get(code, 0) for code in codes], dtype=np.float32)
    ahead: Sample = np.array([so_far.pause_ahead_wd.get(code, 0) for code in codes], dtype=np.float32)
    today = max(0.0, so_far.day_of(so_far.today) or 0.0)
    used: Sample = np.zeros(len(codes), dtype=np.float32)
    lasted: dict[int, float] = {}
    for row, (begun, ended) in enumerate(zip(accepted, finished, strict=True)):
        if begun is None:
            continue
        used[row] = max(0.0, today - begun - stood[row])
        if ended is not None:
            lasted[row] = max(0.0, ended - begun - float(stood[row]))
    return _Happened(finished, accepted, used, stood + ahead, today, lasted)


def law(step: PathStep, durations: Durations, place: DecidingPlace, counting: Counting) -> Fit | None:
    """What a step's duration follows, after area evaluations and commitments; None when it takes no time."""
    if step.effect is AreaEffect.REPLACE:
        return None
    if counting is Counting.TARGET and not step.matter.works_against_target:
        return None
    fit = durations.of(step.matter, place.authority_of(step), place.city)
    if fit is None:
        return None
    full, left = step.matter.days(Basis.COMMITTED), step.days(Basis.COMMITTED, Counting.ELAPSED)
    if left == 0:
        return None
    if full > 0 and (left < full or step.own_days is not None):
        return replace(fit, mu=fit.mu + log(left / full))
    return fit


def least_cases(path: Path, durations: Durations, place: DecidingPlace = ANYWHERE) -> int:
    """How many cases stand behind the least observed of the matters that take time: nought means belief alone."""
    fits = [law(step, durations, place, Counting.TARGET) for step in path.steps]
    return min((fit.cases for fit in fits if fit is not None), default=0)


def ends(ready: PathSampler) -> Sample:
    """When the last goal is done, for each sample in the order drawn."""
    finish = ready.draw()
    found: Sample = finish[list(ready.goals)].max(axis=0)
    return found
