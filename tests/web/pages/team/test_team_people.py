"""A lead makes agents and couriers of the own subtree; what is wrong is said beside the field."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from agents.roster import Agent, skills_of
from dispatch.core.actor import Role
from routing.day.couriers import Courier, Shift
from tests.dispatch.builders import the_county
from web.wiring.accounts import Account


@pytest.fixture
def lead(sessions: sessionmaker[Session], sign_in_as: Callable[..., FlaskClient]) -> FlaskClient:
    """The team lead of 武进区."""
    with sessions() as session:
        area = the_county(session).division.id
    return sign_in_as(Role.LEAD, division_id=area)


def typed(sessions: sessionmaker[Session], **more: object) -> dict[str, object]:
    with sessions() as session:
        town = the_county(session).town.code
    return {
        "role": "agent", "name": "新来的", "phone": "13912340001", "division": town, "office_phone": "0519-86310001",
        "capacity": "5", "skills": ["land"], "vehicle": "ebike", **more,
    }  # fmt: skip


def test_an_agent_is_made_with_an_account_that_signs_in_by_code(
    lead: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    assert lead.post("/team/people/new", data=typed(sessions)).status_code == 302
    with sessions() as session:
        agent = session.scalars(select(Agent).where(Agent.name == "新来的")).one()
        assert skills_of(session, [agent.id])[agent.id] == {"land": 2}
        account = session.scalars(select(Account).where(Account.agent_id == agent.id)).one()
        assert (account.role, account.password_hash) == (Role.AGENT, None)


def test_a_courier_is_made_with_shifts_on_working_days(lead: FlaskClient, sessions: sessionmaker[Session]) -> None:
    assert lead.post("/team/people/new", data=typed(sessions, role="courier")).status_code == 302
    with sessions() as session:
        courier = session.scalars(select(Courier).where(Courier.name == "新来的")).one()
        days = session.scalars(select(Shift.on).where(Shift.courier_id == courier.id)).all()
        assert len(days) == 26 and all(on.isoweekday() < 6 for on in days)


def test_a_number_in_use_and_a_place_elsewhere_are_refused_and_nothing_typed_is_lost(
    lead: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    lead.post("/team/people/new", data=typed(sessions))
    again = lead.post("/team/people/new", data=typed(sessions, name="另一位"))
    assert again.status_code == 422
    assert "该手机号已有账号" in again.text and 'value="另一位"' in again.text
    assert lead.post("/team/people/new", data=typed(sessions, phone="13912340002", division=1)).status_code == 422
    assert lead.post("/team/people/new", data=typed(sessions, phone="123")).status_code == 422
