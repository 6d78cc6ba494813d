"""The contact strip: of a project, whom to call, what was said last, what is owed next, and what waits unread."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, and_, func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session, aliased

from dispatch.cases.access_control import visible_cases
from dispatch.cases.case import Case
from dispatch.cases.case_message import CaseMessage
from dispatch.cases.contact_note import CONTACT_WAY_LABEL, ContactNote
from dispatch.cases.obligations.keeping import settle
from dispatch.cases.project import Contact
from dispatch.catalogue.calendar_version import CalendarVersion, calendar_of_version
from dispatch.core.actor import Actor, Role
from dispatch.views.obligation_lines import ObligationAsker, ObligationLine
from notifications.phone import mask

LAST_CONTACTS, NEXT_TASKS = 3, 5


@dataclass(frozen=True, slots=True)
class StripContact:
    """One contact with the enterprise, in which case."""

    case_no: str
    way: str
    was_missed: bool
    person: str
    words: str
    happened_at: datetime
    recorded_by: str


@dataclass(frozen=True, slots=True)
class StripMessages:
    """The messages of a project's cases: how many nobody has read, how many there are, where the last one stands."""

    unread: int
    written: int
    last_at: datetime
    last_case_no: str


@dataclass(frozen=True, slots=True)
class ContactStrip:
    """Whom to call about a project, through its newest case; the last contacts, the next tasks, the messages."""

    case_no: str
    person: str
    phone: str
    may_call: bool
    contacts: tuple[StripContact, ...]
    tasks: tuple[ObligationLine, ...]
    messages: StripMessages | None


def contact_strip(session: Session, viewer: Actor, project_id: int, *, at: datetime) -> ContactStrip | None:
    """The strip of one project; None where the viewer sees no case of it."""
    return contact_strips(session, viewer, [project_id], at=at).get(project_id)


def contact_strips(
    session: Session, viewer: Actor, project_ids: Collection[int], *, at: datetime
) -> Mapping[int, ContactStrip]:
    """The strips of these projects, in a few statements however many they are."""
    if not project_ids:
        return {}
    settle(session)
    may_call = viewer.role is not Role.SUPERVISOR
    rows = session.execute(_whom_and_contacts(Case.project_id.in_(project_ids), visible_cases(viewer))).all()
    if not rows:
        return {}
    calendar = calendar_of_version(session, rows[0].calendar)
    tasks = ObligationAsker(session, viewer, at, calendar).first_of_projects(project_ids, limit=NEXT_TASKS)
    contacts: dict[int, list[StripContact]] = defaultdict(list)
    for row in rows:
        if row.ContactNote is not None:
            contacts[row.project_id].append(_contact(row))
    return {
        row.project_id: ContactStrip(
            row.case_no, row.name, row.phone if may_call or not row.phone else mask(row.phone), may_call,
            tuple(contacts[row.project_id]), tuple(tasks.get(row.project_id, ())),
            StripMessages(row.unread, row.written, row.last_at, row.last_case_no) if row.written else None,
        )
        for row in rows
    }  # fmt: skip


def _whom_and_contacts(*mine: Any) -> Any:
    """A row for each of the last contacts of a project; one without a contact where there was none."""
    whom = _whom().where(*mine).subquery()
    newest = (ContactNote.happened_at.desc(), ContactNote.id.desc())
    place = func.row_number().over(partition_by=Case.project_id, order_by=newest)
    ranked = (
        select(ContactNote.id, Case.project_id, Case.case_no, place.label("place"))
        .join(Case, Case.id == ContactNote.case_id)
        .where(*mine, ContactNote.replaced_at.is_(None))
        .subquery()
    )
    last = and_(ranked.c.project_id == whom.c.project_id, ranked.c.place <= LAST_CONTACTS)
    return (
        select(
            whom, ContactNote, ranked.c.case_no.label("note_case_no"),
            select(CalendarVersion.version).scalar_subquery().label("calendar"),
        )
        .outerjoin_from(whom, ranked, last)
        .outerjoin(ContactNote, ContactNote.id == ranked.c.id)
        .order_by(whom.c.project_id, ranked.c.place)
    )  # fmt: skip


def _whom() -> Any:
    """Of each project the newest case with its contact, and the messages of all of its cases."""
    other = aliased(Case)

    def of_project(*what: Any) -> Any:
        return (
            select(*what)
            .select_from(CaseMessage)
            .join(other, other.id == CaseMessage.case_id)
            .where(other.project_id == Case.project_id, CaseMessage.withdrawn_at.is_(None))
            .correlate(Case)
        )

    unread = (CaseMessage.is_theirs, CaseMessage.read_at.is_(None))
    return (
        select(
            Case.project_id, Case.case_no, Contact.name, Contact.phone,
            of_project(func.count(CaseMessage.id)).scalar_subquery().label("written"),
            of_project(func.count(CaseMessage.id)).where(*unread).scalar_subquery().label("unread"),
            of_project(func.max(CaseMessage.written_at)).scalar_subquery().label("last_at"),
            of_project(other.case_no).order_by(CaseMessage.id.desc()).limit(1).scalar_subquery().label("last_case_no"),
        )
        .join(Contact, Contact.id == Case.contact_id)
        .ext(distinct_on(Case.project_id))
        .order_by(Case.project_id, Case.id.desc())
    )  # fmt: skip


def _contact(row: Row[Any]) -> StripContact:
    note = row.ContactNote
    return StripContact(
        row.note_case_no, CONTACT_WAY_LABEL[note.way], note.was_missed, note.person, note.words, note.happened_at,
        note.recorded_by,
    )  # fmt: skip
