"""The hotline's seat: who answers a ticket is chosen, who asked is called back, a caller hears what may be said."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from dispatch.acts.act import perform
from dispatch.acts.answering import AnswerTicket, CallBackTicket, OpenTicket, RouteTicket
from dispatch.cases.derived import differences
from dispatch.cases.evaluation import Ticket, TicketKind
from dispatch.cases.obligations.keeping import settle
from dispatch.cases.obligations.obligation import Obligation, ObligationKind, OwnerKind
from dispatch.core.actor import Actor, Role
from dispatch.core.errors import NotFound, Refused, WrongStage
from dispatch.views.hotline_page import hotline_case, hotline_hits
from notifications.message import Message
from tests.dispatch.builders import MONDAY, TEN, County, acting, an_assigned_case


@pytest.fixture
def lead(county: County) -> Actor:
    return acting(county, county.lead)


def asked(county: County, by: Actor, kind: TicketKind = TicketKind.QUESTION, **more: object) -> Ticket:
    given = {"area": county.division.code, "phone": "+8613800000099"} | more
    made = perform(county.session, OpenTicket(kind=kind, words="怎么开户", **given), by, at=TEN)  # type: ignore[arg-type]
    return county.session.scalars(select(Ticket).where(Ticket.ticket_no == made.ticket_no)).one()


def owed(county: County, kind: ObligationKind) -> list[Obligation]:
    settle(county.session)
    query = select(Obligation).where(Obligation.kind == kind)
    return list(county.session.scalars(query.execution_options(populate_existing=True)))


def test_a_question_without_a_project_is_given_to_an_agent_who_hears_of_it(county: County, lead: Actor) -> None:
    ticket, agent = asked(county, lead, from_12345=True), county.agents[1]
    [waits] = owed(county, ObligationKind.TICKET)
    assert waits.owner_kind is OwnerKind.TEAM
    route = RouteTicket(ticket=ticket.ticket_no, agent_id=agent.id, reason="熟悉开户")  # type: ignore[arg-type]
    perform(county.session, route, lead, at=TEN)
    [given] = owed(county, ObligationKind.TICKET)
    assert (given.owner_kind, given.owner_id) == (OwnerKind.PERSON, agent.id)
    told = county.session.scalars(select(Message.to_hash).where(Message.text_name == "ticket_for_agent")).all()
    assert told == [agent.phone_hash]
    perform(county.session, RouteTicket(ticket=ticket.ticket_no, reason="退回"), lead, at=TEN)  # type: ignore[arg-type]
    assert owed(county, ObligationKind.TICKET)[0].owner_kind is OwnerKind.TEAM


def test_a_ticket_goes_neither_to_the_one_complained_about_nor_on_once_it_is_answered(
    county: County, lead: Actor
) -> None:
    case, _ = an_assigned_case(county)
    ticket = asked(county, lead, TicketKind.COMPLAINT, case_no=case.case_no, area=None)
    about = RouteTicket(ticket=ticket.ticket_no, agent_id=ticket.about_agent_id, reason="x")  # type: ignore[arg-type]
    with pytest.raises(Refused):
        perform(county.session, about, lead, at=TEN)
    perform(county.session, AnswerTicket(ticket=ticket.ticket_no, words="已处理"), lead, at=TEN)  # type: ignore[arg-type]
    late = RouteTicket(ticket=ticket.ticket_no, agent_id=county.agents[1].id, reason="x")  # type: ignore[arg-type]
    with pytest.raises(WrongStage):
        perform(county.session, late, lead, at=TEN)


@pytest.mark.parametrize(
    ("kind", "from_12345", "is_owed"),
    [
        (TicketKind.QUESTION, True, True),
        (TicketKind.COMPLAINT, False, True),
        (TicketKind.QUESTION, False, False),
    ],
)
def test_who_complained_or_called_the_hotline_is_called_back(
    county: County, lead: Actor, kind: TicketKind, from_12345: bool, is_owed: bool
) -> None:
    ticket = asked(county, lead, kind, from_12345=from_12345)
    assert owed(county, ObligationKind.CALL_BACK) == []
    perform(county.session, AnswerTicket(ticket=ticket.ticket_no, words="网上办"), lead, at=TEN)  # type: ignore[arg-type]
    found = owed(county, ObligationKind.CALL_BACK)
    assert [(one.due_on, one.closed_at) for one in found] == [(MONDAY + timedelta(days=3), None)] * is_owed
    later = TEN + timedelta(hours=2)
    perform(county.session, CallBackTicket(ticket=ticket.ticket_no, words="满意"), lead, at=later)  # type: ignore[arg-type]
    assert [one.closed_at for one in owed(county, ObligationKind.CALL_BACK)] == [later] * is_owed
    assert list(differences(county.session, at=later)) == []


def test_a_caller_is_told_what_the_query_page_would_show(county: County, lead: Actor) -> None:
    case, _ = an_assigned_case(county)
    supervisor = Actor(Role.SUPERVISOR, division_id=county.division.id, division_path=county.division.path)
    for words in (case.case_no.replace("-", ""), "精机", case.contact.phone):
        assert [hit.key for hit in hotline_hits(county.session, supervisor, words)] == [case.case_no], words
    seen = hotline_case(county.session, supervisor, case.case_no, at=TEN)
    assert seen.last_four == case.contact.phone[-4:]
    assert "*" in seen.case.enterprise and case.contact.name not in repr(seen)
    elsewhere = Actor(Role.LEAD, division_id=0, division_path="0")
    assert hotline_hits(county.session, elsewhere, "精机") == ()
    with pytest.raises(NotFound):
        hotline_case(county.session, elsewhere, case.case_no, at=TEN)
