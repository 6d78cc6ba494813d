"""Replays of demand: the books balance under every policy, and the policies differ as they should."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.matching.batch import match
from agents.matching.model import MatchingAgent, Need, Weights
from agents.matching.rules import bar
from dispatch.forecast.promise import Outlook
from dispatch.simulation.comparison import FIGURES, compare
from dispatch.simulation.demand import AFTER_HOLIDAY, Arrival, County, SimulationError, day_factor, demand
from dispatch.simulation.policies import ByMatching, HallRule, NearestFree, Seats, WaitingNeeds
from dispatch.simulation.replay import replay
from dispatch.simulation.report_page import page
from tests.dispatch.calendars import shipped_calendar

CALENDAR = shipped_calendar()

START = date(2026, 3, 2)
NETWORK = {
    "P": (None, 1, 118.80, 32.05),
    "C": ("P", 2, 119.97, 31.81),
    "W": ("C", 3, 119.94, 31.70),
    "W1": ("W", 4, 119.90, 31.66),
    "W2": ("W", 4, 120.02, 31.74),
    "X": ("C", 3, 119.55, 31.73),
    "X1": ("X", 4, 119.50, 31.70),
}
VIEW = Outlook(np.sort(np.random.default_rng(0).integers(8, 20, 500)).astype(np.float32))


def an_agent(name: str, node: str, capacity: int = 4, **changes) -> MatchingAgent:
    _, level, lon, lat = NETWORK[node]
    return MatchingAgent(name, node, level, capacity, changes.pop("held", 0), lon, lat, **changes)


STAFF = [
    *(an_agent(f"w{i}", "W1" if i % 2 else "W2") for i in range(6)),
    *(an_agent(f"x{i}", "X1") for i in range(3)),
    an_agent("city", "C", 20),
    an_agent("province", "P", 5),
]


def policies(staff=None):
    seats = Seats(staff or STAFF, NETWORK)
    return [HallRule(seats), NearestFree(seats), ByMatching(match, Weights())]


def hall(*staff: MatchingAgent) -> HallRule:
    return HallRule(Seats(staff or STAFF, NETWORK))


def nearest(*staff: MatchingAgent) -> NearestFree:
    return NearestFree(Seats(staff or STAFF, NETWORK))


def some_demand(seed: int = 1, days: int = 40, a_day: float = 1.2) -> tuple[Arrival, ...]:
    counties = [
        County("W", a_day, (("W1", 119.91, 31.67), ("W2", 120.01, 31.75)), (3.0, 1.0)),
        County("X", a_day / 2, (("X1", 119.52, 31.71),)),
    ]
    return demand(counties, VIEW, CALENDAR, START, days, seed=seed)


def an_arrival(project: int, day: int = 0, **changes) -> Arrival:
    facts = {"node": "W1", "lon": 119.9, "lat": 31.66, "lasts_wd": 10, "promised_wd": 12} | changes
    return Arrival(project, day, **facts)


# --- demand ---------------------------------------------------------------------------------------------------------


def test_demand_is_the_same_for_a_seed_and_as_large_as_asked():
    assert some_demand(3) == some_demand(3)
    assert some_demand(3) != some_demand(4)
    assert len(some_demand(5, days=200)) == pytest.approx(200 * 1.8, rel=0.12)
    assert {arrival.promised_wd for arrival in some_demand()} == {VIEW.wd_for(0.85)}


def test_mondays_are_busy_and_the_day_after_a_holiday_is_busiest():
    assert day_factor(CALENDAR, date(2026, 3, 9)) == 1.25
    assert day_factor(CALENDAR, date(2026, 10, 8)) == AFTER_HOLIDAY
    assert day_factor(CALENDAR, date(2026, 3, 13)) == 0.9
    assert day_factor(CALENDAR, date(2026, 10, 10)) == 0.9


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: an_arrival(1, -1), "cannot be"),
        (lambda: County("W", -1, (("W1", 0, 0),)), "negative"),
        (lambda: County("W", 1, ()), "sites"),
        (lambda: replay([], [], NETWORK, hall()), "nobody"),
    ],
)
def test_what_cannot_be_played_is_refused(make, says):
    with pytest.raises(SimulationError, match=says):
        make()


# --- the books balance ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("policy", policies(), ids=lambda policy: policy.name)
def test_every_need_is_placed_or_waits_and_no_capacity_is_exceeded(policy):
    arrivals = some_demand(a_day=4)
    outcome = replay(arrivals, STAFF, NETWORK, policy)
    capacity = sum(agent.capacity for agent in STAFF)
    placed = sum(day.placed for day in outcome.days)
    assert placed + outcome.left_waiting == outcome.needs == len(arrivals)
    assert all(day.in_progress <= capacity for day in outcome.days)
    assert outcome.days[-1].waiting == outcome.left_waiting


class Sieve:
    """Asks another policy and checks each answer against the matching's own rules."""

    def __init__(self, inner) -> None:
        self.inner, self.name = inner, inner.name

    def assign(self, waiting):
        taken = self.inner.assign(waiting)
        by_id = {need.id: need for need in waiting.needs}
        assert all(bar(by_id[need], waiting.agents[agent], waiting.network) is None for need, agent in taken.items())
        return taken


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.5, 5), st.integers(0, 2))
def test_no_policy_ever_breaks_a_rule_of_the_matching(seed, a_day, which):
    skilled = [replace(agent, skills=frozenset({"环评"}) if i % 2 else frozenset()) for i, agent in enumerate(STAFF)]
    arrivals = [replace(a, skills=frozenset({"环评"}) if a.project % 3 == 0 else frozenset())
                for a in some_demand(seed, days=15, a_day=a_day)]  # fmt: skip
    outcome = replay(arrivals, skilled, NETWORK, Sieve(policies(skilled)[which]), seed=seed)
    assert 0 <= outcome.on_time_share <= 1
    assert outcome.waited_wd >= 0


