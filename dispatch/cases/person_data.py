"""Person data: where one number stands in the cases, what is forgotten on request, and what has to stay and why."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from db import keyed_hash
from dispatch.cases.case import Case
from dispatch.cases.case_message import CaseMessage
from dispatch.cases.contact_note import ContactNote
from dispatch.cases.evaluation import Ticket, TicketState
from dispatch.cases.project import AuthorisedRecipient, Contact, Delegation
from dispatch.cases.stages import ENDS
from dispatch.custody.parcel import Parcel
from notifications.phone import mask
from routing.day.courier_stop import CourierStop

FORGOTTEN = "已清除"
CASE_RUNS = "办件尚未办结，办结后可清除"
LETTER_RUNS = "委托书仍在有效期内"
TICKET_RUNS = "咨询投诉尚未答复"


PERSON_WORDS = (
    CASE_RUNS, LETTER_RUNS, TICKET_RUNS, "企业联系人", "委托书交接人", "揽投联系人", "咨询投诉", "联系记录",
    "办件留言", "登录账号",
    "在岗人员账号，解绑后可清除",
)  # fmt: skip
"""What pages say of places and reasons, of accounts too."""


@dataclass(frozen=True, slots=True)
class PersonDatum:
    """One place in which a person stands: what kind, what stands there, since when, and why it has to stay."""

    where: str
    what: str
    since: datetime | date | None = None
    stays_because: str = ""


@dataclass(frozen=True, slots=True)
class _Place:
    datum: PersonDatum
    forget: Callable[[], None]


def held(session: Session, number_hash: bytes, *, today: date) -> list[PersonDatum]:
    """Everything of this number in the cases."""
    return [place.datum for place in _places(session, number_hash, today)]


def forget(session: Session, number_hash: bytes, *, at: datetime, today: date) -> list[PersonDatum]:
    """Forget what may be forgotten; every place, those that stay with the reason."""
    places = _places(session, number_hash, today)
    for place in places:
        if not place.datum.stays_because:
            place.forget()
    for contact in session.scalars(select(Contact).where(Contact.phone_hash == number_hash)):
        contact.left_at = contact.left_at or at  # nothing new begins with it
    session.flush()
    return [place.datum for place in places]


def _places(session: Session, number_hash: bytes, today: date) -> list[_Place]:
    contacts = session.scalars(select(Contact).where(Contact.phone_hash == number_hash).with_for_update()).all()
    cases = session.scalars(select(Case).where(Case.contact_id.in_([one.id for one in contacts]))).all()
    running = {case.contact_id for case in cases if case.stage not in ENDS}
    found = [_contact(one, CASE_RUNS if one.id in running else "") for one in contacts]
    of_person = AuthorisedRecipient.phone_hash == number_hash
    letters = select(AuthorisedRecipient, Delegation).join(Delegation).where(of_person).with_for_update()
    for person, letter in session.execute(letters):
        found.append(_recipient(person, letter, LETTER_RUNS if letter.is_in_force(today) else ""))
    for case in cases:
        stays = CASE_RUNS if case.stage not in ENDS else ""
        at_door = select(CourierStop).join(Parcel, Parcel.stop_id == CourierStop.id).where(Parcel.case_id == case.id)
        found += [_stop(stop, stays) for stop in session.scalars(at_door.distinct()).all()]
        spoken = session.scalars(select(ContactNote).where(ContactNote.case_id == case.id)).all()
        found += [_contact_note(note, stays) for note in spoken]
        written = session.scalars(select(CaseMessage).where(CaseMessage.case_id == case.id)).all()
        found += [_case_message(one, stays) for one in written]
        asked = session.scalars(select(Ticket).where(Ticket.case_id == case.id)).all()
        found += [_ticket(one, TICKET_RUNS if one.state is TicketState.OPEN else stays) for one in asked]
    return found


def _contact(contact: Contact, stays: str) -> _Place:
    def clear() -> None:
        contact.name, contact.phone, contact.account_id = FORGOTTEN, "", None
        contact.phone_hash = keyed_hash(f"forgotten contact {contact.id}")

    return _Place(PersonDatum("企业联系人", f"{contact.name} {mask(contact.phone)}", contact.created_at, stays), clear)


def _recipient(person: AuthorisedRecipient, letter: Delegation, stays: str) -> _Place:
    def clear() -> None:
        person.name, person.phone = FORGOTTEN, ""
        person.phone_hash = keyed_hash(f"forgotten recipient {person.id}")

    return _Place(PersonDatum("委托书交接人", f"{person.name} {mask(person.phone)}", letter.valid_from, stays), clear)


def _stop(stop: CourierStop, stays: str) -> _Place:
    def clear() -> None:
        stop.contact_name, stop.contact_phone = FORGOTTEN, ""

    return _Place(PersonDatum("揽投联系人", f"{stop.contact_name} {mask(stop.contact_phone)}", stop.on, stays), clear)


def _contact_note(note: ContactNote, stays: str) -> _Place:
    def clear() -> None:
        note.person, note.words = FORGOTTEN, FORGOTTEN
        note.correction_reason = FORGOTTEN if note.correction_reason else None

    return _Place(PersonDatum("联系记录", f"{note.person}：{note.words}", note.happened_at, stays), clear)


def _case_message(message: CaseMessage, stays: str) -> _Place:
    def clear() -> None:
        message.words, message.settled_because = FORGOTTEN, None if message.settled_at is None else FORGOTTEN

    return _Place(PersonDatum("办件留言", message.words, message.written_at, stays), clear)


def _ticket(ticket: Ticket, stays: str) -> _Place:
    def clear() -> None:
        ticket.words, ticket.phone = FORGOTTEN, None

    return _Place(PersonDatum("咨询投诉", ticket.words, ticket.opened_at, stays), clear)
