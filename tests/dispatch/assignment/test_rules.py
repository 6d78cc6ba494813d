"""One project given by hand, by a batch and by itself is written and told alike: the rules stand in one place."""

import pytest
from sqlalchemy import select, text

from agents.roster import Agent
from dispatch.assignment import apply_batch, assign_one, propose, rules, staffing, telling
from dispatch.cases.case import Case, CaseEvent
from dispatch.cases.project import Project, ProjectMember, TeamRole
from dispatch.core.actor import SYSTEM
from dispatch.core.errors import NoCapacity, NotFound, Refused
from notifications.message import Message
from tests.dispatch.assignment.test_assignment import waiting_projects
from tests.dispatch.builders import TEN

REASON = {"why": "就近"}
PATHS = ("by hand", "batch", "alone")


def give(path, session, project, agent_id):
    """The project is given to this agent on this path; whether it was."""
    if path == "by hand":
        try:
            choice = rules.AssignmentChoice(reason=REASON)
            staffing.assign(session, project, agent_id=agent_id, by=SYSTEM, at=TEN, choice=choice)
        except (NoCapacity, NotFound, Refused):
            return False
    elif path == "batch":
        move = propose.Move(project.id, project.project_no, TeamRole.LEAD, "", None, agent_id, REASON)
        proposal = propose.Proposal((move,), (), {project.id: project.version}, 0, True, None)
        if not apply_batch.apply(session, proposal, by=SYSTEM, at=TEN).done:
            return False
    else:
        for other in session.scalars(select(Agent).where(Agent.id != agent_id)):
            other.active = False
        if assign_one.place(session, project, by=SYSTEM, at=TEN) is None:
            return False
        session.execute(
            text('UPDATE project_member SET reason = \'{"why": "就近"}\'::jsonb WHERE project_id = :id'),
            {"id": project.id},
        )
        project.assignment_reason = REASON
    telling.tell_placed(session, at=TEN)
    session.flush()
    session.expire_all()
    return True


def columns(row, *leave_out):
    return {c.key: getattr(row, c.key) for c in row.__mapper__.column_attrs if c.key not in {"id", *leave_out}}


def written(session, project):
    """Everything that the assignment wrote, without the numbers that differ from project to project."""
    case = session.scalars(select(Case).where(Case.project_id == project.id)).one()
    members = session.scalars(select(ProjectMember).where(ProjectMember.project_id == project.id)).all()
    events = session.scalars(select(CaseEvent).where(CaseEvent.case_id == case.id).order_by(CaseEvent.id)).all()
    messages = session.scalars(
        select(Message)
        .where(Message.project_id == project.id, Message.text_name.in_(("assigned", "project_for_agent")))
        .order_by(Message.text_name)
    ).all()
    return {
        "project": columns(project),
        "case": columns(case),
        "members": [columns(member, "project_id") for member in members],
        "events": [columns(event) for event in events],
        "told": [(message.text_name, message.to_phone, message.values) for message in messages],
        "held": session.get_one(Agent, members[0].agent_id).held,
    }


def test_the_three_paths_write_the_same_rows_and_tell_the_same(county):
    (project,) = waiting_projects(county, 1)
    agent_id, found = county.agents[1].id, {}
    for path in PATHS:
        step = county.session.begin_nested()
        assert give(path, county.session, county.session.get_one(Project, project.id), agent_id)
        found[path] = written(county.session, county.session.get_one(Project, project.id))
        step.rollback()
        county.session.expire_all()
    assert found["by hand"]["members"][0]["agent_id"] == agent_id
    assert found["by hand"] == found["batch"]
    assert found["by hand"] == found["alone"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("barred", ["inactive", "full", "banned"])
def test_no_path_gives_a_project_to_whom_it_may_not(county, path, barred):
    (project,) = waiting_projects(county, 1)
    agent = county.agents[0]
    if barred == "inactive":
        agent.active = False
    elif barred == "full":
        agent.capacity = agent.held
    else:
        project.banned_agents = [agent.id]
    county.session.flush()
    assert not give(path, county.session, project, agent.id)
    assert county.session.scalars(select(ProjectMember)).all() == []


def test_a_liaison_of_a_batch_stands_on_the_timeline_inside(county):
    (project,) = waiting_projects(county, 1)
    lead, liaison = county.agents[:2]
    moves = tuple(
        propose.Move(project.id, project.project_no, role, counter, None, agent.id, REASON)
        for role, counter, agent in ((TeamRole.LEAD, "", lead), (TeamRole.LIAISON, "320400000000", liaison))
    )
    proposal = propose.Proposal(moves, (), {project.id: project.version}, 0, True, None)
    assert len(apply_batch.apply(county.session, proposal, by=SYSTEM, at=TEN).done) == 2
    event = county.session.scalars(select(CaseEvent).where(CaseEvent.kind == "liaison")).one()
    assert (event.internal, event.detail["counter"]) == (True, "320400000000")
    assert event.words == str(rules.liaison_given(liaison.name, "").words)
