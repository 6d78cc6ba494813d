"""Shared set-up: entering an address (parking, the gate, the stairs) is paid once for all stops that are served there.

It becomes travel: who comes from another address drives that much longer, who is there already does not. So the search,
the check and the bound know it without a term of their own. ``Visit.start_s`` stays what is announced: when the courier
is at the door. A stop's ``service_s`` is then what the stop itself takes, without the set-up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from routing.model.problem import Problem
from routing.model.profile import UNREACHABLE, Cells, Profile
from routing.model.quantities import MAX_INSTANT_S, InvalidProblem, check_whole


def with_shared_setup(problem: Problem, setup_s: Sequence[int]) -> Problem:
    """The same day, where entering each place takes ``setup_s`` seconds (one for each location), at any speed.

    Two places with nothing to drive between them, no second and no metre, are one address. Raises InvalidProblem."""
    if len(setup_s) != problem.size:
        raise InvalidProblem(f"setup_s has {len(setup_s)} values: there are {problem.size} places")
    for place, seconds in enumerate(setup_s):
        check_whole(f"setup_s[{place}]", seconds, 0, MAX_INSTANT_S)
    if not any(setup_s):
        return problem
    fast = next((vehicle for vehicle in problem.vehicles if vehicle.speed_pct != 100), None)
    if fast is not None:
        raise InvalidProblem(f"vehicle {fast.id}: speed_pct would change the set-up too; give it a profile of its own")
    entering = np.array(setup_s, dtype=np.int64)
    return replace(problem, profiles=tuple(_entered(profile, entering) for profile in problem.profiles))


def _entered(profile: Profile, entering: NDArray[np.int64]) -> Profile:
    seconds = profile.seconds.astype(np.int64)
    is_elsewhere = (seconds != UNREACHABLE) & ((seconds > 0) | (profile.metres > 0))
    seconds += np.where(is_elsewhere, entering[np.newaxis, :], 0)
    too_long = is_elsewhere & (seconds >= UNREACHABLE)
    if too_long.any():
        start, end = (int(at[0]) for at in np.nonzero(too_long))
        raise InvalidProblem(f"profile {profile.name}: seconds[{start}, {end}] with its set-up is too long")
    cells: Cells = seconds.astype(np.int32)
    return Profile(cells, profile.metres, profile.name)
