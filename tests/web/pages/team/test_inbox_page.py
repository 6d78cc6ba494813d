"""The list of cases on the page: its filter stands in the URL, and the sheets hold what it shows."""

import csv
import io
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from openpyxl import load_workbook
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from dispatch.core.actor import Role
from tests.dispatch.builders import a_request, an_assigned_case, the_county
from web.wiring.security_log import SecurityEvent

FIRMS = ("常州甲有限公司", "=乙有限公司")


@pytest.fixture
def lead(sessions: sessionmaker[Session], sign_in_as: Callable[..., FlaskClient]) -> FlaskClient:
    """The lead of 武进区: one case waits, an agent has another."""
    with sessions.begin() as session:
        county = the_county(session)
        a_request(county, phone="+8613800000001", name=FIRMS[0])
        an_assigned_case(county, phone="+8613800000002", name=FIRMS[1])
        area = county.division.id
    return sign_in_as(Role.LEAD, division_id=area)


def test_filters_stay_in_the_url_and_what_is_no_choice_asks_for_nothing(
    lead: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    with sessions() as session:
        agent = the_county(session).agents[0]
    page = lead.get("/team/inbox").text
    assert all(firm in page for firm in FIRMS)
    assert f'<option value="{agent.id}">{agent.name}</option>' in page
    asked = f"/team/inbox?agent={agent.id}&sort=due&lamp=&state="
    page = lead.get(asked).text
    assert FIRMS[1] in page and FIRMS[0] not in page
    assert f'<option value="{agent.id}" selected>' in page
    assert '<option value="due" selected>' in page
    assert f"/team/inbox.csv?agent={agent.id}&amp;sort=due" in page
    assert f"agent={agent.id}&amp;sort=due&amp;lamp=&amp;state=&amp;stage=assigned" in page, "a stage keeps the filter"
    assert "这里没有办件" in lead.get("/team/inbox?lamp=red").text
    nonsense = lead.get("/team/inbox?agent=x&town=99999999999&lamp=blue&family=x&state=x&sort=x&stage=x&page=-4")
    assert nonsense.status_code == 200
    assert all(firm in nonsense.text for firm in FIRMS)


def test_the_sheets_hold_what_the_list_shows_and_their_export_is_on_record(
    lead: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    answer = lead.get("/team/inbox.csv?sort=enterprise")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="daiban-cases.csv"'
    head, *rows = csv.reader(io.StringIO(answer.get_data().decode("utf-8-sig")))
    assert head[:3] == ["办件号", "企业", "项目"]
    assert {row[1] for row in rows} == {FIRMS[0], "'" + FIRMS[1]}, "nobody's name becomes a formula"
    book = load_workbook(io.BytesIO(lead.get("/team/inbox.xlsx?stage=requested").get_data()))
    _, *found = book.worksheets[0].iter_rows(values_only=True)
    assert [row[1] for row in found] == [FIRMS[0]]
    lead.post("/language/en")
    assert lead.get("/team/inbox.csv").get_data().decode("utf-8-sig").startswith("Case number,")
    with sessions() as session:
        subjects = session.scalars(
            select(SecurityEvent.subject).where(SecurityEvent.subject.startswith("cases."))
        ).all()
    assert sorted(subjects) == ["cases.csv", "cases.csv", "cases.xlsx"]


def test_an_agent_reads_the_own_cases_on_the_page_and_in_the_sheet(
    lead: FlaskClient, sessions: sessionmaker[Session], sign_in_as: Callable[..., FlaskClient]
) -> None:
    with sessions() as session:
        mine, other = (agent.id for agent in the_county(session).agents[:2])
    agent = sign_in_as(Role.AGENT, login="one", agent_id=mine)
    assert FIRMS[1] in agent.get("/team/inbox").text
    colleague = sign_in_as(Role.AGENT, login="two", agent_id=other)
    assert FIRMS[1] not in colleague.get("/team/inbox").text
    assert FIRMS[1] not in colleague.get("/team/inbox.csv").text
