"""A lead's staffing pages: teams for what nobody can take alone, a week's hours, and nothing changed by looking."""

import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session, sessionmaker

from agents.matching import staffing_child
from agents.roster import Agent, AgentSkill
from dispatch.cases.project import Project
from dispatch.core.actor import Role
from tests.dispatch.builders import a_request, an_assigned_case, the_county

WUJIN = {"area": "320412000000"}


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine is waited for while the child loads its solvers."""
    monkeypatch.setattr(staffing_child, "TO_LOAD_S", 200.0)


@pytest.fixture
def lead(sessions: sessionmaker[Session], sign_in_as: Callable[..., FlaskClient]) -> FlaskClient:
    """The lead of 武进区."""
    with sessions() as session:
        area = the_county(session).division.id
    return sign_in_as(Role.LEAD, division_id=area)


def nobody_has_all(session: Session) -> list[Agent]:
    """The first agent knows one of the two skills of a request, the second the other, the third neither."""
    agents = the_county(session).agents
    for agent, kept in zip(agents, ("filing", "planning", ""), strict=False):
        session.execute(delete(AgentSkill).where(AgentSkill.agent_id == agent.id, AgentSkill.category != kept))
    return agents


def posted(page: str) -> dict[str, str]:
    """What the page's only form that changes anything would send."""
    form = re.search(r'<form method="post" action="/team/projects/[^"]+/assignment">.*?</form>', page, re.DOTALL)
    assert form is not None
    return dict(re.findall(r'name="(\w+)" value="([^"]*)"', form[0]))


def test_a_lead_sees_the_team_and_its_lead_is_assigned_with_the_others_in_the_reason(
    lead: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        number = a_request(the_county(session), matters=("IND-101", "IND-201"))[0].project.project_no
    assert "没有需要组队的项目" in lead.get("/team/staffing/teams", query_string=WUJIN).text
    with sessions.begin() as session:
        first, second = (agent.name for agent in nobody_has_all(session)[:2])
    page = lead.get("/team/staffing/teams", query_string=WUJIN).text
    assert number in page
    assert "1 个项目可以组队，0 个不能" in page
    with sessions() as session:
        assert session.scalars(select(Project)).one().lead is None, "nothing is changed by looking"
    sent = posted(page)
    assert first in sent["reason"]
    assert second in sent["reason"]
    assert "已指派" in lead.post(f"/team/projects/{number}/assignment", data=sent, follow_redirects=True).text
    with sessions() as session:
        member = session.scalars(select(Project)).one().lead
        assert member is not None
        assert str(member.agent_id) == sent["agent_id"]
        assert member.reason["why"] == sent["reason"]


def test_what_no_team_covers_is_said_with_its_reason_in_both_languages(
    lead: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        a_request(the_county(session), matters=("IND-101", "IND-201"))
        planner = nobody_has_all(session)[1]
        planner.held = planner.capacity
    page = lead.get("/team/staffing/teams", query_string=WUJIN).text
    assert "0 个项目可以组队，1 个不能" in page
    assert "具备的人名额都已满（共1人）" in page
    lead.post("/language/en")
    shown = lead.get("/team/staffing/teams", query_string=WUJIN).text
    assert "whoever has it has no free slot" in shown
    assert "具备" not in shown


def test_a_week_shows_whose_hours_go_where_and_a_move_is_one_button(
    lead: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        county = the_county(session)
        number = an_assigned_case(county)[0].project.project_no
        before = county.agents[0].name
    page = lead.get("/team/staffing/week", query_string=WUJIN | {"to_prepare": 4, "to_follow": 1}).text
    assert "仍由原代办员承办的 1 个项目" in page
    with sessions.begin() as session:
        session.execute(update(Agent).where(Agent.name == before).values(weekly_hours=3))
    page = lead.get("/team/staffing/week", query_string=WUJIN | {"to_prepare": 4, "to_follow": 1}).text
    assert "原代办员本周工时不足" in page
    with sessions() as session:
        assert _lead_of(session) == before, "nothing is changed by looking"
    lead.post(f"/team/projects/{number}/assignment", data=posted(page))
    with sessions() as session:
        assert _lead_of(session) != before
    with sessions.begin() as session:
        session.execute(update(Agent).values(weekly_hours=0))
    page = lead.get("/team/staffing/week", query_string=WUJIN | {"to_prepare": 4, "to_follow": 1}).text
    assert "符合的人本周工时都不足" in page


def _lead_of(session: Session) -> str:
    member = session.scalars(select(Project)).one().lead
    assert member is not None
    return session.get_one(Agent, member.agent_id).name


def test_a_wrong_form_is_refused_beside_its_field_and_other_places_cannot_be_asked_about(
    lead: FlaskClient, app: Flask, sessions: sessionmaker[Session]
) -> None:
    answer = lead.get("/team/staffing/week", query_string=WUJIN | {"to_prepare": "99", "to_follow": ""})
    assert answer.status_code == 422
    assert "在 0 到 40 之间" in answer.text
    assert "请填写工时" in answer.text
    for page in ("teams", "week"):
        assert lead.get(f"/team/staffing/{page}").status_code == 200
        elsewhere = {"area": "320402000000", "to_prepare": 4, "to_follow": 1}
        assert lead.get(f"/team/staffing/{page}", query_string=elsewhere).status_code == 422
    assert (
        "没有在办项目" in lead.get("/team/staffing/week", query_string=WUJIN | {"to_prepare": 4, "to_follow": 1}).text
    )
    with sessions() as session:
        assert session.scalar(select(func.count()).select_from(Project)) == 0


def test_the_people_page_leads_there(lead: FlaskClient) -> None:
    page = lead.get("/team/agents").text
    assert "/team/staffing/teams" in page
    assert "/team/staffing/week" in page
