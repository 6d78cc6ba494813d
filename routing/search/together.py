"""Two or more searches on one problem: each with its own seed, meeting now and then to go on from the best."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from routing.search.pace import Pace, SolveProgress
from routing.search.sisr.drive import Drive
from routing.search.sisr.layout import LIMIT
from routing.search.sisr.search import Search


def improve_together(
    first: Search,
    pace: Pace,
    *,
    seed: int,
    workers: int,
    fleet_first: bool,
    on_progress: Callable[[SolveProgress], None] | None,
    beside: Callable[[], None] | None = None,
) -> None:
    """Drive ``workers`` searches at once; the first ends with the best that any of them found."""
    searches = [first] + [Search(first.model, seed + 7919 * at) for at in range(1, workers)]
    for each in searches[1:]:
        each.begin(first.best())
    meeting = threading.Barrier(workers, action=lambda: _share(searches))

    def meet() -> None:
        with suppress(threading.BrokenBarrierError):
            meeting.wait()

    paces = [pace, *(replace(pace) for _ in searches[1:])]
    drives = [
        Drive(
            search,
            own,
            fleet_first=fleet_first,
            on_progress=on_progress if at == 0 else None,
            meet=meet,
            beside=beside if at == 0 else None,
        )
        for at, (search, own) in enumerate(zip(searches, paces, strict=True))
    ]

    def drive(each: Drive) -> None:
        try:
            each.improve()
        finally:
            meeting.abort()  # the others go on to their end alone

    threads = [threading.Thread(target=drive, args=(each,)) for each in drives[1:]]
    for thread in threads:
        thread.start()
    drive(drives[0])
    for thread in threads:
        thread.join()
    _share(searches)
    pace.iterations = sum(each.iterations for each in paces)


def _share(searches: list[Search]) -> None:
    """Every search that is behind goes on from the best."""
    leader = min(searches, key=lambda search: search.rank)
    lines, rank = leader.best(), leader.rank
    for each in searches:
        if each.rank > rank:
            each.begin(lines)
            each.core.S[LIMIT] = leader.core.S[LIMIT]
