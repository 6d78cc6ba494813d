"""Agents: edited as a whole, away once at a time, and gone for good only when nothing is left with them."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import func, select

from agents.roster import Agent, Category, Duty, DutyKind, skills_of
from dispatch.acts.absences import CancelLeave, ChangeLeave, RecordLeave
from dispatch.acts.act import perform
from dispatch.acts.agent_changes import DepartAgent, EditAgent
from dispatch.acts.assigning import AssignProject
from dispatch.acts.referring import ReferProject
from dispatch.assignment.departure import propose_departure
from dispatch.cases.case import Case, CaseEvent
from dispatch.cases.evaluation import Ticket, TicketKind
from dispatch.cases.obligations.keeping import obligation_differences
from dispatch.cases.obligations.obligation import Obligation, OwnerKind
from dispatch.cases.project import Project, ProjectMember, ProjectState, Referral
from dispatch.core.actor import Actor
from dispatch.core.errors import NotFound, Refused, Stale
from tests.dispatch import steps
from tests.dispatch.builders import MONDAY, TEN, County, an_agent, an_assigned_case

FRIDAY = MONDAY + timedelta(days=4)


def lead_of(county: County) -> Actor:
    """The lead, acting by no account of the program's."""
    return replace(county.lead, account_id=None)


def leave(county: County, agent: Agent, first: date, last: date, **more: object) -> object:
    command = RecordLeave(agent=agent.id, starts_on=first, ends_on=last, **more)  # type: ignore[arg-type]
    return perform(county.session, command, lead_of(county))


def as_is(agent: Agent, county: County, **more: object) -> EditAgent:
    given = {
        "agent": agent.id, "version": agent.version, "name": agent.name, "phone": agent.phone,
        "division": county.division.code, "capacity": agent.capacity, "weekly_hours": agent.weekly_hours,
        "stars": agent.stars,
    }  # fmt: skip
    return EditAgent(**(given | more))  # type: ignore[arg-type]


# ---------------------------------------------------------------- absences


def test_nobody_is_away_twice_on_a_day(county: County) -> None:
    agent = county.agents[0]
    leave(county, agent, MONDAY, FRIDAY)
    for first, last in ((MONDAY, MONDAY), (FRIDAY, FRIDAY + timedelta(days=3)), (MONDAY - timedelta(days=9), FRIDAY)):
        with pytest.raises(Refused, match="away by leave"):
            leave(county, agent, first, last)
    leave(county, agent, FRIDAY + timedelta(days=1), FRIDAY + timedelta(days=2))
    leave(county, county.agents[1], MONDAY, FRIDAY)


def test_a_leave_is_cut_moved_and_cancelled(county: County) -> None:
    agent, session = county.agents[0], county.session
    made = leave(county, agent, MONDAY, FRIDAY).absence_id  # type: ignore[attr-defined]
    change = ChangeLeave(agent=agent.id, absence=made, starts_on=MONDAY, ends_on=MONDAY, kind=DutyKind.SICK)  # type: ignore[arg-type]
    assert perform(session, change, lead_of(county)).absence_id == made
    kept = session.get_one(Duty, made)
    assert (kept.ends_on, kept.kind) == (MONDAY, DutyKind.SICK)
    perform(session, CancelLeave(agent=agent.id, absence=made), lead_of(county))  # type: ignore[arg-type]
    assert session.scalar(select(func.count()).select_from(Duty)) == 0


def test_what_is_over_stays_and_what_runs_ends_yesterday(county: County) -> None:
    agent, session, before = county.agents[0], county.session, MONDAY - timedelta(days=4)
    over = Duty(agent_id=agent.id, kind=DutyKind.LEAVE, starts_on=before - timedelta(days=9), ends_on=before)
    runs = Duty(agent_id=agent.id, kind=DutyKind.LEAVE, starts_on=MONDAY - timedelta(days=1), ends_on=FRIDAY)
    session.add_all([over, runs])
    session.flush()
    for command in (
        CancelLeave(agent=agent.id, absence=over.id),  # type: ignore[arg-type]
        ChangeLeave(agent=agent.id, absence=over.id, starts_on=over.starts_on, ends_on=FRIDAY),  # type: ignore[arg-type]
        ChangeLeave(agent=agent.id, absence=runs.id, starts_on=MONDAY, ends_on=FRIDAY),  # type: ignore[arg-type]
    ):
        with pytest.raises(Refused):
            perform(session, command, lead_of(county))
    perform(session, CancelLeave(agent=agent.id, absence=runs.id), lead_of(county))  # type: ignore[arg-type]
    assert runs.ends_on == MONDAY - timedelta(days=1)
    with pytest.raises(NotFound):
        perform(session, CancelLeave(agent=county.agents[1].id, absence=runs.id), lead_of(county))  # type: ignore[arg-type]


def test_both_of_a_pair_away_is_said(county: County) -> None:
    first, second, third = county.agents
    first.stand_in_id, third.stand_in_id = second.id, first.id
    assert leave(county, second, MONDAY, FRIDAY).also_away == ()  # type: ignore[attr-defined]
    assert leave(county, first, FRIDAY, FRIDAY).also_away == (second.name,)  # type: ignore[attr-defined]
    assert leave(county, third, FRIDAY, FRIDAY).also_away == (first.name,)  # type: ignore[attr-defined]
    assert leave(county, first, MONDAY + timedelta(days=9), MONDAY + timedelta(days=9)).also_away == ()  # type: ignore[attr-defined]


