"""Staff of the demo county: teams and agents, couriers with their shifts, desks, and who may sign in as whom."""

from datetime import timedelta

from sqlalchemy import select

import db
from agents.names import person_key
from agents.network import centre_of
from agents.roster import Agent, AgentSkill, Category, Duty, DutyKind, Team
from dispatch.acts.rostering import workday_test
from dispatch.cases.notify import Desk, DeskKind
from dispatch.cases.project import Contact
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.core.actor import Role
from routing.day.couriers import Courier, VehicleKind
from routing.day.roster import ShiftRule, make_shifts
from web.demo.context import COUNTY, TODAY, DemoContext
from web.demo.logins import LoginHolder, add_logins, demo_password_hash
from web.wiring.accounts import Account

AGENTS, COURIERS = 60, 8
YESTERDAY = TODAY - timedelta(days=1)


def add_staff(context: DemoContext) -> None:
    """Everybody who works in the county."""
    _add_agents(context)
    _add_absences(context)
    _add_couriers(context)
    for kind, name in ((DeskKind.SUPERVISION, "武进区政务办监督科"), (DeskKind.LEAD, "武进区代办中心")):
        context.session.add(Desk(division_id=context.county.id, kind=kind, name=name, phone=context.fake.phone()))
    context.session.flush()


def _add_agents(context: DemoContext) -> None:
    session, fake, county = context.session, context.fake, context.county
    teams = [Team(name=name, division_id=county.id) for name in ("武进区代办一组", "武进区代办二组")]
    session.add_all(teams)
    session.flush()
    categories = list(Category)
    places = [county] * 24 + [town for town in context.towns for _ in range(3)]
    for number in range(AGENTS):
        place = places[number % len(places)]
        name = fake.person()
        phone = fake.phone()
        agent = Agent(
            agent_no=f"{COUNTY}{number + 1:04d}",
            name=name,
            pinyin=person_key(name),
            phone=phone,
            phone_hash=db.keyed_hash(phone),
            office_phone=f"0519-8631{fake.random.randrange(1000, 9999)}",
            team_id=teams[number % 2].id,
            division_id=place.id,
            capacity=6 if place is county else 3,
            stars=fake.random.choice((2, 3, 3, 4, 4, 5)),
            languages=["zh", "en"] if number % 10 == 0 else ["zh"],
        )
        session.add(agent)
        session.flush()
        known = categories if place is county else fake.random.sample(categories, 4)
        for category in known:
            session.add(
                AgentSkill(agent_id=agent.id, category=category.value, proficiency=fake.random.choice((2, 2, 3)))
            )
        context.agents.append(agent)
    for first, second in zip(context.agents[::2], context.agents[1::2], strict=True):
        first.stand_in_id, second.stand_in_id = second.id, first.id


def _add_absences(context: DemoContext) -> None:
    for number, kind, days, note in ((2, DutyKind.LEAVE, 2, "年休假"), (31, DutyKind.TRAINING, 1, "业务培训")):
        context.session.add(
            Duty(
                agent_id=context.agents[number].id,
                kind=kind,
                starts_on=TODAY,
                ends_on=TODAY + timedelta(days=days - 1),
                note=note,
            )
        )


def _add_couriers(context: DemoContext) -> None:
    session, fake, county = context.session, context.fake, context.county
    centre = centre_of(session, county)
    assert centre is not None
    for number in range(COURIERS):
        name, phone = fake.person(), fake.phone()
        has_van = number % 4 == 3
        courier = Courier(
            courier_no=f"WJ{number + 1:03d}",
            name=name,
            pinyin=person_key(name),
            phone=phone,
            phone_hash=db.keyed_hash(phone),
            division_id=county.id,
            centre_id=centre.id,
            vehicle=VehicleKind.VAN if has_van else VehicleKind.EBIKE,
            pieces_capacity=200 if has_van else 80,
            grams_capacity=400_000 if has_van else 60_000,
            range_m=None if has_van else 80_000,
        )
        session.add(courier)
        session.flush()
        context.couriers.append(courier)
        session.add(
            ShiftRule(
                courier_id=courier.id, weekdays=[1, 2, 3, 4, 5, 6], first_on=YESTERDAY, starts_s=8 * 3600,
                ends_s=18 * 3600,
            )
        )  # fmt: skip
    session.flush()
    make_shifts(session, context.couriers, today=YESTERDAY, is_workday=workday_test(calendar_of(session)))


def add_accounts(context: DemoContext) -> None:
    """The demo logins, and an account for every other courier. The agent's is that of whoever holds most."""
    session, fake = context.session, context.fake
    enterprise = context.first_enterprise
    assert enterprise is not None
    contact = session.scalars(select(Contact).where(Contact.enterprise_id == enterprise.id)).first()
    assert contact is not None
    busiest = max(context.agents, key=lambda agent: (agent.held, -agent.id))
    driver, *other_drivers = context.couriers
    password_hash = demo_password_hash()
    holders = {
        Role.ENTERPRISE: LoginHolder(contact.name, contact.phone, enterprise_id=enterprise.id),
        Role.AGENT: LoginHolder(busiest.name, busiest.phone, agent_id=busiest.id),
        Role.LEAD: LoginHolder(fake.person(), division_id=context.county.id),
        Role.COURIER: LoginHolder(driver.name, driver.phone, courier_id=driver.id),
        Role.SUPERVISOR: LoginHolder(fake.person(), division_id=context.county.id),
        Role.OPERATOR: LoginHolder("系统管理员"),
    }
    add_logins(session, fake, holders, password_hash=password_hash)
    for number, courier in enumerate(other_drivers, start=2):
        account = Account(
            role=Role.COURIER,
            login=f"kuaidi{number}",
            password_hash=password_hash,
            name=courier.name,
            courier_id=courier.id,
        )
        account.set_phone(courier.phone)
        session.add(account)
    session.flush()
