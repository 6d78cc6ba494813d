"""Lists of projects, parcels, tickets and plans as programs read them: the viewer first, filtered, the newest first."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVarTuple

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.orm import Session

from dispatch.cases.access_control import visible_parcels, visible_plans, visible_projects, visible_tickets
from dispatch.cases.case import Case
from dispatch.cases.evaluation import Ticket, TicketKind, TicketState
from dispatch.cases.project import Enterprise, Project, ProjectState
from dispatch.catalogue.matter import Family
from dispatch.core.actor import Actor
from dispatch.core.canonical import plain_text
from dispatch.custody.handover import Holder
from dispatch.custody.parcel import Leg, Parcel, ParcelState
from routing.day.day_plan import DayPlan, PlanState

Columns = TypeVarTuple("Columns")


@dataclass(frozen=True, slots=True)
class ListPart:
    """A part of a list: what comes after the row with this id, and how many."""

    after: int | None
    limit: int

    def of(self, query: Select[*Columns], row_id: ColumnElement[int]) -> Select[*Columns]:
        """The query cut to this part, the newest first, and one row more that says whether there is a next part."""
        if self.after is not None:
            query = query.where(row_id < self.after)
        return query.order_by(row_id.desc()).limit(self.limit + 1)


@dataclass(frozen=True, slots=True)
class ListedProject:
    """A project of a list; ``id`` is for the cursor alone."""

    id: int
    project_no: str
    project_code: str | None
    name: str
    family: Family
    state: ProjectState
    version: int
    enterprise: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ListedParcel:
    """An envelope of a list, and who holds it; ``id`` is for the cursor alone."""

    id: int
    waybill: str
    case_no: str
    leg: Leg
    state: ParcelState
    holder: Holder
    links: int
    moved_at: datetime | None


@dataclass(frozen=True, slots=True)
class ListedTicket:
    """A question or complaint with its answer; ``id`` is for the cursor alone."""

    id: int
    ticket_no: str
    kind: TicketKind
    state: TicketState
    words: str
    case_no: str | None
    opened_at: datetime
    due_at: datetime
    reply: str | None
    answered_at: datetime | None
    called_back_at: datetime | None


@dataclass(frozen=True, slots=True)
class PlanLine:
    """A plan of a list."""

    id: int
    state: PlanState
    version: int
    on: date
    cutoff: str
    progress: float
    cost: float | None
    requested_at: datetime


def holds(text: str, *columns: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether a name or number holds these characters, in any case and width."""
    escaped = plain_text(text).replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return or_(*(column.ilike(f"%{escaped}%", escape="\\") for column in columns))


def project_lines(
    session: Session, viewer: Actor, part: ListPart, *, state: ProjectState | None, q: str
) -> list[ListedProject]:
    """The projects that the viewer may see; ``q``: a part of the name, a number or the enterprise's name."""
    query = (
        select(Project, Enterprise.name)
        .join(Enterprise, Enterprise.id == Project.enterprise_id)
        .where(visible_projects(viewer))
    )
    if state is not None:
        query = query.where(Project.state == state)
    if q:
        query = query.where(holds(q, Project.name, Project.project_no, Project.project_code, Enterprise.name))  # type: ignore[arg-type]
    return [
        ListedProject(
            row.id, row.project_no, row.project_code, row.name, row.family, row.state, row.version, enterprise,
            row.created_at,
        )
        for row, enterprise in session.execute(part.of(query, Project.id))  # type: ignore[arg-type]
    ]  # fmt: skip


def parcel_lines(
    session: Session, viewer: Actor, part: ListPart, *, state: ParcelState | None, case_no: str
) -> list[ListedParcel]:
    """The envelopes that the viewer may see."""
    query = select(Parcel, Case.case_no).join(Case, Case.id == Parcel.case_id).where(visible_parcels(viewer))
    if state is not None:
        query = query.where(Parcel.state == state)
    if case_no:
        query = query.where(Case.case_no == case_no)
    return [
        ListedParcel(row.id, row.waybill, number, row.leg, row.state, row.holder, row.chain_length, row.moved_at)
        for row, number in session.execute(part.of(query, Parcel.id))  # type: ignore[arg-type]
    ]


def ticket_lines(
    session: Session, viewer: Actor, part: ListPart, *, state: TicketState | None, kind: TicketKind | None
) -> list[ListedTicket]:
    """The questions and complaints that the viewer may see."""
    query = select(Ticket, Case.case_no).outerjoin(Case, Case.id == Ticket.case_id).where(visible_tickets(viewer))
    if state is not None:
        query = query.where(Ticket.state == state)
    if kind is not None:
        query = query.where(Ticket.kind == kind)
    return [
        ListedTicket(
            row.id, row.ticket_no, row.kind, row.state, row.words, number, row.opened_at, row.due_at, row.reply,
            row.answered_at, row.called_back_at,
        )
        for row, number in session.execute(part.of(query, Ticket.id))  # type: ignore[arg-type]
    ]  # fmt: skip


def plan_lines(
    session: Session, viewer: Actor, part: ListPart, *, state: PlanState | None, on: date | None
) -> list[PlanLine]:
    """The plans that the viewer may see."""
    query = select(DayPlan).where(visible_plans(viewer))
    if state is not None:
        query = query.where(DayPlan.state == state)
    if on is not None:
        query = query.where(DayPlan.on == on)
    return [
        PlanLine(
            row.id, row.state, row.version, row.on, row.cutoff.value, row.progress, row.cost, row.requested_at
        )
        for row in session.scalars(part.of(query, DayPlan.id))  # type: ignore[arg-type]
    ]  # fmt: skip