# ---------------------------------------------------------------- editing


def test_an_agent_is_edited_as_a_whole(county: County) -> None:
    agent, session = county.agents[0], county.session
    command = as_is(
        agent, county, name="改名", phone="13800000091", capacity=4, stars=5, weekly_hours=20, languages=("en", "zh"),
        division=county.town.code, learning=(Category.LAND,), able=(Category.FILING, Category.PLANNING),
        masters=(Category.PLANNING,), stand_in=county.agents[1].id,
    )  # fmt: skip
    done = perform(session, command, lead_of(county))
    assert (agent.name, agent.phone, agent.capacity, agent.stars) == ("改名", "+8613800000091", 4, 5)
    assert (agent.division_id, agent.weekly_hours, agent.stand_in_id) == (county.town.id, 20, county.agents[1].id)
    assert skills_of(session, [agent.id])[agent.id] == {"land": 1, "filing": 2, "planning": 3}
    assert done.version == agent.version
    with pytest.raises(Stale) as refused:
        perform(session, command, lead_of(county))
    assert county.lead.label in str(refused.value)


def test_nobody_stands_in_for_oneself_nor_who_has_left(county: County) -> None:
    agent, other = county.agents[:2]
    other.active = False
    county.session.flush()
    for one in (agent, other):
        with pytest.raises(Refused, match="cannot stand in"):
            perform(county.session, as_is(agent, county, stand_in=one.id), lead_of(county))
    with pytest.raises(Refused, match="has left"):
        perform(county.session, as_is(other, county), lead_of(county))


# ---------------------------------------------------------------- leaving for good


def depart(county: County, agent: Agent) -> object:
    seen = propose_departure(county.session, agent, at=TEN).fingerprint
    return perform(county.session, DepartAgent(agent=agent.id, seen=seen, reason="调离"), lead_of(county))  # type: ignore[arg-type]


def leader_of(case: Case, county: County) -> Agent:
    lead = county.session.get_one(Project, case.project_id).lead
    assert lead is not None
    return county.session.get_one(Agent, lead.agent_id)


def test_who_leaves_leaves_nothing_behind(county: County) -> None:
    session = county.session
    case, viewer = an_assigned_case(county)
    agent = leader_of(case, county)
    other = next(one for one in county.agents if one is not agent)
    other.stand_in_id = agent.id
    ticket = steps.open_ticket(session, kind=TicketKind.QUESTION, words="何时？", by=viewer, at=TEN, case=case)
    ticket.owner_agent_id = agent.id
    leave(county, agent, MONDAY + timedelta(days=30), MONDAY + timedelta(days=31))
    project = session.get_one(Project, case.project_id)
    offer = ReferProject(project=project.project_no, agent_id=other.id, reason="出差")  # type: ignore[arg-type]
    perform(session, offer, lead_of(county))
    done = depart(county, agent)
    assert (done.moved, done.waiting) == (1, 0)  # type: ignore[attr-defined]
    session.expire_all()
    assert leader_of(case, county) is not agent
    assert (agent.active, agent.held, other.stand_in_id) == (False, 0, None)
    assert session.get_one(Ticket, ticket.id).owner_agent_id is None
    assert session.scalars(select(Referral.declined_at)).one() is not None
    for left in (
        select(ProjectMember.id).where(ProjectMember.agent_id == agent.id, ProjectMember.until.is_(None)),
        select(Duty.id).where(Duty.agent_id == agent.id),
        select(Obligation.id).where(Obligation.owner_kind == OwnerKind.PERSON, Obligation.owner_id == agent.id),
    ):
        assert session.scalars(left).all() == []
    assert list(obligation_differences(session)) == []
    with pytest.raises(Refused, match="has left"):
        perform(session, DepartAgent(agent=agent.id, seen="x", reason="调离"), lead_of(county))  # type: ignore[arg-type]


def test_what_nobody_can_take_waits_for_an_agent(county: County) -> None:
    session = county.session
    case, _ = an_assigned_case(county)
    agent = leader_of(case, county)
    for one in county.agents:
        if one is not agent:
            one.capacity = 0
    session.flush()
    done = depart(county, agent)
    assert (done.moved, done.waiting) == (0, 1)  # type: ignore[attr-defined]
    session.expire_all()
    project = session.get_one(Project, case.project_id)
    assert (project.state, project.lead, agent.held, agent.active) == (ProjectState.WAITING, None, 0, False)
    assert "agent_left" in session.scalars(select(CaseEvent.kind).where(CaseEvent.case_id == case.id)).all()
    late = an_agent(session, "新代办员", division=county.division, n=77)
    perform(session, AssignProject(project=project.project_no, agent_id=late.id, reason="接办"), lead_of(county))  # type: ignore[arg-type]
    assert leader_of(case, county) is late


def test_a_handover_that_was_not_seen_is_not_carried_out(county: County) -> None:
    case, _ = an_assigned_case(county)
    agent = leader_of(case, county)
    seen = propose_departure(county.session, agent, at=TEN).fingerprint
    an_assigned_case(county)
    held = agent.held
    command = DepartAgent(agent=agent.id, seen=seen, reason="调离")  # type: ignore[arg-type]
    with pytest.raises(Stale):
        perform(county.session, replace(command, seen="another"), lead_of(county))
    if leader_of(case, county).held > 1:
        with pytest.raises(Stale):
            perform(county.session, command, lead_of(county))
    assert (agent.active, agent.held) == (True, held)
