"""Referring: first ask (首问负责): a project is offered to a colleague, who takes it over or declines."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from agents.roster import Agent
from dispatch.acts.act import STAFF, Act, ActContext, act
from dispatch.acts.act_fields import Reason
from dispatch.acts.recording import WordOfMouth
from dispatch.assignment import staffing
from dispatch.cases.project import Project, Referral
from dispatch.core.actor import Role
from dispatch.core.errors import Refused
from dispatch.core.ids import AgentId, ProjectNo, ReferralId


@dataclass(frozen=True, slots=True)
class ReferralResult:
    """An offer after a step: who is asked, until when, and whether it was taken or declined."""

    id: int
    to_agent_id: int | None
    accept_by: datetime | None
    accepted_at: datetime | None
    declined_at: datetime | None


def _result(referral: Referral) -> ReferralResult:
    return ReferralResult(
        referral.id, referral.to_agent_id, referral.accept_by, referral.accepted_at, referral.declined_at
    )


@act(by=STAFF)
@dataclass(frozen=True, slots=True, kw_only=True)
class ReferProject(WordOfMouth):
    """The project is offered to a colleague with a reason; it stays with the first agent until that one accepts."""

    project: ProjectNo
    version: int | None = None
    agent_id: AgentId | None = None
    reason: Reason = ""

    def perform(self, context: ActContext) -> ReferralResult:
        project = context.row(Project, self.project)
        mine = context.actor.agent_id or (project.lead.agent_id if project.lead else None)
        if mine is None or self.agent_id is None:
            raise Refused("from whom to whom?", user_message="请选择接办的代办员")
        referral = staffing.refer(
            context.session, project, from_agent_id=mine, to_agent_id=context.row(Agent, self.agent_id).id,
            reason=self.reason, by=context.actor, at=context.at,
            offered_at=self.agreed(context, not_before=project.may_lead_since()),
        )  # fmt: skip
        _write_down(referral, self, context)
        return _result(referral)


@act(by=STAFF)
@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptReferral(WordOfMouth):
    """The colleague takes over what was offered: from now on it is theirs."""

    project: ProjectNo
    version: int | None = None
    referral_id: ReferralId

    def perform(self, context: ActContext) -> ReferralResult:
        referral = _offered(context, self.referral_id)
        project = context.row(Project, self.project)
        not_before = max(project.may_lead_since(), referral.offered_at or project.created_at)
        since = self.agreed(context, not_before=not_before)
        staffing.accept_referral(
            context.session, project, referral, by=context.actor, at=context.at, since=since,
            late_reason=self.late_reason.strip(),
        )  # fmt: skip
        _write_down(referral, self, context)
        return _result(referral)


@act(by=STAFF)
@dataclass(frozen=True, slots=True, kw_only=True)
class DeclineReferral(WordOfMouth):
    """The colleague does not take it: the first agent stays the owner, and the team's lead hears of it."""

    project: ProjectNo
    version: int | None = None
    referral_id: ReferralId

    def perform(self, context: ActContext) -> ReferralResult:
        referral = _offered(context, self.referral_id)
        project = context.row(Project, self.project)
        said_at = self.agreed(context, not_before=referral.offered_at or project.created_at)
        staffing.decline_referral(context.session, project, referral, at=context.at, declined_at=said_at)
        _write_down(referral, self, context)
        return _result(referral)


def _write_down(referral: Referral, step: WordOfMouth, context: ActContext) -> None:
    referral.recorded_at, referral.recorded_by = context.at, context.actor.label
    referral.late_reason = step.late_reason.strip() or None


def _offered(context: ActContext, referral_id: ReferralId) -> Referral:
    """The offer. Raises Refused for an agent to whom it was not made."""
    referral = context.row(Referral, referral_id)
    if context.actor.role is Role.AGENT and referral.to_agent_id != context.actor.agent_id:
        raise Refused("offered to somebody else", user_message="该转办不是发给您的")
    return referral


REFERRAL_STEPS: Mapping[str, type[Act[ReferralResult]]] = MappingProxyType(
    {"accepted": AcceptReferral, "declined": DeclineReferral}
)
"""The word by which a door names what is done with an offer."""
