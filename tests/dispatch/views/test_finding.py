"""Finding: by every half of a name and every form of a number, what has ended too, and nothing of another county."""

from dataclasses import replace

import pytest
from sqlalchemy import event, select

from agents.names import sort_key
from dispatch.cases.case import Case
from dispatch.cases.evaluation import Ticket, TicketKind
from dispatch.cases.lookups import reviews_of
from dispatch.cases.project import Enterprise, Project
from dispatch.cases.stages import Stage
from dispatch.core.actor import Actor, Role
from dispatch.custody.parcel import Parcel
from dispatch.views.finding import MOST_OF_A_KIND, FoundKind, find
from tests.dispatch import steps
from tests.dispatch.builders import TEN, County, a_prescreened_case, an_agent
from tests.web.world import another_county

STATEMENTS = 12


def keys(county: County, words: str, viewer: Actor | None = None) -> set[tuple[FoundKind, str]]:
    return {(hit.kind, hit.key) for hit in find(county.session, viewer or county.lead, words).hits}


@pytest.fixture
def case(county: County) -> Case:
    """A case of 常州精机有限公司 with a parcel, a notice and a ticket."""
    found, viewer = a_prescreened_case(county)
    review = reviews_of(county.session, found)[0]
    steps.hand_in(county.session, found, by=county.agent_viewer(), at=TEN, scan_id="a-scan-at-the-window")
    receipts = {review.id: "武审受2026第77号"}
    steps.submit(county.session, found, receipts=receipts, by=county.agent_viewer(), at=TEN)
    enterprise = county.session.get_one(Enterprise, found.project.enterprise_id)
    enterprise.name = str(enterprise.name)  # spelled as the program spells it, not as the builder does
    steps.open_ticket(county.session, kind=TicketKind.QUESTION, words="何时？", by=viewer, at=TEN, case=found)
    county.session.flush()
    return found


def test_a_case_is_found_by_every_name_and_number(county: County, case: Case) -> None:
    session = county.session
    project = session.get_one(Project, case.project_id)
    project.project_code = "2611-320412-04-01-123456"
    enterprise = session.get_one(Enterprise, project.enterprise_id)
    enterprise.credit_code = "91320412MA1ABCDE81"
    session.flush()
    waybill = session.scalars(select(Parcel.waybill).where(Parcel.case_id == case.id)).one()
    for words in (
        case.case_no, case.case_no.replace("-", ""), f" {case.case_no[:6]} {case.case_no[7:]} ", case.case_no[-14:],
        project.project_no, project.project_no.replace("-", ""), "2611320412040112", project.name[1:5],
        "精机", "常州精机有限公司", "czjj", "jjyx", "changzhoujing", "CZJJ", "91320412ma1abcde81",
        waybill, waybill.lower(), "13812345678", "138 1234 5678", "+86 13812345678", "武审受2026第77号",
    ):  # fmt: skip
        assert (FoundKind.CASE, case.case_no) in keys(county, words), words
    for words in (
        "精",
        "c",
        "123",
        "9",
        "",
        "   ",
        "不存在的企业",
        "13899999999",
        "zzzz",
        "%%",
        "__",
        "a_b",
        "(((",
        "czjj(",
    ):
        assert keys(county, words) == set(), words


def test_what_has_ended_is_found_and_says_so_after_what_is_open(county: County, case: Case) -> None:
    ended, _ = a_prescreened_case(county)
    ended.stage = Stage.CLOSED
    county.session.flush()
    hits = [hit for hit in find(county.session, county.lead, "精机").hits if hit.kind is FoundKind.CASE]
    assert [(hit.key, hit.is_over) for hit in hits] == [(case.case_no, False), (ended.case_no, True)]
    assert hits[0].next_act and not hits[1].next_act


def test_people_and_tickets_are_found(county: County, case: Case) -> None:
    session = county.session
    agent = an_agent(session, "单晓军", division=county.town, n=5)
    agent.name = "单晓军"
    session.flush()
    for words in ("晓军", "sxj", "shanxiao", agent.agent_no, agent.agent_no.lower(), agent.phone):
        assert (FoundKind.AGENT, str(agent.id)) in keys(county, words), words
    courier = county.couriers[0]
    for words in (courier.name, courier.courier_no, courier.phone):
        assert (FoundKind.COURIER, str(courier.id)) in keys(county, words), words
    number = session.scalars(select(Ticket.ticket_no).where(Ticket.case_id == case.id)).one()
    for words in (number, number.replace("-", ""), number[-9:]):
        assert (FoundKind.TICKET, number) in keys(county, words), words


def test_nobody_finds_what_is_not_theirs(county: County, case: Case) -> None:
    elsewhere = another_county(county.session, county)
    waybill = county.session.scalars(select(Parcel.waybill).where(Parcel.case_id == case.id)).one()
    strangers = [
        elsewhere.lead, replace(elsewhere.lead, role=Role.SUPERVISOR), Actor(Role.COURIER, courier_id=1),
        Actor(Role.AGENT, agent_id=elsewhere.agents[0].id),
    ]  # fmt: skip
    agent = county.agents[0]
    for viewer in strangers:
        for words in (
            case.case_no,
            "精机",
            "czjj",
            "13812345678",
            waybill,
            "武审受2026第77号",
            agent.name,
            agent.phone,
        ):
            found = {kind for kind, _ in keys(county, words, viewer)}
            assert not found & {FoundKind.CASE, FoundKind.PROJECT, FoundKind.TICKET}, (viewer.role, words)
            assert (FoundKind.AGENT, str(agent.id)) not in keys(county, words, viewer), (viewer.role, words)
    assert keys(county, case.case_no, replace(county.lead, role=Role.OPERATOR, division_path=None))


def test_more_than_are_shown_is_said_and_few_statements_are_sent(county: County, case: Case) -> None:
    session = county.session
    for n in range(MOST_OF_A_KIND + 2):
        an_agent(session, f"李小明{n}", division=county.town, n=50 + n)
    session.expire_all()
    seen: list[str] = []
    engine = session.get_bind()

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        seen.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        page = find(session, county.lead, "李小明")
        find(session, county.lead, case.case_no)
    finally:
        event.remove(engine, "before_cursor_execute", note)
    assert (len(page.hits), page.has_more) == (MOST_OF_A_KIND, True)
    assert len(seen) <= 2 * STATEMENTS


def test_an_enterprise_is_spelled_when_it_is_named(county: County) -> None:
    enterprise = Enterprise(name="武进 高新（集团）", created_at=TEN)
    assert enterprise.pinyin == sort_key(enterprise.name) and enterprise.pinyin.startswith("wu jin gao xin")
