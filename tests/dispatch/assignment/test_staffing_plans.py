"""Proposals that need a search: teams for projects that nobody can take alone, and the week's hours shared out."""

from datetime import date, timedelta

import pytest
from sqlalchemy import delete, select, update

from agents.matching.hours import share_hours
from agents.matching.teams import plan_teams
from agents.roster import Agent, AgentSkill, Duty, DutyKind
from dispatch.assignment.team_plan import Lack, propose_teams, team_question
from dispatch.assignment.week_plan import (
    HOURS_TO_PREPARE,
    MOST_PAIRS,
    WeekReason,
    check_size,
    propose_week,
    week_question,
)
from dispatch.cases.project import Project
from dispatch.core.errors import Refused
from tests.dispatch.builders import TEN, a_request, an_assigned_case


def only_knows(county, number, *skills):
    agent = county.agents[number]
    county.session.execute(
        delete(AgentSkill).where(AgentSkill.agent_id == agent.id, AgentSkill.category.not_in(skills))
    )


def teams_of(county):
    county.session.flush()
    question = team_question(county.session, at=TEN, path=county.division.path)
    return propose_teams(question, solve=plan_teams, limit_s=30)


def week_of(county, **hours):
    county.session.flush()
    question = week_question(county.session, at=TEN, path=county.division.path, **hours)
    return propose_week(question, solve=share_hours, limit_s=10)


def test_a_project_that_nobody_can_take_alone_gets_the_smallest_team(county):
    case, _ = a_request(county, matters=("IND-101", "IND-201"))
    assert teams_of(county) == [], "anybody could take it"
    nobody_has_all(county)
    (one,) = teams_of(county)
    project = county.session.get_one(Project, case.project_id)
    assert (one.project_no, one.version, one.proven) == (project.project_no, project.version, True)
    assert len(one.members) == len(one.skills) == 2
    assert {skill for member in one.members for skill in member.skills} == set(one.skills)
    assert one.gaps == ()


def nobody_has_all(county):
    """The first agent knows one of the two skills, the second the other, the third neither."""
    only_knows(county, 0, "filing")
    only_knows(county, 1, "planning")
    only_knows(county, 2)


def test_a_project_without_a_team_says_which_skill_is_missing_and_why(county):
    a_request(county, matters=("IND-101", "IND-201"))
    nobody_has_all(county)
    planner = county.agents[1]

    def gaps():
        (one,) = teams_of(county)
        assert one.members == ()
        return [(gap.skill, gap.lack, gap.holders) for gap in one.gaps]

    planner.held = planner.capacity
    assert gaps() == [("planning", Lack.FULL, 1)]
    planner.held = 0
    leave = Duty(agent_id=planner.id, kind=DutyKind.LEAVE, starts_on=TEN.date(), ends_on=TEN.date() + timedelta(30))
    county.session.add(leave)
    assert gaps() == [("planning", Lack.AWAY, 1)]
    county.session.delete(leave)
    project = county.session.scalars(select(Project)).one()
    project.banned_agents = [planner.id]
    assert gaps() == [("planning", Lack.BARRED, 1)]
    project.banned_agents = []
    only_knows(county, 1)
    assert gaps() == [("planning", Lack.NOBODY, 0)]


def test_of_two_projects_and_one_slot_the_one_without_a_team_lacks_no_skill(county):
    for _ in range(2):
        a_request(county, matters=("IND-101", "IND-201"))
    nobody_has_all(county)
    county.agents[1].held = county.agents[1].capacity - 1
    first, second = sorted(teams_of(county), key=lambda one: one.members == ())
    assert first.members
    assert second.members == second.gaps == ()


def test_a_week_keeps_who_has_a_project_while_the_hours_last_and_moves_it_when_they_do_not(county):
    an_assigned_case(county)
    week = week_of(county)
    (one,) = week.projects
    assert one.now == one.then == county.agents[0].name
    assert (one.hours, one.reason) == (2 * HOURS_TO_PREPARE, WeekReason.STAYS)
    assert {person.name: person.hours - person.left for person in week.agents}[one.now] == one.hours
    assert [person.projects for person in week.agents if person.name == one.now] == [1]
    county.agents[0].weekly_hours = one.hours - 1
    (moved,) = week_of(county).projects
    assert moved.then not in {"", moved.now}
    assert moved.reason is WeekReason.SHORT
    (stays,) = week_of(county, to_prepare=HOURS_TO_PREPARE - 1).projects
    assert stays.reason is WeekReason.STAYS, "a matter that takes fewer hours leaves room"
    county.session.execute(update(Agent).values(weekly_hours=0))
    (waits,) = week_of(county).projects
    assert (waits.then, waits.then_id, waits.reason) == ("", None, WeekReason.NO_HOURS), "nobody has an hour"


def test_a_week_gives_what_waits_to_somebody_and_takes_from_who_is_away(county):
    an_assigned_case(county)
    a_request(county)
    away = Duty(agent_id=county.agents[0].id, kind=DutyKind.SICK, starts_on=date(2026, 11, 1), ends_on=date(2027, 3, 1))
    county.session.add(away)
    week = week_of(county)
    assert sorted(one.reason for one in week.projects) == [WeekReason.AWAY, WeekReason.NEW]
    assert county.agents[0].name not in {one.then for one in week.projects} | {one.name for one in week.agents}
    county.session.execute(delete(AgentSkill))
    assert {one.reason for one in week_of(county).projects} == {WeekReason.NOBODY_FITS}


def test_an_area_too_large_for_one_week_is_refused():
    check_size(MOST_PAIRS // 100, 100)
    with pytest.raises(Refused):
        check_size(MOST_PAIRS // 100 + 1, 100)
