"""Case dates: a case's legal and committed days follow those of its reviews."""

from sqlalchemy.orm import Session

from dispatch.cases.case import Case
from dispatch.cases.lookups import reviews_of
from dispatch.cases.notify import day_of


def refresh_dates(session: Session, case: Case) -> None:
    """The case's legal and committed days: the latest of its reviews'."""
    reviews = [r for r in reviews_of(session, case) if r.legal_due_at is not None]
    if reviews:
        case.legal_due_on = max(day_of(r.legal_due_at) for r in reviews if r.legal_due_at)
        case.committed_due_on = max(day_of(r.committed_due_at) for r in reviews if r.committed_due_at)
