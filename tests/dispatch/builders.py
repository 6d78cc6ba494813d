"""A small county to test in: 武进区 with a few towns, its catalogue, its agents, an enterprise that asks."""

import re
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

import db
from agents.network import Division, ServiceCentre
from agents.network_import import import_network
from agents.roster import Agent, AgentSkill, Category, Team
from dispatch.acts.act import perform
from dispatch.acts.asking import RequestProject, SignDelegation, SiteGiven
from dispatch.acts.booking import Appointment
from dispatch.acts.delegation import AuthorisedPerson
from dispatch.acts.importing import ImportCalendar
from dispatch.assignment import staffing
from dispatch.cases.case import Case
from dispatch.cases.notify import Desk, DeskKind
from dispatch.cases.obligations.marking import mark
from dispatch.cases.project import Contact, Enterprise, Power, Project
from dispatch.catalogue.imports import CALENDAR_FILE
from dispatch.catalogue.matter import Family
from dispatch.core.actor import SYSTEM, Actor, Role
from dispatch.core.ids import ContactId, ProjectNo
from routing.day.courier_run import CourierRun
from routing.day.courier_stop import CourierStop, StopState
from routing.day.couriers import Courier, Shift, VehicleKind
from routing.day.day_plan import PlanState
from routing.day.plan_jobs import queue_plan
from routing.day.stops import Address
from tests.dispatch import steps
from tests.dispatch.catalogue_files import import_all
from tests.dispatch.moments import MONDAY, TEN
from web.wiring.accounts import Account

WUJIN = "320412000000"
PROVINCE_ROWS = """code,name,level,parent_code,kind,lon,lat,precision
320000000000,江苏省,1,,province,118.757540,32.062914,exact
320400000000,常州市,2,320000000000,city,119.974454,31.810077,exact
320412000000,武进区,3,320400000000,county,119.942438,31.701187,exact
320412100000,湖塘镇,4,320412000000,town,119.955,31.713,exact
320412101000,牛塘镇,4,320412000000,town,119.905,31.702,exact
320412100201,湖塘社区,5,320412100000,community,119.956,31.714,synthetic
"""
CENTRE_ROWS = """centre_id,node_code,name,level,lon,lat,coord_precision
SC001,320000000000,江苏省政务服务中心,province,118.757540,32.062914,admin_seat
SC005,320400000000,常州市政务服务中心,city,119.974454,31.810077,admin_seat
SC040,320412000000,武进区政务服务中心,county,119.942438,31.701187,admin_seat
"""


@dataclass
class County:
    """What a test may use: the county's rows by name, and who looks."""

    session: Session
    division: Division
    town: Division
    agents: list[Agent] = field(default_factory=list)
    couriers: list[Courier] = field(default_factory=list)

    @property
    def lead(self) -> Actor:
        return Actor(
            Role.LEAD, account_id=1, name="李组长", division_id=self.division.id, division_path=self.division.path
        )

    def agent_viewer(self, number: int = 0) -> Actor:
        agent = self.agents[number]
        return Actor(Role.AGENT, account_id=10 + number, name=agent.name, agent_id=agent.id)

    def courier_viewer(self, number: int = 0) -> Actor:
        courier = self.couriers[number]
        return Actor(Role.COURIER, account_id=20 + number, name=courier.name, courier_id=courier.id)


def make_county(session: Session, folder: Path, *, agents: int = 3, capacity: int = 10, couriers: int = 2) -> None:
    """Fill an empty database: 武进区 with agents at its centre and couriers at its depot, at ten on a Monday."""
    db.set_clock(session, TEN)
    divisions, centres = folder / "divisions.csv", folder / "centres.csv"
    divisions.write_text(PROVINCE_ROWS, encoding="utf-8")
    centres.write_text(CENTRE_ROWS, encoding="utf-8")
    import_network(session, divisions, centres)
    import_all(session)
    mark(session, calendar=True)
    division = session.scalars(select(Division).where(Division.code == WUJIN)).one()
    team = Team(name="武进代办一组", division_id=division.id)
    session.add(team)
    session.flush()
    for n in range(agents):
        an_agent(session, f"代办员{n + 1}", division=division, team=team, capacity=capacity, n=n)
    for n in range(couriers):
        phone = f"+86139000001{n:02d}"
        courier = Courier(
            courier_no=f"EMS{n + 1:03d}", name=f"揽投员{n + 1}", phone=phone, phone_hash=db.keyed_hash(phone),
            division_id=division.id, centre_id=flow_centre(session, division), vehicle=VehicleKind.EBIKE,
        )  # fmt: skip
        session.add(courier)
        session.flush()
        for day in range(14):
            session.add(
                Shift(courier_id=courier.id, on=MONDAY + timedelta(days=day), starts_s=8 * 3600, ends_s=18 * 3600)
            )
    for kind in (DeskKind.SUPERVISION, DeskKind.LEAD):
        session.add(Desk(division_id=division.id, kind=kind, name="武进区监督科", phone="+8613900009999"))


def the_county(session: Session) -> County:
    """The county that ``make_county`` left in this database."""
    division = session.scalars(select(Division).where(Division.code == WUJIN)).one()
    town = session.scalars(select(Division).where(Division.code == "320412100000")).one()
    agents = list(session.scalars(select(Agent).order_by(Agent.id)))
    return County(session, division, town, agents, list(session.scalars(select(Courier).order_by(Courier.id))))


def flow_centre(session: Session, division: Division) -> int:
    """The id of the county's service centre."""
    from_tree = session.execute(select(ServiceCentre.id).where(ServiceCentre.division_id == division.id)).scalar_one()
    return int(from_tree)


