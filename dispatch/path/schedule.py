"""Path schedule: earliest and latest days of an approval path, its critical path, its dates, what was saved. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date

from dispatch.core.legal_clock import Lamp
from dispatch.core.limit import last_day
from dispatch.core.three_clocks import ClockOf, ThreeClocks
from dispatch.core.working_days import Calendar
from dispatch.path.approval_graph import Path
from dispatch.path.errors import UnknownMatter
from dispatch.path.joint_groups import chain_cap
from dispatch.path.matter_node import AreaEffect, Basis
from dispatch.path.path_step import Counting, PathStep, WaitLink


@dataclass(frozen=True, slots=True)
class Timing:
    """One matter in a schedule, in working days from the path's start: it works on days ``start + 1`` to ``finish``."""

    code: str
    days: int
    start: int
    finish: int
    latest_start: int
    latest_finish: int
    is_critical: bool

    @property
    def slack(self) -> int:
        """Working days it may slip before the end of the path slips (机动时间)."""
        return self.latest_finish - self.finish


@dataclass(frozen=True, slots=True)
class Schedule:
    """Forward and backward pass over a path under one basis and one way of counting."""

    basis: Basis
    counting: Counting
    horizon: int
    timings: tuple[Timing, ...]
    critical_path: tuple[str, ...]

    def of(self, code: str) -> Timing:
        for timing in self.timings:
            if timing.code == code:
                return timing
        raise UnknownMatter(f"{code} is not in this schedule")


def schedule(
    path: Path,
    basis: Basis,
    counting: Counting = Counting.TARGET,
    *,
    goals: Iterable[str] | None = None,
    days: Mapping[str, int] | None = None,
) -> Schedule:
    """When each matter can start and must finish. The end is the last of ``goals``: the target's, else every matter.

    ``days`` overrides a matter's duration (from actual progress, or a sample)."""
    override = days or {}
    wanted = path.goals if goals is None and counting is Counting.TARGET else goals
    ends = tuple(path.codes if wanted is None else wanted)
    start: dict[str, int] = {}
    finish: dict[str, int] = {}
    last: dict[str, int] = {}
    began: dict[str, int] = {}
    for step in path.steps:
        begins = max((finish[w.on] for w in step.waits if w.link is WaitLink.START), default=0)
        held = max((finish[w.on] for w in step.waits if w.link is WaitLink.DECISION), default=0)
        first = began.setdefault(step.matter.limit_chain or step.code, begins)
        last[step.code] = override.get(step.code, _within_chain(step, basis, counting, used=begins - first))
        start[step.code] = begins
        finish[step.code] = max(begins + last[step.code], held)
    horizon = max((finish[code] for code in ends), default=0)

    towards: set[str] = set(ends)
    for step in reversed(path.steps):
        if step.code in towards:
            towards.update(wait.on for wait in step.waits)
    latest = {code: horizon if code in towards else max(horizon, finish[code]) for code in path.codes}
    for step in reversed(path.steps):
        if step.code not in towards:
            continue
        for wait in step.waits:
            bound = latest[step.code] - (last[step.code] if wait.link is WaitLink.START else 0)
            latest[wait.on] = min(latest[wait.on], bound)
    timings = tuple(
        Timing(
            code=code,
            days=last[code],
            start=start[code],
            finish=finish[code],
            latest_start=latest[code] - last[code],
            latest_finish=latest[code],
            is_critical=code in towards and latest[code] == finish[code],
        )
        for code in path.codes
    )
    return Schedule(basis, counting, horizon, timings, _longest_chain(path, ends, start, finish))


def _within_chain(step: PathStep, basis: Basis, counting: Counting, *, used: int) -> int:
    """How many days a step takes, where its chain has used some of the limit that stands over all its steps."""
    days, cap = step.days(basis, counting), chain_cap(step.matter.limit_chain, basis)
    return days if cap is None else min(days, max(0, cap.schedule_wd - used))


def _longest_chain(
    path: Path, ends: tuple[str, ...], start: Mapping[str, int], finish: Mapping[str, int]
) -> tuple[str, ...]:
    """One chain that sets the end, back from the goal that finishes last; ties go to the first in path order."""
    if not ends:
        return ()
    order = {code: place for place, code in enumerate(path.codes)}
    by_code = {step.code: step for step in path.steps}
    here = max(ends, key=lambda code: (finish[code], order[code]))
    chain = [here]
    while True:
        binding = [
            wait.on
            for wait in by_code[here].waits
            if finish[wait.on] == (start[here] if wait.link is WaitLink.START else finish[here])
        ]
        if not binding:
            return tuple(reversed(chain))
        here = min(binding, key=lambda code: (-finish[code], order[code]))
        chain.append(here)


