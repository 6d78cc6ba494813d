"""Assigning: a project gets its agent by the matching or by hand, a batch is applied, an absence is relieved."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

import db
from agents.roster import Agent
from dispatch.acts.act import LEADS, ActContext, act
from dispatch.acts.act_fields import CalendarDate, Reason, SecondOfDay
from dispatch.acts.recording import Happening, WordOfMouth, agreed_at
from dispatch.assignment import apply_batch, staffing
from dispatch.assignment.absence import propose_relief
from dispatch.assignment.assign_one import place, place_waiting
from dispatch.assignment.propose import Move, Proposal, propose
from dispatch.assignment.rules import AgreedMoment, AssignmentChoice
from dispatch.assignment.telling import tell_placed
from dispatch.cases.access_control import area_for
from dispatch.cases.case import Case
from dispatch.cases.obligations.keeping import keep_dues_of
from dispatch.cases.project import Project, ProjectState, TeamRole
from dispatch.cases.stages import ENDS
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.core.actor import Actor, Role
from dispatch.core.errors import NotFound, Refused, Stale
from dispatch.core.ids import AgentId, AreaCode, ProjectNo

MOST_NOTIFIED = 200
"""Placements of which a batch notifies people itself; a larger one leaves it to the schedule."""
MOST_WAITING = 500
"""Projects that the schedule goes through at a time."""


@dataclass(frozen=True, slots=True)
class AssignmentResult:
    """Who acts for the project now; None: it waits."""

    project_no: str
    agent_id: int | None


@dataclass(frozen=True, slots=True)
class AppliedResult:
    """How many moves of a proposal were made, had changed meanwhile, or found no slot."""

    done: int
    stale: int
    full: int


@dataclass(frozen=True, slots=True)
class BatchResult:
    """What a batch proposed, and how much of it was carried out: nothing in a preview. Costs in points, as weighed.

    The record of the act does not keep the moves: each stands with its project."""

    cost: int
    proven: bool
    applied: AppliedResult | None
    moves: Annotated[tuple[Move, ...], Field(exclude=True)] = ()
    waiting: Annotated[tuple[Move, ...], Field(exclude=True)] = ()


@act(by=LEADS)
@dataclass(frozen=True, slots=True, kw_only=True)
class AssignProject:
    """A project is given to a named agent with a reason, or, with mode ``auto``, to whom the matching chooses.

    ``on`` and ``second``: since when a named agent acts, where it was agreed before it is written down."""

    project: ProjectNo
    version: int | None = None
    mode: Literal["auto"] | None = None
    agent_id: AgentId | None = None
    reason: Reason | None = None
    lock: bool = False
    on: CalendarDate | None = None
    second: SecondOfDay | None = None
    late_reason: Reason = ""

    def perform(self, context: ActContext) -> AssignmentResult:
        session, project = context.session, context.row(Project, self.project)
        if self.agent_id is not None:
            agent = context.row(Agent, self.agent_id)
            staffing.assign(
                session, project, agent_id=agent.id, by=context.actor, at=context.at,
                choice=self._choice(context, project),
            )  # fmt: skip
        elif self.mode == "auto":
            if self.on is not None or self.second is not None:
                raise Refused("the matching chooses now", user_message="自动派件从现在起算，不能填写日期")
            place(session, project, by=context.actor, at=context.at)
            tell_placed(session, at=context.at, project_id=project.id)
        else:
            raise Refused("mode or agent_id", user_message="请选择自动匹配或指定代办员")
        lead = project.lead
        return AssignmentResult(project.project_no, None if lead is None else lead.agent_id)

    def _choice(self, context: ActContext, project: Project) -> AssignmentChoice:
        reason = (self.reason or "").strip()
        if not reason:
            raise Refused("a choice by hand needs its reason", user_message="请填写指派理由")
        when = Happening(on=self.on, second=self.second, late_reason=self.late_reason)
        since = agreed_at(
            TeamRole.LEAD, when, calendar_of(context.session), not_before=project.may_lead_since(), by=context.actor,
            at=context.at,
        )  # fmt: skip
        return AssignmentChoice(
            reason={"why": reason}, chosen_by=context.actor.label, locked=self.lock, since=since,
            late_reason=self.late_reason.strip(),
        )  # fmt: skip


@act(is_routine=True)
@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceWaiting:
    """The schedule finds an agent for one project that waits, unless somebody was quicker; the agent's id, or 0."""

    project_id: int

    def perform(self, context: ActContext) -> int:
        placed = place_waiting(context.session, self.project_id, by=context.actor)
        if placed is None:
            return 0
        context.touch(Project, self.project_id)
        tell_placed(context.session, at=context.at, project_id=self.project_id)
        return placed.agent_id


