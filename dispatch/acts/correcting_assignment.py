"""Correcting an assignment: another agent acts than was written down, or since another day; all of it follows."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from agents.roster import Agent
from dispatch.acts.act import LEADS, ActContext, act
from dispatch.acts.act_fields import CalendarDate, SecondOfDay, Why
from dispatch.acts.project_corrections import CorrectedProject, PartChange, keep_correction
from dispatch.acts.recording import Happening, agreed_at
from dispatch.assignment import rules, staffing
from dispatch.assignment.telling import tell_member, tell_wrongly_given
from dispatch.cases.lookups import open_cases
from dispatch.cases.notify import day_of
from dispatch.cases.obligations.keeping import keep_dues_of
from dispatch.cases.project import Project, ProjectMember, TeamRole
from dispatch.cases.project_correction import ProjectPart
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.core.errors import Refused, WrongStage
from dispatch.core.ids import AgentId, AssignmentId, ProjectNo
from dispatch.core.shanghai_time import in_shanghai


@act(by=LEADS)
@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectAssignment:
    """An assignment was written down wrongly: another agent acts, or acts since another day (更正指派).

    What is left out stays as it was. The wrong row is kept and counts no more: load, lists and due moments follow the
    right one; who was told wrongly is told right, once."""

    project: ProjectNo
    version: int | None = None
    assignment: AssignmentId
    agent_id: AgentId | None = None
    on: CalendarDate | None = None
    second: SecondOfDay | None = None
    reason: Why

    def perform(self, context: ActContext) -> CorrectedProject:
        session, project = context.session, context.row(Project, self.project)
        wrong = context.row(ProjectMember, self.assignment)
        _check_stands(project, wrong)
        before = _before(project, wrong)
        agent = session.get_one(Agent, wrong.agent_id)
        right_agent = agent if self.agent_id is None else context.row(Agent, self.agent_id)
        since = self._since(context, project, wrong, before)
        if right_agent is agent and since == wrong.since:
            raise Refused(f"assignment {wrong.id} stays as it was", user_message="没有填写要更正的内容")
        right = _replace(context, project, wrong, right_agent, since=since, reason=self.reason.strip())
        if before is not None and before.until == wrong.since:
            before.until = since
        change = PartChange(
            ProjectPart.ASSIGNMENT, _in_words(agent, wrong), _in_words(right_agent, right), self.reason
        )  # fmt: skip
        done = keep_correction(context, project, change, is_told=False)
        keep_dues_of(session, [case.id for case in open_cases(session, project)])
        if right_agent is not agent and right.until is None:
            tell_wrongly_given(session, wrong, at=context.at)
            tell_member(session, right, at=context.at)
        session.flush()
        return done

    def _since(
        self, context: ActContext, project: Project, wrong: ProjectMember, before: ProjectMember | None
    ) -> datetime:
        """Since when it truly is: after what stood before it, before its own end. Raises Refused."""
        if self.on is None and self.second is None:
            return wrong.since
        not_before = project.created_at
        if before is not None:  # who handed over acted until then; who left earlier left when they left
            assert before.until is not None
            not_before = max(not_before, before.since if before.until == wrong.since else before.until)
        when = Happening(on=self.on or day_of(wrong.since), second=self.second, late_reason=self.reason)
        since = agreed_at(
            wrong.role, when, calendar_of(context.session), not_before=not_before, by=context.actor, at=context.at
        )
        if wrong.until is not None and since > wrong.until:
            raise Refused(f"since {since}, over at {wrong.until}", user_message="不能晚于该代办员结束代办的时间")
        return since


def _check_stands(project: Project, wrong: ProjectMember) -> None:
    if project.merged_into_id is not None:
        raise WrongStage(f"{project.project_no} was merged", user_message="该项目已并入其他项目")
    if wrong.replaced_at is not None:
        raise WrongStage(
            f"assignment {wrong.id} was corrected already", user_message="这条指派已更正过，请刷新后再试"
        )  # fmt: skip


def _before(project: Project, wrong: ProjectMember) -> ProjectMember | None:
    """Who stood in the same place of the team before."""
    spells = project.spells(wrong.role, wrong.counter)
    place = spells.index(wrong)
    return spells[place - 1] if place else None


def _replace(
    context: ActContext, project: Project, wrong: ProjectMember, agent: Agent, *, since: datetime, reason: str
) -> ProjectMember:
    """The right row in the place of the wrong one; an open place takes its slot with it."""
    session, is_other = context.session, agent.id != wrong.agent_id
    why: dict[str, Any] | None = {"why": reason} if is_other else wrong.reason
    until = wrong.until
    if is_other:
        rules.check_not_banned(project, agent.id)
    if until is None:
        _exchange(session, agent, wrong)
        wrong.until = context.at
    wrong.replaced_at = context.at
    session.flush()
    right = ProjectMember(
        agent_id=agent.id, role=wrong.role, counter=wrong.counter, since=since, until=until,
        told_at=None if is_other else wrong.told_at, locked=wrong.locked,
        chosen_by=context.actor.label if is_other else wrong.chosen_by, reason=why, recorded_at=context.at,
        recorded_by=context.actor.label, corrects=wrong.id, correction_reason=reason,
    )  # fmt: skip
    project.members.append(right)
    if is_other and until is None and wrong.role is TeamRole.LEAD:
        project.assignment_reason = why
    session.flush()
    return right


def _exchange(session: Session, agent: Agent, wrong: ProjectMember) -> None:
    if agent.id == wrong.agent_id:
        return
    if not agent.active:
        raise Refused(f"agent {agent.id} has left", user_message="该代办员已离岗")
    staffing.exchange_slots(session, agent.id, wrong.agent_id)


def _in_words(agent: Agent, member: ProjectMember) -> str:
    """An assignment as a correction names it: who, at which counter, since when."""
    place = f" {member.counter}" if member.counter else ""
    return f"{agent.name}{place} {in_shanghai(member.since):%Y-%m-%d %H:%M}"
