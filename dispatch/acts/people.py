"""People: agents and couriers of the actor's area are added."""

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Le

from agents.network import Division, Level, centre_of
from agents.roster import Agent, AgentSkill, Category
from db import keyed_hash
from dispatch.acts.act import LEADS, ActContext, act
from dispatch.acts.act_fields import Name, Phone
from dispatch.acts.rostering import workday_test
from dispatch.cases.lookups import next_number
from dispatch.cases.notify import day_of
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.core.errors import Refused
from dispatch.core.ids import AreaCode
from notifications.phone import BadNumber, normalise
from routing.day.couriers import Courier, VehicleKind
from routing.day.roster import ShiftRule, make_shifts

STATION_LEVELS = (Level.CITY, Level.COUNTY, Level.TOWN)
SHIFT_WEEKDAYS, SHIFT_STARTS_S, SHIFT_ENDS_S = (1, 2, 3, 4, 5), 8 * 3600, 18 * 3600  # of a new courier
STARS, PROFICIENCY = 3, 2  # of somebody who begins
OFFICE_PHONE = "12345"  # of a station that has none of its own


def checked_station(context: ActContext, code: AreaCode) -> Division:
    """The place, which is one where people are stationed."""
    division = context.row(Division, code)
    if division.level not in STATION_LEVELS or division.retired_on is not None:
        raise Refused(f"nobody is stationed at {code}", user_message="该区划不能设站点")
    return division


def checked_person(name: str, phone: str) -> tuple[str, str]:
    """A name and a number in its full form. Raises Refused."""
    if not name.strip():
        raise Refused("a person has a name", user_message="请填写姓名")
    try:
        return name.strip(), normalise(phone)
    except BadNumber as error:
        raise Refused("not a number", user_message="手机号有误，请填写11位手机号") from error


@act(by=LEADS)
@dataclass(frozen=True, slots=True, kw_only=True)
class AddAgent:
    """A proxy agent at a station of the actor's area; the new agent's id."""

    division: AreaCode
    name: Name
    phone: Phone
    office_phone: Phone = ""
    capacity: Annotated[int, Ge(0), Le(50)] = 6
    weekly_hours: Annotated[int, Ge(0), Le(60)] = 40
    skills: tuple[Category, ...] = ()

    def perform(self, context: ActContext) -> int:
        division, (name, phone) = checked_station(context, self.division), checked_person(self.name, self.phone)
        number = next_number(context.session, f"agent-{division.code[:6]}", width=4).rsplit("-", 1)[1]
        agent = Agent(
            agent_no=f"{division.code[:6]}N{number}", name=name, phone=phone,
            office_phone=self.office_phone or OFFICE_PHONE, division_id=division.id, capacity=self.capacity,
            stars=STARS, weekly_hours=self.weekly_hours,
        )  # fmt: skip
        context.session.add(agent)
        context.session.flush()
        context.session.add_all(
            AgentSkill(agent_id=agent.id, category=skill.value, proficiency=PROFICIENCY)
            for skill in dict.fromkeys(self.skills)
        )
        return agent.id


@act(by=LEADS)
@dataclass(frozen=True, slots=True, kw_only=True)
class AddCourier:
    """A courier at the county's centre, who works on working days until the roster says otherwise; the id."""

    division: AreaCode
    name: Name
    phone: Phone
    vehicle: VehicleKind = VehicleKind.EBIKE

    def perform(self, context: ActContext) -> int:
        session, division = context.session, checked_station(context, self.division)
        name, phone = checked_person(self.name, self.phone)
        centre = centre_of(session, division)
        if centre is None:
            raise Refused(f"{division.code} has no centre", user_message="该地还没有政务服务中心，不能开通揽投员")
        number = next_number(session, f"courier-{division.code[:6]}", width=3).rsplit("-", 1)[1]
        courier = Courier(
            courier_no=f"{division.code[:6]}E{number}", name=name, phone=phone,
            phone_hash=keyed_hash(phone), division_id=centre.division_id, centre_id=centre.id,
            vehicle=self.vehicle,
        )  # fmt: skip
        session.add(courier)
        session.flush()
        today = day_of(context.at)
        session.add(
            ShiftRule(
                courier_id=courier.id, weekdays=list(SHIFT_WEEKDAYS), first_on=today, starts_s=SHIFT_STARTS_S,
                ends_s=SHIFT_ENDS_S,
            )
        )  # fmt: skip
        session.flush()
        make_shifts(session, [courier], today=today, is_workday=workday_test(calendar_of(session)))
        return courier.id
