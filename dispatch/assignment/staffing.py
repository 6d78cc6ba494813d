"""Staffing: who acts for a project by a choice of hand, and the first ask until a handover is accepted."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from agents.roster import Agent
from agents.slots import release_slot, take_slot
from dispatch.assignment import rules
from dispatch.assignment.telling import tell_agent, tell_member
from dispatch.cases.case import Case, CaseEvent
from dispatch.cases.due_moments import referral_due
from dispatch.cases.lookups import open_cases
from dispatch.cases.notify import DeskKind, queue_desk_notice
from dispatch.cases.project import Project, ProjectMember, ProjectState, Referral, TeamRole
from dispatch.cases.stages import Stage
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.core.actor import Actor
from dispatch.core.errors import NoCapacity, NotFound, Refused, WrongStage

BY_MATCHING = rules.AssignmentChoice()


def assign(
    session: Session,
    project: Project,
    *,
    agent_id: int,
    by: Actor,
    at: datetime,
    choice: rules.AssignmentChoice = BY_MATCHING,
) -> ProjectMember:
    """Give the project to a lead agent (主办), or from one to another. Raises NoCapacity when no slot is free.

    ``at``: now, when it is written down; the ``choice`` says since when it was agreed."""
    if project.merged_into_id is not None:
        raise WrongStage(f"{project.project_no} was merged", user_message="该项目已并入其他项目")
    before = project.lead
    if before is not None and before.agent_id == agent_id:
        before.locked = choice.locked or before.locked
        return before
    agent = session.get(Agent, agent_id)
    if agent is None or not agent.active:
        raise NotFound(f"no active agent {agent_id}")
    rules.check_not_banned(project, agent_id)
    exchange_slots(session, agent_id, before.agent_id if before else None)
    since = choice.since or at
    if before is not None:
        before.until = since
        session.flush()
    member = ProjectMember(**rules.member_values(project.id, agent_id, choice, by=by, at=at))
    project.members.append(member)
    _change(project, rules.project_change(dict(choice.reason), by=by))
    calendar = calendar_of(session)
    for case in open_cases(session, project):
        if case.stage is Stage.REQUESTED:
            _change(case, rules.case_change(calendar, by=by, at=at, since=max(since, case.created_at)))
            event = rules.lead_given(agent.name)
        elif before is not None:
            event = rules.lead_changed(agent.name, agent.id)
        else:
            continue
        session.add(CaseEvent(**rules.event_values(case.id, case.stage, event, by=by, at=at)))
    session.flush()
    tell_member(session, member, at=at)
    return member


def exchange_slots(session: Session, taker: int, giver: int | None) -> None:
    """One agent gets a slot, another gives one back. Raises NoCapacity when none is free.

    In the order of the agents' ids, so that two exchanges cannot wait for each other."""
    for step in sorted({taker} | (set() if giver is None else {giver})):
        if step != taker:
            release_slot(session, step)
        elif not take_slot(session, taker):
            raise NoCapacity(f"agent {taker} has no free slot", agent_id=taker)


def leave_waiting(session: Session, project: Project, member: ProjectMember, *, by: Actor, at: datetime) -> None:
    """Nobody fits who could take over: the place is given up, and the project waits for an agent where it had one."""
    member.until = at
    release_slot(session, member.agent_id)
    if member.role is TeamRole.LEAD:
        project.move_to(ProjectState.WAITING, at=at)
    else:
        project.version += 1
    project.changed_by = by.label
    for case in open_cases(session, project):
        session.add(CaseEvent(**rules.event_values(case.id, case.stage, rules.lead_left(), by=by, at=at)))
    session.flush()


def _change(row: Project | Case, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        setattr(row, name, value)
    row.version += 1


def refer(
    session: Session, project: Project, *, from_agent_id: int, to_agent_id: int, reason: str, by: Actor,
    at: datetime, offered_at: datetime | None = None,
) -> Referral:  # fmt: skip
    """First ask (首问负责): the first agent stays the owner until the other accepts, within one working day.

    ``offered_at``: when it was asked, where that was before it is written down."""
    asked_at = offered_at or at
    if not reason.strip():
        raise Refused("a referral needs its reason", user_message="请说明转办理由")
    referral = session.scalar(
        select(Referral).where(Referral.project_id == project.id, Referral.accepted_at.is_(None)).limit(1)
    )
    if referral is None:
        referral = Referral(project_id=project.id, from_agent_id=from_agent_id)
        session.add(referral)
    referral.to_agent_id, referral.reason, referral.offered_at = to_agent_id, reason, asked_at
    referral.declined_at = referral.escalated_at = None
    referral.accept_by = referral_due(calendar_of(session), asked_at)
    session.flush()
    agent = session.get_one(Agent, to_agent_id)
    tell_agent(session, agent, project, key=f"refer:{referral.id}:{at.timestamp():.0f}", at=at)
    return referral


def accept_referral(
    session: Session, project: Project, referral: Referral, *, by: Actor, at: datetime, since: datetime | None = None,
    late_reason: str = "",
) -> None:  # fmt: skip
    """The other agent takes it over: from now on it is theirs, or ``since`` it was agreed by word."""
    to_agent_id = _offered_to(referral)
    assign(
        session,
        project,
        agent_id=to_agent_id,
        by=by,
        at=at,
        choice=rules.AssignmentChoice(
            reason={"why": referral.reason}, chosen_by="referral", since=since, late_reason=late_reason
        ),
    )
    referral.accepted_at = since or at


def decline_referral(
    session: Session, project: Project, referral: Referral, *, at: datetime, declined_at: datetime | None = None
) -> None:
    """The other agent does not take it: the first stays the owner, and the lead hears that nobody took it over."""
    _offered_to(referral)
    referral.declined_at = declined_at or at
    queue_desk_notice(
        session, kind=DeskKind.LEAD, division_id=project.home_division_id, text="first_ask_escalated",
        key=f"{referral.id}:{at.timestamp():.0f}", at=at, values={"project": project.name},
    )  # fmt: skip


def _offered_to(referral: Referral) -> int:
    if referral.accepted_at is not None or referral.declined_at is not None or referral.to_agent_id is None:
        raise WrongStage(f"referral {referral.id} is not open")
    return referral.to_agent_id
