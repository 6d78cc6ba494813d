"""Projects: the enterprise and its contacts, the site, the team that acts, the delegation, the first ask."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, Dialect, ForeignKey, Index, Numeric, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship, validates
from sqlalchemy.types import TypeDecorator

from agents.names import sort_key
from db import Base, EncryptedText
from dispatch.cases.fact_event import FactEvent
from dispatch.catalogue.matter import Family
from dispatch.core.amount import trimmed
from dispatch.core.canonical import canonical_name
from dispatch.core.credit_code import credit_code_form
from dispatch.core.errors import WrongStage
from dispatch.core.project_code import project_code


class ProjectState(StrEnum):
    """WAITING 待派件 for a lead agent, ACTIVE 代办中, CLOSED once its last case has ended."""

    WAITING = "waiting"
    ACTIVE = "active"
    CLOSED = "closed"


NEXT_PROJECT = {
    ProjectState.WAITING: frozenset({ProjectState.ACTIVE, ProjectState.CLOSED}),
    ProjectState.ACTIVE: frozenset({ProjectState.WAITING, ProjectState.CLOSED}),
    ProjectState.CLOSED: frozenset({ProjectState.WAITING, ProjectState.ACTIVE}),
}

PROJECT_LABEL = {ProjectState.WAITING: "待派件", ProjectState.ACTIVE: "代办中", ProjectState.CLOSED: "已结束"}


FAMILY_LABEL = {
    Family.INDUSTRIAL_PERMIT: "工业建设项目施工许可",
    Family.BUSINESS_OPENING: "企业开办",
    Family.PROPERTY_REGISTRATION: "不动产登记",
}
TARGET_WD = {Family.BUSINESS_OPENING: 3, Family.PROPERTY_REGISTRATION: 5, Family.INDUSTRIAL_PERMIT: 50}


class TeamRole(StrEnum):
    """LEAD 主办 owns the project; a LIAISON 协办 acts at one more counter."""

    LEAD = "lead"
    LIAISON = "liaison"


class AmountWan(TypeDecorator[Decimal]):
    """A sum in 万元, to the yuan, without zeros at its end."""

    impl = Numeric(12, 4)
    cache_ok = True

    def process_result_value(self, value: Decimal | None, dialect: Dialect) -> Decimal | None:
        return None if value is None else trimmed(value)


class Enterprise(Base):
    """An applicant (企业). One that is yet to be opened has no credit code (统一社会信用代码)."""

    __tablename__ = "enterprise"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    pinyin: Mapped[str] = mapped_column(default="")
    credit_code: Mapped[str | None] = mapped_column(unique=True)
    division_id: Mapped[int | None] = mapped_column(ForeignKey("division.id"))
    created_at: Mapped[datetime]

    @validates("credit_code")
    def _valid_credit_code(self, _: str, code: str | None) -> str | None:
        return credit_code_form(code) if code else None

    @validates("name")
    def _one_spelling(self, _: str, name: str) -> str:
        name = canonical_name(name)
        self.pinyin = sort_key(name)
        return name


class Contact(Base):
    """A person of the enterprise (经办人) who is told of each stage."""

    __tablename__ = "contact"

    id: Mapped[int] = mapped_column(primary_key=True)
    enterprise_id: Mapped[int] = mapped_column(ForeignKey("enterprise.id"), index=True)
    name: Mapped[str] = mapped_column(EncryptedText)
    phone: Mapped[str] = mapped_column(EncryptedText)
    phone_hash: Mapped[bytes] = mapped_column(index=True)
    locale: Mapped[str] = mapped_column(default="zh")
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"), index=True)
    """The account of who proved to hold the number; None for what somebody else typed, which proves nothing."""
    left_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    enterprise: Mapped[Enterprise] = relationship()


class Project(Base):
    """An investment project (投资项目): a site, an investment, a phase; handled over months by one team."""

    __tablename__ = "project"

    id: Mapped[int] = mapped_column(primary_key=True)
    project_no: Mapped[str] = mapped_column(unique=True)
    project_code: Mapped[str | None] = mapped_column(unique=True)
    name: Mapped[str]
    enterprise_id: Mapped[int] = mapped_column(ForeignKey("enterprise.id"), index=True)
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id"))
    division_id: Mapped[int] = mapped_column(ForeignKey("division.id"), index=True)
    home_division_id: Mapped[int] = mapped_column(ForeignKey("division.id"), index=True)
    family: Mapped[Family]
    site_lon: Mapped[float | None]
    site_lat: Mapped[float | None]
    site_address: Mapped[str | None] = mapped_column(EncryptedText)
    investment_wan: Mapped[Decimal | None] = mapped_column(AmountWan)
    phase: Mapped[int] = mapped_column(default=1)
    facts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    path_edits: Mapped[dict[str, Any]] = mapped_column(default=dict)
    priority: Mapped[int] = mapped_column(default=1)
    language: Mapped[str] = mapped_column(default="zh")
    escalated: Mapped[bool] = mapped_column(default=False)
    banned_agents: Mapped[list[Any]] = mapped_column(default=list)
    state: Mapped[ProjectState] = mapped_column(default=ProjectState.WAITING, index=True)
    version: Mapped[int] = mapped_column(default=1)
    changed_by: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    promised: Mapped[dict[str, Any] | None]
    assignment_reason: Mapped[dict[str, Any] | None]
    filed_by: Mapped[int | None]
    """The account that asked for it."""
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("project.id"), index=True)
    """The project that is kept of two that were the same one."""
    batch_id: Mapped[int | None] = mapped_column(ForeignKey("project_batch.id"), index=True)
    """What it was asked for together with."""

    enterprise: Mapped[Enterprise] = relationship()
    contact: Mapped[Contact] = relationship()
    members: Mapped[list["ProjectMember"]] = relationship(back_populates="project", order_by="ProjectMember.id")
    delegations: Mapped[list["Delegation"]] = relationship(back_populates="project", order_by="Delegation.id")
    intermediaries: Mapped[list["Intermediary"]] = relationship(order_by="Intermediary.id")

    @validates("name")
    def _one_spelling(self, _: str, name: str) -> str:
        return canonical_name(name)

    @validates("project_code")
    def _one_form(self, _: str, code: str | None) -> str | None:
        return project_code(code) if code else None

    def move_to(self, state: ProjectState, *, at: datetime) -> None:
        """Raises WrongStage when ``state`` may not follow."""
        if state not in NEXT_PROJECT[self.state]:
            raise WrongStage(f"project {self.project_no} is {self.state}, {state} may not follow")
        self.state = state
        self.closed_at = at if state is ProjectState.CLOSED else None
        self.version += 1

    @property
    def lead(self) -> "ProjectMember | None":
        """Who acts for the project now, if anybody."""
        return next((m for m in self.members if m.role is TeamRole.LEAD and m.until is None), None)

    @property
    def liaisons(self) -> list["ProjectMember"]:
        return [m for m in self.members if m.role is TeamRole.LIAISON and m.until is None]

    def spells(self, role: TeamRole, counter: str = "") -> list["ProjectMember"]:
        """Who stood in this place of the team, one after the other, without what was corrected."""
        there = [m for m in self.members if m.role is role and m.counter == counter and m.replaced_at is None]
        return sorted(there, key=lambda m: (m.since, m.id))

    def may_lead_since(self) -> datetime:
        """The earliest moment from which another may lead it: its own beginning, or the last lead's."""
        spells = self.spells(TeamRole.LEAD)
        return max([self.created_at, *(spell.until or spell.since for spell in spells[-1:])])

    def delegation_on(self, day: date) -> "Delegation | None":
        """The letter that is in force on ``day``."""
        return next((d for d in self.delegations if d.is_in_force(day)), None)


