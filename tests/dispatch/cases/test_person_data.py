"""Person data: everything of one number is found and forgotten, but what a running case still needs."""

from datetime import timedelta

from sqlalchemy import select

from db import keyed_hash
from dispatch.cases import person_data
from dispatch.cases.evaluation import Ticket, TicketKind
from dispatch.cases.person_data import FORGOTTEN
from dispatch.cases.project import AuthorisedRecipient, Contact
from dispatch.cases.stages import ENDS
from routing.day.courier_stop import CourierStop
from tests.dispatch import steps
from tests.dispatch.builders import MONDAY, TEN, County, a_prescreened_case, an_appointment

NUMBER = "+8613812345678"
WHERE = {"企业联系人", "委托书交接人", "揽投联系人", "咨询投诉"}


def a_person(county: County):
    """A case whose contact hands over, is visited and asks; all of it under one number."""
    case, viewer = a_prescreened_case(county)
    steps.book_pickup(county.session, case, appointment=an_appointment(), by=viewer, at=TEN)
    steps.open_ticket(
        county.session, kind=TicketKind.QUESTION, words="我是王经理，何时办结？",
        by=viewer, at=TEN, case=case,
    )  # fmt: skip
    return case


def test_everything_of_one_number_is_found(county: County) -> None:
    a_person(county)
    found = person_data.held(county.session, keyed_hash(NUMBER), today=MONDAY)
    assert {place.where for place in found} == WHERE
    assert all(place.stays_because for place in found)
    assert not any(NUMBER[3:] in place.what for place in found)
    assert person_data.held(county.session, keyed_hash("+8613800000000"), today=MONDAY) == []


def test_what_a_running_case_needs_stays_and_nothing_new_begins_with_it(county: County) -> None:
    session = county.session
    a_person(county)
    person_data.forget(session, keyed_hash(NUMBER), at=TEN, today=MONDAY)
    contact = session.scalars(select(Contact)).one()
    assert (contact.phone, contact.left_at) == (NUMBER, TEN)
    assert session.scalars(select(AuthorisedRecipient)).one().name != FORGOTTEN


def test_when_the_case_has_ended_nothing_of_the_person_is_left(county: County) -> None:
    session = county.session
    case = a_person(county)
    case.stage = next(iter(sorted(ENDS)))
    steps.answer(session, session.scalars(select(Ticket)).one(), reply="已办", by=county.lead, at=TEN)
    letter = case.project.delegations[0]
    letter.valid_from, letter.valid_to = MONDAY - timedelta(days=9), MONDAY - timedelta(days=1)
    places = person_data.forget(session, keyed_hash(NUMBER), at=TEN, today=MONDAY)
    assert {place.where for place in places} == WHERE
    session.expire_all()
    assert person_data.held(session, keyed_hash(NUMBER), today=MONDAY) == []
    contact, stop = session.scalars(select(Contact)).one(), session.scalars(select(CourierStop)).one()
    ticket, person = session.scalars(select(Ticket)).one(), session.scalars(select(AuthorisedRecipient)).one()
    assert [contact.name, stop.contact_name, ticket.words, person.name] == [FORGOTTEN] * 4
    assert [contact.phone, stop.contact_phone, ticket.phone, person.phone] == ["", "", None, ""]
