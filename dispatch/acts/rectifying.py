"""Rectifying: what follows a bad grade, step by step, until the enterprise has heard what changed."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from dispatch.acts.act import ActContext, act
from dispatch.acts.act_fields import Words
from dispatch.cases.case import Case
from dispatch.cases.evaluation import Rectification, RectificationState
from dispatch.cases.notify import queue_notice
from dispatch.core.actor import Actor, Role
from dispatch.core.errors import Refused
from dispatch.core.ids import RectificationId


def _rectify(
    session: Session, rectification: Rectification, state: RectificationState, *, words: str, by: Actor, at: datetime
) -> None:
    """One step of a rectification (整改). The last one, the call back, tells the enterprise what changed."""
    is_rated = by.agent_id is not None and by.agent_id == rectification.evaluation.agent_id
    if is_rated and state is not RectificationState.APPEALED:
        raise Refused("the rated person may only appeal", user_message="被评价人只能提出申诉")
    rectification.move_to(state, at=at, words=words)
    if state is RectificationState.ANSWERED:
        case = session.get_one(Case, rectification.evaluation.case_id)
        queue_notice(session, case, "rectified", at=at, key=str(rectification.id), values={"result": words})


@dataclass(frozen=True, slots=True)
class RectificationResult:
    """A rectification after a step."""

    id: int
    state: RectificationState


@act(by={Role.AGENT, Role.SUPERVISOR, Role.OPERATOR})
@dataclass(frozen=True, slots=True, kw_only=True)
class RectifyGrade:
    """One step of a rectification (整改): what was found, done or answered; the rated person may only appeal."""

    rectification: RectificationId
    step: RectificationState
    words: Words = ""

    def perform(self, context: ActContext) -> RectificationResult:
        rectification = context.row(Rectification, self.rectification)
        _rectify(context.session, rectification, self.step, words=self.words.strip(), by=context.actor, at=context.at)
        return RectificationResult(rectification.id, rectification.state)
