"""People: agents and couriers of the actor's area are added, and absences are entered."""

from dataclasses import dataclass
from datetime import timedelta

from agents.network import Division, ServiceCentre, centre_of
from agents.roster import Agent, AgentSkill, Category, DutyKind
from db import keyed_hash
from dispatch.acts.act import LEADS, ActContext, act
from dispatch.acts.act_fields import CalendarDate, Name, Phone
from dispatch.assignment.absence import enter_leave
from dispatch.cases.lookups import next_number
from dispatch.cases.notify import day_of
from dispatch.core.errors import Refused
from dispatch.core.ids import AgentId, AreaCode
from routing.day.couriers import Courier, Shift, VehicleKind

SHIFTS_AHEAD = 28  # days for which a new courier's ordinary shifts are entered


@dataclass(frozen=True, slots=True)
class LeaveResult:
    """Whether the leave is longer than the stand-in acts, so that somebody has to take over."""

    is_long: bool


@act(by=LEADS)
@dataclass(frozen=True, slots=True, kw_only=True)
class RecordLeave:
    """An agent is away from ``starts_on`` to ``ends_on``, both included."""

    agent: AgentId
    starts_on: CalendarDate
    ends_on: CalendarDate
    kind: DutyKind = DutyKind.LEAVE

    def perform(self, context: ActContext) -> LeaveResult:
        if self.ends_on < self.starts_on:
            raise Refused("ends before it starts", user_message="结束日期早于开始日期")
        agent = context.row(Agent, self.agent)
        is_long = enter_leave(
            context.session, agent_id=agent.id, kind=self.kind, starts_on=self.starts_on, ends_on=self.ends_on
        )
        return LeaveResult(is_long)


@act(by=LEADS)
@dataclass(frozen=True, slots=True, kw_only=True)
class AddAgent:
    """A proxy agent at a station of the actor's area; the new agent's id."""

    division: AreaCode
    name: Name
    phone: Phone
    office_phone: Phone = ""
    capacity: int = 6
    skills: tuple[Category, ...] = ()

    def perform(self, context: ActContext) -> int:
        division = context.row(Division, self.division)
        number = next_number(context.session, f"agent-{division.code[:6]}", width=4).rsplit("-", 1)[1]
        agent = Agent(
            agent_no=f"{division.code[:6]}N{number}", name=self.name, phone=self.phone,
            office_phone=self.office_phone or "12345", division_id=division.id, capacity=self.capacity, stars=3,
        )  # fmt: skip
        context.session.add(agent)
        context.session.flush()
        context.session.add_all(
            AgentSkill(agent_id=agent.id, category=skill.value, proficiency=2) for skill in self.skills
        )
        return agent.id


@act(by=LEADS)
@dataclass(frozen=True, slots=True, kw_only=True)
class AddCourier:
    """A courier at the county's centre, with four weeks of ordinary shifts on which the day's plans count; the id."""

    division: AreaCode
    name: Name
    phone: Phone
    vehicle: VehicleKind = VehicleKind.EBIKE

    def perform(self, context: ActContext) -> int:
        session, division = context.session, context.row(Division, self.division)
        centre: ServiceCentre | None = centre_of(session, division)
        if centre is None:
            raise Refused(f"{division} has no centre", user_message="该地还没有政务服务中心，不能开通揽投员")
        number = next_number(session, f"courier-{division.code[:6]}", width=3).rsplit("-", 1)[1]
        courier = Courier(
            courier_no=f"{division.code[:6]}E{number}", name=self.name, phone=self.phone,
            phone_hash=keyed_hash(self.phone), division_id=centre.division_id, centre_id=centre.id,
            vehicle=self.vehicle,
        )  # fmt: skip
        session.add(courier)
        session.flush()
        today = day_of(context.at)
        session.add_all(
            Shift(courier_id=courier.id, on=today + timedelta(days=n), starts_s=8 * 3600, ends_s=18 * 3600)
            for n in range(SHIFTS_AHEAD)
        )
        return courier.id
