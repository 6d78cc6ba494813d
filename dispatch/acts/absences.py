"""Absences: an agent's leave is entered, changed and cancelled; nobody is away twice, nor with the stand-in unseen."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from agents.roster import Agent, Duty, DutyKind
from dispatch.acts.act import LEADS, ActContext, act
from dispatch.acts.act_fields import CalendarDate
from dispatch.assignment.absence import also_away, is_long_leave, overlapping_leave
from dispatch.cases.notify import day_of
from dispatch.core.errors import Refused
from dispatch.core.ids import AbsenceId, AgentId
from dispatch.core.localized_text import LocalizedText


@dataclass(frozen=True, slots=True)
class LeaveResult:
    """Whether the leave is longer than the stand-in acts, so that somebody has to take over.

    ``also_away``: the stand-in, and those for whom the agent stands in, who are away on some of the same days."""

    absence_id: int
    is_long: bool
    also_away: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CancelledLeave:
    """A leave that does not take place, or is over since yesterday."""

    absence_id: int


@act(by=LEADS)
@dataclass(frozen=True, slots=True, kw_only=True)
class RecordLeave:
    """An agent is away from ``starts_on`` to ``ends_on``, both included."""

    agent: AgentId
    starts_on: CalendarDate
    ends_on: CalendarDate
    kind: DutyKind = DutyKind.LEAVE

    def perform(self, context: ActContext) -> LeaveResult:
        agent = context.row(Agent, self.agent)
        leave = Duty(agent_id=agent.id, kind=self.kind, starts_on=self.starts_on, ends_on=self.ends_on, note="")
        _check_days(context.session, leave, self.starts_on, self.ends_on)
        context.session.add(leave)
        context.session.flush()
        return _result(context.session, agent, leave)


@act(by=LEADS)
@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeLeave:
    """A leave has other days: cut short, prolonged or moved. Days that are over stay as they were."""

    agent: AgentId
    absence: AbsenceId
    starts_on: CalendarDate
    ends_on: CalendarDate
    kind: DutyKind = DutyKind.LEAVE

    def perform(self, context: ActContext) -> LeaveResult:
        agent, leave = context.row(Agent, self.agent), context.row(Duty, self.absence)
        today = day_of(context.at)
        if leave.ends_on < today or (leave.starts_on < today and self.starts_on != leave.starts_on):
            raise Refused(f"leave {leave.id} began", user_message="已经开始的请假只能改结束日期，已结束的不能再改")
        _check_days(context.session, leave, self.starts_on, self.ends_on)
        leave.starts_on, leave.ends_on, leave.kind = self.starts_on, self.ends_on, self.kind
        context.session.flush()
        return _result(context.session, agent, leave)


@act(by=LEADS)
@dataclass(frozen=True, slots=True, kw_only=True)
class CancelLeave:
    """A leave that has not begun does not take place; of one that has, what is left from today on."""

    agent: AgentId
    absence: AbsenceId

    def perform(self, context: ActContext) -> CancelledLeave:
        leave, today = context.row(Duty, self.absence), day_of(context.at)
        if leave.ends_on < today:
            raise Refused(f"leave {leave.id} is over", user_message="已结束的请假不能取消")
        if leave.starts_on < today:
            leave.ends_on = date.fromordinal(today.toordinal() - 1)
        else:
            context.session.delete(leave)
        context.session.flush()
        return CancelledLeave(leave.id)


def _check_days(session: Session, leave: Duty, starts_on: date, ends_on: date) -> None:
    if ends_on < starts_on:
        raise Refused("ends before it starts", user_message="结束日期早于开始日期")
    other = overlapping_leave(session, leave.agent_id, starts_on, ends_on, but=leave.id)
    if other is not None:
        raise Refused(
            f"agent {leave.agent_id} is away by leave {other.id} already",
            user_message=LocalizedText(
                "这几天已登记请假（%(first)s 至 %(last)s），请在本人页面改期或取消",
                first=other.starts_on.isoformat(), last=other.ends_on.isoformat(),
            ),
        )  # fmt: skip


def _result(session: Session, agent: Agent, leave: Duty) -> LeaveResult:
    is_long = is_long_leave(session, agent.id, leave.starts_on, leave.ends_on)
    return LeaveResult(leave.id, is_long, also_away(session, agent, leave.starts_on, leave.ends_on))
