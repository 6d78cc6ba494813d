"""Marking: what a transaction changes marks the cases whose obligations are to be folded anew before it ends."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from sqlalchemy import event, select
from sqlalchemy.orm import Session, UOWTransaction

from dispatch.cases.case import Case, CaseEvent, Material
from dispatch.cases.case_message import CaseMessage
from dispatch.cases.contact_note import ContactNote
from dispatch.cases.evaluation import Evaluation, Rectification, Ticket
from dispatch.cases.project import Project, ProjectMember, Referral
from dispatch.cases.review import Review, ReviewPause
from dispatch.catalogue.calendar_tables import CalendarDay
from dispatch.custody.parcel import Parcel
from routing.day.courier_run import CourierRun
from routing.day.courier_stop import CourierStop
from routing.day.couriers import Courier, Shift

MARKS = "obligation marks"
"""Under this key a session's ``info`` keeps what it has changed."""


@dataclass(slots=True)
class Marks:
    """Ids of what was changed since the obligations were last folded."""

    cases: set[int] = field(default_factory=set)
    projects: set[int] = field(default_factory=set)
    reviews: set[int] = field(default_factory=set)
    evaluations: set[int] = field(default_factory=set)
    stops: set[int] = field(default_factory=set)
    tickets: set[int] = field(default_factory=set)
    couriers: set[int] = field(default_factory=set)
    calendar: bool = False

    def __bool__(self) -> bool:
        beside = self.tickets or self.couriers or self.calendar
        return bool(self.cases or self.projects or self.reviews or self.evaluations or self.stops or beside)

    def case_ids(self, session: Session) -> list[int]:
        """The cases that are concerned, in the order in which they are locked."""
        found = set(self.cases)
        if self.projects:
            found.update(session.scalars(select(Case.id).where(Case.project_id.in_(self.projects))))
        if self.reviews:
            found.update(session.scalars(select(Review.case_id).where(Review.id.in_(self.reviews))))
        if self.evaluations:
            found.update(session.scalars(select(Evaluation.case_id).where(Evaluation.id.in_(self.evaluations))))
        if self.stops:
            found.update(session.scalars(select(Parcel.case_id).where(Parcel.stop_id.in_(self.stops))))
        return sorted(found)


def marks_of(session: Session) -> Marks:
    """What this session has changed and not folded yet."""
    marks: Marks = session.info.setdefault(MARKS, Marks())
    return marks


def mark(
    session: Session, *, projects: Iterable[int] = (), couriers: Iterable[int] = (), calendar: bool = False
) -> None:
    """For who writes past the session's own books: these projects or shifts have changed, or the calendar."""
    marks = marks_of(session)
    marks.projects.update(projects)
    marks.couriers.update(couriers)
    marks.calendar |= calendar


def _mark_run(marks: Marks, run: CourierRun) -> None:
    marks.stops.update(stop.id for stop in run.__dict__.get("stops", ()))


def _mark_day(marks: Marks, _day: CalendarDay) -> None:
    marks.calendar = True


MARKED_BY: Mapping[type, Callable[[Marks, Any], None]] = MappingProxyType(
    {
        Case: lambda marks, row: marks.cases.add(row.id),
        Review: lambda marks, row: marks.cases.add(row.case_id),
        Material: lambda marks, row: marks.cases.add(row.case_id),
        Parcel: lambda marks, row: marks.cases.add(row.case_id),
        CaseEvent: lambda marks, row: marks.cases.add(row.case_id),
        Evaluation: lambda marks, row: marks.cases.add(row.case_id),
        Rectification: lambda marks, row: marks.evaluations.add(row.evaluation_id),
        ReviewPause: lambda marks, row: marks.reviews.add(row.review_id),
        Project: lambda marks, row: marks.projects.add(row.id),
        ProjectMember: lambda marks, row: marks.projects.add(row.project_id),
        ContactNote: lambda marks, row: marks.cases.add(row.case_id),
        CaseMessage: lambda marks, row: marks.cases.add(row.case_id),
        Referral: lambda marks, row: marks.projects.add(row.project_id),
        CourierStop: lambda marks, row: marks.stops.add(row.id),
        CourierRun: _mark_run,
        Ticket: lambda marks, row: marks.tickets.add(row.id),
        Courier: lambda marks, row: marks.couriers.add(row.id),
        Shift: lambda marks, row: marks.couriers.add(row.courier_id),
        CalendarDay: _mark_day,
    }
)
"""The nouns that obligations are folded from, and what a change of one marks."""


@event.listens_for(Session, "after_flush")
def _mark_what_was_flushed(session: Session, _flush: UOWTransaction) -> None:
    changed = [row for rows in (session.new, session.dirty, session.deleted) for row in rows if type(row) in MARKED_BY]
    if changed:
        marks = marks_of(session)
        for row in changed:
            MARKED_BY[type(row)](marks, row)