def test_a_slot_comes_back_when_the_project_is_done():
    one = [an_agent("w", "W1", 1)]
    arrivals = [an_arrival(1, 0, lasts_wd=5), an_arrival(2, 1, lasts_wd=5), an_arrival(3, 9)]
    outcome = replay(arrivals, one, NETWORK, nearest(*one))
    assert outcome.left_waiting == 1  # the third finds the second still at work until day 10
    assert outcome.waited_wd == pytest.approx((0 + 4 + 1) / 3)
    assert outcome.on_time_share == pytest.approx(1)


def test_waiting_counts_against_the_promise():
    one = [an_agent("w", "W1", 1)]
    arrivals = [an_arrival(1, 0, lasts_wd=10), an_arrival(2, 0, lasts_wd=10), an_arrival(3, 11, lasts_wd=1)]
    assert replay(arrivals, one, NETWORK, nearest(*one)).on_time_share == pytest.approx(2 / 3)


def test_the_warm_up_is_played_but_not_counted():
    arrivals = [an_arrival(1, 0), an_arrival(2, 5)]
    one = [an_agent("w", "W1", 1)]
    outcome = replay(arrivals, one, NETWORK, nearest(*one), warm_up=5)
    assert outcome.needs == 1
    assert outcome.waited_share == 1


def test_liaisons_sit_at_their_counter():
    arrivals = [an_arrival(1, counters=("C",))]
    staff = [an_agent("w", "W1"), an_agent("city", "C")]
    assert replay(arrivals, staff, NETWORK, hall(*staff)).left_waiting == 0
    assert replay(arrivals, staff[:1], NETWORK, hall(*staff[:1])).left_waiting == 1


# --- the rules themselves -------------------------------------------------------------------------------------------


def a_need(**changes) -> Need:
    return Need(**({"id": "n", "role": "lead", "project": 1, "node": "W1", "lon": 119.9, "lat": 31.66,
                    "escalated": True} | changes))  # fmt: skip


def test_the_hall_prefers_the_idle_then_those_who_served_fewest():
    staff = {a.id: a for a in [an_agent("a", "W1", held=1), an_agent("b", "W2"), an_agent("c", "W2")]}
    served = {"a": 0, "b": 5, "c": 2}
    assert hall(*staff.values()).assign(WaitingNeeds([a_need()], staff, served, NETWORK, 1)) == {"n": "c"}


