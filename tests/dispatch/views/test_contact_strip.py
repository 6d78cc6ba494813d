"""The contact strip of a project says whom to call, what was said last, what is owed, and what nobody has read."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from dispatch.acts.act import perform
from dispatch.acts.asking import OpenCase
from dispatch.acts.case_messages import WriteCaseMessage
from dispatch.acts.contact_notes import NoteContact
from dispatch.cases.case import Case
from dispatch.cases.evaluation import TicketKind
from dispatch.cases.obligations.obligation import ObligationKind
from dispatch.core.actor import Actor, Role
from dispatch.views.contact_strip import LAST_CONTACTS, ContactStrip, contact_strip
from dispatch.views.team_tickets import TicketFilter, tickets
from notifications.phone import mask
from tests.dispatch import steps
from tests.dispatch.builders import TEN, County, acting, an_assigned_case


@pytest.fixture
def agent(county: County) -> Actor:
    return acting(county, county.agent_viewer())


@pytest.fixture
def case(county: County) -> Case:
    return an_assigned_case(county)[0]


def strip_of(county: County, case: Case, viewer: Actor) -> ContactStrip:
    found = contact_strip(county.session, viewer, case.project_id, at=TEN + timedelta(hours=1))
    assert found is not None
    return found


def test_the_strip_holds_all_cases_of_a_project(county: County, case: Case, agent: Actor) -> None:
    session = county.session
    another = OpenCase(project=case.project.project_no, matters=("IND-107",))  # type: ignore[arg-type]
    perform(session, another, agent, at=TEN)
    newest = session.scalars(select(Case.case_no).where(Case.project_id == case.project_id).order_by(Case.id)).all()[-1]
    for n in range(LAST_CONTACTS + 1):
        number = (case.case_no, newest)[n % 2]
        perform(session, NoteContact(case=number, words=f"第{n}次"), agent, at=TEN + timedelta(minutes=n))  # type: ignore[arg-type]
    enterprise = Actor(Role.ENTERPRISE, enterprise_id=case.project.enterprise_id)
    perform(session, WriteCaseMessage(case=case.case_no, words="何时踏勘？"), enterprise, at=TEN)  # type: ignore[arg-type]
    strip = strip_of(county, case, agent)
    assert (strip.case_no, strip.phone, strip.may_call) == (newest, case.contact.phone, True)
    assert [one.words for one in strip.contacts] == ["第3次", "第2次", "第1次"]
    assert strip.messages is not None
    assert (strip.messages.last_case_no, strip.messages.unread, strip.messages.written) == (case.case_no, 1, 1)
    assert ObligationKind.MESSAGE in {task.kind for task in strip.tasks}
    assert [task.due_at for task in strip.tasks] == sorted(task.due_at for task in strip.tasks if task.due_at)


def test_a_supervisor_reads_no_number_and_other_places_nothing(county: County, case: Case) -> None:
    supervisor = Actor(Role.SUPERVISOR, division_id=county.division.id, division_path=county.division.path)
    strip = strip_of(county, case, supervisor)
    assert (strip.phone, strip.may_call) == (mask(case.contact.phone), False)
    elsewhere = Actor(Role.LEAD, division_id=0, division_path="0")
    assert contact_strip(county.session, elsewhere, case.project_id, at=TEN) is None


def test_a_ticket_says_who_asks_and_about_which_case(county: County, case: Case, agent: Actor) -> None:
    steps.open_ticket(county.session, kind=TicketKind.HELP, words="怎么开户", by=county.lead, at=TEN, case=case)
    [line] = tickets(county.session, agent, TicketFilter(), at=TEN).lines
    assert (line.enterprise, line.case_no) == ("常州精机有限公司", case.case_no)
    assert line.strip is not None and line.strip.phone == case.contact.phone
