"""An assignment has its own time and can be put right: load, lists, due moments and who was told follow it."""

from datetime import date, datetime, time, timedelta

import pytest
from sqlalchemy import func, select

from agents.roster import Agent
from dispatch.acts.act import perform
from dispatch.acts.assigning import AssignProject
from dispatch.acts.correcting_assignment import CorrectAssignment
from dispatch.assignment import staffing
from dispatch.cases.access_control import visible_projects
from dispatch.cases.case import CaseEvent
from dispatch.cases.derived import differences
from dispatch.cases.due_moments import prescreen_due
from dispatch.cases.obligations.keeping import settle
from dispatch.cases.obligations.obligation import Obligation, ObligationKind, OwnerKind
from dispatch.cases.project import Project, ProjectMember, ProjectState, TeamRole
from dispatch.cases.project_correction import ProjectCorrection, ProjectPart
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.core.errors import NoCapacity, NotFound, Refused, WrongStage
from dispatch.core.ids import AgentId, AssignmentId, ProjectNo
from dispatch.core.shanghai_time import utc
from dispatch.views.agent_page import agent_page
from dispatch.views.correction_forms import correction_forms
from dispatch.views.project_resource import project_detail
from notifications.message import Message, State
from tests.dispatch.builders import MONDAY, TEN, a_request, acting, an_agent

FRIDAY = date(2026, 11, 20)
AGREED = utc(FRIDAY, time(15))


def requested(county, at=TEN):
    case, _ = a_request(county, at=at)
    return case, county.session.get_one(Project, case.project_id)


def given(county, project, agent, at=TEN, **more) -> ProjectMember:
    step = AssignProject(
        project=ProjectNo(project.project_no), agent_id=AgentId(agent.id), reason="电话商定", **more
    )  # fmt: skip
    perform(county.session, step, acting(county, county.lead), at=at)
    return project.lead


def corrected(county, member, at=TEN, **more) -> ProjectMember:
    step = CorrectAssignment(
        project=ProjectNo(member.project.project_no), assignment=AssignmentId(member.id), reason="看错名字", **more
    )  # fmt: skip
    perform(county.session, step, acting(county, county.lead), at=at)
    return county.session.scalars(select(ProjectMember).where(ProjectMember.corrects == member.id)).one()


def owed(county, kind: ObligationKind) -> Obligation:
    settle(county.session)
    return county.session.scalars(select(Obligation).where(Obligation.kind == kind)).one()


def told(county, text: str) -> list[Message]:
    return list(county.session.scalars(select(Message).where(Message.text_name == text).order_by(Message.id)))


def all_follows(county, at=TEN) -> None:
    session = county.session
    settle(session)
    assert [str(one) for one in differences(session, at=at)] == []
    acting_now = select(func.count()).where(ProjectMember.agent_id == Agent.id, ProjectMember.until.is_(None))
    loads = session.execute(select(Agent.id, Agent.held, acting_now.scalar_subquery()))
    assert [row for row in loads if row[1] != row[2]] == []


def test_what_was_agreed_by_phone_on_friday_counts_from_friday(county):
    case, project = requested(county, at=AGREED - timedelta(hours=1))
    member = given(county, project, county.agents[0], on=FRIDAY, second=15 * 3600)
    assert (member.since, member.recorded_at) == (AGREED, TEN)
    assert member.recorded_by == county.lead.label
    assert case.prescreen_by == prescreen_due(calendar_of(county.session), AGREED)
    assert owed(county, ObligationKind.FIRST_ANSWER).closed_at == AGREED
    prescreen = owed(county, ObligationKind.PRESCREEN)
    assert (prescreen.opened_at, prescreen.due_at) == (AGREED, case.prescreen_by)
    all_follows(county)


@pytest.mark.parametrize(
    ("when", "words"),
    [
        ({"on": MONDAY + timedelta(days=1)}, "still to come"),
        ({"on": FRIDAY - timedelta(days=3)}, "before|without a reason"),
        ({"on": FRIDAY, "second": 13 * 3600}, "before"),
        ({"on": FRIDAY - timedelta(days=9), "late_reason": "补登"}, "before"),
    ],
)
def test_an_assignment_begins_neither_later_than_now_nor_before_its_project(county, when, words):
    _, project = requested(county, at=AGREED - timedelta(hours=1))
    with pytest.raises(Refused, match=words):
        given(county, project, county.agents[0], **when)


def test_an_older_assignment_says_why_it_comes_so_late(county):
    _, project = requested(county, at=utc(date(2026, 11, 16), time(9)))
    late = {"on": date(2026, 11, 17), "second": 9 * 3600}
    with pytest.raises(Refused, match="without a reason"):
        given(county, project, county.agents[0], **late)
    member = given(county, project, county.agents[0], **late, late_reason="出差未及时登记")
    assert member.late_reason == "出差未及时登记"


def test_the_matching_does_not_choose_in_the_past(county):
    _, project = requested(county)
    step = AssignProject(project=ProjectNo(project.project_no), mode="auto", on=MONDAY)
    with pytest.raises(Refused, match="chooses now"):
        perform(county.session, step, acting(county, county.lead), at=TEN)


