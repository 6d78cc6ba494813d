"""The inbox obeys: each filter shows just the lines that say so, each order is that order, counts are counts."""

from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import select

from agents.network import Division
from dispatch.cases.case import Case
from dispatch.cases.lookups import reviews_of
from dispatch.cases.project import Project
from dispatch.cases.stages import ENDS, LABEL, Stage
from dispatch.catalogue.matter import Family
from dispatch.core.legal_clock import Lamp
from dispatch.views.case_lines import MorningLine
from dispatch.views.inbox_page import InboxFilter, inbox, inbox_choices
from tests.dispatch import steps
from tests.dispatch.builders import TEN, County, a_prescreened_case, a_request, an_assigned_case

NAMES = ("丙机械有限公司", "甲新材料有限公司", "乙电子有限公司", "丁纺织有限公司")
STAGES = (Stage.REQUESTED, Stage.ASSIGNED, Stage.PRESCREENED, Stage.UNDER_REVIEW, Stage.WITHDRAWN)
NOON = TEN + timedelta(hours=2)


@pytest.fixture
def full(county: County) -> County:
    """Five cases at four stages: of other agents, places and kinds; one has ended."""
    session = county.session
    for n, (make, name) in enumerate(
        zip((a_request, an_assigned_case, a_prescreened_case, a_request), NAMES, strict=True)
    ):
        case, viewer = make(county, phone=f"+86138{n:08d}", name=name)
    under_review, _ = a_prescreened_case(
        county, phone="+8613800000009", name="戊能源有限公司", matters=("IND-107", "IND-201")
    )
    agent = county.agent_viewer()
    steps.submit(session, under_review, receipts={}, by=agent, at=TEN)
    for review in reviews_of(session, under_review):
        steps.accept(session, review, notice_no=f"受{review.id}", by=agent, at=TEN)
    steps.withdraw(session, case, reason="不办了", by=viewer, at=TEN)
    moved = session.get_one(Project, under_review.project_id)
    moved.division_id = county.division.id
    moved.family = next(family for family in Family if family is not moved.family)
    session.flush()
    return county


def lines(county: County, at=NOON, **asked) -> list[MorningLine]:  # type: ignore[no-untyped-def]
    return inbox(county.session, county.lead, at=at, asked=InboxFilter(**asked)).lines


def numbers(found: list[MorningLine]) -> set[str]:
    return {line.case_no for line in found}


def test_open_ended_and_all_cases_are_three_lists(full: County) -> None:
    cases = {case.case_no: case.stage for case in full.session.scalars(select(Case))}
    ended = {number for number, stage in cases.items() if stage in ENDS}
    assert numbers(lines(full)) == set(cases) - ended
    assert numbers(lines(full, state="ended")) == ended != set()
    assert numbers(lines(full, state="all")) == set(cases)


@pytest.mark.parametrize("days", [0, 1, 2, 3, 30, 200])
def test_each_lamp_shows_the_lines_that_wear_it(full: County, days: int) -> None:
    at = NOON + timedelta(days=days)
    everything = lines(full, at)
    for lamp in Lamp:
        assert numbers(lines(full, at, lamp=lamp)) == {line.case_no for line in everything if line.lamp is lamp}, lamp
        page = inbox(full.session, full.lead, at=at, asked=InboxFilter(lamp=lamp))
        assert page.total == len(page.lines) == sum(page.counts.values())


def test_agents_towns_and_families_show_their_own(full: County) -> None:
    everything = lines(full)
    choices = inbox_choices(full.session, full.lead)
    assert {name for _, name in choices.agents} == {line.agent for line in everything if line.agent}
    for agent_id, name in choices.agents:
        assert numbers(lines(full, agent_id=agent_id)) == {one.case_no for one in everything if one.agent == name}
    rows = full.session.execute(
        select(Case.case_no, Project.division_id, Project.family, Division.name)
        .join(Project, Project.id == Case.project_id)
        .join(Division, Division.id == Project.division_id)
        .where(Case.stage.not_in(ENDS))
    ).all()
    assert set(choices.towns) == {(row.division_id, row.name) for row in rows}
    for town_id, _ in choices.towns:
        assert numbers(lines(full, town_id=town_id)) == {row.case_no for row in rows if row.division_id == town_id}
    for family in {row.family for row in rows}:
        assert numbers(lines(full, family=family)) == {row.case_no for row in rows if row.family is family}
    assert lines(full, agent_id=10**6) == []


def test_every_order_is_that_order(full: County) -> None:
    created = {case.case_no: (case.created_at, case.id) for case in full.session.scalars(select(Case))}
    by_due = [line.due for line in lines(full, sort="due")]
    assert by_due == sorted((due for due in by_due if due), key=lambda due: due) + [None] * by_due.count(None)
    newest = [created[line.case_no] for line in lines(full, sort="newest")]
    assert newest == sorted(newest, reverse=True)
    by_stage = [line.stage for line in lines(full, sort="stage", state="all")]
    assert by_stage == sorted(by_stage, key=[LABEL[stage] for stage in STAGES].index)
    by_agent = [line.agent for line in lines(full, sort="agent")]
    assert by_agent == sorted(agent for agent in by_agent if agent) + [""] * by_agent.count("")
    by_firm = [line.enterprise for line in lines(full, sort="enterprise")]
    assert set(by_firm) == {line.enterprise for line in lines(full)}
    assert [lines(full, sort="enterprise")[n].enterprise for n in range(len(by_firm))] == by_firm


def test_a_stage_is_counted_whatever_stage_is_asked_for(full: County) -> None:
    everything = Counter(line.stage for line in lines(full))
    page = inbox(full.session, full.lead, at=NOON, asked=InboxFilter())
    one = next(iter(page.counts))
    narrowed = inbox(full.session, full.lead, at=NOON, asked=InboxFilter(stage=one))
    assert sorted(page.counts.values()) == sorted(everything.values())
    assert narrowed.counts == page.counts
    assert narrowed.total == len(narrowed.lines) == page.counts[one]
