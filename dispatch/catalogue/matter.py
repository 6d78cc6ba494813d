"""Matters (事项): the basic catalogue, the same at every level, with prerequisites and materials."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from agents.network import Level, LevelNumber
from db import Base
from dispatch.catalogue.limit_column import LimitForm, limits_are_limits
from dispatch.core.limit import Limit
from dispatch.path.matter_node import AreaEffect, MatterKind


class Family(StrEnum):
    """The three paths of 3550: 企业开办 in 3 days, 不动产登记 in 5, 工业建设项目施工许可 in 50."""

    BUSINESS_OPENING = "business_opening"
    PROPERTY_REGISTRATION = "property_registration"
    INDUSTRIAL_PERMIT = "industrial_permit"


class MaterialMode(StrEnum):
    """How a material reaches the authority: 免提交(电子证照), 加盖公章复印件, 核验原件后退回, 收取原件."""

    LOOKED_UP = "looked_up"
    COPY = "copy"
    ORIGINAL_RETURNED = "original_returned"
    ORIGINAL_KEPT = "original_kept"


class ResultForm(StrEnum):
    """On what the result is issued: 电子, 纸质, 电子和纸质."""

    ELECTRONIC = "electronic"
    PAPER = "paper"
    BOTH = "both"


class Confidence(StrEnum):
    """How well a figure is known. Operators see it beside the figure; enterprises see the figure's source."""

    SURE = "sure"
    TYPICAL = "typical"
    VERIFY = "verify"


class AreaKind(StrEnum):
    """What a zone may have evaluated once for everybody inside (区域评估)."""

    LAND_SURVEY = "land_survey"  # 土地勘测
    MINERALS = "minerals"  # 矿产压覆
    GEOLOGICAL_HAZARD = "geological_hazard"  # 地质灾害
    WATER_AND_SOIL = "water_and_soil"  # 水土保持
    RELICS = "relics"  # 文物保护
    FLOOD = "flood"  # 洪水影响
    EARTHQUAKE = "earthquake"  # 地震安全性
    CLIMATE = "climate"  # 气候可行性
    ENERGY = "energy"  # 区域能评
    ENVIRONMENT = "environment"  # 区域环评
    SOCIAL_STABILITY = "social_stability"  # 社会稳定风险


class Matter(Base):
    """A matter of the basic catalogue (事项), the same at every level; divisions say how they handle it."""

    __tablename__ = "matter"
    __table_args__ = (
        CheckConstraint("phase BETWEEN 0 AND 4", name="phase"),
        limits_are_limits("statutory_limit", "committed_limit", "today_limit", "legal_minimum", "area_limit"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(32), unique=True)
    position: Mapped[int]
    family: Mapped[Family] = mapped_column(index=True)
    name: Mapped[str]
    short_name: Mapped[str]
    name_en: Mapped[str]
    pinyin: Mapped[str]
    phase: Mapped[int]
    kind: Mapped[MatterKind]
    level: Mapped[Level] = mapped_column(LevelNumber)
    category: Mapped[str]  # one of agents.roster.Category: the skill it asks of an agent
    department: Mapped[str]
    counter_place: Mapped[str]
    counter_level: Mapped[Level] = mapped_column(LevelNumber)  # at which level's hall it is handed in
    applies_if: Mapped[str]
    applies_when: Mapped[str] = mapped_column(server_default="", default="")  # a condition on facts; empty: always
    statutory_limit: Mapped[Limit | None] = mapped_column(LimitForm)
    committed_limit: Mapped[Limit | None] = mapped_column(LimitForm)  # under the 3550 rules
    today_limit: Mapped[Limit | None] = mapped_column(LimitForm)  # what good halls promise now
    legal_minimum: Mapped[Limit | None] = mapped_column(LimitForm)  # of a market procedure: the least, no limit
    counts_in_target: Mapped[bool]
    due_before_works_only: Mapped[bool]
    joint_group: Mapped[str | None]
    limit_chain: Mapped[str] = mapped_column(server_default="", default="")  # steps under one limit in all
    needs_originals: Mapped[bool]
    result_has_original: Mapped[bool]
    result_form: Mapped[ResultForm]
    result_name: Mapped[str]  # several are parted by semicolons
    result_name_en: Mapped[str] = mapped_column(server_default="", default="")
    area_evaluation: Mapped[AreaKind | None]
    area_effect: Mapped[AreaEffect]
    area_limit: Mapped[Limit | None] = mapped_column(LimitForm)  # what a shared evaluation leaves of the promise
    area_note: Mapped[str]
    deferrable_note: Mapped[str]
    exempt_procedures: Mapped[str]
    confidence_statutory: Mapped[Confidence]
    confidence_statutory_note: Mapped[str]
    confidence_committed: Mapped[Confidence]
    confidence_committed_note: Mapped[str]
    source: Mapped[str]
    retired_on: Mapped[date | None]

    def __str__(self) -> str:
        return f"{self.name} ({self.code})"


class MatterPrerequisite(Base):
    """That one matter waits for another's result (前置)."""

    __tablename__ = "matter_prerequisite"
    __table_args__ = (CheckConstraint("matter_id <> prerequisite_id", name="not_itself"),)

    matter_id: Mapped[int] = mapped_column(ForeignKey("matter.id", ondelete="CASCADE"), primary_key=True)
    prerequisite_id: Mapped[int] = mapped_column(ForeignKey("matter.id"), primary_key=True, index=True)
    before_decision: Mapped[bool] = mapped_column(server_default=text("false"), default=False)  # to be decided only
    holds_when: Mapped[str] = mapped_column(server_default="", default="")  # a condition on facts; empty: always


class Requirement(Base):
    """A material that a matter wants (申请材料), and in which of the four modes."""

    __tablename__ = "requirement"
    __table_args__ = (
        UniqueConstraint("matter_id", "name", "needed_when"),
        CheckConstraint('defer_wd IS NULL OR (defer_wd > 0 AND "deferrable")', name="defer"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    matter_id: Mapped[int] = mapped_column(ForeignKey("matter.id", ondelete="CASCADE"))
    position: Mapped[int]
    name: Mapped[str]
    mode: Mapped[MaterialMode]
    deferrable: Mapped[bool] = mapped_column(server_default=text("false"), default=False)
    defer_wd: Mapped[int | None]  # working days after acceptance within which a deferred material must be in
    needed_when: Mapped[str] = mapped_column(server_default="", default="")  # a condition on facts; empty: always
    source: Mapped[str] = mapped_column(server_default="", default="")
    else_source: Mapped[str] = mapped_column(server_default="", default="")
    name_en: Mapped[str] = mapped_column(server_default="", default="")
    confidence: Mapped[Confidence]
    note: Mapped[str] = mapped_column(server_default="", default="")