@act(is_routine=True)
@dataclass(frozen=True, slots=True)
class NotifyPlaced:
    """People hear of what a large batch placed, a portion at a time; how many members were told of."""

    def perform(self, context: ActContext) -> int:
        return tell_placed(context.session, at=context.at, limit=MOST_NOTIFIED)


@act(by=LEADS)
@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyBatch(WordOfMouth):
    """The best assignment of all that waits in the actor's area, as it was seen; what changed meanwhile stays.

    ``seen``: the fingerprint of the proposal that was read. ``on`` and ``second``: since when it holds, where it was
    agreed before it is written down."""

    area: AreaCode | None = None
    seen: str | None = None

    def perform(self, context: ActContext) -> BatchResult:
        proposal = propose(context.session, at=context.at, path=_batch_path(context.session, self.area, context.actor))
        # Only the schedule and the command line carry out what nobody has read.
        if self.seen is not None or context.actor.role is not Role.SYSTEM:
            _check_seen(proposal, self.seen, "情况有变化，请核对新的建议后再派件")
        applied = _apply(context, proposal, self)
        if len(applied.done) <= MOST_NOTIFIED:
            tell_placed(context.session, at=context.at, limit=MOST_NOTIFIED)
        return _batch_result(proposal, applied)


def preview_batch(session: Session, batch: ApplyBatch, actor: Actor) -> BatchResult:
    """What a batch would do; nothing is changed."""
    return _batch_result(propose(session, at=db.now(session), path=_batch_path(session, batch.area, actor)), None)


def _batch_path(session: Session, area: AreaCode | None, actor: Actor) -> str | None:
    """The subtree that a batch may change: the area, which lies in the actor's reach, else all of that reach."""
    return reach_path(actor) if area is None else area_for(session, actor, area).path


def reach_path(actor: Actor) -> str | None:
    """The subtree of a lead; None, which is everything, only for who may see everything. Raises NotFound."""
    if actor.role not in {Role.OPERATOR, Role.SYSTEM} and actor.division_path is None:
        raise NotFound(f"{actor.role} has no reach")
    return actor.division_path


@act(by=LEADS)
@dataclass(frozen=True, slots=True, kw_only=True)
class RelieveAgents(WordOfMouth):
    """Who is away for long is relieved of projects, as it was seen: ``seen`` is that proposal's fingerprint."""

    seen: str = ""

    def perform(self, context: ActContext) -> AppliedResult:
        proposal = propose_relief(context.session, at=context.at, path=reach_path(context.actor)).proposal
        _check_seen(proposal, self.seen, "情况有变化，请核对新的建议后再调整")
        applied = _apply(context, proposal, self)
        tell_placed(context.session, at=context.at)
        return _applied(applied)


def _apply(context: ActContext, proposal: Proposal, word: WordOfMouth) -> apply_batch.AppliedMoves:
    """Carry it out; where it was agreed before, the due moments follow that. Raises Refused for an impossible day."""
    session = context.session
    if word.on is None and word.second is None:
        return apply_batch.apply(session, proposal, by=context.actor, at=context.at)
    ids = {move.project_id for move in proposal.moves}
    projects = session.scalars(select(Project).where(Project.id.in_(ids)).options(selectinload(Project.members)))
    begun = [max([one.created_at, *(m.until or m.since for m in one.members)]) for one in projects]
    agreed = AgreedMoment(
        word.agreed(context, not_before=max(begun, default=context.at)), word.late_reason.strip()
    )  # fmt: skip
    applied = apply_batch.apply(session, proposal, by=context.actor, at=context.at, agreed=agreed)
    keep_dues_of(
        session, session.scalars(select(Case.id).where(Case.project_id.in_(ids), Case.stage.not_in(ENDS))).all()
    )
    return applied


def _check_seen(proposal: Proposal, seen: str | None, user_message: str) -> None:
    if seen != proposal.fingerprint:
        raise Stale("the proposal is not the one that was seen", user_message=user_message)


def _applied(batch: apply_batch.AppliedMoves) -> AppliedResult:
    return AppliedResult(len(batch.done), len(batch.stale), len(batch.full))


def _batch_result(proposal: Proposal, batch: apply_batch.AppliedMoves | None) -> BatchResult:
    applied = None if batch is None else _applied(batch)
    return BatchResult(proposal.objective, proposal.proven, applied, proposal.moves, proposal.waiting)


def waiting_projects(session: Session) -> Sequence[int]:
    """Projects that wait for an agent, the longest waiting first."""
    return session.scalars(
        select(Project.id)
        .where(Project.state == ProjectState.WAITING)
        .order_by(Project.priority.desc(), Project.id)
        .limit(MOST_WAITING)
    ).all()
