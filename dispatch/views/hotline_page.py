"""The hotline's seat: a caller's case by whatever the caller names, and what may be said of it to whoever calls."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from dispatch.cases.access_control import case_for
from dispatch.core.actor import Actor
from dispatch.views.finding import Found, FoundKind, find
from dispatch.views.loading import CASE_PARTS
from dispatch.views.track import Tracked, sayable


@dataclass(frozen=True, slots=True)
class HotlineCase:
    """What the query page would show of a case, and the last digits by which the caller is known."""

    case: Tracked
    last_four: str


def hotline_hits(session: Session, viewer: Actor, words: str) -> tuple[Found, ...]:
    """The cases that these words name, ended ones too: half a name, a number, a phone, a credit code."""
    return tuple(hit for hit in find(session, viewer, words).hits if hit.kind is FoundKind.CASE)


def hotline_case(session: Session, viewer: Actor, case_no: str, *, at: datetime) -> HotlineCase:
    """What may be said of one case of the viewer's reach. Raises NotFound."""
    case = case_for(session, viewer, case_no, loaded=CASE_PARTS)
    return HotlineCase(sayable(session, case, at=at), case.contact.phone[-4:])
