"""Lists of projects, of what is owed and of tickets: filter and order stand in the URL, sheets hold what is shown."""

import csv
import io
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session, sessionmaker

from dispatch.cases.evaluation import TicketKind
from dispatch.core.actor import Role
from tests.dispatch import steps
from tests.dispatch.builders import TEN, a_request, an_assigned_case, the_county

FIRMS = ("常州甲有限公司", "常州乙有限公司")


@pytest.fixture
def lead(sessions: sessionmaker[Session], sign_in_as: Callable[..., FlaskClient]) -> FlaskClient:
    """The lead of 武进区: one project waits, an agent has another; somebody asked about that."""
    with sessions.begin() as session:
        county = the_county(session)
        a_request(county, phone="+8613800000001", name=FIRMS[0])
        case, _ = an_assigned_case(county, phone="+8613800000002", name=FIRMS[1])
        steps.open_ticket(session, kind=TicketKind.HELP, words="怎么开户", by=county.lead, at=TEN, case=case)
        area = county.division.id
    return sign_in_as(Role.LEAD, division_id=area)


def rows(client: FlaskClient, address: str) -> list[list[str]]:
    answer = client.get(address)
    assert answer.status_code == 200, answer.text
    return list(csv.reader(io.StringIO(answer.get_data().decode("utf-8-sig"))))


def test_projects_filter_sort_and_export_what_is_shown(lead: FlaskClient, sessions: sessionmaker[Session]) -> None:
    with sessions() as session:
        agent = the_county(session).agents[0]
    page = lead.get(f"/team/projects?agent={agent.id}").text
    assert FIRMS[1] in page and FIRMS[0] not in page
    assert [row[2] for row in rows(lead, f"/team/projects.csv?agent={agent.id}")[1:]] == [FIRMS[1]]
    head, *found = rows(lead, "/team/projects.csv?sort=enterprise")
    assert head[:3] == ["项目号", "项目", "企业"]
    assert [row[2] for row in found] == sorted(FIRMS)
    assert [row[2] for row in rows(lead, "/team/projects.csv?sort=oldest")[1:]] == list(FIRMS)
    assert [row[2] for row in rows(lead, "/team/projects.csv?state=waiting")[1:]] == [FIRMS[0]]
    nonsense = lead.get("/team/projects?agent=x&town=99999999999&family=x&state=x&sort=x&page=-4")
    assert nonsense.status_code == 200 and all(firm in nonsense.text for firm in FIRMS)


def test_what_is_owed_and_tickets_are_sheets_too(lead: FlaskClient) -> None:
    head, *owed = rows(lead, "/team/owed.csv?kind=ticket")
    assert head[0] == "要办的事" and len(owed) == 1
    head, *asked = rows(lead, "/team/tickets.csv?kind=help")
    assert head[0] == "工单号" and [row[3] for row in asked] == [FIRMS[1]]
    assert rows(lead, "/team/tickets.csv?kind=complaint")[1:] == []
    for address in ("/team/owed.xlsx", "/team/tickets.xlsx", "/team/projects.xlsx"):
        assert lead.get(address).data[:2] == b"PK"
    page = lead.get(f"/team/tickets?q={FIRMS[1]}&sort=newest").text
    assert "怎么开户" in page and FIRMS[1] in page
    assert "怎么开户" not in lead.get(f"/team/tickets?q={FIRMS[0]}").text


def test_a_list_is_kept_under_a_name_and_found_again(lead: FlaskClient) -> None:
    kept = {"list_name": "projects", "name": "周一看", "query": "state=waiting&page=3"}
    answer = lead.post("/team/views", data=kept)
    assert answer.location == "/team/projects?state=waiting"
    page = lead.get(answer.location).text
    assert 'href="/team/projects?state=waiting" aria-current="true">周一看' in page
    assert "周一看" not in lead.get("/team/owed").text
    lead.post("/team/views/removal", data=kept)
    assert 'aria-current="true">周一看' not in lead.get(answer.location).text


@pytest.mark.parametrize("list_name", ["cases", "projects", "owed", "tickets", "agents"])
def test_every_list_keeps_views(lead: FlaskClient, list_name: str) -> None:
    answer = lead.post("/team/views", data={"list_name": list_name, "name": "常用", "query": "q=a"})
    assert "常用" in lead.get(answer.location).text
