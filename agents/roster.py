"""Roster: the agents of the network, what each can do, who is away and who stands in."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from db import Base, EncryptedText


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
