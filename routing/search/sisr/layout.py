"""Columns of the flat integer arrays that the compiled core works on, and numbers with a meaning."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Cells = NDArray[np.int32]
Flags = NDArray[np.uint8]
Words = NDArray[np.uint64]

INF: Final = 1 << 60
"""An instant or a cost that nothing reaches."""
BROKEN: Final = 1 << 56
"""Added to the cost of a route that breaks a rule."""
BAN: Final = 1 << 30
"""An insertion this dear uses a way that cannot be driven."""
NO_WAY: Final = (1 << 31) - 1
"""The matrix entry of a way that cannot be driven."""
FEWER_FIRST: Final = 1 << 41
"""A vehicle's price where fewer vehicles come first."""
DEAREST_ARC: Final = 1 << 28
"""Arc costs stay below, so that a real insertion never looks banned."""

# A node: a stop, or a place where vehicles start and end. Its number is also its row in the matrices.
OPENS: Final = 0
CLOSES: Final = 1
SERVICE: Final = 2
REQUEST: Final = 3
MATE: Final = 4  # the other stop of a pair, else -1
SIDE: Final = 5  # 1 on the second stop of a pair, else 0
FROM_DEPOT: Final = 6  # pieces on board from the start
FROM_DEPOT_2: Final = 7  # grams
CHANGE: Final = 8  # pieces more on board after the stop than before
CHANGE_2: Final = 9
WINDOW: Final = 10  # first row in the table of windows
WINDOWS: Final = 11
LATE_FROM: Final = 12  # close of the last window before its grace
LATE_COST: Final = 13
TOLD_OPENS: Final = 14
TOLD_CLOSES: Final = 15
TOLD_COST: Final = 16  # a minute; 0 where nothing was announced
RELEASE: Final = 17  # when it can leave the depot
NODE_WIDTH: Final = 18

# A request.
FIRST: Final = 0
SECOND: Final = 1  # -1 unless paired
PENALTY: Final = 2
ABSENCES: Final = 3  # iterations that ended without it
REQUEST_WIDTH: Final = 4

# A vehicle.
START: Final = 0
END: Final = 1
LEAVES: Final = 2  # earliest departure
HOME: Final = 3  # latest arrival
CAPACITY: Final = 4
CAPACITY_2: Final = 5
FIXED: Final = 6
CLASS: Final = 7  # which matrices it drives by
KIND: Final = 8  # vehicles of one kind are interchangeable
ABOARD: Final = 9  # pieces on board from what it has done already
ABOARD_2: Final = 10
RUNNING: Final = 11  # 1 with a prefix: the route exists whether or not anything is added
DUTY: Final = 12  # longest
ON_DUTY: Final = 13  # when its duty began, -1 where the plan chooses
REST_OPENS: Final = 14
REST_CLOSES: Final = 15
REST: Final = 16  # length of the break, -1 where none is due
MOST: Final = 17  # stops, beside those of the prefix
FARTHEST: Final = 18  # metres, beside those of the prefix
VEHICLE_WIDTH: Final = 19

# A position of a route: 0 is the start, length + 1 the end.
NODE: Final = 0
LEFT: Final = 1  # earliest departure
LATEST: Final = 2  # latest arrival that still works out
ARC: Final = 3  # cost to the next position
LOAD: Final = 4  # on departure
LOAD_SO_FAR: Final = 5  # highest load up to here
LOAD_TO_COME: Final = 6  # highest load from here on
LOAD_2: Final = 7
LOAD_SO_FAR_2: Final = 8
LOAD_TO_COME_2: Final = 9
LEFT_UNRESTED: Final = 10  # the same with the break still due
LATEST_UNRESTED: Final = 11
# Where starts of service cost: the route as it is timed.
SERVED: Final = 12  # start of service
LEFT_TIMED: Final = 13
COST_SO_FAR: Final = 14  # of starts up to here, in units of the problem
HURRIED: Final = 15  # 1 where a wait for an announced window is skipped up to here
# Where the length of the duty costs: the parts before and behind.
DURATION: Final = 12  # shortest, up to the departure here
START_BY: Final = 13  # latest start that keeps it
DURATION_TO_COME: Final = 14  # shortest, from the start of service here
NO_WAIT_FROM: Final = 15  # earliest start of service that keeps it
PLAIN_WIDTH: Final = 7
RICH_WIDTH: Final = 16

# Where a stop is; in plain routes also what an insertion behind it or before it looks at.
ROUTE: Final = 0  # -1 when absent
AT: Final = 1  # its position
NEXT: Final = 2  # the node behind it
PREVIOUS: Final = 3  # the stop before it, -1 at the start
LEFT_AT: Final = 4  # earliest departure
NEXT_BY: Final = 5  # latest arrival at the node behind it
NEXT_ARC: Final = 6  # cost to it
ROOM_BEFORE: Final = 7  # capacity left up to here
ROOM_BEHIND: Final = 8  # and from here on
WHERE_WIDTH: Final = 9
NUMBERS: Final = (1 << 31) - 1
"""A number that is not negative stays itself under this mask, which tells the compiler so."""

