"""Referring: first ask (首问负责): a project is offered to a colleague, who takes it over or declines."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from agents.roster import Agent
from dispatch.acts.act import STAFF, Act, ActContext, act
from dispatch.acts.act_fields import Reason
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
class ReferProject:
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
        )  # fmt: skip
        return _result(referral)


@act(by=STAFF)
@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptReferral:
    """The colleague takes over what was offered: from now on it is theirs."""

    project: ProjectNo
    version: int | None = None
    referral_id: ReferralId

    def perform(self, context: ActContext) -> ReferralResult:
        referral = _offered(context, self.referral_id)
        project = context.row(Project, self.project)
        staffing.accept_referral(context.session, project, referral, by=context.actor, at=context.at)
        return _result(referral)


@act(by=STAFF)
@dataclass(frozen=True, slots=True, kw_only=True)
class DeclineReferral:
    """The colleague does not take it: the first agent stays the owner, and the team's lead hears of it."""

    project: ProjectNo
    version: int | None = None
    referral_id: ReferralId

    def perform(self, context: ActContext) -> ReferralResult:
        referral = _offered(context, self.referral_id)
        staffing.decline_referral(context.session, context.row(Project, self.project), referral, at=context.at)
        return _result(referral)


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
