"""Event scans: the scan of an authority's paper, for who may see its case."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.cases.access_control import case_for
from dispatch.cases.review import Review
from dispatch.cases.review_event import EVENT_LABEL, ReviewEvent
from dispatch.core.actor import Actor, Role
from dispatch.core.errors import NotFound


@dataclass(frozen=True, slots=True)
class EventScan:
    """A kept file by its digest, and the name that it is saved under."""

    digest: str
    name: str


def scan_of(session: Session, viewer: Actor, case_no: str, event_id: int) -> EventScan:
    """The scan of one event of the case. An enterprise finds that of what stands. Raises NotFound."""
    case = case_for(session, viewer, case_no)
    review = session.scalar(
        select(Review)
        .join(ReviewEvent, ReviewEvent.review_id == Review.id)
        .where(ReviewEvent.id == event_id, Review.case_id == case.id)
    )
    event = next((e for e in review.events if e.id == event_id), None) if review is not None else None
    if review is None or event is None or event.document is None:
        raise NotFound(f"no scan of event {event_id} in {case_no}")
    if viewer.role is Role.ENTERPRISE and event not in review.standing_events():
        raise NotFound(f"event {event_id} was corrected")
    return EventScan(event.document, f"{review.matter.short_name}-{EVENT_LABEL[event.kind]}-{event.document_no}")
