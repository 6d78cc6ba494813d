"""The network at work: a city or the whole province, filled from the published volumes by COPY."""

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session, sessionmaker

import db
from agents.network import Division, Level, ServiceCentre, division_with, subtree_condition
from agents.roster import Agent, AgentSkill, Category, Team
from dispatch.cases.case import Case, CaseEvent, Material, MaterialMode, MaterialState, Way
from dispatch.cases.notify import query_code
from dispatch.cases.project import Contact, Enterprise, Project, ProjectMember, ProjectState, TeamRole
from dispatch.cases.review import Review, ReviewState
from dispatch.cases.stages import Stage
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.catalogue.implementation import handlings_of
from dispatch.catalogue.matter import Family, Matter
from dispatch.core.actor import Role
from dispatch.core.shanghai_time import utc
from routing.day.courier_stop import CourierStop, StopKind
from routing.day.couriers import Courier, Shift, VehicleKind
from routing.day.hours import Cutoff
from web.demo.copying import copy_rows, next_id, settle_ids
from web.demo.county import LOGINS, NOW, OPENING, PASSWORD, REGISTRATION, TODAY
from web.demo.people import Cast, pinyin_of_person
from web.wiring.accounts import HASHER, Account

DEMAND_FILE = Path(__file__).parent / "demand_by_county.csv"
CITY = "320400000000"
COUNTY_AGENTS, TOWN_AGENTS, CITY_AGENTS, VILLAGE_SHARE = 30, 4, 20, 0.58
PERMITS = (("IND-104", "IND-105"), ("IND-107", "IND-108"), ("IND-301", "IND-305"), ("IND-101",))
RUNNING_STAGES = (
    (Stage.ASSIGNED, 0.08),
    (Stage.PRESCREENED, 0.14),
    (Stage.COLLECTED, 0.08),
    (Stage.SUBMITTED, 0.15),
    (Stage.UNDER_REVIEW, 0.40),
    (Stage.DECIDED, 0.10),
    (Stage.DELIVERED, 0.05),
)
NOUNS = (
    Agent, Enterprise, Contact, Project, ProjectMember, Case, CaseEvent, Review, Material, Courier, Shift, CourierStop,
)  # fmt: skip


@dataclass
class Ids:
    """The next id of each table."""

    numbers: dict[type[db.Base], Iterator[int]] = field(default_factory=dict)

    def next(self, noun: type[db.Base]) -> int:
        return next(self.numbers[noun])