# A route.
LENGTH: Final = 0
COST: Final = 1
VERSION: Final = 2  # -1 while it is being changed
STAMP: Final = 3  # the iteration that last changed it
PLACE: Final = 4  # in the list of active routes, -1 when not there
TIMED: Final = 5  # the part of the cost that depends on when things happen
WAITING: Final = 6  # seconds
QUICK: Final = 7  # how an insertion is timed: STARTS, DUTIES, or 0 for all of the route anew
STARTS_COST: Final = 8  # of all starts of service, in units of the problem
WORK: Final = 9  # seconds of driving and service
METRES: Final = 10  # where some vehicle has a longest distance
LEAVE: Final = 11  # the earliest, once all that it delivers can leave; kept where something is released late
ROUTE_WIDTH: Final = 12
STARTS: Final = 1
DUTIES: Final = 2

# Settings and the counters that survive between calls.
RICH: Final = 0
TIMES_COST: Final = 1
ACTIVE: Final = 2  # length of the list of active routes
ABSENT: Final = 3  # length of the list of absent requests
USED: Final = 4  # routes with visits, of vehicles without a prefix
LIMIT: Final = 5  # on USED
NEXT_VERSION: Final = 6
ITERATION: Final = 7
BEST_COST: Final = 8
BEST_PENALTY: Final = 9
BEST_USED: Final = 10
BLINKS_IN: Final = 11  # positions until the next blink
STRING: Final = 12  # longest removed string
REMOVED_X10: Final = 13  # average removed, times ten
ABSENCE_RULE: Final = 14  # 1 while the fleet is being cut
DUTY_PRICE: Final = 15
WAITING_PRICE: Final = 16
EVEN_PRICE: Final = 17
FAIR_DUTY: Final = 18
SCALE: Final = 19  # cost units of the problem in one of the core
PAIRS: Final = 20
BLINK_GAP: Final = 21  # average positions between blinks
COST_NOW: Final = 22
PENALTY_NOW: Final = 23
DIRTY: Final = 24  # length of the list of routes changed in this iteration
EXACT: Final = 25  # 1 where a shorter duty is looked for at every edge of a window
NEARBY: Final = 26  # 1 where an insertion looks beside a stop's neighbours first, and everywhere only when that fails
LOOKS: Final = 27  # pairs whose places beside near stops were looked for
POOLING: Final = 28  # 1 where routes are pooled
TIMES_BY: Final = 29  # STARTS where only starts of service cost, DUTIES where only the duty does, else 0
FAR: Final = 30  # 1 where some vehicle has a longest distance
RELEASES: Final = 31  # 1 where something is released after a vehicle could leave
STATE_WIDTH: Final = 32

# A pooled route.
POOLED_COST: Final = 0
POOLED_BY: Final = 1  # a vehicle of its kind
POOLED_LENGTH: Final = 2  # 0 in an empty row
POOLED_WIDTH: Final = 3


class Core(NamedTuple):
    """Everything the compiled search reads and writes. One thread owns it."""

    N: Ints
    Q: Ints
    V: Ints
    WIN: Ints
    C: Cells
    T: Cells
    CT: Cells
    """Transposed, so that what leads to a node lies side by side."""
    TT: Cells
    M: Cells
    """Metres, where ``FAR`` holds; else something to be passed on."""
    MAY: Flags
    """By vehicle and request."""
    NEAR: Cells
    """For each stop the others, nearest first."""
    BEFORE: Cells
    """For each stop those that may well come just before it, likeliest first."""
    AFTER: Cells
    RANK: Cells
    """Orders in which absent requests are put back."""
    KINDS: Ints
    """The vehicles without a prefix, kind by kind."""
    KIND_AT: Ints
    P: Ints
    RT: Ints
    P_BEFORE: Ints
    RT_BEFORE: Ints
    where: Ints
    """Where each stop is."""
    active: Ints
    absent: Ints
    absent_before: Ints
    dirty: Ints
    tried: Ints
    """By stop: the last look that tried the place behind it."""
    spots: Ints
    """Places beside near stops of a pair's second stop: the cost, behind which position, and the next of the route."""
    beside: Ints
    """By route: the last look that found such a place in it, the least that one costs, and the first in ``spots``."""
    found: Ints
    """For each request and route: the version looked at, and what putting it there costs."""
    places: Ints
    line: Ints
    times: Ints
    best: Cells
    best_length: Ints
    best_version: Ints
    keys: Ints
    S: Ints
    RNG: Words
    WORDS: Words
    """A random word for each stop, and for each kind of vehicle."""
    pooled_keys: Words
    pooled: Ints
    pooled_stops: Cells
