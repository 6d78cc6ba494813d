"""Demand's agents: those of a county and of the levels above it, and how many cases each holds."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sqlalchemy.orm import Session

import db
from agents.names import person_key
from agents.network import Division, Level
from agents.roster import Agent, AgentSkill, Category
from web.demo.copying import NextIds, Row, copy_rows
from web.demo.fake_data import FakeData

COUNTY_AGENTS, TOWN_AGENTS, VILLAGE_SHARE = 30, 4, 0.58
CATEGORIES = tuple(category.value for category in Category)


@dataclass(frozen=True, slots=True)
class DrawnAgent:
    """An agent at a seat, with the row that is to be written."""

    id: int
    seat: Division
    capacity: int
    row: Row


def draw_county_agents(
    fake: FakeData, ids: NextIds, county: Division, below: list[Division], team_id: int
) -> list[DrawnAgent]:
    """Thirty at the county's centre, four in each town, one in somewhat more than half of the villages."""
    towns = [d for d in below if d.level is Level.TOWN] or [county]
    seats = [county] * COUNTY_AGENTS + [town for town in towns for _ in range(TOWN_AGENTS)]
    seats += [d for d in below if d.level is Level.VILLAGE and fake.random.random() < VILLAGE_SHARE]
    return draw_agents(fake, ids, seats, team_id)


def draw_agents(fake: FakeData, ids: NextIds, seats: Iterable[Division], team_id: int | None) -> list[DrawnAgent]:
    """One agent for each seat; their numbers count from 0."""
    return [_draw_agent(fake, ids, seat, team_id, number) for number, seat in enumerate(seats)]


def _draw_agent(fake: FakeData, ids: NextIds, seat: Division, team_id: int | None, number: int) -> DrawnAgent:
    name, phone = fake.recurring_person(), fake.phone()
    agent_id = ids.next(Agent)
    capacity = 12 if seat.level <= Level.COUNTY else 3 if seat.level is Level.TOWN else 1
    row: Row = {
        "id": agent_id,
        "agent_no": f"{seat.code[:9]}{number:04d}",
        "name": name,
        "pinyin": person_key(name),
        "phone": phone,
        "phone_hash": db.keyed_hash(phone),
        "office_phone": "12345",
        "team_id": team_id,
        "division_id": seat.id,
        "capacity": capacity,
        "stars": fake.random.choice((2, 3, 3, 4, 5)),
        "languages": ["zh"],
        "weekly_hours": 40,
        "active": True,
        "version": 1,
    }
    return DrawnAgent(agent_id, seat, capacity, row)


def spread_cases(agents: Iterable[DrawnAgent], running: int) -> dict[int, int]:
    """How many running projects each agent holds: spread evenly over the county's centre and town stations."""
    able = [agent for agent in agents if agent.capacity > 1]
    held: dict[int, int] = {}
    left = running
    while left:
        before = left
        for agent in able:
            if left and held.get(agent.id, 0) < agent.capacity:
                held[agent.id] = held.get(agent.id, 0) + 1
                left -= 1
        if left == before:
            break
    return held


def copy_county_agents(
    session: Session, fake: FakeData, agents: list[DrawnAgent], held: dict[int, int], county: Division
) -> None:
    """Write them. Those of the county's centre know every category, the others four."""
    copy_rows(session, Agent, ({**agent.row, "held": held.get(agent.id, 0)} for agent in agents))
    copy_rows(session, AgentSkill, _skill_rows(fake, agents, county))


def _skill_rows(fake: FakeData, agents: list[DrawnAgent], county: Division) -> Iterator[Row]:
    for agent in agents:
        known = CATEGORIES if agent.seat is county else fake.random.sample(CATEGORIES, 4)
        for category in known:
            yield {"agent_id": agent.id, "category": category, "proficiency": fake.random.choice((1, 2, 2, 3))}


def copy_upper_agents(session: Session, fake: FakeData, ids: NextIds, cities: Iterable[Division], each: int) -> None:
    """The cities' liaisons at their counters, who know every category."""
    agents = [agent for city in cities for agent in draw_agents(fake, ids, [city] * each, None)]
    copy_rows(session, Agent, (agent.row for agent in agents))
    copy_rows(
        session,
        AgentSkill,
        ({"agent_id": agent.id, "category": category, "proficiency": 2} for agent in agents for category in CATEGORIES),
    )
