"""The best set: which jobs are worth most to one agent within its room, exactly (a knapsack).

At some price of an hour the jobs that still pay just fit: the break. Any other set differs from the set at the break by
some jobs that are put in or taken out, and forgoes what each of them pays, more or less, at that price. So changes are
tried from the cheapest on; what forgoes as much as the best set known cannot become better, which ends it early.
"""

from __future__ import annotations

from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from agents.matching.arrays import Flags, Floats, Ints
from agents.matching.compiling import compiled

Number = TypeVar("Number", np.int64, np.float64)

PAYS = 1e-12  # less is no gain
FIRST_BAND = 0.25  # of the price of an hour: the changes that are tried first forgo less


class Aim(NamedTuple):
    """The price of an hour at the break, the hours that it leaves, and what need not be gained."""

    price: float
    spare: int
    waived: float


class Known(NamedTuple):
    """The best set known: what it forgoes, and its last change in the trail (-1: none)."""

    forgone: float
    change: int


class FirstSet(NamedTuple):
    """The set that takes whatever fits: the hours left to it, what it forgoes, and its last change."""

    rest: int
    forgone: float
    change: int


class Change(NamedTuple):
    """A job put in or taken out: the hours more, what it forgoes, and what the next change after it forgoes."""

    job: int
    more: int
    forgone: float
    next_forgone: float


class Trail(NamedTuple):
    """Every change tried: its job, and the change before it."""

    job: Ints
    before: Ints


class States(NamedTuple):
    """Sets, by hours: hours more than at the break, what was forgone, the last change. More hours only if it pays."""

    hours: Ints
    forgone: Floats
    last: Ints


# Here, and not where it is used: what is kept of a compiled function knows only the changes of its own file.
@compiled
def best_sets(cost: Floats, effort: Ints, room: Ints, price: Floats, waived: float, picked: Flags) -> float:
    """``picked`` becomes the best set of every agent for itself, at these prices of the jobs; what they are worth."""
    m, n = cost.shape
    jobs, gain = np.empty(n, np.int64), np.empty(n)
    worth = 0.0
    for i in range(m):
        wanted = 0
        for j in range(n):
            picked[i, j] = False
            gain[j] = price[j] - cost[i, j]
            if gain[j] > PAYS and effort[i, j] <= room[i]:
                jobs[wanted] = j
                wanted += 1
        worth += best_set(effort[i], gain, jobs, wanted, room[i], waived, picked[i])
    return worth


@compiled
def best_set(effort: Ints, gain: Floats, jobs: Ints, k: int, room: int, waived: float, taken: Flags) -> float:
    """Marks in ``taken`` the jobs of the best set; what it is worth. All are among the first ``k`` of ``jobs``.

    Each of these jobs alone must fit and gain something. Their order in ``jobs`` changes. A set that is better by no
    more than ``waived`` is not looked for."""
    split, spare, price = _break(effort, gain, jobs, k, room)
    worth = 0.0
    for q in range(split):
        taken[jobs[q]] = True
        worth += gain[jobs[q]]
    aim, best = Aim(price, spare, waived), Known(price * spare, -1)
    trail, changes = Trail(np.empty(128, np.int64), np.empty(128, np.int64)), 0
    now, states = States(np.zeros(64, np.int64), np.zeros(64), np.full(64, -1, np.int64)), 1
    new = States(np.empty(64, np.int64), np.empty(64), np.empty(64, np.int64))
    first = FirstSet(spare, 0.0, -1)
    low, high = 0.0, FIRST_BAND * price
    while low < best.forgone - waived:
        near, apart = _band(effort, gain, jobs, k, price, low, high)
        if len(trail.job) < changes + len(near):
            trail = Trail(_longer(trail.job, len(near)), _longer(trail.before, len(near)))
        first, changes = _fill_up(effort, jobs, near, apart, split, trail, changes, first)
        if price * first.rest + first.forgone < best.forgone:
            best = Known(price * first.rest + first.forgone, first.change)
        for turn in range(len(near)):
            off = apart[turn]
            if off >= best.forgone - waived:
                break
            job = jobs[near[turn]]
            more = -effort[job] if near[turn] < split else effort[job]
            after = apart[turn + 1] if turn + 1 < len(near) else high
            if len(now.hours) < 2 * states:
                now = States(_longer(now.hours, 0), _longer(now.forgone, 0), _longer(now.last, 0))
                new = States(now.hours.copy(), now.forgone.copy(), now.last.copy())
            if len(trail.job) < changes + states:
                trail = Trail(_longer(trail.job, states), _longer(trail.before, states))
            change = Change(job, more, off, after)
            states, changes, best = _try_change(now, states, new, change, trail, changes, aim, best)
            now, new = new, now
        low, high = high, 2.0 * high
    at = best.change
    while at >= 0:
        job = trail.job[at]
        worth += -gain[job] if taken[job] else gain[job]
        taken[job] = not taken[job]
        at = trail.before[at]
    return worth


