"""Evaluations (好差评), the rectification that a bad one opens, and tickets (12345, complaints)."""

from datetime import datetime
from enum import IntEnum, StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship
from sqlalchemy.types import SmallInteger, TypeDecorator

from db import Base, EncryptedText
from dispatch.cases.fact_event import FactEvent
from dispatch.cases.review import Review
from dispatch.core.errors import Refused, WrongStage


class Grade(IntEnum):
    """The five grades: 非常满意 5 … 非常不满意 1. The last two are bad."""

    VERY_SATISFIED = 5
    SATISFIED = 4
    FAIR = 3
    DISSATISFIED = 2
    VERY_DISSATISFIED = 1

    @property
    def is_bad(self) -> bool:
        return self <= Grade.DISSATISFIED


GRADE_LABEL = {
    Grade.VERY_SATISFIED: "非常满意",
    Grade.SATISFIED: "满意",
    Grade.FAIR: "基本满意",
    Grade.DISSATISFIED: "不满意",
    Grade.VERY_DISSATISFIED: "非常不满意",
}


class GradeNumber(TypeDecorator[Grade]):
    """A grade, stored as 1 to 5."""

    impl = SmallInteger
    cache_ok = True

    def process_bind_param(self, value: Grade | None, dialect: object) -> int | None:
        return None if value is None else int(value)

    def process_result_value(self, value: int | None, dialect: object) -> Grade | None:
        return None if value is None else Grade(value)


