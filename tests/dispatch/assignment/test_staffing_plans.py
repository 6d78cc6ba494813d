"""Proposals that need a search: teams for projects that nobody can take alone, and the week's hours shared out."""

from sqlalchemy import delete, select

from agents.roster import Agent, AgentSkill
from dispatch.assignment.team_plan import propose_teams
from dispatch.assignment.week_plan import HOURS_TO_PREPARE, propose_week
from dispatch.cases.project import Project
from tests.dispatch.builders import TEN, a_request, an_assigned_case


def only_knows(county, number, *skills):
    agent = county.agents[number]
    county.session.execute(
        delete(AgentSkill).where(AgentSkill.agent_id == agent.id, AgentSkill.category.not_in(skills))
    )


def test_a_project_that_nobody_can_take_alone_gets_the_smallest_team(county):
    case, _ = a_request(county, matters=("IND-101", "IND-201"))
    county.session.flush()
    assert propose_teams(county.session, at=TEN, path=county.division.path) == [], "anybody could take it"
    skills = sorted(
        county.session.scalars(select(AgentSkill.category).where(AgentSkill.agent_id == county.agents[0].id))
    )
    (one,) = _without_all_skills(county, skills)
    project = county.session.get_one(Project, case.project_id)
    assert (one.project_no, one.proven) == (project.project_no, True)
    assert len(one.members) == len(one.skills) == 2
    assert {skill for _, brought in one.members for skill in brought} == set(one.skills)


def _without_all_skills(county, skills):
    needed = {"filing", "planning"} & set(skills)
    first, second = sorted(needed)
    rest = set(skills) - needed
    only_knows(county, 0, first, *rest)
    only_knows(county, 1, second, *rest)
    only_knows(county, 2, *rest)
    return propose_teams(county.session, at=TEN, path=county.division.path)


def test_a_week_keeps_who_has_a_project_while_the_hours_last_and_moves_it_when_they_do_not(county):
    an_assigned_case(county)
    county.session.flush()
    week = propose_week(county.session, at=TEN, path=county.division.path)
    (one,) = week.projects
    assert one.now == one.then == county.agents[0].name
    assert one.hours == 2 * HOURS_TO_PREPARE
    assert {person.name: person.hours - person.left for person in week.agents}[one.now] == one.hours
    county.agents[0].weekly_hours = one.hours - 1
    county.session.flush()
    (moved,) = propose_week(county.session, at=TEN, path=county.division.path).projects
    assert moved.then not in {"", moved.now}
    for agent in county.session.scalars(select(Agent)):
        agent.weekly_hours = 0
    county.session.flush()
    (waits,) = propose_week(county.session, at=TEN, path=county.division.path).projects
    assert waits.then == "", "nobody has an hour"
