"""Days: random problems with every kind of rule, small enough to solve by the hundred."""

from hypothesis import strategies as st

from routing.model.problem import Objective, Primary, Problem
from routing.model.profile import UNREACHABLE, Profile
from routing.model.quantities import Load, Window
from routing.model.request import Announced, Request, RequestKind, Stop
from routing.model.vehicle import Break, Vehicle

PLACES = 7


@st.composite
def windows(draw):
    edges = sorted(draw(st.lists(st.integers(0, 20_000), min_size=2, max_size=6, unique=True)))
    return tuple(Window(a, b) for a, b in zip(edges[::2], edges[1::2], strict=False))


@st.composite
def stops(draw, **loads):
    told = draw(st.none() | windows())
    return Stop(
        draw(st.integers(1, PLACES - 1)),
        draw(windows()) if draw(st.integers(0, 15)) else (),
        draw(st.integers(0, 400)),
        skills=frozenset(draw(st.sets(st.sampled_from("ab"), max_size=1)))
        if not draw(st.integers(0, 4))
        else frozenset(),
        announced=Announced(told[0], draw(st.integers(0, 40))) if told else None,
        grace_s=draw(st.sampled_from([0, 0, 900])),
        late_per_s=draw(st.sampled_from([0, 2])),
        **loads,
    )


@st.composite
def requests(draw, name):
    kind = draw(st.sampled_from(RequestKind))
    out, back = (Load(draw(st.integers(0, 4)), draw(st.integers(0, 900))) for _ in range(2))
    sides = {
        RequestKind.DELIVERY: ({"delivers": out},),
        RequestKind.PICKUP: ({"collects": back},),
        RequestKind.EXCHANGE: ({"delivers": out, "collects": back},),
        RequestKind.PAIRED: ({"collects": out}, {"delivers": out}),
    }[kind]
    depot = None if kind is RequestKind.PAIRED else draw(st.sampled_from([None, None, None, 0]))
    penalty = draw(st.none() | st.integers(1, 9_999))
    return Request(name, kind, tuple(draw(stops(**side)) for side in sides), penalty, depot)


@st.composite
def vehicles(draw, name, profiles):
    opens = draw(st.integers(0, 6_000))
    rests = draw(st.booleans())
    return Vehicle(
        name,
        draw(st.sampled_from([0, 0, 1])),
        draw(st.sampled_from([0, 0, 1])),
        Window(opens, opens + draw(st.integers(500, 25_000))),
        Load(draw(st.integers(0, 12)), draw(st.integers(0, 6_000))),
        frozenset(draw(st.sets(st.sampled_from("ab")))),
        rest=Break(Window(5_000, draw(st.integers(5_000, 12_000))), draw(st.integers(0, 1_800))) if rests else None,
        fixed_cost=draw(st.sampled_from([0, 500])),
        max_duty_s=draw(st.none() | st.integers(2_000, 20_000)),
        max_stops=draw(st.none() | st.integers(0, 6)),
        max_distance_m=draw(st.none() | st.integers(0, 60_000)),
        speed_pct=draw(st.sampled_from([100, 80, 133])),
        profile=draw(st.sampled_from(profiles)),
    )


@st.composite
def problems(draw, most=9):
    cell = st.integers(1, 3_000)
    seconds = [[0 if a == b else draw(cell) for b in range(PLACES)] for a in range(PLACES)]
    if not draw(st.integers(0, 3)):
        seconds[draw(st.integers(1, PLACES - 1))][0] = UNREACHABLE
    slow = [[s if s == UNREACHABLE else 2 * s for s in row] for row in seconds]
    metres = [[s if s == UNREACHABLE else 5 * s for s in row] for row in seconds]
    profiles = (Profile(seconds, metres, "road"), Profile(slow, metres, "bike"))
    return Problem(
        profiles,
        tuple(draw(requests(f"r{at}")) for at in range(draw(st.integers(0, most)))),
        tuple(draw(vehicles(f"v{at}", ["road", "bike"])) for at in range(draw(st.integers(0, 3)))),
        Objective(
            draw(st.sampled_from(Primary)),
            1,
            draw(st.integers(0, 1)),
            draw(st.integers(0, 1)),
            draw(st.integers(0, 1)),
            draw(st.sampled_from([0, 3])),
            3_000,
        ),
    )
