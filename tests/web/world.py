"""The world in which every route is probed: our county with a case and its people, and another city with theirs."""

from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy.orm import Session, sessionmaker

import db
from agents.network import Division, Level, Precision
from dispatch import flow
from dispatch.project import Project
from dispatch.scope import Role
from tests.dispatch.builders import (
    TEN,
    County,
    a_prescreened_case,
    an_agent,
    an_appointment,
    make_county,
    the_county,
)
from web.accounts import Account, AccountState, Token

ArgsOf = dict[str, str | int]


@dataclass
class World:
    """Accounts by role, and what a URL's parts may be: ``ours`` everybody here may see, ``theirs`` nobody may."""

    accounts: dict[Role, Account] = field(default_factory=dict)
    ours: ArgsOf = field(default_factory=dict)
    theirs: ArgsOf = field(default_factory=dict)


def make_world(sessions: sessionmaker[Session], folder: Path) -> World:
    """Fill an empty database."""
    world = World()
    with sessions.begin() as session:
        db.allow_clock_changes(session)
        make_county(session, folder)
    with sessions.begin() as session:
        county = the_county(session)
        world.ours = a_case_of(session, county, phone="+8613812345678")
        world.theirs = a_case_of(session, another_county(session, county), phone="+8613812345679")
        people(session, county, world)
    return world


def another_county(session: Session, county: County) -> County:
    """虎丘区 of another city, with one agent."""
    made: list[Division] = []
    for code, name, level, parent in (
        ("320500000000", "苏州市", Level.CITY, county.division.path.split(".")[0]),
        ("320505000000", "虎丘区", Level.COUNTY, "320500000000"),
        ("320505100000", "浒墅关镇", Level.TOWN, "320505000000"),
    ):
        above = made[-1].path if made else parent
        division = Division(
            code=code, name=name, pinyin=name, level=level, kind="county", parent_code=parent,
            path=f"{above}.{code}", lon=120.57, lat=31.3, precision=Precision.CENTROID,
        )  # fmt: skip
        made.append(division)
        session.add(division)
        session.flush()
    agent = an_agent(session, "别处代办员", division=made[1])
    return County(session, made[1], made[2], [agent], list(county.couriers))


def a_case_of(session: Session, county: County, *, phone: str) -> ArgsOf:
    """A case with a booked pickup, and everything of it that stands in URLs."""
    case, viewer = a_prescreened_case(county)
    parcel = flow.book_pickup(session, case, appointment=an_appointment(), by=viewer, at=TEN)
    project = session.get_one(Project, case.project_id)
    colleague = Account(
        role=Role.ENTERPRISE, state=AccountState.WAITING, name="新同事", enterprise_id=project.enterprise_id
    )
    session.add(colleague)
    session.flush()
    return {
        "case_no": case.case_no,
        "project_no": project.project_no,
        "waybill": parcel.waybill,
        "stop_id": parcel.stop_id or 0,
        "agent_id": county.agents[0].id,
        "account_id": colleague.id,
        "enterprise_id": project.enterprise_id,
        "material_id": case.materials[0].id,
        "review_id": flow.reviews_of(session, case)[0].id,
        "code": "en",
    }


def people(session: Session, county: County, world: World) -> None:
    """One active account for each role, all of our county."""
    for role in Role:
        if role is Role.SYSTEM:
            continue
        world.accounts[role] = account = Account(
            role=role,
            name="张三",
            login=role.value,
            enterprise_id=int(world.ours["enterprise_id"]) if role is Role.ENTERPRISE else None,
            agent_id=county.agents[0].id if role is Role.AGENT else None,
            courier_id=county.couriers[0].id if role is Role.COURIER else None,
            division_id=county.division.id if role in {Role.LEAD, Role.SUPERVISOR} else None,
        )
        session.add(account)
    session.flush()
    other = Account(role=Role.LEAD, name="别处", login="other")
    session.add(other)
    session.flush()
    for account, known in ((world.accounts[Role.LEAD], world.ours), (other, world.theirs)):
        token = Token(account_id=account.id, name="t", digest=str(account.id).encode(), expires_at=db.real_now(session))
        session.add(token)
        session.flush()
        known["token_id"] = token.id
