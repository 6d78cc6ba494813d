"""Replay: the agents and towns of the database in a year of drawn demand, under three rules of assignment."""

from dataclasses import replace
from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

import db
from agents.matching.batch import match
from agents.matching.model import NetworkPlace, Weights
from agents.network import Division, Level, division_with, subtree_condition
from dispatch.assignment.matching_input import agents_as_of, network_of
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.catalogue.path_nodes import matter_nodes
from dispatch.core.working_days import Calendar
from dispatch.forecast.beliefs import read_priors
from dispatch.forecast.durations import Durations
from dispatch.forecast.path_sampling import prepare_path_samples
from dispatch.forecast.promise import outlook
from dispatch.path.build_path import build_path
from dispatch.path.facts import facts_of
from dispatch.simulation.comparison import Comparison, compare
from dispatch.simulation.demand import County, demand
from dispatch.simulation.policies import ByMatching, HallRule, NearestFree, Seats

WORKDAYS_A_YEAR = 250


class NothingToReplay(ValueError):
    """The area has no towns or no agents yet."""


def replay_area(
    session: Session, code: str, *, days: int, warm_up: int, replays: int, a_year: float, seed: int
) -> Comparison:
    """Hall rule, nearest free agent and matching side by side over the same days. Raises NothingToReplay.

    ``a_year`` projects arrive in each county of the area; agents begin with empty hands.
    """
    area = division_with(session, code)
    calendar = calendar_of(session)
    today: date = db.now(session).astimezone(db.SHANGHAI).date()
    agents = [replace(agent, held=0) for agent in agents_as_of(session, today, path=area.path, calendar=calendar)]
    towns = session.scalars(
        select(Division).where(
            subtree_condition(area.path), Division.level == Level.TOWN, Division.retired_on.is_(None)
        )
    ).all()
    if not agents or not towns:
        raise NothingToReplay(f"{area} has {len(agents)} agents and {len(towns)} towns: nothing can be replayed")
    sites: dict[str, list[tuple[str, float, float]]] = {}
    for town in towns:
        sites.setdefault(str(town.parent_code), []).append((town.code, town.lon, town.lat))
    counties = [County(county, a_year / WORKDAYS_A_YEAR, tuple(places)) for county, places in sorted(sites.items())]
    plain = network_of(session, {str(agent.node) for agent in agents} | {town.code for town in towns})
    network = {node: NetworkPlace(*where) for node, where in plain.items()}
    path = build_path(matter_nodes(session, area, facts_of({"special_fire": True})))
    view = outlook(prepare_path_samples(path, Durations.before_any_case(read_priors())))
    begins_on = _begins_on(calendar, today, warm_up + days)
    draws = [
        demand(counties, view, calendar, begins_on, warm_up + days, seed=seed + number) for number in range(replays)
    ]
    seats = Seats(agents, network)
    rules = (HallRule(seats), NearestFree(seats), ByMatching(match, Weights()))
    return compare(rules, draws, agents, network, warm_up=warm_up)


def _begins_on(calendar: Calendar, today: date, days: int) -> date:
    """Today; where the calendars end before so many working days, so much earlier that they hold them all.

    Demand is drawn, so a year may well begin in the past; its days must be real ones.
    """
    on, left = date(max(calendar.years, default=today.year), 12, 31), days + 1  # one more: the day after the last
    while left and on.year in calendar.years:
        left -= calendar.is_workday(on)
        on -= timedelta(days=1)
    return today if left else min(today, on + timedelta(days=1))