def an_agent(
    session: Session, name: str, *, division: Division, team: Team | None = None, capacity: int = 10, n: int = 0
) -> Agent:
    """An agent who knows every kind of matter."""
    phone = f"+86138{division.id % 10000:04d}{n:04d}"
    agent = Agent(
        agent_no=f"A{division.code[:6]}{n:03d}", name=name, pinyin=name, phone=phone, phone_hash=db.keyed_hash(phone),
        office_phone="0519-86310000", team_id=team.id if team else None, division_id=division.id, capacity=capacity,
        stars=3,
    )  # fmt: skip
    session.add(agent)
    session.flush()
    for category in Category:
        session.add(AgentSkill(agent_id=agent.id, category=category.value, proficiency=2))
    session.flush()
    return agent


def an_enterprise(
    session: Session, *, phone: str = "+8613812345678", name: str = "常州精机有限公司"
) -> tuple[Enterprise, Contact, Actor]:
    """An enterprise with one contact, and that person as a viewer."""
    enterprise = Enterprise(name=name, pinyin=name, created_at=TEN)
    session.add(enterprise)
    session.flush()
    contact = Contact(
        enterprise_id=enterprise.id, name="王经理", phone=phone, phone_hash=db.keyed_hash(phone), created_at=TEN
    )
    session.add(contact)
    session.flush()
    return enterprise, contact, Actor(Role.ENTERPRISE, account_id=5, name="王经理", enterprise_id=enterprise.id)


def acting(county: County, actor: Actor) -> Actor:
    """The actor with an account to act by."""
    account = Account(role=actor.role, name=actor.name)
    county.session.add(account)
    county.session.flush()
    return replace(actor, account_id=account.id)


def a_request(
    county: County,
    *,
    matters: tuple[str, ...] = ("IND-104", "IND-105"),
    at: datetime = TEN,
    phone: str = "+8613812345678",
    name: str = "常州精机有限公司",
    **more: object,
) -> tuple[Case, Actor]:
    """A case at REQUESTED."""
    _, contact, viewer = an_enterprise(county.session, phone=phone, name=name)
    near = (round(county.town.lon + 0.005, 3), round(county.town.lat + 0.007, 3))
    site = SiteGiven(county.town.code, *near, address="湖塘镇人民东路1号")
    request = RequestProject(
        name="精密机床扩产项目", family=Family.INDUSTRIAL_PERMIT, site=site, matters=matters,
        contact_id=ContactId(contact.id), **more,  # type: ignore[arg-type]
    )  # fmt: skip
    return steps.request(county.session, request, by=viewer, at=at), viewer


def an_assigned_case(county: County, **more: object) -> tuple[Case, Actor]:
    """A case at ASSIGNED, with a delegation letter and every material given."""
    case, viewer = a_request(county, **more)  # type: ignore[arg-type]
    project = county.session.get_one(Project, case.project_id)
    staffing.assign(county.session, project, agent_id=county.agents[0].id, by=SYSTEM, at=TEN)
    letter = SignDelegation(
        project=ProjectNo(project.project_no), legal_representative="张法人", powers=tuple(Power),
        people=(AuthorisedPerson("王经理", "+8613812345678"),), valid_to=date(2027, 6, 30),
    )  # fmt: skip
    steps.take(county.session, letter, viewer, TEN)
    for material in case.materials:
        if not material.on_paper and material.state == "wanted":
            steps.give_material(
                county.session, case, material, sha256="0" * 64, media_type="application/pdf", filename="a.pdf",
                by=viewer, at=TEN,
            )  # fmt: skip
    return case, viewer


def a_prescreened_case(county: County, **more: object) -> tuple[Case, Actor]:
    """A case at PRESCREENED."""
    case, viewer = an_assigned_case(county, **more)
    steps.prescreen(county.session, case, by=county.agent_viewer(), at=TEN)
    return case, viewer


def an_appointment(on: date = MONDAY + timedelta(days=1), opens: int = 9, closes: int = 11) -> Appointment:
    """Tomorrow morning at the factory gate."""
    address = Address(119.96, 31.72, "湖塘镇人民东路1号", "王经理", "+8613812345678", "常州精机有限公司")
    return Appointment(on=on, opens_s=opens * 3600, closes_s=closes * 3600, address=address)


def on_a_run(county: County, stop: CourierStop, *, courier: int = 0) -> CourierRun:
    """The stop is planned, last on the courier's run of its day, as a committed plan leaves it."""
    session, courier_id = county.session, county.couriers[courier].id
    run = session.scalar(select(CourierRun).where(CourierRun.courier_id == courier_id, CourierRun.on == stop.on))
    if run is None:
        plan = queue_plan(
            session, division_id=county.division.id, on=stop.on, cutoff=stop.cutoff, limit_s=1, by="", at=TEN
        )
        plan.state = PlanState.COMMITTED
        run = CourierRun(plan_id=plan.id, courier_id=courier_id, on=stop.on, starts_s=8 * 3600, ends_s=12 * 3600)
        session.add(run)
        session.flush()
    stop.state, stop.run_id = StopState.PLANNED, run.id
    stop.position = 1 + len(session.scalars(select(CourierStop.id).where(CourierStop.run_id == run.id)).all())
    session.flush()
    return run


def take_off(session: Session, folder: Path, *days: date) -> None:
    """The calendar is imported again with these days as holidays more."""
    off = {str(day) for day in days}
    rows = CALENDAR_FILE.read_text(encoding="utf-8").splitlines()
    changed = folder / "calendar.csv"
    text = "\n".join(re.sub(r",1,[a-z_]*,", ",0,holiday,", row) if row[:10] in off else row for row in rows)
    changed.write_text(text + "\n", encoding="utf-8")
    perform(session, ImportCalendar(changed), SYSTEM)
