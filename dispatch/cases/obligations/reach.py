"""Reach: which obligations a viewer may see, and which of them are open at a moment."""

from datetime import date, datetime, time, timedelta

from sqlalchemy import ColumnElement, and_, false, or_, select, true
from sqlalchemy.orm import Session

from dispatch.cases.access_control import visible_projects, visible_tickets, within
from dispatch.cases.evaluation import Ticket
from dispatch.cases.obligations.keeping import settle
from dispatch.cases.obligations.obligation import Obligation, ObligationKind, OwnerKind
from dispatch.cases.project import Project
from dispatch.core.actor import Actor, Role
from dispatch.core.shanghai_time import utc

OF_TICKETS = (ObligationKind.TICKET, ObligationKind.CALL_BACK)
RATED = (ObligationKind.VERIFY_GRADE, ObligationKind.RECTIFY_GRADE)
"""Hidden from who was rated and from who rated."""


def visible_obligations(viewer: Actor) -> ColumnElement[bool]:
    """Those of visible projects and tickets; a lead's whole subtree; a courier its own."""
    match viewer.role:
        case Role.OPERATOR | Role.SYSTEM:
            return true()
        case Role.LEAD | Role.SUPERVISOR:
            return within(viewer, Obligation.division_id)  # type: ignore[arg-type]
        case Role.COURIER:
            return and_(Obligation.owner_kind == OwnerKind.COURIER, Obligation.owner_id == viewer.courier_id)
        case Role.AGENT | Role.ENTERPRISE:
            projects = select(Project.id).where(visible_projects(viewer))
            tickets = select(Ticket.id).where(visible_tickets(viewer))
            of_tickets = and_(Obligation.kind.in_(OF_TICKETS), Obligation.subject_id.in_(tickets))
            hidden = RATED if viewer.role is Role.AGENT else (*RATED, ObligationKind.REFERRAL)
            return or_(and_(Obligation.project_id.in_(projects), Obligation.kind.not_in(hidden)), of_tickets)
    return false()


def open_at(at: datetime) -> ColumnElement[bool]:
    """Open, and its time has come."""
    return and_(Obligation.closed_at.is_(None), Obligation.opened_at <= at)


def stood_open_after(day: date) -> ColumnElement[bool]:
    """Opened by the end of that day, and not closed by then."""
    over = utc(day + timedelta(days=1), time(0))
    return and_(Obligation.opened_at < over, or_(Obligation.closed_at.is_(None), Obligation.closed_at >= over))


def overdue_subjects(session: Session, kind: ObligationKind, *, at: datetime) -> list[int]:
    """What the open obligations of this kind whose due moment has passed are about: ids, in the order of locking."""
    return open_subjects(session, kind, Obligation.due_at < at)


def open_subjects(session: Session, kind: ObligationKind, *more: ColumnElement[bool]) -> list[int]:
    """What the open obligations of this kind are about; what this transaction has changed is folded first."""
    settle(session)
    query = select(Obligation.subject_id).where(Obligation.kind == kind, Obligation.closed_at.is_(None), *more)
    return list(session.scalars(query.order_by(Obligation.case_id, Obligation.subject_id)))
