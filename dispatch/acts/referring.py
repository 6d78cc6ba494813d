"""Referring: the first agent stays the owner until a colleague takes a project over (首问负责)."""

from dataclasses import dataclass

from dispatch.acts.act import STAFF, ActContext, act
from dispatch.acts.act_fields import Reason
from dispatch.assignment import staffing
from dispatch.cases.project import Project, Referral
from dispatch.core.actor import Role
from dispatch.core.errors import Refused
from dispatch.core.ids import AgentId, ProjectNo, ReferralId


@dataclass(frozen=True, slots=True)
class ReferralResult:
    """A referral after a step: who is asked, and whether the project was taken over."""

    id: int
    to_agent_id: int | None
    is_accepted: bool


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
            context.session, project, from_agent_id=mine, to_agent_id=self.agent_id, reason=self.reason,
            by=context.actor, at=context.at,
        )  # fmt: skip
        return ReferralResult(referral.id, referral.to_agent_id, is_accepted=False)


@act(by=STAFF)
@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptReferral:
    """The colleague takes the project over."""

    project: ProjectNo
    version: int | None = None
    referral_id: ReferralId

    def perform(self, context: ActContext) -> ReferralResult:
        referral = context.row(Referral, self.referral_id)
        if context.actor.role is Role.AGENT and referral.to_agent_id != context.actor.agent_id:
            raise Refused("offered to somebody else", user_message="该转办不是发给您的")
        project = context.row(Project, self.project)
        staffing.accept_referral(context.session, project, referral, by=context.actor, at=context.at)
        return ReferralResult(referral.id, referral.to_agent_id, is_accepted=True)