def test_the_wrong_agent_is_replaced_and_each_who_was_told_hears_it_once(county):
    case, project = requested(county)
    first, second = county.agents[:2]
    wrong = given(county, project, first)
    due_by = case.prescreen_by
    for message in told(county, "project_for_agent"):
        message.state = State.DELIVERED
    later = TEN + timedelta(hours=2)
    right = corrected(county, wrong, at=later, agent_id=AgentId(second.id))
    assert project.lead is right
    assert (right.since, right.recorded_at, right.correction_reason) == (wrong.since, later, "看错名字")
    assert (wrong.replaced_at, wrong.until) == (later, later)
    county.session.expire_all()
    assert (first.held, second.held) == (0, 1)
    assert (case.prescreen_by, project.state) == (due_by, ProjectState.ACTIVE)
    prescreen = owed(county, ObligationKind.PRESCREEN)
    assert (prescreen.owner_kind, prescreen.owner_id) == (OwnerKind.PERSON, second.id)
    assert [m.to_phone for m in told(county, "project_wrongly_given")] == [first.phone]
    assert [m.to_phone for m in told(county, "project_for_agent")] == [first.phone, second.phone]
    assert len(told(county, "agent_changed")) == 1
    assert told(county, "agent_changed")[0].values["agent"] == second.name
    all_follows(county, later)


def test_an_agent_who_had_not_heard_of_it_yet_hears_nothing(county):
    _, project = requested(county)
    wrong = given(county, project, county.agents[0])
    corrected(county, wrong, agent_id=AgentId(county.agents[1].id))
    assert told(county, "project_wrongly_given") == []
    assert [m.state for m in told(county, "project_for_agent")] == [State.SUPPRESSED, State.QUEUED]


def test_the_wrong_agent_sees_the_project_no_more_and_it_counts_nowhere(county):
    session = county.session
    _, project = requested(county)
    first, second = county.agents[:2]
    elsewhere = next(place for place in (county.division, county.town) if place.id != first.division_id)
    project.division_id = elsewhere.id  # an agent sees what lies around the own station anyway
    wrong = given(county, project, first)
    right = corrected(county, wrong, agent_id=AgentId(second.id))
    viewer = county.agent_viewer(0)
    assert session.scalars(select(Project.id).where(visible_projects(viewer))).all() == []
    detail = project_detail(session, county.lead, project.project_no)
    assert [(one.assignment_id, one.agent_id) for one in detail.team] == [(right.id, second.id)]
    assert detail.former == ()
    assert agent_page(session, county.lead, AgentId(first.id), today=MONDAY).projects == ()
    forms = correction_forms(session, county.lead, project.project_no)
    assert [one.id for one in forms.assignments] == [right.id]


def test_the_page_keeps_what_was_wrong_and_the_timeline_says_it(county):
    session = county.session
    case, project = requested(county)
    wrong = given(county, project, county.agents[0])
    corrected(county, wrong, agent_id=AgentId(county.agents[1].id))
    row = session.scalars(select(ProjectCorrection)).one()
    assert (row.part, row.reason) == (ProjectPart.ASSIGNMENT, "看错名字")
    assert county.agents[0].name in row.was and county.agents[1].name in row.now
    lines = session.scalars(
        select(CaseEvent.words).where(CaseEvent.case_id == case.id, CaseEvent.kind == "record_corrected")
    ).all()
    assert len(lines) == 1 and county.agents[1].name in lines[0]


def test_a_wrong_day_moves_what_runs_from_it_and_the_one_before(county):
    case, project = requested(county, at=AGREED - timedelta(hours=3))
    first = given(county, project, county.agents[0])
    right = corrected(county, first, on=FRIDAY, second=15 * 3600)
    assert (right.since, right.agent_id) == (AGREED, county.agents[0].id)
    assert case.prescreen_by == prescreen_due(calendar_of(county.session), AGREED)
    assert owed(county, ObligationKind.FIRST_ANSWER).closed_at == AGREED
    later = TEN + timedelta(hours=3)
    second = given(county, project, county.agents[1], at=later)
    moved = corrected(county, second, at=later, on=MONDAY, second=9 * 3600)
    assert (right.until, moved.since) == (moved.since, utc(MONDAY, time(9)))
    assert told(county, "project_corrected") == told(county, "project_wrongly_given") == []
    all_follows(county, later)


def test_a_correction_is_corrected_back_to_the_first_state(county):
    case, project = requested(county, at=AGREED - timedelta(hours=3))
    first = given(county, project, county.agents[0])
    due_by, since = case.prescreen_by, first.since
    moved = corrected(county, first, on=FRIDAY, second=15 * 3600, agent_id=AgentId(county.agents[1].id))
    assert case.prescreen_by != due_by
    back = corrected(county, moved, on=MONDAY, second=10 * 3600, agent_id=AgentId(county.agents[0].id))
    county.session.expire_all()
    assert (back.since, back.agent_id, case.prescreen_by) == (since, county.agents[0].id, due_by)
    assert [agent.held for agent in county.agents[:2]] == [1, 0]
    all_follows(county)