class Evaluation(Base):
    """One grade for one matter of a case (好差评). The rater stays hidden from the rated."""

    __tablename__ = "evaluation"
    __table_args__ = (UniqueConstraint("review_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("dispatch_case.id"), index=True)
    review_id: Mapped[int] = mapped_column(ForeignKey("review.id"))
    agent_id: Mapped[int | None] = mapped_column(ForeignKey("agent.id"), index=True)
    grade: Mapped[Grade] = mapped_column(GradeNumber)
    words: Mapped[str | None] = mapped_column(EncryptedText)
    at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]
    review: Mapped[Review] = relationship()
    rectification: Mapped["Rectification | None"] = relationship(back_populates="evaluation", uselist=False)


class RectificationState(StrEnum):
    """OPENED 待核实, VERIFIED 已核实整改中, RECTIFIED 已整改, ANSWERED 已回访, APPEALED 申诉中, DISMISSED 不予认定."""

    OPENED = "opened"
    VERIFIED = "verified"
    APPEALED = "appealed"
    RECTIFIED = "rectified"
    ANSWERED = "answered"
    DISMISSED = "dismissed"


RECTIFICATION_LABEL = {
    RectificationState.OPENED: "待核实",
    RectificationState.VERIFIED: "整改中",
    RectificationState.APPEALED: "申诉中",
    RectificationState.RECTIFIED: "已整改",
    RectificationState.ANSWERED: "已回访",
    RectificationState.DISMISSED: "申诉成立",
}

NEXT_RECTIFICATION = {
    RectificationState.OPENED: frozenset({RectificationState.VERIFIED, RectificationState.APPEALED}),
    RectificationState.APPEALED: frozenset({RectificationState.VERIFIED, RectificationState.DISMISSED}),
    RectificationState.VERIFIED: frozenset({RectificationState.RECTIFIED, RectificationState.APPEALED}),
    RectificationState.RECTIFIED: frozenset({RectificationState.ANSWERED}),
    RectificationState.DISMISSED: frozenset({RectificationState.ANSWERED}),
    RectificationState.ANSWERED: frozenset(),
}


class Rectification(Base):
    """What follows a bad grade: verified within 1, rectified within 15 working days, called back, always answered."""

    __tablename__ = "rectification"

    id: Mapped[int] = mapped_column(primary_key=True)
    evaluation_id: Mapped[int] = mapped_column(ForeignKey("evaluation.id"), unique=True)
    state: Mapped[RectificationState] = mapped_column(default=RectificationState.OPENED, index=True)
    owner_account_id: Mapped[int | None]
    opened_at: Mapped[datetime]
    verify_by: Mapped[datetime]
    rectify_by: Mapped[datetime]
    verified_at: Mapped[datetime | None]
    rectified_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    finding: Mapped[str | None] = mapped_column(Text)
    measure: Mapped[str | None] = mapped_column(Text)
    answer: Mapped[str | None] = mapped_column(Text)
    appeal: Mapped[str | None] = mapped_column(Text)
    evaluation: Mapped[Evaluation] = relationship(back_populates="rectification")

    def move_to(self, state: RectificationState, *, at: datetime, words: str) -> None:
        """Each step says what was found, done or answered. Raises WrongStage or Refused."""
        if state not in NEXT_RECTIFICATION[self.state]:
            raise WrongStage(f"rectification {self.id} is {self.state}, {state} may not follow")
        if not words.strip():
            raise Refused("a step of a rectification says what was done", user_message="请填写核实、整改或回访情况")
        self.state = state
        match state:
            case RectificationState.VERIFIED:
                self.verified_at, self.finding = at, words
            case RectificationState.RECTIFIED:
                self.rectified_at, self.measure = at, words
            case RectificationState.ANSWERED:
                self.answered_at, self.answer = at, words
            case RectificationState.APPEALED:
                self.appeal = words
            case RectificationState.DISMISSED:
                self.finding = words
            case RectificationState.OPENED:
                pass


class TicketKind(StrEnum):
    """咨询 question, 投诉 complaint, 求助 request for help, 建议 suggestion."""

    QUESTION = "question"
    COMPLAINT = "complaint"
    HELP = "help"
    SUGGESTION = "suggestion"


TICKET_LABEL = {
    TicketKind.QUESTION: "咨询",
    TicketKind.COMPLAINT: "投诉",
    TicketKind.HELP: "求助",
    TicketKind.SUGGESTION: "建议",
}


class TicketState(StrEnum):
    """OPEN 待答复, ANSWERED 已答复, CALLED_BACK 已回访."""

    OPEN = "open"
    ANSWERED = "answered"
    CALLED_BACK = "called_back"


class Ticket(Base):
    """A question or complaint (一号答, 12345): numbered, owned, due, answered, called back.

    What its events say is kept here for those who read many; only ``noun_record`` writes it."""

    __tablename__ = "ticket"
    __table_args__ = (
        CheckConstraint(
            "about_agent_id IS NULL OR owner_agent_id IS NULL OR about_agent_id <> owner_agent_id", name="owner"
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_no: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[TicketKind]
    state: Mapped[TicketState] = mapped_column(default=TicketState.OPEN, index=True)
    division_id: Mapped[int] = mapped_column(ForeignKey("division.id"), index=True)
    enterprise_id: Mapped[int | None] = mapped_column(ForeignKey("enterprise.id"), index=True)
    case_id: Mapped[int | None] = mapped_column(ForeignKey("dispatch_case.id"), index=True)
    about_agent_id: Mapped[int | None] = mapped_column(ForeignKey("agent.id"))
    owner_agent_id: Mapped[int | None] = mapped_column(ForeignKey("agent.id"))
    from_12345: Mapped[bool] = mapped_column(default=False)
    words: Mapped[str] = mapped_column(EncryptedText)
    phone: Mapped[str | None] = mapped_column(EncryptedText)
    filed_by: Mapped[int | None]
    opened_at: Mapped[datetime]
    due_at: Mapped[datetime]
    reply: Mapped[str | None] = mapped_column(Text)
    answered_at: Mapped[datetime | None]
    called_back_at: Mapped[datetime | None]
    call_back_words: Mapped[str | None] = mapped_column(Text)
    facts: Mapped[list[FactEvent]] = relationship(order_by=FactEvent.id, backref="ticket")

    def hand_to(self, agent_id: int | None) -> None:
        """Raises Refused when the agent is the one complained about."""
        if agent_id is not None and agent_id == self.about_agent_id:
            raise Refused(f"ticket {self.ticket_no} is about this agent", user_message="被投诉人不得承办该工单")
        self.owner_agent_id = agent_id
