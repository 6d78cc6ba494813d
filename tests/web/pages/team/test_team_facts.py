"""What was written down of a material or a ticket, and the form that puts it right, on the team's pages."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from dispatch.cases.case import Material, MaterialState
from dispatch.cases.evaluation import Ticket, TicketKind, TicketState
from dispatch.core.actor import Role
from tests.dispatch import steps
from tests.dispatch.builders import MONDAY, TEN, an_assigned_case, the_county


@pytest.fixture
def case_no(sessions: sessionmaker[Session]) -> str:
    """A case of which one material is wrong and another may follow, and an answered call."""
    with sessions.begin() as session:
        county = the_county(session)
        case, _ = an_assigned_case(county)
        wrong, owed = [m for m in case.materials if m.state is MaterialState.GIVEN][:2]
        owed.deferrable = True
        steps.prescreen(
            session, case, by=county.agent_viewer(), at=TEN, defects={wrong.id: "公章不清"},
            deferred={owed.id: MONDAY + timedelta(days=3)},
        )  # fmt: skip
        ticket = steps.open_ticket(session, kind=TicketKind.HELP, words="怎么开户", by=county.lead, at=TEN, case=case)
        steps.answer(session, ticket, reply="三日内", by=county.lead, at=TEN)
        return str(case.case_no)


@pytest.fixture
def lead(case_no: str, sessions: sessionmaker[Session], sign_in_as: Callable[..., FlaskClient]) -> FlaskClient:
    with sessions() as session:
        return sign_in_as(Role.LEAD, division_id=the_county(session).division.id)


def test_a_lead_takes_a_wrong_defect_back_and_the_page_says_what_was_corrected(
    lead: FlaskClient, case_no: str, sessions: sessionmaker[Session]
) -> None:
    with sessions() as session:
        wrong = session.scalars(select(Material).where(Material.state == MaterialState.DEFECTIVE)).one()
        fact_id = wrong.facts[-1].id
    page = lead.get(f"/team/cases/{case_no}").text
    assert f'action="/team/cases/{case_no}/facts/{fact_id}"' in page
    form = {"reason": "看错材料", "never_was": "1"}
    page = lead.post(f"/team/cases/{case_no}/facts/{fact_id}", data=form, follow_redirects=True).text
    assert "已更正" in page
    assert "更正原因：看错材料" in page
    assert 'class="corrected"' in page
    with sessions() as session:
        assert session.get_one(Material, wrong.id).state is MaterialState.GIVEN


def test_a_lead_takes_a_wrong_answer_back(lead: FlaskClient, sessions: sessionmaker[Session]) -> None:
    with sessions() as session:
        ticket = session.scalars(select(Ticket)).one()
        fact_id = ticket.facts[-1].id
    address = f"/team/tickets/{ticket.ticket_no}/facts/{fact_id}"
    assert f'action="{address}"' in lead.get("/team/tickets").text
    page = lead.post(address, data={"reason": "答错工单", "never_was": "1"}, follow_redirects=True).text
    assert "更正原因：答错工单" in page
    with sessions() as session:
        assert session.scalars(select(Ticket)).one().state is TicketState.OPEN
