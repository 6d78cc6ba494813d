"""Assign: who acts for a project, liaisons, and the first ask until a handover is accepted."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from agents.network import Division
from agents.roster import Agent
from agents.slots import release_slot, take_slot
from dispatch.cases.case import Case
from dispatch.cases.lookups import due, open_cases
from dispatch.cases.notify import add_timeline_event, queue_agent_notice, queue_notice, queue_stage_notice
from dispatch.cases.project import Project, ProjectMember, ProjectState, Referral, TeamRole
from dispatch.cases.stages import Stage
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.core.actor import Actor
from dispatch.core.errors import NoCapacity, NotFound, Refused, WrongStage
from dispatch.core.localized_text import LocalizedText

PRESCREEN_WD = 2

ACCEPT_REFERRAL_WD = 1


def assign(
    session: Session,
    project: Project,
    *,
    agent_id: int,
    by: Actor,
    at: datetime,
    reason: Mapping[str, Any] | None = None,
    chosen_by: str = "matching",
    locked: bool = False,
) -> ProjectMember:
    """Give the project to a lead agent (主办), or from one to another. Raises NoCapacity when no slot is free."""
    before = project.lead
    if before is not None and before.agent_id == agent_id:
        before.locked = locked or before.locked
        return before
    agent = session.get(Agent, agent_id)
    if agent is None or not agent.active:
        raise NotFound(f"no active agent {agent_id}")
    if agent_id in project.banned_agents:
        raise Refused(
            f"agent {agent_id} is banned from {project.project_no}", user_message="该代办员已被排除在本项目之外"
        )
    # Slots are taken and given back in the order of the agents' ids, so that two swaps cannot wait for each other.
    for step in sorted({agent_id} | ({before.agent_id} if before else set())):
        if step != agent_id:
            release_slot(session, step)
        elif not take_slot(session, agent_id):
            raise NoCapacity(f"agent {agent_id} has no free slot", agent_id=agent_id)
    if before is not None:
        before.until = at
        session.flush()
    member = ProjectMember(
        project_id=project.id, agent_id=agent_id, role=TeamRole.LEAD, since=at, locked=locked, chosen_by=chosen_by,
        reason=dict(reason or {}), told_at=at,
    )  # fmt: skip
    project.members.append(member)
    project.assignment_reason = dict(reason or {})
    if project.state is not ProjectState.ACTIVE:
        project.move_to(ProjectState.ACTIVE, at=at)
    else:
        project.version += 1
    session.flush()
    queue_agent_notice(
        session, agent, project, text="project_for_agent", key=f"{agent.id}:{member.id}", at=at,
        values={"project": project.name[:20], "case_no": project.project_no},
    )  # fmt: skip
    for case in open_cases(session, project):
        if case.stage is Stage.REQUESTED:
            case.prescreen_by = due(calendar_of(session), at, PRESCREEN_WD)
            case.move_to(Stage.ASSIGNED, at=at, by=by.label)
            tell_assigned(session, case, agent, at=at, by=by)
        elif before is not None:
            add_timeline_event(
                session,
                case,
                kind="agent_changed",
                by=by,
                at=at,
                words=LocalizedText("代办员变更为%(name)s", name=agent.name),
                agent_id=agent.id,
            )
            queue_notice(session, case, "agent_changed", at=at, key=str(member.id), values=agent_values(session, agent))
    return member


def add_liaison(
    session: Session, project: Project, *, agent_id: int, counter: str, by: Actor, at: datetime
) -> ProjectMember:
    """One more agent (协办) for the matters handled at another counter."""
    if not take_slot(session, agent_id):
        raise NoCapacity(f"agent {agent_id} has no free slot", agent_id=agent_id)
    member = ProjectMember(
        project_id=project.id, agent_id=agent_id, role=TeamRole.LIAISON, counter=counter, since=at, told_at=at
    )
    project.members.append(member)
    session.flush()
    agent = session.get_one(Agent, agent_id)
    queue_agent_notice(
        session, agent, project, text="project_for_agent", key=f"{agent.id}:{member.id}", at=at,
        values={"project": project.name[:20], "case_no": project.project_no},
    )  # fmt: skip
    for case in open_cases(session, project):
        add_timeline_event(
            session,
            case,
            kind="liaison",
            by=by,
            at=at,
            words=LocalizedText("%(name)s协办", name=agent.name),
            internal=True,
            counter=counter,
        )
    return member


def agent_values(session: Session, agent: Agent) -> dict[str, str]:
    station = session.get_one(Division, agent.division_id)
    return {"agent": agent.name, "station": f"{station.name}代办站"[:20], "office_phone": agent.office_phone}


def tell_assigned(session: Session, case: Case, agent: Agent, *, at: datetime, by: Actor) -> None:
    queue_stage_notice(
        session,
        case,
        at=at,
        by=by,
        words=LocalizedText("已指派代办员%(name)s", name=agent.name),
        **agent_values(session, agent),
    )


def refer(
    session: Session, project: Project, *, from_agent_id: int, to_agent_id: int, reason: str, by: Actor, at: datetime
) -> Referral:
    """First ask (首问负责): the first agent stays the owner until the other accepts, within one working day."""
    if not reason.strip():
        raise Refused("a referral needs its reason", user_message="请说明转办理由")
    referral = session.scalar(
        select(Referral).where(Referral.project_id == project.id, Referral.accepted_at.is_(None)).limit(1)
    )
    if referral is None:
        referral = Referral(project_id=project.id, from_agent_id=from_agent_id)
        session.add(referral)
    referral.to_agent_id, referral.reason, referral.offered_at = to_agent_id, reason, at
    referral.declined_at = referral.escalated_at = None
    referral.accept_by = due(calendar_of(session), at, ACCEPT_REFERRAL_WD)
    session.flush()
    agent = session.get_one(Agent, to_agent_id)
    queue_agent_notice(
        session, agent, project, text="project_for_agent", key=f"refer:{referral.id}:{at.timestamp():.0f}", at=at,
        values={"project": project.name[:20], "case_no": project.project_no},
    )  # fmt: skip
    return referral


def accept_referral(session: Session, project: Project, referral: Referral, *, by: Actor, at: datetime) -> None:
    """The other agent takes it over: from now on it is theirs."""
    if referral.accepted_at is not None or referral.to_agent_id is None:
        raise WrongStage(f"referral {referral.id} is not open")
    assign(
        session,
        project,
        agent_id=referral.to_agent_id,
        by=by,
        at=at,
        chosen_by="referral",
        reason={"why": referral.reason},
    )
    referral.accepted_at = at
