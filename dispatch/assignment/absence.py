"""Absence: what a leave of more than three working days changes, shown with its notices before anything does."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from agents.matching.leave import relieve
from agents.matching.model import Id
from agents.network import Division, subtree_condition
from agents.roster import Agent, Duty
from dispatch.assignment.absence_periods import SHORT_LEAVE_WD, absence_periods, is_long_absence, working_days
from dispatch.assignment.matching_input import build_input
from dispatch.assignment.propose import WEIGHTS, Move, Proposal
from dispatch.cases.notify import day_of
from dispatch.cases.project import Project, TeamRole
from dispatch.catalogue.calendar_version import calendar_of

AHEAD = timedelta(days=7)  # leaves that begin within a week are provided for now
BEFORE = timedelta(days=31)  # how far back a leave may have ended that the next one only prolongs
REASON = "原代办员请假超过三个工作日"


@dataclass(frozen=True, slots=True)
class Leave:
    """An absence that a stand-in does not cover: who, until when, how many working days."""

    agent_id: int
    name: str
    ends_on: date
    working_days: int


@dataclass(frozen=True, slots=True)
class ReliefProposal:
    """Who would take over from whom, and how many enterprises would have to be told. Nothing is changed yet."""

    leaves: tuple[Leave, ...]
    proposal: Proposal
    notices: int
    others: int  # moves of projects whose own agent is there
    unforced: int  # those of them without which nothing more would wait


def long_leaves(session: Session, *, at: datetime, path: str | None = None) -> list[Leave]:
    """Leaves of more than three working days that stand now or begin within a week, each with those that prolong it."""
    calendar, today = calendar_of(session), day_of(at)
    query = (
        select(Duty, Agent.name)
        .join(Agent, Agent.id == Duty.agent_id)
        .join(Division, Division.id == Agent.division_id)
        .where(Duty.ends_on >= today - BEFORE, Duty.starts_on <= today + BEFORE, Agent.active, Agent.held > 0)
        .order_by(Duty.starts_on, Duty.id)
    )
    if path is not None:
        query = query.where(subtree_condition(path))
    names: dict[int, str] = {}
    leaves: dict[int, list[tuple[date, date]]] = {}
    for duty, name in session.execute(query):
        names[duty.agent_id] = name
        leaves.setdefault(duty.agent_id, []).append((duty.starts_on, duty.ends_on))
    standing = [
        (starts_on, Leave(agent_id, names[agent_id], ends_on, working_days(calendar, starts_on, ends_on)))
        for agent_id, mine in leaves.items()
        for starts_on, ends_on in absence_periods(mine, calendar)
        if ends_on >= today and starts_on <= today + AHEAD
    ]
    found: dict[int, Leave] = {}
    for _, leave in sorted(standing, key=lambda spell: spell[0]):
        longest = found[leave.agent_id].working_days if leave.agent_id in found else SHORT_LEAVE_WD
        if leave.working_days > longest:
            found[leave.agent_id] = leave
    return list(found.values())


def is_long_leave(session: Session, agent_id: int, starts_on: date, ends_on: date) -> bool:
    """Whether a leave that is written down is, with those that it prolongs, longer than the stand-in acts."""
    calendar = calendar_of(session)
    mine = session.execute(
        select(Duty.starts_on, Duty.ends_on).where(
            Duty.agent_id == agent_id, Duty.ends_on >= starts_on - BEFORE, Duty.starts_on <= ends_on + BEFORE
        )
    )
    absences = absence_periods([(row.starts_on, row.ends_on) for row in mine], calendar)
    return any(first <= starts_on <= last and is_long_absence(calendar, first, last) for first, last in absences)


def overlapping_leave(
    session: Session, agent_id: int, starts_on: date, ends_on: date, *, but: int | None
) -> Duty | None:
    """A leave of the agent on one of these days, apart from ``but``."""
    there = select(Duty).where(Duty.agent_id == agent_id, Duty.starts_on <= ends_on, Duty.ends_on >= starts_on)
    if but is not None:
        there = there.where(Duty.id != but)
    return session.scalar(there.order_by(Duty.starts_on, Duty.id).limit(1))


def also_away(session: Session, agent: Agent, starts_on: date, ends_on: date) -> tuple[str, ...]:
    """The stand-in, and those for whom the agent stands in, who are away on some of these days."""
    partners = or_(Agent.id == agent.stand_in_id, Agent.stand_in_id == agent.id)
    away = select(Duty.agent_id).where(Duty.starts_on <= ends_on, Duty.ends_on >= starts_on)
    found = select(Agent.name).where(partners, Agent.active, Agent.id != agent.id, Agent.id.in_(away))
    return tuple(session.scalars(found.order_by(Agent.id)))


def propose_relief(session: Session, *, at: datetime, path: str | None = None) -> ReliefProposal:
    """The fewest moves that free the absent agents of their projects, with the notices that these cost."""
    leaves = long_leaves(session, at=at, path=path)
    found = relief_of(
        session, {leave.agent_id: leave.working_days for leave in leaves}, at=at, path=path, reason=REASON
    )
    return replace(found, leaves=tuple(leaves))


def relief_of(
    session: Session, absent: Mapping[Id, int], *, at: datetime, reason: str, path: str | None = None
) -> ReliefProposal:
    """Who would take over from agents who are away for so many working days."""
    question = build_input(session, at=at, path=path)
    held = [need for need in question.needs if need.current is not None]
    relief = relieve(absent, held, question.agents, question.network, WEIGHTS)
    needs = {need.id: need for need in held}
    numbers = _numbers(session, [int(move.project) for move in relief.moves])
    moves = [
        Move(
            project_id=int(move.project),
            project_no=numbers[int(move.project)],
            role=TeamRole(needs[move.need].role),
            counter="" if needs[move.need].role == "lead" else needs[move.need].node,
            before=int(move.before),
            after=None if move.agent is None else int(move.agent),
            reason={"why": reason},
        )
        for move in relief.moves
    ]
    return ReliefProposal(
        leaves=(),
        proposal=Proposal(
            tuple(m for m in moves if m.after is not None), tuple(m for m in moves if m.after is None),
            question.versions, 0, True, None,
        ),
        notices=relief.notices,
        others=len(relief.others),
        unforced=relief.unforced,
    )  # fmt: skip


def _numbers(session: Session, ids: list[int]) -> dict[int, str]:
    rows = session.execute(select(Project.id, Project.project_no).where(Project.id.in_(ids)))
    return {row.id: row.project_no for row in rows}
