"""Risk: the chance of missing a promise, what decides it, and the one action that lowers it most. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from dispatch.forecast.path_sampling import PathSampler, ends
from dispatch.forecast.promise import Recalibration
from dispatch.path.applicability import BY_COMMITMENT, EASED
from dispatch.path.approval_graph import Path
from dispatch.path.edits import Relief
from dispatch.path.matter_node import AreaEffect, Basis
from dispatch.path.path_step import PathStep, WaitLink


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


Deed = Callable[[PathSampler], PathSampler]


def risk(path: Path, ready: PathSampler, promised_wd: float, recalibration: Recalibration | None = None) -> Risk:
    """The risk now, and after each action on the matters that most often decide the end; ours to do, not the law's."""
    gauge = recalibration or Recalibration()

    def missed(changed: PathSampler) -> float:
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


def decisive(ready: PathSampler) -> tuple[str, ...]:
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


def _deeds(path: Path, step: PathStep, ready: PathSampler) -> list[tuple[str, str, Deed]]:
    row = ready.codes.index(step.code)
    short, limit = step.matter.short, float(step.matter.days(Basis.COMMITTED))
    found: list[tuple[str, str, Deed]] = []
    if ready.timeless[row]:
        return found
    if limit > 0 and step.effect is AreaEffect.NONE:
        found.append(("urge", f"提请{office(step.matter.authority)}在承诺期限内办结{short}", _held_to(row, limit)))
    if ready.accepted[row] is None:
        if ready.gaps is not None:
            when = "的前置一办结，当日报送" if step.waits else "当日报送"
            found.append(("file", f"{short}{when}", _at_once(row)))
        if step.code in BY_COMMITMENT and not step.by_commitment:
            found.append(("commit", f"{short}改用告知承诺办理", _held_to(row, 0)))
        for wait in step.waits:
            relief = EASED.get((step.code, wait.on)) if wait.link is WaitLink.START else None
            if relief is not None and ready.finished[ready.codes.index(wait.on)] is None:
                how = "模拟审批" if relief is Relief.SIMULATED else "容缺受理"
                words = f"{short}{how}，{path.step(wait.on).matter.short}的结果在决定前补齐"
                found.append((relief.value, words, _on_undertaking(row, ready.codes.index(wait.on))))
    return found


def office(authority: str) -> str:
    """The one to turn to, of a catalogue's list of departments: the first, which leads."""
    return re.split(r"[/(（、,，]|牵头", authority, maxsplit=1)[0]


def _held_to(row: int, days: float) -> Deed:
    """Never longer than that, though never done before tomorrow either."""

    def deed(ready: PathSampler) -> PathSampler:
        cap = ready.cap.copy()
        cap[row] = max(days, float(ready.used[row]) + 1)
        return replace(ready, cap=cap)

    return deed


def _at_once(row: int) -> Deed:
    def deed(ready: PathSampler) -> PathSampler:
        if ready.gaps is None:
            return ready
        gaps = ready.gaps.copy()
        gaps[row] = 0
        return replace(ready, gaps=gaps)

    return deed


def _on_undertaking(row: int, before: int) -> Deed:
    def deed(ready: PathSampler) -> PathSampler:
        starts, decided = list(ready.starts_after), list(ready.decided_after)
        starts[row] = tuple(other for other in starts[row] if other != before)
        decided[row] = (*decided[row], before)
        return replace(ready, starts_after=tuple(starts), decided_after=tuple(decided))

    return deed
