"""The network at work: a city or the whole province, filled from the published volumes by COPY."""

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select, text
from sqlalchemy.orm import Session, sessionmaker

import db
from agents.network import Division, Level, division_with, subtree_condition
from agents.roster import Agent, Team
from dispatch.cases.obligations.keeping import keep_all_others, keep_portion
from dispatch.cases.project import Project, ProjectState
from dispatch.core.actor import Role
from routing.day.courier_stop import CourierStop
from routing.day.couriers import Courier
from web.demo import demand_couriers, demand_projects
from web.demo.context import COUNTY, NOW
from web.demo.copying import NextIds, copy_rows, settle_ids
from web.demo.demand_agents import copy_county_agents, copy_upper_agents, draw_county_agents, spread_cases
from web.demo.fake_data import FakeData
from web.demo.logins import LoginHolder, add_logins, demo_password_hash

DEMAND_FILE = Path(__file__).parent / "demand_by_county.csv"
CITY = "320400000000"
CITY_AGENTS = 20
NOUNS: tuple[type[db.Base], ...] = (Agent, *demand_projects.NOUNS, *demand_couriers.NOUNS)


@dataclass(frozen=True, slots=True)
class CountyDemand:
    """A day's load of one county: a row of DEMAND_FILE."""

    code: str
    name: str
    city: str
    running_projects: int
    new_projects: int
    couriers: int
    stops: int

    @classmethod
    def from_row(cls, row: dict[str, str]) -> "CountyDemand":
        """The row's numbers, each mean rounded."""
        return cls(
            code=row["code"],
            name=row["name"],
            city=row["city"],
            running_projects=int(row["projects_in_progress"]),
            new_projects=round(float(row["proxied_cases_mean"])),
            couriers=int(row["couriers_mean"]),
            stops=round(float(row["delivery_stops_mean"])),
        )


def load(
    sessions: sessionmaker[Session],
    *,
    scale: str,
    seed: int = 7,
    show_progress: Callable[[str], None] = lambda _: None,
) -> None:
    """Fill an empty database: ``city`` is Changzhou, ``province`` all of Jiangsu. One transaction a county."""
    with DEMAND_FILE.open(encoding="utf-8") as file:
        counties = [CountyDemand.from_row(row) for row in csv.DictReader(file)]
    counties = [county for county in counties if scale == "province" or county.code.startswith(CITY[:4])]
    with sessions.begin() as session:
        db.allow_clock_changes(session)
        db.set_clock(session, NOW)
    fake = FakeData(seed)
    for number, demand in enumerate(counties, start=1):
        with sessions.begin() as session:
            _fill_county(session, fake, demand)
        bar = "█" * (24 * number // len(counties))
        show_progress(f"[{bar:24}] {number}/{len(counties)} {demand.city}{demand.name}")
    with sessions.begin() as session:
        _fill_cities(session, fake, scale)
        settle_ids(session, NOUNS)
        _add_accounts(session, fake)
    _keep_what_is_owed(sessions)
    with sessions.begin() as session:
        # Tables that were filled by COPY a moment ago: without this the planner guesses until autovacuum comes round.
        session.execute(text("ANALYZE"))


def _keep_what_is_owed(sessions: sessionmaker[Session]) -> None:
    """Rows that are copied mark nothing: what is owed by them is folded once they are all there."""
    last: int | None = 0
    while last is not None:
        with sessions.begin() as session:
            last = keep_portion(session, after=last)
    with sessions.begin() as session:
        keep_all_others(session)


def _fill_county(session: Session, fake: FakeData, demand: CountyDemand) -> None:
    county = division_with(session, demand.code)
    below = session.scalars(
        select(Division).where(subtree_condition(county.path), Division.retired_on.is_(None)).order_by(Division.code)
    ).all()
    towns = [d for d in below if d.level is Level.TOWN] or [county]
    ids = NextIds(session, NOUNS)
    team = Team(name=f"{county.name}代办组", division_id=county.id)
    session.add(team)
    session.flush()
    agents = draw_county_agents(fake, ids, county, list(below), team.id)
    held = spread_cases(agents, demand.running_projects)
    copy_county_agents(session, fake, agents, held, county)
    projects = demand_projects.CountyProjects(session, fake, ids, county, towns)
    projects.copy(running=demand.running_projects, new=demand.new_projects, held=held)
    demand_couriers.copy_couriers(session, fake, ids, county, demand.couriers)
    copy_rows(session, CourierStop, demand_couriers.stop_rows(fake, ids, county, towns, demand.stops))


def _fill_cities(session: Session, fake: FakeData, scale: str) -> None:
    """The cities' agents: liaisons at their counters."""
    cities = select(Division).where(Division.level == Level.CITY).order_by(Division.code)
    if scale == "city":
        cities = cities.where(Division.code == CITY)
    copy_upper_agents(session, fake, NextIds(session, NOUNS), session.scalars(cities), CITY_AGENTS)


def _add_accounts(session: Session, fake: FakeData) -> None:
    """The demo logins, in Changzhou's 武进区. The agent's is that of whoever holds most."""
    county = division_with(session, COUNTY)
    agent = session.scalars(
        select(Agent).where(Agent.division_id == county.id).order_by(Agent.held.desc(), Agent.id)
    ).first()
    courier = session.scalars(select(Courier).where(Courier.division_id == county.id).order_by(Courier.id)).first()
    project = session.scalars(
        select(Project).where(Project.home_division_id == county.id, Project.state == ProjectState.ACTIVE)
    ).first()
    assert agent is not None and courier is not None and project is not None
    holders = {
        Role.ENTERPRISE: LoginHolder(enterprise_id=project.enterprise_id),
        Role.AGENT: LoginHolder(agent_id=agent.id),
        Role.COURIER: LoginHolder(courier_id=courier.id),
        Role.LEAD: LoginHolder(division_id=county.id),
        Role.SUPERVISOR: LoginHolder(division_id=county.id),
        Role.OPERATOR: LoginHolder(),
    }
    add_logins(session, fake, holders, password_hash=demo_password_hash())