class ProjectMember(Base):
    """One agent's place in a project's team: the event that gave it, with its own time and its writing down.

    ``since``: when it truly began. A mistake is replaced by a further row (``corrects``) and stands no more."""

    __tablename__ = "project_member"
    __table_args__ = (
        Index(
            "uq_project_member_one_lead",
            "project_id",
            unique=True,
            postgresql_where=text("role = 'lead' AND until IS NULL"),
        ),
        Index(
            "uq_project_member_one_liaison",
            "project_id",
            "counter",
            unique=True,
            postgresql_where=text("role = 'liaison' AND until IS NULL"),
        ),
        Index("ix_project_member_acting", "agent_id", postgresql_where=text("until IS NULL")),
        CheckConstraint("replaced_at IS NULL OR until IS NOT NULL", name="replaced_is_over"),
        CheckConstraint("corrects IS NULL OR correction_reason <> ''", name="corrected_with_reason"),
        Index("uq_project_member_corrects", "corrects", unique=True, postgresql_where=text("corrects IS NOT NULL")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"), index=True)
    agent_id: Mapped[int] = mapped_column(ForeignKey("agent.id"), index=True)
    role: Mapped[TeamRole]
    counter: Mapped[str] = mapped_column(default="")
    since: Mapped[datetime]
    until: Mapped[datetime | None]
    told_at: Mapped[datetime | None]
    locked: Mapped[bool] = mapped_column(default=False)
    chosen_by: Mapped[str] = mapped_column(default="matching")
    reason: Mapped[dict[str, Any] | None]
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[str]
    late_reason: Mapped[str | None] = mapped_column(Text)
    corrects: Mapped[int | None] = mapped_column(ForeignKey("project_member.id"))
    correction_reason: Mapped[str | None] = mapped_column(Text)
    replaced_at: Mapped[datetime | None]
    """Since when another row says what is right; this one is kept and counts no more."""
    project: Mapped[Project] = relationship(back_populates="members")


class Power(StrEnum):
    """What a delegation letter may allow. Face check, e-signature, seal and CA key can never be among them."""

    SUBMIT = "submit"
    CORRECT = "correct"
    RECEIVE = "receive"


class Delegation(Base):
    """A delegation letter (委托书): to the proxy centre, its agent being the handler (经办人)."""

    __tablename__ = "delegation"
    __table_args__ = (CheckConstraint("valid_to >= valid_from", name="valid"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"), index=True)
    entruster: Mapped[str]
    credit_code: Mapped[str | None]
    legal_representative: Mapped[str] = mapped_column(EncryptedText)
    centre_id: Mapped[int | None] = mapped_column(ForeignKey("service_centre.id"))
    matters: Mapped[list[Any]] = mapped_column(default=list)
    powers: Mapped[list[Any]] = mapped_column(default=list)
    may_pass_on: Mapped[bool] = mapped_column(default=False)
    valid_from: Mapped[date]
    valid_to: Mapped[date]
    signed_at: Mapped[datetime | None]
    """None: it was never signed, and its record is void."""
    sha256: Mapped[str | None]
    revoked_at: Mapped[datetime | None]
    revocation_reason: Mapped[str | None] = mapped_column(Text)
    project: Mapped[Project] = relationship(back_populates="delegations")
    recipients: Mapped[list["AuthorisedRecipient"]] = relationship(order_by="AuthorisedRecipient.id")
    facts: Mapped[list[FactEvent]] = relationship(order_by=FactEvent.id, backref="delegation")

    def is_in_force(self, day: date) -> bool:
        is_signed = self.signed_at is not None and self.revoked_at is None
        return is_signed and self.valid_from <= day <= self.valid_to

    def allows(self, power: Power, day: date) -> bool:
        return self.is_in_force(day) and power.value in self.powers


class AuthorisedRecipient(Base):
    """A person whom the letter names to hand over or to receive originals; nobody else may."""

    __tablename__ = "authorised_recipient"

    id: Mapped[int] = mapped_column(primary_key=True)
    delegation_id: Mapped[int] = mapped_column(ForeignKey("delegation.id"), index=True)
    name: Mapped[str] = mapped_column(EncryptedText)
    phone: Mapped[str] = mapped_column(EncryptedText)
    phone_hash: Mapped[bytes]
    may_hand_over: Mapped[bool] = mapped_column(default=True)
    may_receive: Mapped[bool] = mapped_column(default=True)


class Referral(Base):
    """First ask (首问负责): who received a request owns it until a handover is accepted, or it is escalated."""

    __tablename__ = "referral"

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"), index=True)
    from_agent_id: Mapped[int] = mapped_column(ForeignKey("agent.id"), index=True)
    to_agent_id: Mapped[int | None] = mapped_column(ForeignKey("agent.id"))
    reason: Mapped[str] = mapped_column(Text, default="")
    offered_at: Mapped[datetime | None]
    accept_by: Mapped[datetime | None]
    accepted_at: Mapped[datetime | None]
    declined_at: Mapped[datetime | None]
    escalated_at: Mapped[datetime | None]
    recorded_at: Mapped[datetime | None]
    """When its last step was written down: it may have been agreed by word before."""
    recorded_by: Mapped[str | None]
    late_reason: Mapped[str | None] = mapped_column(Text)


class Intermediary(Base):
    """Work of an intermediary (中介): survey, design, tests. An agent records it and may never recommend one."""

    __tablename__ = "intermediary"
    __table_args__ = (UniqueConstraint("project_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"))
    matter_code: Mapped[str | None]
    name: Mapped[str]
    firm: Mapped[str | None]
    promised_wd: Mapped[int | None]
    started_on: Mapped[date | None]
    ended_on: Mapped[date | None]
    fee_cents: Mapped[int | None]
    fee_payer: Mapped[str | None]


class Counter(Base):
    """The next number of a kind, place and day: a row that is locked while one is taken."""

    __tablename__ = "counter"

    key: Mapped[str] = mapped_column(primary_key=True)
    last: Mapped[int]
