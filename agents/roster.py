"""Roster: the agents of the network, their teams, what each can do, and their leaves."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, func, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column, validates

from agents.names import person_key
from db import Base, EncryptedText, keyed_hash


class Category(StrEnum):
    """What an agent can be skilled in: the kinds of matter that need different knowledge (业务类别)."""

    FILING = "filing"  # 立项备案
    LAND = "land"  # 用地
    PLANNING = "planning"  # 规划
    ENVIRONMENT = "environment"  # 环评、能评、水保等评估
    CONSTRUCTION = "construction"  # 施工、消防、人防
    COMPLETION = "completion"  # 竣工验收
    BUSINESS = "business"  # 企业开办
    PROPERTY = "property"  # 不动产登记


CATEGORY_LABEL = {
    Category.FILING: "立项",
    Category.LAND: "用地",
    Category.PLANNING: "规划",
    Category.ENVIRONMENT: "环评能评",
    Category.CONSTRUCTION: "施工",
    Category.COMPLETION: "竣工",
    Category.BUSINESS: "企业开办",
    Category.PROPERTY: "不动产",
}


class DutyKind(StrEnum):
    """Why an agent is away: 休假, 病假, 培训."""

    LEAVE = "leave"
    SICK = "sick"
    TRAINING = "training"


class Team(Base):
    """A group of agents under one lead (代办团队), at a division."""

    __tablename__ = "team"
    __table_args__ = (Index("uq_team_division_id_name", "division_id", "name", unique=True),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    division_id: Mapped[int] = mapped_column(ForeignKey("division.id"))


class Agent(Base):
    """A free proxy agent (代办员) at a station of the network. ``held`` of ``capacity`` slots are taken."""

    __tablename__ = "agent"
    __table_args__ = (
        CheckConstraint("held >= 0", name="held"),
        CheckConstraint("capacity >= 0", name="capacity"),
        CheckConstraint("stars BETWEEN 0 AND 5", name="stars"),
        CheckConstraint("stand_in_id <> id", name="stand_in"),
        CheckConstraint("weekly_hours BETWEEN 0 AND 60", name="weekly_hours"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    agent_no: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    pinyin: Mapped[str]
    phone: Mapped[str] = mapped_column(EncryptedText)
    phone_hash: Mapped[bytes] = mapped_column(index=True)
    office_phone: Mapped[str]
    team_id: Mapped[int | None] = mapped_column(ForeignKey("team.id"), index=True)
    division_id: Mapped[int] = mapped_column(ForeignKey("division.id"), index=True)
    capacity: Mapped[int] = mapped_column(server_default="10", default=10)
    held: Mapped[int] = mapped_column(server_default="0", default=0)
    stars: Mapped[int] = mapped_column(server_default="0", default=0)
    languages: Mapped[list[str]] = mapped_column(server_default=text("'[\"zh\"]'::jsonb"), default=lambda: ["zh"])
    weekly_hours: Mapped[int] = mapped_column(server_default="40", default=40)
    stand_in_id: Mapped[int | None] = mapped_column(ForeignKey("agent.id"), index=True)
    active: Mapped[bool] = mapped_column(server_default=text("true"), default=True)
    version: Mapped[int] = mapped_column(server_default="1")

    __mapper_args__ = {"version_id_col": version}

    @validates("name")
    def _sorts_by_pinyin(self, _: str, name: str) -> str:
        self.pinyin = person_key(name)
        return name

    @validates("phone")
    def _is_found_by_hash(self, _: str, phone: str) -> str:
        self.phone_hash = keyed_hash(phone)
        return phone

    def __str__(self) -> str:
        return f"{self.name} ({self.agent_no})"


class AgentSkill(Base):
    """That an agent knows one category of matters, and how well: 1 learning, 2 able, 3 an authority on it."""

    __tablename__ = "agent_skill"
    __table_args__ = (CheckConstraint("proficiency BETWEEN 1 AND 3", name="proficiency"),)

    agent_id: Mapped[int] = mapped_column(ForeignKey("agent.id", ondelete="CASCADE"), primary_key=True)
    category: Mapped[str] = mapped_column(primary_key=True)
    proficiency: Mapped[int] = mapped_column(server_default="2", default=2)


class Duty(Base):
    """Days on which an agent is away, both ends included."""

    __tablename__ = "duty"
    __table_args__ = (
        CheckConstraint("ends_on >= starts_on", name="order"),
        Index("ix_duty_agent_id_starts_on_ends_on", "agent_id", "starts_on", "ends_on"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    agent_id: Mapped[int] = mapped_column(ForeignKey("agent.id", ondelete="CASCADE"))
    kind: Mapped[DutyKind]
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    note: Mapped[str] = mapped_column(server_default="", default="")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


def skills_of(session: Session, agent_ids: Sequence[int]) -> dict[int, dict[str, int]]:
    """Each agent's categories with the proficiency in them; agents without any are in the answer too."""
    skills: dict[int, dict[str, int]] = {agent_id: {} for agent_id in agent_ids}
    for row in session.scalars(select(AgentSkill).where(AgentSkill.agent_id.in_(agent_ids))):
        skills[row.agent_id][row.category] = row.proficiency
    return skills
