"""Leave: short ones change nothing, longer ones a few projects, shown before anything is moved; and why, in words."""

from datetime import timedelta

from sqlalchemy import select

from agents.matching.rules import Bar
from agents.roster import CATEGORY_LABEL, Category, Duty, DutyKind
from dispatch.assignment import absence, apply_batch, staffing, telling
from dispatch.assignment.assign_one import place
from dispatch.assignment.explanation import BAR_WORDS, why
from dispatch.cases.project import Project, ProjectState
from dispatch.core.actor import SYSTEM
from notifications.message import Message
from tests.dispatch import steps
from tests.dispatch.builders import TEN, a_request


def a_leave(county, agent, days):
    county.session.add(
        Duty(
            agent_id=agent.id, kind=DutyKind.LEAVE, starts_on=TEN.date(), ends_on=TEN.date() + timedelta(days=days - 1)
        )
    )
    county.session.flush()


def projects_of(county, agent, count):
    found = []
    for _ in range(count):
        case, _viewer = a_request(county)
        project = county.session.get_one(Project, case.project_id)
        staffing.assign(county.session, project, agent_id=agent.id, by=SYSTEM, at=TEN)
        found.append(project)
    county.session.flush()
    return found


def test_three_working_days_of_leave_change_nothing(county):
    projects_of(county, county.agents[0], 1)
    a_leave(county, county.agents[0], 3)
    found = absence.propose_relief(county.session, at=TEN)
    assert found.leaves == ()
    assert found.proposal.moves == ()


def test_a_leave_that_only_prolongs_another_is_one_with_it(county):
    away, late, *_ = county.agents
    projects_of(county, away, 1)
    projects_of(county, late, 1)
    friday = TEN.date() + timedelta(days=4 - TEN.date().weekday())
    for agent, starts, ends in (
        (away, friday - timedelta(days=2), friday),
        (away, friday + timedelta(days=3), friday + timedelta(days=4)),  # after the weekend
        (late, friday - timedelta(days=4), friday - timedelta(days=2)),
        (late, friday + timedelta(days=3), friday + timedelta(days=5)),  # two days of work between them
    ):
        county.session.add(Duty(agent_id=agent.id, kind=DutyKind.LEAVE, starts_on=starts, ends_on=ends))
    county.session.flush()
    (leave,) = absence.long_leaves(county.session, at=TEN)
    assert (leave.agent_id, leave.ends_on, leave.working_days) == (away.id, friday + timedelta(days=4), 5)


def test_a_longer_leave_moves_the_absent_agents_projects_alone_and_counts_the_notices(county):
    away, *others = county.agents
    mine = projects_of(county, away, 2)
    theirs = projects_of(county, others[0], 1)
    a_leave(county, away, 12)
    found = absence.propose_relief(county.session, at=TEN)
    assert [(leave.agent_id, leave.working_days) for leave in found.leaves] == [(away.id, 10)]
    assert {move.project_id for move in found.proposal.moves} == {p.id for p in mine}
    assert (found.notices, found.others, found.unforced) == (2, 0, 0)
    assert {p.lead.agent_id for p in mine} == {away.id}  # nothing has changed yet

    applied = apply_batch.apply(county.session, found.proposal, by=county.lead, at=TEN + timedelta(hours=1))
    assert len(applied.done) == 2
    telling.tell_placed(county.session, at=TEN + timedelta(hours=1))
    assert away.id not in {p.lead.agent_id for p in mine}
    assert theirs[0].lead.agent_id == others[0].id
    assert away.held == 0
    told = county.session.scalars(select(Message).where(Message.text_name == "agent_changed")).all()
    assert len(told) == found.notices


def test_whom_nobody_can_replace_is_named_and_stays(county):
    away, *others = county.agents
    (mine,) = projects_of(county, away, 1)
    for other in others:
        other.capacity = 0
    a_leave(county, away, 12)
    found = absence.propose_relief(county.session, at=TEN)
    assert [move.project_id for move in found.proposal.waiting] == [mine.id]
    apply_batch.apply(county.session, found.proposal, by=county.lead, at=TEN)
    assert mine.lead.agent_id == away.id


def test_a_placed_project_says_who_was_chosen_and_who_came_second(county):
    case, _ = a_request(county)
    county.session.flush()
    project = county.session.get_one(Project, case.project_id)
    place(county.session, project, by=SYSTEM, at=TEN)
    county.session.flush()
    lead, *_ = why(county.session, project, at=TEN)
    assert lead.agent_id == project.lead.agent_id
    assert lead.agent in lead.lines[0]
    assert any(line.startswith("其次是") for line in lead.lines)
    assert lead.change == ""


def test_a_project_that_has_ended_asks_for_nobody(county):
    case, viewer = a_request(county)
    project = county.session.get_one(Project, case.project_id)
    steps.withdraw(county.session, case, reason="计划变更", by=viewer, at=TEN)
    assert project.state is ProjectState.CLOSED
    assert why(county.session, project, at=TEN) == []


def test_a_waiting_project_says_what_would_place_it_and_doing_it_places_it(county):
    case, _ = a_request(county)
    project = county.session.get_one(Project, case.project_id)
    first, *others = county.agents
    for other in others:
        other.active = False
    project.banned_agents = [first.id]
    county.session.flush()
    assert place(county.session, project, by=SYSTEM, at=TEN) is None
    lead, *_ = why(county.session, project, at=TEN)
    assert lead.agent_id is None
    assert lead.change == f"解除对{first.name}的排除，即可派件"
    assert "已被排除1人" in "".join(lead.lines)
    project.banned_agents = []
    county.session.flush()
    assert place(county.session, project, by=SYSTEM, at=TEN) is not None


def test_a_county_without_anybody_is_told_how_many_it_lacks(county):
    case, _ = a_request(county)
    for agent in county.agents:
        agent.active = False
    county.session.flush()
    project = county.session.get_one(Project, case.project_id)
    lead, *_ = why(county.session, project, at=TEN)
    assert "增加1名" in lead.change


def test_every_rule_and_skill_has_its_words():
    assert set(BAR_WORDS) == set(Bar)
    assert set(CATEGORY_LABEL) == set(Category)
