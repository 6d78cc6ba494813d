"""The contacts of a case: whom to call, what was said before, and what somebody has to come back to."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.cases.access_control import case_for
from dispatch.cases.case import Case
from dispatch.cases.contact_note import CONTACT_WAY_LABEL, ContactNote
from dispatch.core.actor import Actor, Role
from notifications.phone import mask


@dataclass(frozen=True, slots=True)
class ContactLine:
    """One contact with the enterprise, as it was written down."""

    id: int
    way: str
    is_theirs: bool
    was_missed: bool
    person: str
    words: str
    happened_at: datetime
    recorded_at: datetime
    recorded_by: str
    follow_up_on: date | None
    followed_at: datetime | None
    followed_by: str | None
    late_reason: str
    replaced_at: datetime | None
    replaced_by: str
    correction_reason: str
    """Why it counts no more, where it was corrected or is void."""

    @property
    def is_open(self) -> bool:
        return self.follow_up_on is not None and self.followed_at is None and self.stands

    @property
    def stands(self) -> bool:
        return self.replaced_at is None


@dataclass(frozen=True, slots=True)
class CaseContacts:
    """Whom to call about the case, and every contact, the latest first. A supervisor reads the number masked."""

    person: str
    phone: str
    may_call: bool
    lines: tuple[ContactLine, ...]


def case_contacts(session: Session, viewer: Actor, case_no: str) -> CaseContacts:
    """The contacts of a case. Raises NotFound."""
    return contacts_of(session, viewer, case_for(session, viewer, case_no))


def contacts_of(session: Session, viewer: Actor, case: Case) -> CaseContacts:
    """The same, of a case that the viewer was given."""
    may_call = viewer.role is not Role.SUPERVISOR
    phone = case.contact.phone
    latest = (ContactNote.happened_at.desc(), ContactNote.id.desc())
    rows = session.scalars(select(ContactNote).where(ContactNote.case_id == case.id).order_by(*latest))
    shown = phone if may_call or not phone else mask(phone)
    return CaseContacts(case.contact.name, shown, may_call, tuple(_line(n) for n in rows))


def _line(note: ContactNote) -> ContactLine:
    return ContactLine(
        note.id, CONTACT_WAY_LABEL[note.way], note.is_theirs, note.was_missed, note.person, note.words,
        note.happened_at, note.recorded_at, note.recorded_by, note.follow_up_on, note.followed_at, note.followed_by,
        note.late_reason or "", note.replaced_at, note.replaced_by or "", note.correction_reason or "",
    )  # fmt: skip