def planned_clocks(path: Path, basis: Basis) -> ThreeClocks:
    """The three clocks of the plan. A day that an authority has counts as the authority's, whoever else works on it."""
    plan = schedule(path, basis, Counting.ELAPSED)
    whose: dict[int, ClockOf] = {}
    rank = {ClockOf.AUTHORITY: 0, ClockOf.NOT_COUNTED: 1, ClockOf.ENTERPRISE: 2}
    for step in path.steps:
        timing = plan.of(step.code)
        for day in range(timing.start + 1, timing.start + timing.days + 1):
            mine = step.matter.whose
            if day not in whose or rank[mine] < rank[whose[day]]:
                whose[day] = mine
    counts = {clock: sum(1 for mine in whose.values() if mine is clock) for clock in ClockOf}
    approval, not_counted = counts[ClockOf.AUTHORITY], counts[ClockOf.NOT_COUNTED]
    return ThreeClocks(approval, plan.horizon - approval - not_counted, not_counted)


# --- what an area evaluation is worth -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AreaGain:
    """What shared evaluations bring, kept apart: off the critical path a saving is slack and money, not days."""

    codes: tuple[str, ...]
    work_saved_wd: int  # days of work that need not be done
    days_saved_wd: int  # by which the whole path is shorter
    slack_gained_wd: int  # days of work saved that became room to breathe instead
    cost_saved_yuan: int


def area_gain(path: Path, basis: Basis) -> AreaGain:
    """The gain of all shared evaluations, in every day that passes (全程历时)."""
    shared = tuple(s.code for s in path.steps if s.evaluation is not None)
    bare = Path(
        tuple(
            replace(step, effect=AreaEffect.NONE, evaluation=None) if step.code in shared else step
            for step in path.steps
        )
    )
    before, after = (schedule(one, basis, Counting.ELAPSED) for one in (bare, path))
    work = sum(before.of(c).days - after.of(c).days for c in shared)
    days = before.horizon - after.horizon
    cost = sum(step.evaluation.cost_saved_yuan for step in path.steps if step.code in shared and step.evaluation)
    return AreaGain(shared, work, days, max(0, work - days), cost)


# --- on the real calendar -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MatterProgress:
    """What has happened to one matter so far; ``legal_due_on`` and ``due_on`` (what binds) are the clock's dates."""

    accepted_on: date | None = None
    decided_on: date | None = None
    legal_due_on: date | None = None
    due_on: date | None = None
    lamp: Lamp = Lamp.GREEN


@dataclass(frozen=True, slots=True)
class DatedStep:
    """A matter on the calendar: 法定, 承诺 and 预计 side by side. ``starts_on`` follows the committed plan."""

    code: str
    starts_on: date
    statutory_on: date
    committed_on: date
    expected_on: date | None
    decided_on: date | None
    lamp: Lamp
    is_estimate: bool

    @property
    def is_done(self) -> bool:
        return self.decided_on is not None


def dated(
    path: Path,
    calendar: Calendar,
    start_on: date,
    *,
    today: date,
    basis: Basis = Basis.COMMITTED,
    progress: Mapping[str, MatterProgress] | None = None,
    expected: Mapping[str, date] | None = None,
) -> tuple[DatedStep, ...]:
    """Each matter's dates. What is decided keeps its day; what has not begun cannot begin before today."""
    happened = progress or {}
    hoped = expected or {}
    found: dict[str, DatedStep] = {}
    began: dict[tuple[Basis, str], date] = {}
    for step in path.steps:
        so_far = happened.get(step.code, MatterProgress())
        begins: dict[Basis, date] = {}
        ends: dict[Basis, date] = {}
        for rule in (Basis.STATUTORY, basis):
            finish = {c: d.statutory_on if rule is Basis.STATUTORY else d.committed_on for c, d in found.items()}
            free = max((finish[w.on] for w in step.waits if w.link is WaitLink.START), default=start_on)
            held = max((finish[w.on] for w in step.waits if w.link is WaitLink.DECISION), default=start_on)
            begin = so_far.accepted_on or (so_far.decided_on and free) or max(free, today)
            begins[rule] = min(begin, so_far.decided_on or begin)
            said = so_far.due_on
            if rule is Basis.STATUTORY:
                said = so_far.legal_due_on or said  # no limit in law: the promise stands in for it
            first = began.setdefault((rule, step.matter.limit_chain or step.code), begins[rule])
            end = said or min(
                step.ends_on(calendar, begins[rule], rule),
                _chain_ends(step, rule, calendar, first) or date.max,
            )
            ends[rule] = so_far.decided_on or max(end, held)
        estimate = calendar.is_estimate(start_on, max(ends.values()))
        found[step.code] = DatedStep(
            code=step.code,
            starts_on=begins[basis],
            statutory_on=ends[Basis.STATUTORY],
            committed_on=ends[basis],
            expected_on=hoped.get(step.code),
            decided_on=so_far.decided_on,
            lamp=so_far.lamp,
            is_estimate=estimate,
        )
    return tuple(found.values())


def _chain_ends(step: PathStep, basis: Basis, calendar: Calendar, first: date) -> date | None:
    """The last day of the step's chain, whose first step begins on ``first``."""
    cap = chain_cap(step.matter.limit_chain, basis)
    return None if cap is None else last_day(calendar, first, cap)
