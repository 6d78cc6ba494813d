"""The best set: which jobs are worth most to one agent within its room, exactly (a knapsack).

At some price of an hour the jobs that still pay just fit: the break. Any other set differs from the set at the break by
some jobs that are put in or taken out, and forgoes what each of them pays, more or less, at that price. So changes are
tried from the cheapest on; what forgoes as much as the best set known cannot become better, which ends it early.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt

from agents.matching.arrays import Flags, Floats, Ints
from agents.matching.compiling import compiled

Number = TypeVar("Number", np.int64, np.float64)

PAYS = 1e-12  # less is no gain
FIRST_BAND = 0.25  # of the price of an hour: the changes that are tried first forgo less


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
    best, best_change = price * spare, -1  # what the best set known forgoes, and its last change
    # Every change tried: its job, and the change before it.
    changed, before, changes = np.empty(128, np.int64), np.empty(128, np.int64), 0
    # States, by hours: hours more than at the break, what was forgone, the last change. More hours only for more worth.
    hours, forgone, last, states = np.zeros(64, np.int64), np.zeros(64), np.full(64, -1, np.int64), 1
    new_hours, new_forgone, new_last = np.empty(64, np.int64), np.empty(64), np.empty(64, np.int64)
    # The first set known puts in whatever fits, so that little is worth being tried.
    rest, paid, put = spare, 0.0, -1
    low, high = 0.0, FIRST_BAND * price
    while low < best - waived:
        near, apart = _band(effort, gain, jobs, k, price, low, high)
        if len(changed) < changes + len(near):
            changed, before = _longer(changed, len(near)), _longer(before, len(near))
        for turn in range(len(near)):
            e = effort[jobs[near[turn]]]
            if near[turn] >= split and e <= rest:
                changed[changes], before[changes] = jobs[near[turn]], put
                rest, paid, put = rest - e, paid + apart[turn], changes
                changes += 1
        if price * rest + paid < best:
            best, best_change = price * rest + paid, put
        for turn in range(len(near)):
            off = apart[turn]
            if off >= best - waived:
                break
            job = jobs[near[turn]]
            more = -effort[job] if near[turn] < split else effort[job]
            after = apart[turn + 1] if turn + 1 < len(near) else high
            if len(hours) < 2 * states:
                hours, forgone, last = _longer(hours, 0), _longer(forgone, 0), _longer(last, 0)
                new_hours, new_forgone, new_last = hours.copy(), forgone.copy(), last.copy()
            if len(changed) < changes + states:
                changed, before = _longer(changed, states), _longer(before, states)
            a, b, count, top = 0, 0, 0, -np.inf
            while a < states or b < states:
                is_new = a == states or (b < states and hours[b] + more < hours[a])
                if is_new:
                    h, f, at = hours[b] + more, forgone[b] + off, last[b]
                    b += 1
                else:
                    h, f, at = hours[a], forgone[a], last[a]
                    a += 1
                if price * h - f <= top:
                    continue
                improves = is_new and h <= spare and price * (spare - h) + f < best
                goes_on = f + after < best - waived
                if is_new and (improves or goes_on):
                    changed[changes], before[changes] = job, at
                    at = changes
                    changes += 1
                if improves:
                    best, best_change = price * (spare - h) + f, at
                if goes_on:
                    new_hours[count], new_forgone[count], new_last[count] = h, f, at
                    count += 1
                    top = price * h - f
            hours, new_hours = new_hours, hours
            forgone, new_forgone = new_forgone, forgone
            last, new_last = new_last, last
            states = count
        low, high = high, 2.0 * high
    while best_change >= 0:
        job = changed[best_change]
        worth += -gain[job] if taken[job] else gain[job]
        taken[job] = not taken[job]
        best_change = before[best_change]
    return worth


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
