"""Obligations as lines and counts: the one question that every list, tile and answer of the API about them asks."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy import case as sql_case
from sqlalchemy.orm import Session

from agents.network import Division
from agents.roster import Agent
from dispatch.cases.case import Case, Material
from dispatch.cases.evaluation import Ticket
from dispatch.cases.notify import day_of
from dispatch.cases.obligations.keeping import settle
from dispatch.cases.obligations.obligation import (
    OBLIGATION_LABEL,
    OWNER_LABEL,
    Obligation,
    ObligationKind,
    OwnerKind,
    Subject,
    amber_until,
    lamp_of,
)
from dispatch.cases.obligations.reach import open_at, visible_obligations
from dispatch.cases.project import Enterprise, Project
from dispatch.cases.review import Review
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.catalogue.matter import Matter
from dispatch.core.actor import Actor
from dispatch.core.legal_clock import Lamp
from dispatch.core.working_days import Calendar
from dispatch.custody.parcel import Parcel
from routing.day.couriers import Courier

BY_DUE = (Obligation.due_at.asc().nulls_last(), Obligation.id)


class DueWhen(StrEnum):
    """OVERDUE 已超期, TODAY 今天到期, SOON 两个工作日内到期, LATER 以后到期, UNDATED 无规定期限."""

    OVERDUE = "overdue"
    TODAY = "today"
    SOON = "soon"
    LATER = "later"
    UNDATED = "undated"


DUE_LABEL = {
    DueWhen.OVERDUE: "已超期",
    DueWhen.TODAY: "今天到期",
    DueWhen.SOON: "两个工作日内到期",
    DueWhen.LATER: "以后到期",
    DueWhen.UNDATED: "无规定期限",
}


@dataclass(frozen=True, slots=True)
class ObligationFilter:
    """Which of the open obligations are asked for; None: all."""

    kind: ObligationKind | None = None
    due: DueWhen | None = None
    owner: OwnerKind | None = None
    is_mine: bool = False
    """Those of the projects that the viewer leads, and those that the viewer owes."""


@dataclass(frozen=True, slots=True)
class ObligationLine:
    """One thing owed, as every list shows it."""

    id: int
    kind: ObligationKind
    words: str
    subject: Subject
    subject_id: int
    about: str
    case_no: str
    project_no: str
    project: str
    enterprise: str
    owner_kind: OwnerKind
    owner: str
    due_at: datetime | None
    due_on: date | None
    left_wd: int | None
    lamp: Lamp
    opened_by: str
    opened_at: datetime


@dataclass(frozen=True, slots=True)
class KindCount:
    """How many obligations of a kind are open, and how many of them in each time."""

    kind: ObligationKind
    words: str
    open: int
    by_due: Mapping[DueWhen, int]


@dataclass(frozen=True, slots=True)
class ObligationCounts:
    """The open obligations of a viewer, counted in the database."""

    kinds: Sequence[KindCount]

    @property
    def open(self) -> int:
        return sum(one.open for one in self.kinds)

    def due(self, when: DueWhen) -> int:
        """How many are due then, of all kinds."""
        return sum(one.by_due[when] for one in self.kinds)

    def of(self, kind: ObligationKind) -> int:
        """How many of a kind are open."""
        return next((one.open for one in self.kinds if one.kind is kind), 0)


@dataclass(frozen=True, slots=True)
class ObligationAsker:
    """Who looks, when, and until which day a due is near: what every question about obligations needs."""

    session: Session
    viewer: Actor
    at: datetime
    calendar: Calendar

    @classmethod
    def of(cls, session: Session, viewer: Actor, *, at: datetime) -> "ObligationAsker":
        """The question at this moment; what this transaction has changed is folded first."""
        settle(session)
        return cls(session, viewer, at, calendar_of(session))

    def conditions(self, asked: ObligationFilter) -> list[ColumnElement[bool]]:
        """What an open obligation that the viewer asks for must be."""
        found = [visible_obligations(self.viewer), open_at(self.at)]
        if asked.kind is not None:
            found.append(Obligation.kind == asked.kind)
        if asked.owner is not None:
            found.append(Obligation.owner_kind == asked.owner)
        if asked.due is not None:
            found.append(self._dues()[asked.due])
        if asked.is_mine:
            found.append(self._mine())
        return found

    def _dues(self) -> dict[DueWhen, ColumnElement[bool]]:
        today, soon = day_of(self.at), amber_until(self.calendar, self.at)
        return {
            DueWhen.OVERDUE: Obligation.due_at < self.at,
            DueWhen.TODAY: and_(Obligation.due_at >= self.at, Obligation.due_on <= today),
            DueWhen.SOON: and_(Obligation.due_on > today, Obligation.due_on <= soon),
            DueWhen.LATER: Obligation.due_on > soon,
            DueWhen.UNDATED: Obligation.due_at.is_(None),
        }

    def _mine(self) -> ColumnElement[bool]:
        mine = and_(Obligation.owner_kind == OwnerKind.PERSON, Obligation.owner_id == self.viewer.agent_id)
        led = and_(Obligation.owner_kind == OwnerKind.TEAM, Obligation.owner_id == self.viewer.division_id)
        return or_(mine, led) if self.viewer.agent_id is None else mine

    def counts(self, asked: ObligationFilter | None = None) -> ObligationCounts:
        """Of each kind, how many are open and when they are due."""
        dues = self._dues()
        rows = self.session.execute(
            select(Obligation.kind, func.count(), *(func.count().filter(condition) for condition in dues.values()))
            .where(*self.conditions(asked or ObligationFilter()))
            .group_by(Obligation.kind)
        )
        counted = {kind: (n, dict(zip(dues, of, strict=True))) for kind, n, *of in rows}
        return ObligationCounts(
            [KindCount(kind, OBLIGATION_LABEL[kind], *counted[kind]) for kind in ObligationKind if kind in counted]
        )

    def lines(
        self, asked: ObligationFilter, *, limit: int, after: tuple[datetime | None, int] | None = None
    ) -> list[ObligationLine]:
        """What is due first comes first; what has no day comes last. ``after``: the due and the id of the last one."""
        query = _query().where(*self.conditions(asked))
        if after is not None:
            query = query.where(_later_than(*after))
        query = query.order_by(*BY_DUE).limit(limit)
        return [self._line(row) for row in self.session.execute(query)]

    def first_of_each(self, *whens: DueWhen, limit: int) -> dict[DueWhen, list[ObligationLine]]:
        """The first lines of each of these times, in one statement."""
        dues = self._dues()
        when = sql_case(*((dues[one], one.value) for one in whens))
        place = func.row_number().over(partition_by=when, order_by=BY_DUE)
        ranked = (
            select(Obligation.id, when.label("due_when"), place.label("place"))
            .where(*self.conditions(ObligationFilter()), or_(*(dues[one] for one in whens)))
            .subquery()
        )
        query = (
            _query()
            .add_columns(ranked.c.due_when)
            .join(ranked, ranked.c.id == Obligation.id)
            .where(ranked.c.place <= limit)
            .order_by(*BY_DUE)
        )
        found: dict[DueWhen, list[ObligationLine]] = {one: [] for one in whens}
        for row in self.session.execute(query):
            found[DueWhen(row.due_when)].append(self._line(row))
        return found

    def first_of_projects(self, project_ids: Collection[int], *, limit: int) -> dict[int, list[ObligationLine]]:
        """The first lines of each of these projects, in one statement."""
        place = func.row_number().over(partition_by=Obligation.project_id, order_by=BY_DUE)
        ranked = (
            select(Obligation.id, place.label("place"))
            .where(*self.conditions(ObligationFilter()), Obligation.project_id.in_(project_ids))
            .subquery()
        )
        query = _query().join(ranked, ranked.c.id == Obligation.id).where(ranked.c.place <= limit).order_by(*BY_DUE)
        found: dict[int, list[ObligationLine]] = defaultdict(list)
        for row in self.session.execute(query):
            found[row.Obligation.project_id].append(self._line(row))
        return found

    def _line(self, row: Any) -> ObligationLine:
        owed, today = row.Obligation, day_of(self.at)
        left = None if owed.due_on is None else self.calendar.working_days_between(today, owed.due_on)
        return ObligationLine(
            owed.id, owed.kind, OBLIGATION_LABEL[owed.kind], owed.subject, owed.subject_id, row.about or "",
            row.case_no or "", row.project_no or "", row.project or "", row.enterprise or "", owed.owner_kind,
            _owner(row), owed.due_at, owed.due_on, left, lamp_of(owed.due_at, self.calendar, self.at), owed.opened_by,
            owed.opened_at,
        )  # fmt: skip


def _later_than(due_at: datetime | None, last_id: int) -> ColumnElement[bool]:
    if due_at is None:
        return and_(Obligation.due_at.is_(None), Obligation.id > last_id)
    same = and_(Obligation.due_at == due_at, Obligation.id > last_id)
    return or_(Obligation.due_at > due_at, same, Obligation.due_at.is_(None))


def _owner(row: Any) -> str:
    """The name of who owes it; the kind where nobody has a name."""
    kind = row.Obligation.owner_kind
    named = {
        OwnerKind.PERSON: row.agent,
        OwnerKind.TEAM: row.team,
        OwnerKind.AUTHORITY: row.Obligation.owner_name,
        OwnerKind.ENTERPRISE: row.enterprise,
        OwnerKind.COURIER: row.courier,
    }[kind]
    return named or OWNER_LABEL[kind]


def _query() -> Any:
    """Obligations with what they are about, in one statement."""
    about = func.coalesce(Matter.short_name, Material.name, Ticket.ticket_no, Parcel.waybill, Courier.name)
    shifts_of = and_(Obligation.subject == Subject.COURIER, Courier.id == Obligation.subject_id)
    courier = or_(shifts_of, and_(Obligation.owner_kind == OwnerKind.COURIER, Courier.id == Obligation.owner_id))

    def is_about(subject: Subject, noun: Any) -> ColumnElement[bool]:
        return and_(Obligation.subject == subject, noun.id == Obligation.subject_id)

    return (
        select(
            Obligation, about.label("about"), Case.case_no, Project.project_no, Project.name.label("project"),
            Enterprise.name.label("enterprise"), Agent.name.label("agent"), Division.name.label("team"),
            Courier.name.label("courier"),
        )
        .outerjoin(Case, Case.id == Obligation.case_id)
        .outerjoin(Project, Project.id == Obligation.project_id)
        .outerjoin(Enterprise, Enterprise.id == Project.enterprise_id)
        .outerjoin(Review, is_about(Subject.REVIEW, Review))
        .outerjoin(Matter, Matter.id == Review.matter_id)
        .outerjoin(Material, is_about(Subject.MATERIAL, Material))
        .outerjoin(Ticket, is_about(Subject.TICKET, Ticket))
        .outerjoin(Parcel, is_about(Subject.PARCEL, Parcel))
        .outerjoin(Courier, courier)
        .outerjoin(Agent, and_(Obligation.owner_kind == OwnerKind.PERSON, Agent.id == Obligation.owner_id))
        .outerjoin(Division, and_(Obligation.owner_kind == OwnerKind.TEAM, Division.id == Obligation.owner_id))
    )  # fmt: skip
