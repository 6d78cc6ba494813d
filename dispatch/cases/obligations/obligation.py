"""Obligation: one thing that is owed, its owner and its due moment, from the event that opens it to its end."""

from dataclasses import dataclass, fields
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from db import Base
from dispatch.core.legal_clock import AMBER_WD, Lamp
from dispatch.core.shanghai_time import in_shanghai
from dispatch.core.working_days import Calendar


class ObligationKind(StrEnum):
    """What is owed."""

    FIRST_ANSWER = "first_answer"
    REFERRAL = "referral"
    PRESCREEN = "prescreen"
    CORRECTION = "correction"
    SUPPLEMENT = "supplement"
    BOOKING = "booking"
    PICKUP = "pickup"
    FILING = "filing"
    SILENCE = "silence"
    DECISION = "decision"
    PAUSE_END = "pause_end"
    DEFERRED = "deferred"
    DELIVERY = "delivery"
    PAPERS_HOME = "papers_home"
    GRADE = "grade"
    VERIFY_GRADE = "verify_grade"
    RECTIFY_GRADE = "rectify_grade"
    COMMITMENT = "commitment"
    FOLLOW_UP = "follow_up"
    MESSAGE = "message"
    TICKET = "ticket"
    CALL_BACK = "call_back"
    CALENDAR = "calendar"
    SHIFTS = "shifts"


OBLIGATION_LABEL = {
    ObligationKind.FIRST_ANSWER: "派件答复",
    ObligationKind.REFERRAL: "转办接收",
    ObligationKind.PRESCREEN: "预审",
    ObligationKind.CORRECTION: "企业补正材料",
    ObligationKind.SUPPLEMENT: "按审批部门要求补正",
    ObligationKind.BOOKING: "企业预约交件",
    ObligationKind.PICKUP: "上门揽收",
    ObligationKind.FILING: "报送",
    ObligationKind.SILENCE: "受理或告知补正",
    ObligationKind.DECISION: "作出决定",
    ObligationKind.PAUSE_END: "特别程序结束",
    ObligationKind.DEFERRED: "补交容缺材料",
    ObligationKind.DELIVERY: "送达结果",
    ObligationKind.PAPERS_HOME: "退还原件",
    ObligationKind.GRADE: "企业评价",
    ObligationKind.VERIFY_GRADE: "核实差评",
    ObligationKind.RECTIFY_GRADE: "整改差评",
    ObligationKind.COMMITMENT: "核查告知承诺",
    ObligationKind.FOLLOW_UP: "联系后跟进",
    ObligationKind.MESSAGE: "答复企业留言",
    ObligationKind.TICKET: "答复咨询投诉",
    ObligationKind.CALL_BACK: "回访诉求人",
    ObligationKind.CALENDAR: "导入下一年工作日历",
    ObligationKind.SHIFTS: "续排揽投班次",
}


class Subject(StrEnum):
    """The noun that an obligation is about."""

    CASE = "case"
    REVIEW = "review"
    MATERIAL = "material"
    PARCEL = "parcel"
    REFERRAL = "referral"
    RECTIFICATION = "rectification"
    CONTACT_NOTE = "contact_note"
    CASE_MESSAGE = "case_message"
    TICKET = "ticket"
    YEAR = "year"
    COURIER = "courier"


class OwnerKind(StrEnum):
    """Who owes it: a PERSON (代办员), a TEAM (代办中心), an AUTHORITY, the ENTERPRISE or a COURIER."""

    PERSON = "person"
    TEAM = "team"
    AUTHORITY = "authority"
    ENTERPRISE = "enterprise"
    COURIER = "courier"


OWNER_LABEL = {
    OwnerKind.PERSON: "代办员",
    OwnerKind.TEAM: "代办中心",
    OwnerKind.AUTHORITY: "审批部门",
    OwnerKind.ENTERPRISE: "企业",
    OwnerKind.COURIER: "揽投员",
}

AFTER_THE_END = frozenset(
    {
        ObligationKind.PAPERS_HOME,
        ObligationKind.VERIFY_GRADE,
        ObligationKind.RECTIFY_GRADE,
        ObligationKind.COMMITMENT,
        ObligationKind.MESSAGE,
        ObligationKind.TICKET,
    }
)
"""What an ended case may still owe: papers come home, a bad grade or a message is answered, a commitment verified."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Who owes it: ``id`` of an agent, a division (team, authority), an enterprise or a courier, where known."""

    kind: OwnerKind
    id: int | None
    name: str = ""
    """Of an authority, as the review names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """What the facts say is or was owed. ``due_at`` None: no rule sets a day. ``opened_by``, ``closed_by``: events."""

    kind: ObligationKind
    subject: Subject
    subject_id: int
    case_id: int | None = None
    project_id: int | None = None
    division_id: int | None = None
    owner_kind: OwnerKind
    owner_id: int | None = None
    owner_name: str = ""
    due_at: datetime | None = None
    opened_by: str
    opened_at: datetime
    closed_by: str | None = None
    closed_at: datetime | None = None

    @property
    def key(self) -> tuple[ObligationKind, Subject, int]:
        """Of one kind and subject the latest is kept."""
        return self.kind, self.subject, self.subject_id

    @property
    def due_on(self) -> date | None:
        """The day of ``due_at`` in Jiangsu."""
        return None if self.due_at is None else in_shanghai(self.due_at).date()


class Obligation(Base):
    """A row per thing owed, folded from the facts (``Owed``); only ``keeping.py`` writes it. No lamp is stored."""

    __tablename__ = "obligation"
    __table_args__ = (
        UniqueConstraint("kind", "subject", "subject_id"),
        Index("ix_obligation_open_due", "division_id", "due_at", postgresql_where=text("closed_at IS NULL")),
        Index("ix_obligation_open_project", "project_id", postgresql_where=text("closed_at IS NULL")),
        Index("ix_obligation_open_owner", "owner_kind", "owner_id", postgresql_where=text("closed_at IS NULL")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[ObligationKind]
    subject: Mapped[Subject]
    subject_id: Mapped[int]
    case_id: Mapped[int | None] = mapped_column(ForeignKey("dispatch_case.id"), index=True)
    project_id: Mapped[int | None] = mapped_column(ForeignKey("project.id"))
    division_id: Mapped[int | None] = mapped_column(ForeignKey("division.id"))
    owner_kind: Mapped[OwnerKind]
    owner_id: Mapped[int | None]
    owner_name: Mapped[str] = mapped_column(default="")
    due_at: Mapped[datetime | None]
    due_on: Mapped[date | None]
    opened_by: Mapped[str] = mapped_column(String(40))
    opened_at: Mapped[datetime]
    closed_by: Mapped[str | None] = mapped_column(String(40))
    closed_at: Mapped[datetime | None]


COLUMNS = (*(field.name for field in fields(Owed)), "due_on")
"""What a row keeps of what is owed."""


def lamp_of(due_at: datetime | None, calendar: Calendar, now: datetime) -> Lamp:
    """Red once it is overdue, amber two working days before, green otherwise and where no day is set."""
    if due_at is None:
        return Lamp.GREEN
    if now > due_at:
        return Lamp.RED
    return Lamp.AMBER if in_shanghai(due_at).date() <= amber_until(calendar, now) else Lamp.GREEN


def amber_until(calendar: Calendar, now: datetime) -> date:
    """The last day whose dues are amber now."""
    return calendar.add_working_days(in_shanghai(now).date(), AMBER_WD)