@compiled
def _fill_up(
    effort: Ints, jobs: Ints, near: Ints, apart: Floats, split: int, trail: Trail, changes: int, first: FirstSet
) -> tuple[FirstSet, int]:
    """The first set known puts in whatever fits, so that little is left to try."""
    rest, forgone, at = first.rest, first.forgone, first.change
    for turn in range(len(near)):
        e = effort[jobs[near[turn]]]
        if near[turn] >= split and e <= rest:
            trail.job[changes], trail.before[changes] = jobs[near[turn]], at
            rest, forgone, at = rest - e, forgone + apart[turn], changes
            changes += 1
    return FirstSet(rest, forgone, at), changes


@compiled
def _try_change(
    now: States, states: int, new: States, change: Change, trail: Trail, changes: int, aim: Aim, best: Known
) -> tuple[int, int, Known]:
    """``new`` becomes the states with and without one more change: how many, the changes, and the best set known."""
    price, spare, more = aim.price, aim.spare, change.more
    best_forgone, best_change = best.forgone, best.change
    a, b, count, top = 0, 0, 0, -np.inf
    while a < states or b < states:
        is_new = a == states or (b < states and now.hours[b] + more < now.hours[a])
        if is_new:
            h, f, at = now.hours[b] + more, now.forgone[b] + change.forgone, now.last[b]
            b += 1
        else:
            h, f, at = now.hours[a], now.forgone[a], now.last[a]
            a += 1
        if price * h - f <= top:
            continue
        improves = is_new and h <= spare and price * (spare - h) + f < best_forgone
        goes_on = f + change.next_forgone < best_forgone - aim.waived
        if is_new and (improves or goes_on):
            trail.job[changes], trail.before[changes] = change.job, at
            at = changes
            changes += 1
        if improves:
            best_forgone, best_change = price * (spare - h) + f, at
        if goes_on:
            new.hours[count], new.forgone[count], new.last[count] = h, f, at
            count += 1
            top = price * h - f
    return count, changes, Known(best_forgone, best_change)


@compiled
def _break(effort: Ints, gain: Floats, jobs: Ints, k: int, room: int) -> tuple[int, int, float]:
    """How many jobs, now at the front, are in the set at the break; the room that it leaves; the price of an hour."""
    pays = np.empty(k)
    for q in range(k):
        e = effort[jobs[q]]
        pays[q] = gain[jobs[q]] / e if e > 0 else np.inf
    low, high = 0, k
    while low < high:
        one, two, three = pays[low], pays[(low + high) // 2], pays[high - 1]
        pivot = max(min(one, two), min(max(one, two), three))
        above, below, q = low, high, low
        load_above, load_same = 0, 0
        while q < below:
            if pays[q] > pivot:
                load_above += effort[jobs[q]]
                pays[q], pays[above] = pays[above], pays[q]
                jobs[q], jobs[above] = jobs[above], jobs[q]
                above += 1
                q += 1
            elif pays[q] < pivot:
                below -= 1
                pays[q], pays[below] = pays[below], pays[q]
                jobs[q], jobs[below] = jobs[below], jobs[q]
            else:
                load_same += effort[jobs[q]]
                q += 1
        if load_above > room:
            high = above
            continue
        room -= load_above
        if load_same > room:
            return above, room, pivot
        room -= load_same
        low = below
    return k, room, 0.0


@compiled
def _band(effort: Ints, gain: Floats, jobs: Ints, k: int, price: float, low: float, high: float) -> tuple[Ints, Floats]:
    """Where in ``jobs`` those stand whose change forgoes from ``low`` to less than ``high``, the cheapest first."""
    near, apart = np.empty(k, np.int64), np.empty(k)
    count = 0
    for q in range(k):
        off = abs(gain[jobs[q]] - price * effort[jobs[q]])
        if low <= off < high:
            near[count], apart[count] = q, off
            count += 1
    order = np.argsort(apart[:count])
    return near[order], apart[order]


@compiled
def _longer(values: npt.NDArray[Number], more: int) -> npt.NDArray[Number]:
    """At least twice as long, and ``more`` besides."""
    return np.concatenate((values, values, np.zeros(more, values.dtype)))
