"""Tails: routes that cross exchange what comes behind the crossing, in one step where stop by stop nothing fits."""

from routing.model.problem import Objective, Problem
from routing.model.profile import Profile
from routing.model.quantities import Load, Window
from routing.model.request import Request, RequestKind, Stop
from routing.model.vehicle import Vehicle
from routing.search.sisr.layout import NEARBY, REMOVED_X10, STRING
from routing.search.sisr.model import model_of
from routing.search.sisr.search import Search
from routing.search.solve import compile_core

EACH = 80


def two_streets(capacity):
    """Stops along two streets far apart, a courier for each, the centre at their beginning."""
    points = [(0, 500)] + [(10 * at, street) for street in (0, 1_000) for at in range(1, EACH + 1)]
    seconds = [[abs(a[0] - b[0]) + abs(a[1] - b[1]) for b in points] for a in points]
    day = Window(0, 100_000)
    stops = [Stop(at, (day,), 0, Load(1)) for at in range(1, 2 * EACH + 1)]
    asked = tuple(Request(f"{at}", RequestKind.DELIVERY, (stop,)) for at, stop in enumerate(stops))
    fleet = tuple(Vehicle(f"v{at}", 0, 0, day, Load(capacity)) for at in range(2))
    return Problem((Profile(seconds),), asked, fleet, Objective())


def after_taking_out_one_at_a_time(problem, lines):
    compile_core()
    search = Search(model_of(problem), 0)
    assert search.core.S[NEARBY] == 1
    search.begin(lines)
    search.core.S[STRING], search.core.S[REMOVED_X10] = 1, 10
    search.run(20_000, 1e-6, 1e-6)
    return search.best()


def test_couriers_who_change_streets_halfway_exchange_the_rest_of_their_ways():
    one, other = list(range(EACH)), list(range(EACH, 2 * EACH))
    half = EACH // 2
    found = after_taking_out_one_at_a_time(
        two_streets(capacity=EACH), [one[:half] + other[half:], other[:half] + one[half:]]
    )
    assert sorted(map(sorted, found)) == [one, other]


def test_no_exchange_loads_a_vehicle_beyond_what_it_holds():
    one, other = list(range(EACH)), list(range(EACH, 2 * EACH))
    found = after_taking_out_one_at_a_time(
        two_streets(capacity=EACH + 5), [one[:40] + other[45:], other[:45] + one[40:]]
    )
    assert sorted(node for line in found for node in line) == one + other
    assert max(map(len, found)) <= EACH + 5
