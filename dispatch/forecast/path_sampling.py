"""Course: an approval path made ready for drawing, and its samples: every matter's end, many times at once. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from math import log, sqrt
from zlib import crc32

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri

from dispatch.core.working_days import Calendar
from dispatch.forecast.durations import SHORTEST, Durations, Fit
from dispatch.path.approval_graph import Path
from dispatch.path.matter_node import AreaEffect, Basis
from dispatch.path.path_step import Counting, PathStep, WaitLink
from dispatch.path.schedule import MatterProgress

SAMPLES = 2_000

Sample = npt.NDArray[np.float32]


class NothingToPromise(ValueError):
    """The path has no matter whose end could be promised."""


@lru_cache(maxsize=1024)
def _normals(key: str, samples: int) -> Sample:
    """Standard normals of one name: evenly stratified, shuffled by the name. The same facts give the same date, and a
    change of one matter leaves the draws of all others as they were."""
    shuffled = np.random.default_rng(crc32(key.encode())).permutation(samples)
    found: Sample = ndtri((shuffled + 0.5) / samples).astype(np.float32)
    found.flags.writeable = False
    return found


@lru_cache(maxsize=1024)
def _gap_days(key: str, samples: int, gap: Fit) -> Sample:
    found: Sample = np.rint(np.exp(_normals(key, samples) * np.float32(gap.sigma) + np.float32(gap.mu)))
    found.flags.writeable = False
    return found


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


def prepare_path_samples(
    path: Path,
    durations: Durations,
    *,
    authorities: Mapping[str, str] | None = None,
    city: str = "",
    counting: Counting = Counting.ELAPSED,
    goals: Iterable[str] | None = None,
    calendar: Calendar | None = None,
    start_on: date | None = None,
    today: date | None = None,
    progress: Mapping[str, MatterProgress] | None = None,
    paused_wd: Mapping[str, int] | None = None,
    pause_ahead_wd: Mapping[str, int] | None = None,
    samples: int = SAMPLES,
    key: str = "",
) -> PathSampler:
    """Make a path ready. ``authorities`` says who decides each matter at the project's place, else the catalogue does.

    ``key`` (the project's number, say) gives a project draws of its own; without it, all projects share theirs.

    ``paused_wd``: how long special procedures have stood so far; ``pause_ahead_wd``: how long they are still expected
    to. ``LegalClock.pauses_wd`` gives both."""
    who = authorities or {}
    happened = progress or {}
    if happened and (calendar is None or start_on is None or today is None):
        raise ValueError("progress is told in dates: the calendar, the project's start and today are needed")
    wanted = tuple(path.goals if goals is None else goals)
    if not wanted:
        raise NothingToPromise("no matter of this path counts towards a target")
    row_of = {code: row for row, code in enumerate(path.codes)}

    def offset(on: date) -> int:
        return 0 if calendar is None or start_on is None else calendar.working_days_between(start_on, on)

    now = float(max(0, offset(today))) if today is not None else 0.0
    gap = durations.gap
    n = len(path.steps)
    fits = [law(step, durations, who.get(step.code, step.matter.authority), city, counting) for step in path.steps]
    accepted: list[float | None] = []
    finished: list[float | None] = []
    used = np.zeros(n, dtype=np.float32)
    stood = np.array([(paused_wd or {}).get(code, 0) for code in path.codes], dtype=np.float32)
    ahead = np.array([(pause_ahead_wd or {}).get(code, 0) for code in path.codes], dtype=np.float32)
    for row, code in enumerate(path.codes):
        so_far = happened.get(code, MatterProgress())
        finished.append(None if so_far.decided_on is None else float(offset(so_far.decided_on)))
        accepted.append(None if so_far.accepted_on is None else float(offset(so_far.accepted_on)))
        begun = accepted[-1]
        if begun is not None:
            used[row] = max(0.0, now - begun - stood[row])
    laws = _Laws(
        np.array([fit.mu if fit else 0.0 for fit in fits], dtype=np.float32),
        np.array([fit.sigma if fit else 1.0 for fit in fits], dtype=np.float32),
        np.array([fit.floor if fit else 0.0 for fit in fits], dtype=np.float32),
    )
    timeless = np.array([fit is None for fit in fits])
    lasted = {
        row: max(0.0, ended - begun - float(stood[row]))
        for row, (begun, ended) in enumerate(zip(accepted, finished, strict=True))
        if begun is not None and ended is not None and not timeless[row]
    }
    places = [who.get(step.code, step.matter.authority) for step in path.steps]
    noise = _correlated(path.codes, places, durations, samples, key)
    return PathSampler(
        codes=path.codes,
        starts_after=tuple(tuple(row_of[w.on] for w in s.waits if w.link is WaitLink.START) for s in path.steps),
        decided_after=tuple(tuple(row_of[w.on] for w in s.waits if w.link is WaitLink.DECISION) for s in path.steps),
        finished=tuple(finished),
        accepted=tuple(accepted),
        mu=laws.mu,
        sigma=laws.sigma,
        floor=laws.floor,
        timeless=timeless,
        cap=np.full(n, np.inf, dtype=np.float32),
        used=used,
        paused=stood + ahead,
        today=now,
        goals=tuple(row_of[code] for code in wanted),
        noise=_knowing(noise, lasted, laws, places, durations) if lasted else noise,
        gaps=np.stack([_gap_days(f"{key}/gap/{code}", samples, gap) for code in path.codes])
        if counting is Counting.ELAPSED
        else None,
    )


def law(step: PathStep, durations: Durations, authority: str, city: str, counting: Counting) -> Fit | None:
    """What a step's duration follows, after area evaluations and commitments; None when it takes no time."""
    if step.effect is AreaEffect.REPLACE:
        return None
    if counting is Counting.TARGET and not step.matter.works_against_target:
        return None
    fit = durations.of(step.matter, authority, city)
    if fit is None:
        return None
    full, left = step.matter.committed_days, step.days(Basis.COMMITTED, Counting.ELAPSED)
    if full > 0 and left > 0 and (left < full or step.own_days is not None):
        return replace(fit, mu=fit.mu + log(left / full))
    return fit


def least_cases(path: Path, durations: Durations, authorities: Mapping[str, str] | None = None, city: str = "") -> int:
    """How many cases stand behind the least observed of the matters that take time: nought means belief alone."""
    who = authorities or {}
    fits = [
        law(step, durations, who.get(step.code, step.matter.authority), city, Counting.TARGET) for step in path.steps
    ]
    return min((fit.cases for fit in fits if fit is not None), default=0)


@dataclass(frozen=True, slots=True, eq=False)
class _Laws:
    mu: Sample
    sigma: Sample
    floor: Sample


def _correlated(codes: Sequence[str], places: Sequence[str], durations: Durations, samples: int, key: str) -> Sample:
    department, project = durations.department_correlation, durations.project_correlation
    noise: Sample = np.stack([_normals(f"{key}/{code}", samples) for code in codes])
    noise *= np.float32(sqrt(1 - department - project))
    for row, place in enumerate(places):
        noise[row] += np.float32(sqrt(department)) * _normals(f"{key}/department/{place}", samples)
    noise += np.float32(sqrt(project)) * _normals(f"{key}/project", samples)
    return noise


def _knowing(
    noise: Sample, lasted: Mapping[int, float], laws: _Laws, places: Sequence[str], durations: Durations
) -> Sample:
    """The noise of what is open, given how slow what is decided turned out to be (Matheron's rule): a project that was
    slow so far is expected to stay slow, most of all in the same department."""
    known = list(lasted)
    here = np.array(places)
    alike = durations.project_correlation + durations.department_correlation * (here[:, None] == here[None, :])
    np.fill_diagonal(alike, 1.0)
    days = np.array([max(lasted[row] - float(laws.floor[row]), SHORTEST) for row in known])
    seen = (np.log(days) - laws.mu[known]) / laws.sigma[known]
    # A whole day is only known to half a day either way.
    blur = (1 / 12) / (days * laws.sigma[known]) ** 2
    among = alike[np.ix_(known, known)] + np.diag(blur)
    pull = np.linalg.solve(among, seen[:, None] - noise[known]).astype(np.float32)
    moved: Sample = noise + alike[:, known].astype(np.float32) @ pull
    return moved


def ends(ready: PathSampler) -> Sample:
    """When the last goal is done, for each sample in the order drawn."""
    finish = ready.draw()
    found: Sample = finish[list(ready.goals)].max(axis=0)
    return found
