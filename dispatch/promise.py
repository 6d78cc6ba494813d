"""Promise: when a path will be done, as dates with their probability; when to say it anew, and in which words. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache
from math import log, sqrt
from zlib import crc32

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri

from dispatch.applicability import BY_COMMITMENT, EASED
from dispatch.approval import DAY_BY_COMMITMENT_WD, AreaEffect, Basis, Counting, Link, Path, Relief, Step
from dispatch.clock import Calendar
from dispatch.durations import SHORTEST, Durations, Fit
from dispatch.path_schedule import Progress

SAMPLES = 2_000
SHARE = 0.85  # the probability behind the date that is said aloud
WORTH_SAYING_WD = 1

Sample = npt.NDArray[np.float32]


class NothingToPromise(ValueError):
    """The path has no matter whose end could be promised."""


# --- the draw -------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def _normals(key: str, samples: int) -> Sample:
    """Standard normals of one name: evenly stratified, shuffled by the name. The same facts give the same date, and a
    change of one matter leaves the draws of all others as they were."""
    shuffled = np.random.default_rng(crc32(key.encode())).permutation(samples)
    found: Sample = ndtri((shuffled + 0.5) / samples).astype(np.float32)
    found.flags.writeable = False
    return found


@lru_cache(maxsize=4096)
def _gap_days(key: str, samples: int, gap: Fit) -> Sample:
    found: Sample = np.rint(np.exp(_normals(key, samples) * np.float32(gap.sigma) + np.float32(gap.mu)))
    found.flags.writeable = False
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Course:
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


def course(
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
    progress: Mapping[str, Progress] | None = None,
    paused_wd: Mapping[str, int] | None = None,
    samples: int = SAMPLES,
    key: str = "",
) -> Course:
    """Make a path ready. ``authorities`` says who decides each matter at the project's place, else the catalogue does.

    ``key`` (the project's number, say) gives a project draws of its own; without it, all projects share theirs."""
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
    n = len(path.steps)
    fits = [law(step, durations, who.get(step.code, step.matter.authority), city, counting) for step in path.steps]
    accepted: list[float | None] = []
    finished: list[float | None] = []
    used = np.zeros(n, dtype=np.float32)
    stood = np.array([(paused_wd or {}).get(code, 0) for code in path.codes], dtype=np.float32)
    for row, code in enumerate(path.codes):
        so_far = happened.get(code, Progress())
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
    return Course(
        codes=path.codes,
        starts_after=tuple(tuple(row_of[w.on] for w in s.waits if w.link is Link.START) for s in path.steps),
        decided_after=tuple(tuple(row_of[w.on] for w in s.waits if w.link is Link.DECISION) for s in path.steps),
        finished=tuple(finished),
        accepted=tuple(accepted),
        mu=laws.mu,
        sigma=laws.sigma,
        floor=laws.floor,
        timeless=timeless,
        cap=np.full(n, np.inf, dtype=np.float32),
        used=used,
        paused=stood,
        today=now,
        goals=tuple(row_of[code] for code in wanted),
        noise=_knowing(noise, lasted, laws, places, durations) if lasted else noise,
        gaps=np.stack([_gap_days(f"{key}/gap/{code}", samples, durations.gap) for code in path.codes])
        if counting is Counting.ELAPSED
        else None,
    )


def law(step: Step, durations: Durations, authority: str, city: str, counting: Counting) -> Fit | None:
    """What a step's duration follows, after area evaluations and commitments; None when it takes no time."""
    if step.effect is AreaEffect.REPLACE:
        return None
    if counting is Counting.TARGET and not step.matter.works_against_target:
        return None
    fit = durations.of(step.matter, authority, city)
    if fit is None:
        return None
    full, left = step.matter.committed_days, step.days(Basis.COMMITTED, Counting.ELAPSED)
    if left < full and left > 0:
        return replace(fit, mu=fit.mu + log(left / full))
    return fit


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


# --- the outlook ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Recalibration:
    """What past promises taught about probabilities: a stated share and the share that came true, rising together."""

    stated: tuple[float, ...] = (0.0, 1.0)
    true: tuple[float, ...] = (0.0, 1.0)

    def __post_init__(self) -> None:
        if len(self.stated) != len(self.true) or list(self.stated) != sorted(self.stated):
            raise ValueError("a recalibration pairs rising shares")
        if list(self.true) != sorted(self.true):
            raise ValueError("a recalibration must not turn the order of dates round")

    def truth_of(self, stated: float) -> float:
        return float(np.interp(stated, self.stated, self.true))

    def stated_for(self, true: float) -> float:
        return float(np.interp(true, self.true, self.stated))


@dataclass(frozen=True, slots=True, eq=False)
class Outlook:
    """How many working days from its start a path will have taken, as sorted samples."""

    finishes: Sample
    recalibration: Recalibration = field(default_factory=Recalibration)

    @property
    def mean_wd(self) -> float:
        return float(self.finishes.mean())

    def chance_by_wd(self, days: float) -> float:
        """The probability of being done after that many working days at the latest."""
        share = np.searchsorted(self.finishes, days + 1e-6, side="right") / len(self.finishes)
        return self.recalibration.truth_of(float(share))

    def wd_for(self, share: float) -> int:
        """The first working day by which it is done with at least this probability."""
        if not 0 < share < 1:
            raise ValueError(f"a probability lies between 0 and 1, not at {share}")
        stated = min(max(self.recalibration.stated_for(share), 1e-9), 1.0)
        place = min(len(self.finishes) - 1, max(0, int(np.ceil(stated * len(self.finishes) - 1e-6)) - 1))
        return int(np.ceil(self.finishes[place]))


def outlook(ready: Course, recalibration: Recalibration | None = None) -> Outlook:
    """Draw the course and keep when its goals are all done."""
    return Outlook(np.sort(ends(ready)), recalibration or Recalibration())


def ends(ready: Course) -> Sample:
    """When the last goal is done, for each sample in the order drawn."""
    finish = ready.draw()
    found: Sample = finish[list(ready.goals)].max(axis=0)
    return found


# --- the promise ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Promise:
    """What was said: an expected date (预计办结) and the probability behind it. Never a guarantee."""

    expected_on: date
    share: float
    said_on: date
    is_estimate: bool = False
    reason: str = ""

    def words(self, today: date) -> str:
        """The third line, after 法定时限 and 部门承诺时限, as every page and message words it."""
        hint = "含未公布的放假安排,为估算;" if self.is_estimate else ""
        return (
            f"预计{day_words(self.expected_on, today)}前办结"
            f"(近一年同类项目,100个中约{round(self.share * 100)}个按时);{hint}"
            "公示、评审等法定程序不计入;审批结果由审批部门依法作出"
        )


def day_words(on: date, today: date) -> str:
    """3月12日; with the year only when it differs."""
    year = f"{on.year}年" if on.year != today.year else ""
    return f"{year}{on.month}月{on.day}日"


def three_lines(statutory_on: date, committed_on: date, promise: Promise, today: date) -> tuple[str, str, str]:
    """法定时限, 部门承诺时限, 预计办结, in this order, always together."""
    return (
        f"法定时限:{day_words(statutory_on, today)}",
        f"部门承诺时限:{day_words(committed_on, today)}",
        promise.words(today),
    )


def promise(view: Outlook, calendar: Calendar, start_on: date, today: date, *, share: float = SHARE) -> Promise:
    """The date by which it is done with ``share`` probability, and the probability that this very date has."""
    days = view.wd_for(share)
    on = calendar.add_working_days(start_on, days)
    return Promise(on, view.chance_by_wd(days), today, calendar.is_estimate(start_on, on))


def chance_by(view: Outlook, calendar: Calendar, start_on: date, by: date) -> float:
    return view.chance_by_wd(calendar.working_days_between(start_on, by))


def reissue(said: Promise | None, now: Promise, calendar: Calendar, reason: str) -> Promise | None:
    """The promise to say anew with its reason, or None when it moved by less than a working day."""
    if said is None:
        return replace(now, reason=reason)
    if abs(calendar.working_days_between(said.expected_on, now.expected_on)) < WORTH_SAYING_WD:
        return None
    return replace(now, reason=reason)


def why_moved(before: Mapping[str, Progress], after: Mapping[str, Progress], names: Mapping[str, str]) -> str:
    """What happened between two looks, in words that an enterprise understands."""
    said = []
    for code, name in names.items():
        was, became = before.get(code, Progress()), after.get(code, Progress())
        if was == became:
            continue
        if became.decided_on is not None and was.decided_on is None:
            said.append(f"{name}已于{became.decided_on.month}月{became.decided_on.day}日办结")
        elif became.accepted_on is not None and was.accepted_on is None:
            said.append(f"{name}已受理")
        elif became.due_on != was.due_on:
            said.append(f"{name}的法定期限有变")
    return ";".join(said) or "按最新办理进度重新估算"


# --- the risk, and what to do about it ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that somebody could do now, and the chance of missing the promise once it is done."""

    kind: str
    code: str
    words: str
    risk: float


@dataclass(frozen=True, slots=True)
class Risk:
    """The probability of missing the promised day, and the one action that lowers it most."""

    of_missing: float
    best: Action | None
    others: tuple[Action, ...] = ()

    @property
    def relieved(self) -> float:
        return 0.0 if self.best is None else self.of_missing - self.best.risk


Deed = Callable[[Course], Course]


def risk(path: Path, ready: Course, promised_wd: float, recalibration: Recalibration | None = None) -> Risk:
    """The risk now, and after each action on the matters that most often decide the end; ours to do, not the law's."""
    gauge = recalibration or Recalibration()

    def missed(changed: Course) -> float:
        late = float((ends(changed) > promised_wd + 1e-6).mean())
        return 1 - gauge.truth_of(1 - late)

    now = missed(ready)
    if now <= 0:
        return Risk(0.0, None)
    actions = [
        Action(kind, code, words, missed(deed(ready)))
        for code in decisive(ready)[:6]
        for kind, words, deed in _deeds(path, path.step(code), ready)
    ]
    better = sorted((a for a in actions if a.risk < now - 1e-9), key=lambda a: (a.risk, a.code, a.kind))
    return Risk(now, better[0] if better else None, tuple(better[1:4]))


def decisive(ready: Course) -> tuple[str, ...]:
    """Unfinished matters by how often they lie on the longest chain, the most frequent first."""
    finish = ready.draw()
    samples = finish.shape[1]
    every = np.arange(samples)
    goals = np.array(ready.goals)
    here = goals[finish[goals].argmax(axis=0)]
    counts = np.zeros(len(ready.codes), dtype=np.int64)
    running = np.ones(samples, dtype=np.bool_)
    while running.any():
        np.add.at(counts, here[running], 1)
        following = np.full(samples, -1)
        for row in np.unique(here[running]):
            mine = running & (here == row)
            waits = np.array((*ready.starts_after[row], *ready.decided_after[row]), dtype=np.intp)
            if len(waits) == 0 or ready.accepted[row] is not None or ready.finished[row] is not None:
                continue
            best = waits[finish[waits][:, mine].argmax(axis=0)]
            binding = finish[best, every[mine]] > ready.today
            following[np.flatnonzero(mine)[binding]] = best[binding]
        running &= following >= 0
        here = np.where(running, following, here)
    open_ = [row for row in np.argsort(-counts, kind="stable") if counts[row] and ready.finished[row] is None]
    return tuple(ready.codes[row] for row in open_)


def _deeds(path: Path, step: Step, ready: Course) -> list[tuple[str, str, Deed]]:
    row = ready.codes.index(step.code)
    short, limit = step.matter.short, float(step.matter.committed_days)
    found: list[tuple[str, str, Deed]] = []
    if ready.timeless[row]:
        return found
    if limit > 0 and step.effect is AreaEffect.NONE:
        found.append(("urge", f"提请{step.matter.authority}在承诺期限内办结{short}", _held_to(row, limit)))
    if ready.accepted[row] is None:
        if ready.gaps is not None:
            found.append(("file", f"{short}的前置一办结,当日报送", _at_once(row)))
        if step.code in BY_COMMITMENT and not step.by_commitment:
            found.append(("commit", f"{short}改用告知承诺办理", _held_to(row, DAY_BY_COMMITMENT_WD)))
        for wait in step.waits:
            relief = EASED.get((step.code, wait.on)) if wait.link is Link.START else None
            if relief is not None and ready.finished[ready.codes.index(wait.on)] is None:
                how = "模拟审批" if relief is Relief.SIMULATED else "容缺受理"
                words = f"{short}{how},{path.step(wait.on).matter.short}的结果在决定前补齐"
                found.append((relief.value, words, _on_undertaking(row, ready.codes.index(wait.on))))
    return found


def _held_to(row: int, days: float) -> Deed:
    """Never longer than that, though never done before tomorrow either."""

    def deed(ready: Course) -> Course:
        cap = ready.cap.copy()
        cap[row] = max(days, float(ready.used[row]) + 1)
        return replace(ready, cap=cap)

    return deed


def _at_once(row: int) -> Deed:
    def deed(ready: Course) -> Course:
        if ready.gaps is None:
            return ready
        gaps = ready.gaps.copy()
        gaps[row] = 0
        return replace(ready, gaps=gaps)

    return deed


def _on_undertaking(row: int, before: int) -> Deed:
    def deed(ready: Course) -> Course:
        starts, decided = list(ready.starts_after), list(ready.decided_after)
        starts[row] = tuple(other for other in starts[row] if other != before)
        decided[row] = (*decided[row], before)
        return replace(ready, starts_after=tuple(starts), decided_after=tuple(decided))

    return deed


def by_risk(risks: Mapping[str, Risk]) -> tuple[tuple[str, Risk], ...]:
    """An inbox in order: the likeliest to be missed first, then what an action helps most, then by key."""
    return tuple(sorted(risks.items(), key=lambda item: (-item[1].of_missing, -item[1].relieved, item[0])))
