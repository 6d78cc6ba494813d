"""Assigning: a project gets its agent by the matching or by hand, a batch is applied, an absence is relieved."""

from dataclasses import dataclass
from typing import Literal

from agents.network import Division
from agents.roster import Agent
from dispatch.acts.act import LEADS, ActContext, act
from dispatch.acts.act_fields import Reason
from dispatch.assignment import apply_batch, staffing
from dispatch.assignment.absence import propose_relief
from dispatch.assignment.assign_one import place, place_waiting
from dispatch.assignment.propose import Proposal, propose
from dispatch.cases.project import Project
from dispatch.core.errors import Refused, Stale
from dispatch.core.ids import AgentId, AreaCode, ProjectNo

MOST_NOTIFIED = 200
"""Placements of which a batch notifies people itself; a larger one leaves it to the schedule."""


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


@act(by=LEADS)
@dataclass(frozen=True, slots=True, kw_only=True)
class AssignProject:
    """A project is given to a named agent with a reason, or, with mode ``auto``, to whom the matching chooses."""

    project: ProjectNo
    version: int | None = None
    mode: Literal["auto"] | None = None
    agent_id: AgentId | None = None
    reason: Reason | None = None
    lock: bool = False

    def perform(self, context: ActContext) -> AssignmentResult:
        session, project = context.session, context.row(Project, self.project)
        if self.agent_id is not None:
            agent = context.row(Agent, self.agent_id)
            if not (self.reason or "").strip():
                raise Refused("a choice by hand needs its reason", user_message="请填写指派理由")
            staffing.assign(
                session, project, agent_id=agent.id, by=context.actor, at=context.at, reason={"why": self.reason},
                chosen_by=context.actor.label, locked=self.lock,
            )  # fmt: skip
        elif self.mode == "auto":
            place(session, project, by=context.actor, at=context.at)
            apply_batch.tell_placed(session, at=context.at, project_id=project.id)
        else:
            raise Refused("mode or agent_id", user_message="请选择自动匹配或指定代办员")
        lead = project.lead
        return AssignmentResult(project.project_no, None if lead is None else lead.agent_id)


@act()
@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceWaiting:
    """The schedule finds an agent for one project that waits, unless somebody was quicker; the agent's id, or 0."""

    project_id: int

    def perform(self, context: ActContext) -> int:
        placed = place_waiting(context.session, self.project_id, by=context.actor)
        if placed is None:
            return 0
        apply_batch.tell_placed(context.session, at=context.at, project_id=self.project_id)
        return placed.agent_id


@act(by=LEADS)
@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyBatch:
    """The best assignment of all that waits in the actor's area, as it was seen; what changed meanwhile stays."""

    area: AreaCode | None = None
    seen: str | None = None

    def perform(self, context: ActContext) -> AppliedResult:
        path = context.actor.division_path
        if self.area is not None:
            path = context.row(Division, self.area).path
        proposal = propose(context.session, at=context.at, path=path)
        _check_seen(proposal, self.seen, "情况有变化，请核对新的建议后再派件")
        return _apply(context, proposal, tell_at_most=MOST_NOTIFIED)


@act(by=LEADS)
@dataclass(frozen=True, slots=True, kw_only=True)
class RelieveAgents:
    """Who is away for long is relieved of projects, as it was seen."""

    seen: str = ""

    def perform(self, context: ActContext) -> AppliedResult:
        found = propose_relief(context.session, at=context.at, path=context.actor.division_path)
        _check_seen(found.proposal, self.seen, "情况有变化，请核对新的建议后再调整")
        return _apply(context, found.proposal)


def _check_seen(proposal: Proposal, seen: str | None, user_message: str) -> None:
    if seen is not None and seen != proposal.fingerprint:
        raise Stale("the proposal is not the one that was seen", user_message=user_message)


def _apply(context: ActContext, proposal: Proposal, *, tell_at_most: int | None = None) -> AppliedResult:
    applied = apply_batch.apply(context.session, proposal, by=context.actor, at=context.at)
    if tell_at_most is None:
        apply_batch.tell_placed(context.session, at=context.at)
    elif len(applied.done) <= tell_at_most:
        apply_batch.tell_placed(context.session, at=context.at, limit=tell_at_most)
    return AppliedResult(len(applied.done), len(applied.stale), len(applied.full))
