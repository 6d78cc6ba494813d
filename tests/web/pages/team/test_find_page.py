"""The box that finds anything: each hit leads to its page, and a program is answered the same."""

from collections.abc import Callable

from flask.testing import FlaskClient
from sqlalchemy.orm import Session, sessionmaker

from dispatch.core.actor import Role
from tests.dispatch.builders import an_assigned_case, the_county


def test_hits_lead_to_their_pages_and_programs_are_answered_the_same(
    sessions: sessionmaker[Session], sign_in_as: Callable[..., FlaskClient]
) -> None:
    with sessions.begin() as session:
        county = the_county(session)
        case_no, area, agent_id = an_assigned_case(county)[0].case_no, county.division.id, county.agents[0].id
    lead = sign_in_as(Role.LEAD, division_id=area)
    for words in (case_no.replace("-", ""), "精机"):
        page = lead.get("/team/find", query_string={"q": words}).text
        assert f'href="/team/cases/{case_no}"' in page and 'id="find"' in page
        answer = lead.get("/api/v1/search", query_string={"q": words}).get_json()
        assert ("case", case_no) in {(hit["kind"], hit["key"]) for hit in answer["hits"]}
    assert lead.get(f"/team/agents/{agent_id}").status_code == 200
    assert f'href="/team/agents/{agent_id}"' in lead.get("/team/find", query_string={"q": "代办员1"}).text
    nothing = lead.get("/team/find", query_string={"q": "不存在的企业"}).text
    assert "没有找到" in nothing
    assert "data-find" in lead.get("/team").text
    assert lead.get("/api/v1/search", query_string={"q": "七" * 61}).status_code == 422
