"""A crowd: assigning, completing and leave all at once, in any order, leave no agent over capacity, no two leads.

Some here; ``make crowd`` runs fifty thousand.
"""

import logging
import os
import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from sqlalchemy import delete, func, select, update

from agents.roster import Agent, Duty, DutyKind
from dispatch.assignment import staffing
from dispatch.assignment.assign_one import place
from dispatch.cases.case import Case
from dispatch.cases.project import Project, ProjectMember, ProjectState, TeamRole
from dispatch.cases.stages import ENDS, Stage
from dispatch.core.actor import SYSTEM
from dispatch.core.errors import NoCapacity, WrongStage
from tests.dispatch import steps
from tests.dispatch.builders import TEN, a_request, an_agent, the_county

log = logging.getLogger(__name__)
OPERATIONS = int(os.environ.get("CROWD", "160"))
ROUND = 2_000  # after so many everybody waits until the books were looked at
PROJECTS, HANDS = 24, 6


def faults_of(session):
    """Agents over capacity or with a load that is not the number of their places; projects with two leads or none."""
    filled = (
        select(ProjectMember.agent_id, func.count().label("n"))
        .where(ProjectMember.until.is_(None))
        .group_by(ProjectMember.agent_id)
        .subquery()
    )
    n = func.coalesce(filled.c.n, 0)
    crooked = session.scalars(
        select(Agent.id)
        .outerjoin(filled, filled.c.agent_id == Agent.id)
        .where((Agent.held != n) | (Agent.held > Agent.capacity))
    ).all()
    leads = (
        select(func.count())
        .where(
            ProjectMember.project_id == Project.id, ProjectMember.role == TeamRole.LEAD, ProjectMember.until.is_(None)
        )
        .scalar_subquery()
    )
    wrong = session.scalars(
        select(Project.id).where(leads != (Project.state == ProjectState.ACTIVE).cast(leads.type))
    ).all()
    return list(crooked), list(wrong)


def test_a_crowd_leaves_the_books_straight(county_sessions):
    with county_sessions.begin() as session:
        county = the_county(session)
        for number in range(5):
            an_agent(session, f"代办员{number + 4}", division=county.town, n=10 + number)
        people = list(session.scalars(select(Agent.id)))
        session.execute(update(Agent).values(capacity=2))
        ids = [a_request(county, name=f"企业{n}")[0].project_id for n in range(PROJECTS)]

    def assign(session, project, chance):
        if project.state is ProjectState.WAITING and chance.random() < 0.8:
            return "placed" if place(session, project, by=SYSTEM, at=TEN) else "nobody free"
        if project.state is ProjectState.CLOSED:
            return "closed"
        try:
            with session.begin_nested():
                staffing.assign(session, project, agent_id=chance.choice(people), by=SYSTEM, at=TEN)
        except (NoCapacity, WrongStage):
            return "full"
        return "given by hand"

    def complete(session, project):
        cases = session.scalars(
            select(Case).where(Case.project_id == project.id, Case.stage.not_in(ENDS)).with_for_update()
        ).all()
        for case in cases:
            steps.refuse(session, case, reason="企业撤回", by=SYSTEM, at=TEN)
        return "completed" if cases else "nothing open"

    def ask_again(session, project):
        """The same project once more, as if it had just been asked for."""
        session.execute(update(Case).where(Case.project_id == project.id).values(stage=Stage.REQUESTED, ended_at=None))
        session.execute(update(Project).where(Project.id == project.id).values(state="waiting", closed_at=None))
        return "asked again"

    def leave(session, chance):
        agent_id = chance.choice(people)
        if session.execute(delete(Duty).where(Duty.agent_id == agent_id)).rowcount:
            return "back"
        session.add(
            Duty(agent_id=agent_id, kind=DutyKind.LEAVE, starts_on=TEN.date(), ends_on=TEN.date() + timedelta(days=14))
        )
        return "on leave"

    def act(number):
        chance = random.Random(number)
        kind = chance.random()
        with county_sessions.begin() as session:
            if kind < 0.08:
                return leave(session, chance)
            project = session.get_one(Project, chance.choice(ids), with_for_update=True)
            if project.state is ProjectState.CLOSED:
                return ask_again(session, project)
            return assign(session, project, chance) if kind < 0.6 else complete(session, project)

    done = Counter()
    with ThreadPoolExecutor(HANDS) as hands:
        for first in range(0, OPERATIONS, ROUND):
            done.update(hands.map(act, range(first, min(first + ROUND, OPERATIONS))))
            log.info("%s operations: %s", done.total(), dict(done))
            with county_sessions() as session:
                assert faults_of(session) == ([], [])
    assert done.total() == OPERATIONS
    assert {"placed", "given by hand", "completed", "asked again", "on leave", "back"} <= done.keys()