def test_the_hall_breaks_ties_at_random_but_the_same_for_a_seed():
    staff = {a.id: a for a in STAFF}
    picks = {hall().assign(WaitingNeeds([a_need()], staff, {}, NETWORK, seed))["n"] for seed in range(60)}
    assert picks == {f"w{i}" for i in range(6)}
    assert hall().assign(WaitingNeeds([a_need()], staff, {}, NETWORK, 7)) == hall().assign(
        WaitingNeeds([a_need()], staff, {}, NETWORK, 7)
    )


def test_the_greedy_rule_goes_up_when_that_is_nearer_and_the_hall_only_when_all_are_full():
    near_the_city = a_need(lon=119.97, lat=31.81)
    staff = {a.id: a for a in STAFF}
    assert nearest().assign(WaitingNeeds([near_the_city], staff, {}, NETWORK, 1)) == {"n": "city"}
    assert hall().assign(WaitingNeeds([near_the_city], staff, {}, NETWORK, 1))["n"].startswith("w")
    full = {i: replace(a, held=a.capacity) if i.startswith("w") else a for i, a in staff.items()}
    assert hall().assign(WaitingNeeds([near_the_city], full, {}, NETWORK, 1)) == {"n": "city"}


def test_rings_go_from_home_to_the_province_and_not_into_the_neighbour_county():
    rings = Seats(STAFF, NETWORK).rings(a_need())
    assert [sorted(ring) for ring in rings] == [[f"w{i}" for i in range(6)], ["city"], ["province"]]


# --- side by side ---------------------------------------------------------------------------------------------------


def test_policies_meet_the_same_demand_and_the_table_gives_intervals():
    draws = [some_demand(seed, a_day=1.0) for seed in range(4)]
    result = compare(policies(), draws, STAFF, NETWORK, warm_up=10)
    table = result.table()
    assert [row[0] for row in table[1:]] == [policy.name for policy in policies()]
    assert all(len(row) == len(table[0]) for row in table)
    assert result.replays == 4
    assert {len(days) for days in result.days.values()} == {max(a.day for a in draws[0]) + 1}
    for _, figures in result.rows:
        for figure in figures:
            assert figure.low <= figure.mean <= figure.high
    assert "[" in table[1][1]
    assert "[" not in compare(policies(), draws[:1], STAFF, NETWORK).table()[1][1]


def test_matching_escalates_less_than_greedy_and_travels_less_than_the_hall():
    draws = [some_demand(seed, days=60, a_day=1.3) for seed in range(3)]
    rows = {name: {f.key: f.mean for f in figures} for name, figures in compare(policies(), draws, STAFF, NETWORK).rows}
    halls, greedy, ours = (rows[policy.name] for policy in policies())
    assert ours["escalated_share"] <= greedy["escalated_share"]
    assert ours["travel_km"] < halls["travel_km"]
    assert ours["waited_wd"] <= halls["waited_wd"] + 0.1


@pytest.mark.parametrize(("days", "warm_up", "replays"), [(1, 0, 1), (12, 4, 3), (3, 40, 1)])
def test_the_page_draws_every_figure_and_every_day(days, warm_up, replays):
    county = County("W", 6.0, (("W1", 119.90, 31.66), ("W2", 120.02, 31.74)))
    draws = [demand([county], VIEW, CALENDAR, START, days, seed=seed) for seed in range(replays)]
    found = compare(policies(), draws, STAFF, NETWORK, warm_up=warm_up)
    text = page(found, title="武进 <一天>", warm_up=warm_up)
    body = ElementTree.fromstring(text.split("</head>")[1].removesuffix("</html>\n"))
    assert body.findtext("h1") == "武进 <一天>"
    cells = [[cell.text for cell in row] for row in body.iter("tr")]
    assert cells == found.table()
    charts = list(body.iter("{http://www.w3.org/2000/svg}svg"))
    assert len(charts) == len(FIGURES) + 3
    for chart in charts[len(FIGURES) :]:
        lines = [line.attrib["points"].split() for line in chart.iter("{http://www.w3.org/2000/svg}polyline")]
        assert [len(line) for line in lines] == [len(each) for each in found.days.values()]
    wide = [float(x) for line in text.split('points="')[1:] for x in line.split('"')[0].replace(",", " ").split()[::2]]
    assert all(0 <= x <= 720 for x in wide)