def load(
    sessions: sessionmaker[Session], *, scale: str, seed: int = 7, say: Callable[[str], None] = lambda _: None
) -> None:
    """Fill an empty database: ``city`` is Changzhou, ``province`` all of Jiangsu. One transaction a county."""
    with DEMAND_FILE.open(encoding="utf-8") as file:
        wanted = [row for row in csv.DictReader(file) if scale == "province" or row["code"].startswith(CITY[:4])]
    with sessions.begin() as session:
        db.allow_clock_changes(session)
        db.set_clock(session, NOW)
    cast = Cast(seed)
    for number, row in enumerate(wanted, start=1):
        with sessions.begin() as session:
            _county(session, cast, row)
        filled = "█" * (24 * number // len(wanted))
        say(f"[{filled:24}] {number}/{len(wanted)} {row['city']}{row['name']}")
    with sessions.begin() as session:
        _upper_agents(session, cast, scale)
        _accounts(session, cast)
        settle_ids(session, NOUNS)
    with sessions.begin() as session:
        # Tables that were filled by COPY a moment ago: without this the planner guesses until autovacuum comes round.
        session.execute(text("ANALYZE"))


def _numbers(session: Session) -> Ids:
    return Ids({noun: count(next_id(session, noun)) for noun in NOUNS})


def _county(session: Session, cast: Cast, row: dict[str, str]) -> None:
    county = division_with(session, row["code"])
    below = session.scalars(
        select(Division).where(subtree_condition(county.path), Division.retired_on.is_(None)).order_by(Division.code)
    ).all()
    towns = [d for d in below if d.level is Level.TOWN] or [county]
    villages = [d for d in below if d.level is Level.VILLAGE]
    ids = _numbers(session)
    team = Team(name=f"{county.name}代办组", division_id=county.id)
    session.add(team)
    session.flush()
    seats = [county] * COUNTY_AGENTS + [t for t in towns for _ in range(TOWN_AGENTS)]
    seats += [v for v in villages if cast.random.random() < VILLAGE_SHARE]
    agents = [_agent(cast, ids, seat, team.id, n) for n, seat in enumerate(seats)]
    running, new = int(row["projects_in_progress"]), round(float(row["proxied_cases_mean"]))
    held = _held(agents, running)
    copy_rows(session, Agent, ({**agent, "held": held.get(agent["id"], 0)} for agent in agents))
    copy_rows(session, AgentSkill, _skills(cast, agents, county.id))
    _write_projects(session, cast, ids, county, towns, running=running, new=new, holders=held)
    _couriers_and_stops(session, cast, ids, county, towns, row)


def _agent(cast: Cast, ids: Ids, seat: Division, team_id: int | None, number: int) -> dict[str, Any]:
    name, phone = _name(cast), cast.phone()
    return {
        "id": ids.next(Agent),
        "agent_no": f"{seat.code[:9]}{number:04d}",
        "name": name,
        "pinyin": pinyin_of_person(name),
        "phone": phone,
        "phone_hash": db.keyed_hash(phone),
        "office_phone": "12345",
        "team_id": team_id,
        "division_id": seat.id,
        "capacity": 12 if seat.level <= Level.COUNTY else 3 if seat.level is Level.TOWN else 1,
        "stars": cast.random.choice((2, 3, 3, 4, 5)),
        "languages": ["zh"],
        "weekly_hours": 40,
        "active": True,
        "version": 1,
    }


def _name(cast: Cast) -> str:
    """A name; among twenty thousand people names recur."""
    if len(cast.used) > 1200:
        cast.used.clear()
    return cast.person()


def _skills(cast: Cast, agents: list[dict[str, Any]], county_id: int) -> Iterator[dict[str, Any]]:
    categories = [category.value for category in Category]
    for agent in agents:
        known = categories if agent["division_id"] == county_id else cast.random.sample(categories, 4)
        for category in known:
            yield {"agent_id": agent["id"], "category": category, "proficiency": cast.random.choice((1, 2, 2, 3))}


def _held(agents: list[dict[str, Any]], running: int) -> dict[int, int]:
    """How many running projects each agent holds: spread evenly over the county's centre and town stations."""
    able = [a for a in agents if a["capacity"] > 1]
    held: dict[int, int] = {}
    left = running
    while left:
        before = left
        for agent in able:
            if left and held.get(agent["id"], 0) < agent["capacity"]:
                held[agent["id"]] = held.get(agent["id"], 0) + 1
                left -= 1
        if left == before:
            break
    return held


def _write_projects(
    session: Session, cast: Cast, ids: Ids, county: Division, towns: list[Division], *, running: int, new: int,
    holders: dict[int, int],
) -> None:  # fmt: skip
    calendar = calendar_of(session)
    matters = {m.code: m for m in session.scalars(select(Matter).where(Matter.retired_on.is_(None)))}
    handling = handlings_of(session, matters.values(), county)
    seats = iter([agent_id for agent_id, n in holders.items() for _ in range(n)])
    tables: dict[type[db.Base], list[dict[str, Any]]] = {noun: [] for noun in NOUNS}
    today = NOW
    for number in range(running + new):
        is_new = number >= running
        agent_id = None if is_new else next(seats, None)
        family = cast.random.choices(
            (Family.BUSINESS_OPENING, Family.PROPERTY_REGISTRATION, Family.INDUSTRIAL_PERMIT),
            (0.55, 0.3, 0.15) if is_new else (0.1, 0.2, 0.7),
        )[0]
        codes = {Family.BUSINESS_OPENING: OPENING, Family.PROPERTY_REGISTRATION: REGISTRATION}.get(
            family, cast.random.choice(PERMITS)
        )
        town = cast.random.choice(towns)
        lon, lat = cast.near(town.lon, town.lat)
        brand = cast.random.choice(cast.brands)
        age_wd = 0 if is_new else cast.random.randrange(1, 30)
        began = today if is_new else utc(calendar.add_working_days(TODAY, -age_wd), _nine())
        stage = Stage.REQUESTED
        if agent_id is not None:
            stage = cast.random.choices([s for s, _ in RUNNING_STAGES], [w for _, w in RUNNING_STAGES])[0]
        phone, code = cast.phone(), query_code()
        enterprise, contact, project, case = (
            ids.next(noun) for noun in (Enterprise, Contact, Project, Case)
        )  # fmt: skip
        name = f"{county.name}{brand}有限公司"
        tables[Enterprise].append(
            {"id": enterprise, "name": name, "pinyin": brand, "division_id": town.id, "created_at": began}
        )
        tables[Contact].append(
            {
                "id": contact, "enterprise_id": enterprise, "name": _name(cast), "phone": phone,
                "phone_hash": db.keyed_hash(phone), "locale": "zh", "created_at": began,
            }
        )  # fmt: skip
        tables[Project].append(
            {
                "id": project, "project_no": f"P{county.code[:6]}-2026-{number + 1:05d}", "name": f"{brand}项目",
                "enterprise_id": enterprise, "contact_id": contact, "division_id": town.id,
                "home_division_id": county.id, "family": family, "site_lon": lon, "site_lat": lat,
                "site_address": cast.address(town.name), "phase": 1,
                "investment_wan": cast.random.randrange(100, 50_000),
                "facts": {}, "path_edits": {}, "priority": 1, "language": "zh", "escalated": False, "banned_agents": [],
                "state": ProjectState.ACTIVE if agent_id is not None else ProjectState.WAITING, "version": 1,
                "created_at": began,
            }
        )  # fmt: skip
        if agent_id is not None:
            tables[ProjectMember].append(
                {
                    "id": ids.next(ProjectMember), "project_id": project, "agent_id": agent_id, "role": TeamRole.LEAD,
                    "counter": "", "since": began, "told_at": began, "locked": False, "chosen_by": "matching",
                }
            )  # fmt: skip
        due = calendar.add_working_days(TODAY, cast.random.randrange(-2, 12)) if agent_id is not None else None
        tables[Case].append(
            {
                "id": case, "case_no": f"{county.code[:6]}-{began:%Y%m%d}-{number + 1:05d}", "project_id": project,
                "division_id": county.id, "contact_id": contact, "query_code": code,
                "query_hash": db.keyed_hash(f"query:{code}"), "stage": stage, "stage_at": began, "version": 1,
                "changed_by": "", "pickup_way": Way.COURIER, "delivery_way": Way.COURIER, "created_at": began,
                "answer_by": calendar.closes_at(calendar.add_working_days(began.date(), 1)),
                "committed_due_on": due, "legal_due_on": None if due is None else due + timedelta(days=14),
                "is_estimate": False,
            }
        )  # fmt: skip
        tables[CaseEvent].append(
            {
                "id": ids.next(CaseEvent), "case_id": case, "at": began, "kind": "requested", "stage": Stage.REQUESTED,
                "actor": "企业", "words": "已提交", "detail": {}, "internal": False,
            }
        )  # fmt: skip
        for matter_code in codes:
            matter, how = matters[matter_code], handling[matter_code]
            tables[Review].append(
                {
                    "id": ids.next(Review), "case_id": case, "matter_id": matter.id, "authority": how.authority,
                    "authority_division_id": how.division_id, "counter_division_id": how.counter_division_id,
                    "counter": how.counter_place, "state": _review_state(stage), "statutory_wd": how.statutory_wd,
                    "committed_wd": how.committed_wd, "same_day": how.same_day, "deemed_accepted": False, "version": 1,
                }
            )  # fmt: skip
        tables[Material].append(
            {
                "id": ids.next(Material), "case_id": case, "name": "申请表", "mode": MaterialMode.COPY,
                "state": MaterialState.GIVEN, "deferrable": False,
            }
        )  # fmt: skip
    for noun in (Enterprise, Contact, Project, ProjectMember, Case, CaseEvent, Review, Material):
        copy_rows(session, noun, tables[noun])


def _nine() -> Any:
    return NOW.astimezone(db.SHANGHAI).time().replace(hour=9)


def _review_state(stage: Stage) -> ReviewState:
    """PREPARED until filed; what is under review or decided stands as filed, without a story of its own."""
    before = {Stage.REQUESTED, Stage.ASSIGNED, Stage.PRESCREENED, Stage.COLLECTED}
    return ReviewState.PREPARED if stage in before else ReviewState.SUBMITTED


def _couriers_and_stops(
    session: Session, cast: Cast, ids: Ids, county: Division, towns: list[Division], row: dict[str, str]
) -> None:
    centre = session.scalar(select(ServiceCentre).where(ServiceCentre.division_id == county.id).limit(1))
    if centre is None:
        centre = session.scalars(
            select(ServiceCentre)
            .join(Division, Division.id == ServiceCentre.division_id)
            .where(Division.code.in_(county.path.split(".")))
            .order_by(Division.level.desc())
        ).first()
    assert centre is not None
    couriers, shifts = [], []
    for number in range(int(row["couriers_mean"])):
        name, phone = _name(cast), cast.phone()
        courier = ids.next(Courier)
        couriers.append(
            {
                "id": courier, "courier_no": f"{county.code[:6]}E{number + 1:03d}", "name": name,
                "pinyin": pinyin_of_person(name), "phone": phone, "phone_hash": db.keyed_hash(phone),
                "division_id": county.id, "centre_id": centre.id, "vehicle": VehicleKind.EBIKE, "pieces_capacity": 150,
                "grams_capacity": 80_000, "active": True,
            }
        )  # fmt: skip
        shifts += [
            {
                "id": ids.next(Shift), "courier_id": courier, "on": TODAY + timedelta(days=offset),
                "starts_s": 8 * 3600, "ends_s": 18 * 3600, "break_s": 0, "late_s": 0,
            }
            for offset in range(2)
        ]  # fmt: skip
    copy_rows(session, Courier, couriers)
    copy_rows(session, Shift, shifts)
    copy_rows(session, CourierStop, _stops(cast, ids, county, towns, round(float(row["delivery_stops_mean"])), TODAY))


def _stops(
    cast: Cast, ids: Ids, county: Division, towns: list[Division], number: int, on: date
) -> Iterator[dict[str, Any]]:
    for n in range(number):
        town = cast.random.choice(towns)
        lon, lat = cast.near(town.lon, town.lat, 2600)
        morning = n % 2 == 0
        opens = cast.random.choice((8, 9, 10) if morning else (13, 14, 15)) * 3600
        yield {
            "id": ids.next(CourierStop),
            "division_id": county.id,
            "on": on,
            "cutoff": Cutoff.AM if morning else Cutoff.PM,
            "kind": StopKind.DELIVERY if n % 5 else StopKind.PICKUP,
            "state": "open",
            "lon": lon,
            "lat": lat,
            "address": cast.address(town.name),
            "contact_name": _name(cast),
            "contact_phone": cast.phone(),
            "label": cast.random.choice(cast.brands),
            "windows": [[opens, opens + 3 * 3600]],
            "service_s": 240,
            "pieces": 1,
            "grams": 200,
            "priority": 1,
            "needs_van": False,
            "attempts": 0,
            "version": 1,
            "created_at": NOW,
        }


def _upper_agents(session: Session, cast: Cast, scale: str) -> None:
    """Agents of the cities and of the province: liaisons at their counters."""
    ids = _numbers(session)
    level = select(Division).where(Division.level == Level.CITY).order_by(Division.code)
    if scale == "city":
        level = level.where(Division.code == CITY)
    rows = [_agent(cast, ids, d, None, n) for d in session.scalars(level) for n in range(CITY_AGENTS)]
    copy_rows(session, Agent, rows)
    categories = [category.value for category in Category]
    copy_rows(
        session, AgentSkill,
        ({"agent_id": row["id"], "category": c, "proficiency": 2} for row in rows for c in categories),
    )  # fmt: skip


def _accounts(session: Session, cast: Cast) -> None:
    """The demo logins, in Changzhou's 武进区 where there is one; all share one password hash."""
    shared = HASHER.hash(PASSWORD)
    county = division_with(session, "320412")
    settle_ids(session, NOUNS)
    agent = session.scalars(
        select(Agent).where(Agent.division_id == county.id).order_by(Agent.held.desc(), Agent.id)
    ).first()
    courier = session.scalars(select(Courier).where(Courier.division_id == county.id).order_by(Courier.id)).first()
    project = session.scalars(
        select(Project).where(Project.home_division_id == county.id, Project.state == ProjectState.ACTIVE)
    ).first()
    assert agent is not None and courier is not None and project is not None
    given: dict[Role, dict[str, Any]] = {
        Role.ENTERPRISE: {"enterprise_id": project.enterprise_id},
        Role.AGENT: {"agent_id": agent.id},
        Role.COURIER: {"courier_id": courier.id},
        Role.LEAD: {"division_id": county.id},
        Role.SUPERVISOR: {"division_id": county.id},
        Role.OPERATOR: {},
    }
    for login in LOGINS:
        account = Account(
            role=login.role, login=login.login, password_hash=shared, name=cast.person(), **given[login.role]
        )
        account.set_phone(cast.phone())
        session.add(account)