def test_a_place_that_is_over_is_put_right_without_a_word_and_without_a_slot(county):
    _, project = requested(county)
    first = given(county, project, county.agents[0])
    given(county, project, county.agents[1], at=TEN + timedelta(hours=1))
    known = len(county.session.scalars(select(Message)).all())
    right = corrected(county, first, at=TEN + timedelta(hours=2), agent_id=AgentId(county.agents[2].id))
    assert (right.since, right.until) == (TEN, TEN + timedelta(hours=1))
    assert len(county.session.scalars(select(Message)).all()) == known
    with pytest.raises(Refused, match="over at"):
        corrected(county, right, at=TEN + timedelta(hours=3), on=MONDAY, second=12 * 3600)
    all_follows(county, TEN + timedelta(hours=3))


def test_a_liaison_is_put_right_and_only_the_agents_hear_of_it(county):
    session = county.session
    _, project = requested(county)
    given(county, project, county.agents[0])
    liaison = ProjectMember(
        agent_id=county.agents[1].id, role=TeamRole.LIAISON, counter="320400000000", since=TEN, told_at=TEN,
        recorded_at=TEN, recorded_by="组长",
    )  # fmt: skip
    project.members.append(liaison)
    county.agents[1].held += 1
    session.flush()
    corrected(county, liaison, agent_id=AgentId(county.agents[2].id))
    assert [one.agent_id for one in project.liaisons] == [county.agents[2].id]
    assert told(county, "agent_changed") == []
    assert len(told(county, "project_wrongly_given")) == 1
    all_follows(county)


def test_what_cannot_be_is_refused(county):
    session = county.session
    _, project = requested(county)
    first, second, third = county.agents[:3]
    wrong = given(county, project, first)
    with pytest.raises(Refused, match="stays as it was"):
        corrected(county, wrong)
    with pytest.raises(Refused, match="stays as it was"):
        corrected(county, wrong, agent_id=AgentId(first.id))
    with pytest.raises(Refused, match="before"):
        corrected(county, wrong, on=FRIDAY)
    project.banned_agents = [second.id]
    with pytest.raises(Refused, match="banned"):
        corrected(county, wrong, agent_id=AgentId(second.id))
    third.capacity = 0
    session.flush()
    with pytest.raises(NoCapacity):
        corrected(county, wrong, agent_id=AgentId(third.id))
    third.capacity = 10
    session.flush()
    corrected(county, wrong, agent_id=AgentId(third.id))
    with pytest.raises(WrongStage, match="corrected already"):
        corrected(county, wrong, agent_id=AgentId(first.id))
    _, other = requested(county, at=TEN)
    step = CorrectAssignment(
        project=ProjectNo(other.project_no), assignment=AssignmentId(wrong.id), agent_id=AgentId(first.id), reason="错"
    )
    with pytest.raises(NotFound):
        perform(session, step, acting(county, county.lead))
    an_agent(session, "无关", division=county.division, n=77)
    with pytest.raises(NotFound):
        perform(session, step, county.agent_viewer())


def test_a_placement_by_the_matching_says_when_and_by_whom_it_was_written_down(county):
    _, project = requested(county)
    step = AssignProject(project=ProjectNo(project.project_no), mode="auto")
    perform(county.session, step, acting(county, county.lead), at=TEN)
    member = project.lead
    assert isinstance(member.recorded_at, datetime)
    assert (member.recorded_at, member.recorded_by) == (member.since, county.lead.label)
    wrong = member
    right = corrected(county, wrong, agent_id=AgentId(next(a.id for a in county.agents if a.id != wrong.agent_id)))
    assert right.chosen_by == county.lead.label
    all_follows(county)


def test_a_referral_taken_over_can_be_dated(county):
    _, project = requested(county, at=AGREED - timedelta(hours=3))
    first = given(county, project, county.agents[0], on=FRIDAY, second=14 * 3600)
    offer = staffing.refer(
        county.session, project, from_agent_id=county.agents[0].id, to_agent_id=county.agents[1].id, reason="专业",
        by=county.lead, at=TEN,
    )  # fmt: skip
    staffing.accept_referral(county.session, project, offer, by=county.lead, at=TEN)
    taken = project.lead
    right = corrected(county, taken, on=FRIDAY, second=16 * 3600)
    assert first.until == right.since == utc(FRIDAY, time(16))
    all_follows(county)


def test_what_contradicts_itself_is_found(county):
    session = county.session
    _, project = requested(county)
    given(county, project, county.agents[0])
    given(county, project, county.agents[1], at=TEN + timedelta(hours=1))
    all_follows(county)
    first, second = session.scalars(select(ProjectMember).order_by(ProjectMember.id))
    first.until = second.since + timedelta(hours=1)
    session.flush()
    found = [str(one) for one in differences(session, at=TEN)]
    assert any(f"assignment {second.id} since" in one for one in found)
    first = session.get_one(ProjectMember, first.id)
    first.replaced_at = TEN
    session.flush()
    found = [str(one) for one in differences(session, at=TEN)]
    assert any(f"assignment {first.id} replaced_at" in one for one in found)
    session.rollback()
