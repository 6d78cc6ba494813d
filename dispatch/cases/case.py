"""Cases: one submission of a project, its materials and its timeline."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db import Base, EncryptedText
from dispatch.cases.case_message import CaseMessage
from dispatch.cases.evidence import Evidence
from dispatch.cases.fact_event import FactEvent
from dispatch.cases.project import Contact, Project
from dispatch.cases.stages import ENDS, NEXT, UNDONE, Stage
from dispatch.catalogue.matter import MaterialMode, Requirement
from dispatch.core.errors import WrongStage
from dispatch.path.predicate import predicate


class Outcome(StrEnum):
    """What a decided case brought: GRANTED 准予, PARTLY 部分准予, DENIED 不予许可."""

    GRANTED = "granted"
    PARTLY = "partly"
    DENIED = "denied"


OUTCOME_LABEL = {Outcome.GRANTED: "准予许可", Outcome.PARTLY: "部分准予", Outcome.DENIED: "不予许可"}


class Way(StrEnum):
    """How papers travel: by COURIER 快递, over the COUNTER 窗口, or ELECTRONIC 全程电子化 when there are none."""

    COURIER = "courier"
    COUNTER = "counter"
    ELECTRONIC = "electronic"


class Case(Base):
    """A case (办件): some matters of a project, their papers and their courier legs."""

    __tablename__ = "dispatch_case"
    __table_args__ = (
        Index("ix_dispatch_case_open", "division_id", "stage"),
        Index(
            "ix_dispatch_case_to_forecast",
            "forecast_at",
            postgresql_where=text("decided_at IS NULL AND ended_at IS NULL"),
        ),
        Index("ix_dispatch_case_deadline", "close_by", postgresql_where=text("stage = 'delivered'")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    case_no: Mapped[str] = mapped_column(unique=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"), index=True)
    division_id: Mapped[int] = mapped_column(ForeignKey("division.id"), index=True)
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id"))
    query_code: Mapped[str] = mapped_column(EncryptedText)
    query_hash: Mapped[bytes] = mapped_column(index=True)
    stage: Mapped[Stage] = mapped_column(default=Stage.REQUESTED, index=True)
    stage_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)
    changed_by: Mapped[str] = mapped_column(default="")
    pickup_way: Mapped[Way] = mapped_column(default=Way.COURIER)
    delivery_way: Mapped[Way] = mapped_column(default=Way.COURIER)
    outcome: Mapped[Outcome | None]
    created_at: Mapped[datetime]
    answer_by: Mapped[datetime | None]
    prescreen_by: Mapped[datetime | None]
    legal_due_on: Mapped[date | None]
    committed_due_on: Mapped[date | None]
    expected_on: Mapped[date | None]
    expected_share: Mapped[float | None]
    miss_probability: Mapped[float | None]
    is_estimate: Mapped[bool] = mapped_column(default=False)
    # A limit was moved by law and told: the next look measures the case by it, without telling again.
    is_rebase_wanted: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    advice: Mapped[str | None] = mapped_column(Text)  # the one action that lowers the risk most
    advised_probability: Mapped[float | None]  # the risk that is left after it
    forecast_at: Mapped[datetime | None]
    decided_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    close_by: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    ending_reason: Mapped[str | None] = mapped_column(Text)

    project: Mapped[Project] = relationship()
    contact: Mapped[Contact] = relationship()
    materials: Mapped[list["Material"]] = relationship(back_populates="case", order_by="Material.id")
    events: Mapped[list["CaseEvent"]] = relationship(order_by="CaseEvent.id", back_populates="case")
    facts: Mapped[list[FactEvent]] = relationship(order_by=FactEvent.id, backref="delivered_case")
    messages: Mapped[list[CaseMessage]] = relationship(order_by=CaseMessage.id, viewonly=True)
    """When its results came home, as it was written down; ``delivered_at`` keeps what stands of it."""

    def move_to(self, stage: Stage, *, at: datetime, by: str = "") -> None:
        """Raises WrongStage when ``stage`` may not follow. The caller, flow.py, tells of it."""
        if stage not in NEXT[self.stage]:
            raise WrongStage(
                f"case {self.case_no} is {self.stage}, {stage} may not follow", case_no=self.case_no, stage=self.stage
            )
        self.stage, self.stage_at, self.changed_by = stage, at, by
        self.version += 1
        if stage in ENDS:
            self.ended_at = at

    def look_anew(self) -> None:
        """A limit was moved by law: the next look at the expected date measures the case by it."""
        self.forecast_at, self.is_rebase_wanted = None, True

    def step_back(self, stage: Stage, *, at: datetime, by: str) -> None:
        """The courier corrected a handover of today: the case is again where it was before it."""
        if stage not in UNDONE.get(self.stage, frozenset()):
            raise WrongStage(f"case {self.case_no} is {self.stage}, {stage} did not come before it")
        self.stage, self.stage_at, self.changed_by = stage, at, by
        self.version += 1

    def must_be(self, *stages: Stage) -> None:
        """Raises WrongStage unless the case is in one of ``stages``."""
        if self.stage not in stages:
            wanted = ", ".join(stages)
            raise WrongStage(f"case {self.case_no} is {self.stage}, this step needs {wanted}", case_no=self.case_no)

    @property
    def has_ended(self) -> bool:
        return self.stage in ENDS

    @property
    def originals(self) -> list["Material"]:
        """The materials that travel on paper."""
        return [m for m in self.materials if m.on_paper and m.state not in NOT_ASKED_FOR]


MODE_LABEL = {
    MaterialMode.LOOKED_UP: "免提交（电子证照调用）",
    MaterialMode.COPY: "加盖公章复印件",
    MaterialMode.ORIGINAL_RETURNED: "原件核验后退还",
    MaterialMode.ORIGINAL_KEPT: "原件留存",
}


class MaterialState(StrEnum):
    """WANTED 待提供, GIVEN 已提供, ACCEPTED 合格, DEFECTIVE 待补正, DEFERRED 容缺后补, HELD 已有(不再索要).

    NOT_NEEDED 不再需要: its matter was taken out of the case, or the project's facts do not ask for it. AWAITED 待产出:
    the result of another matter of the project, held once that is granted. WAIVED 不适用: set aside with a reason."""

    WANTED = "wanted"
    GIVEN = "given"
    ACCEPTED = "accepted"
    DEFECTIVE = "defective"
    DEFERRED = "deferred"
    HELD = "held"
    NOT_NEEDED = "not_needed"
    AWAITED = "awaited"
    WAIVED = "waived"


MATERIAL_LABEL = {
    MaterialState.WANTED: "待提供",
    MaterialState.GIVEN: "已提供",
    MaterialState.ACCEPTED: "合格",
    MaterialState.DEFECTIVE: "待补正",
    MaterialState.DEFERRED: "容缺后补",
    MaterialState.HELD: "已有，不再索要",
    MaterialState.NOT_NEEDED: "不再需要",
    MaterialState.AWAITED: "待产出",
    MaterialState.WAIVED: "不适用",
}
NOT_ASKED_FOR = frozenset({MaterialState.NOT_NEEDED, MaterialState.AWAITED, MaterialState.WAIVED})
"""Nobody is to bring it, and no courier comes for it."""


class Material(Base):
    """One material of a case: what is wanted, in which mode, what was given, what is wrong with it.

    What its events say is kept here for those who read many; only ``noun_record`` writes it."""

    __tablename__ = "material"

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("dispatch_case.id"), index=True)
    matter_id: Mapped[int | None] = mapped_column(ForeignKey("matter.id"))
    requirement_id: Mapped[int | None] = mapped_column(ForeignKey("requirement.id", ondelete="SET NULL"), index=True)
    evidence_id: Mapped[int | None] = mapped_column(ForeignKey("evidence.id"), index=True)
    name: Mapped[str]
    mode: Mapped[MaterialMode]
    state: Mapped[MaterialState] = mapped_column(default=MaterialState.WANTED)
    deferrable: Mapped[bool] = mapped_column(default=False)
    defect: Mapped[str | None] = mapped_column(Text)
    sha256: Mapped[str | None] = mapped_column(index=True)
    media_type: Mapped[str | None]
    filename: Mapped[str | None] = mapped_column(EncryptedText)
    given_at: Mapped[datetime | None]
    owed_by: Mapped[date | None]
    supplied_at: Mapped[datetime | None]
    case: Mapped[Case] = relationship(back_populates="materials")
    evidence: Mapped[Evidence | None] = relationship(viewonly=True, foreign_keys=[evidence_id])
    requirement: Mapped[Requirement | None] = relationship(viewonly=True)
    facts: Mapped[list[FactEvent]] = relationship(order_by=FactEvent.id, backref="material")

    @property
    def on_paper(self) -> bool:
        return self.mode in {MaterialMode.ORIGINAL_RETURNED, MaterialMode.ORIGINAL_KEPT}

    @property
    def is_owed_by_all(self) -> bool:
        """No fact of a project decides whether it is needed: every project owes it, or nobody knows."""
        return self.requirement is None or not any(predicate(self.requirement.needed_when).tests())

    @property
    def is_owed(self) -> bool:
        """Deferred on an undertaking (容缺受理) and not yet in."""
        return self.state is MaterialState.DEFERRED and self.supplied_at is None


class CaseEvent(Base):
    """One line of the timeline: what happened, when, by whom. Never changed, never deleted."""

    __tablename__ = "case_event"

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("dispatch_case.id"), index=True)
    at: Mapped[datetime]
    kind: Mapped[str]
    stage: Mapped[Stage]
    actor: Mapped[str]
    words: Mapped[str] = mapped_column(Text, default="")
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)
    internal: Mapped[bool] = mapped_column(default=False)
    case: Mapped[Case] = relationship(back_populates="events")
