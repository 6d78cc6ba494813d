"""One agent's page: edited with the account, leave with its warning, and leaving ends account, sessions and tokens."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from agents.roster import Agent
from dispatch.assignment.departure import propose_departure
from dispatch.core.actor import Role
from tests.dispatch.builders import TEN, an_assigned_case, the_county
from tests.web.conftest import signed_in_client
from web.wiring.accounts import Account, AccountState
from web.wiring.tokens import issue_token


@pytest.fixture
def lead(sessions: sessionmaker[Session], sign_in_as: Callable[..., FlaskClient]) -> FlaskClient:
    """The team lead of 武进区, whose first agent has a case."""
    with sessions.begin() as session:
        county = the_county(session)
        an_assigned_case(county)
        area = county.division.id
    return sign_in_as(Role.LEAD, division_id=area)


def busy(session: Session) -> Agent:
    return session.scalars(select(Agent).where(Agent.held > 0)).one()


def form_of(agent: Agent, **more: object) -> dict[str, object]:
    return {
        "version": agent.version, "name": agent.name, "phone": agent.phone, "division": "武进区", "capacity": 9,
        "weekly_hours": 30, "stars": 4, "languages": ["zh", "en"], "able": ["land"], "masters": ["filing"], **more,
    }  # fmt: skip


def test_the_account_follows_name_and_number(
    lead: FlaskClient, sessions: sessionmaker[Session], account: Callable[..., Account]
) -> None:
    with sessions() as session:
        agent = busy(session)
    own = account(Role.AGENT, agent_id=agent.id)
    page = f"/team/agents/{agent.id}"
    assert lead.get(page).status_code == 200
    assert lead.post(page, data=form_of(agent, name="新名", phone="13800000091")).status_code == 302
    with sessions() as session:
        changed = session.get_one(Agent, agent.id)
        assert (changed.name, changed.capacity, changed.languages) == ("新名", 9, ["en", "zh"])
        assert (session.get_one(Account, own.id).name, session.get_one(Account, own.id).phone) == (
            "新名",
            changed.phone,
        )


def test_a_refused_form_keeps_what_was_typed(lead: FlaskClient, sessions: sessionmaker[Session]) -> None:
    with sessions() as session:
        agent = busy(session)
    for wrong in ({"phone": "1"}, {"division": "没有的地方"}, {"capacity": "99"}, {"version": agent.version - 1}):
        answer = lead.post(f"/team/agents/{agent.id}", data=form_of(agent, name="打了一半") | wrong)
        assert answer.status_code == 422, wrong
        assert 'value="打了一半"' in answer.text and 'value="filing" checked' in answer.text


def test_leave_is_entered_changed_and_cancelled_on_the_page(lead: FlaskClient, sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        agent = busy(session)
        other = session.scalars(select(Agent).where(Agent.id != agent.id).order_by(Agent.id)).first()
        assert other is not None
        agent.stand_in_id = other.id
        ids = (agent.id, other.id, other.name)
    days = {"starts_on": "2026-12-07", "ends_on": "2026-12-08", "kind": "leave"}
    assert lead.post(f"/team/agents/{ids[1]}/leave", data=days).status_code == 302
    warned = lead.post(f"/team/agents/{ids[0]}/leave", data=days, follow_redirects=True).text
    assert ids[2] in warned and "不能互相接替" in warned
    again = lead.post(f"/team/agents/{ids[0]}/leave", data=days, follow_redirects=True).text
    assert "这几天已登记请假" in again
    leave = again.split(f"/team/agents/{ids[0]}/leave/")[1].split('"')[0]
    cut = lead.post(f"/team/agents/{ids[0]}/leave/{leave}", data=days | {"step": "change", "ends_on": "2026-12-07"})
    assert cut.status_code == 302
    gone = lead.post(f"/team/agents/{ids[0]}/leave/{leave}", data={"step": "cancel"}, follow_redirects=True).text
    assert f"/leave/{leave}" not in gone


def test_leaving_for_good_closes_the_account_with_its_sessions_and_tokens(
    app: Flask, lead: FlaskClient, sessions: sessionmaker[Session], account: Callable[..., Account]
) -> None:
    with sessions() as session:
        agent = busy(session)
    own = account(Role.AGENT, agent_id=agent.id)
    browser = signed_in_client(app, own)
    with sessions.begin() as session:
        token = issue_token(session, session.get_one(Account, own.id), "程序")
        seen = propose_departure(session, session.get_one(Agent, agent.id), at=TEN).fingerprint
    by_token = {"Authorization": f"Bearer {token}"}
    assert browser.get("/team").status_code == 200
    assert app.test_client().get("/api/v1/me", headers=by_token).status_code == 200
    preview = lead.get(f"/team/agents/{agent.id}/departure").text
    assert seen in preview and "交接 1 项" in preview
    left = lead.post(f"/team/agents/{agent.id}/departure", data={"seen": seen, "reason": "调离"})
    assert left.status_code == 302
    with sessions() as session:
        gone = session.get_one(Agent, agent.id)
        assert (gone.active, gone.held) == (False, 0)
        assert session.get_one(Account, own.id).state is AccountState.CLOSED
    assert browser.get("/api/v1/me").status_code == 401
    assert app.test_client().get("/api/v1/me", headers=by_token).status_code == 401
    assert "已离岗" in lead.get(f"/team/agents/{agent.id}").text
    assert lead.get(f"/team/agents/{agent.id}/departure").status_code == 404
