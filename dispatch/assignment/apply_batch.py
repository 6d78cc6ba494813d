"""Applying a batch: its proposal carried out in a few statements, whatever its size; who was placed is told after."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from sqlalchemy import delete, select, text, update
from sqlalchemy.orm import Session

from agents.matching.gc_disabled import gc_disabled
from agents.matching.model import Id
from agents.roster import Agent
from db import Base
from dispatch.assignment import rules
from dispatch.assignment.matching_input import among
from dispatch.assignment.propose import Move, Proposal, ShadowPrice
from dispatch.cases.case import Case, CaseEvent
from dispatch.cases.obligations.marking import mark
from dispatch.cases.project import Project, ProjectMember, ProjectState, TeamRole
from dispatch.cases.stages import ENDS, Stage
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.core.actor import Actor


@dataclass(frozen=True, slots=True)
class AppliedMoves:
    """What a batch changed, and what it left alone because it had changed meanwhile or had no slot."""

    done: tuple[Move, ...]
    stale: tuple[Move, ...]
    full: tuple[Move, ...]


JUST_NOW = rules.AgreedMoment()


@gc_disabled()
def apply(
    session: Session, proposal: Proposal, *, by: Actor, at: datetime, agreed: rules.AgreedMoment = JUST_NOW
) -> AppliedMoves:
    """Carry a proposal out in the caller's transaction: only rows that are as they were read; the rest is reported.

    ``agreed``: since when it holds, where that was said before it is written down.
    Nobody is told yet: ``tell_placed`` does so, at once for a few and in portions for thousands."""
    wanted = sorted(proposal.moves, key=lambda move: (move.project_id, move.role, move.counter))
    locked = _locked_projects(session, [m.project_id for m in (*wanted, *proposal.waiting)])
    fresh = {p for p, row in locked.items() if row.version == proposal.versions[p]}
    may = {True: list[Move](), False: list[Move]()}
    for m in wanted:
        may[m.project_id in fresh and m.after not in locked[m.project_id].banned_agents].append(m)
    stale = may[False]
    done, full = _within_capacity(session, may[True])
    if done:
        _write(session, done, by=by, at=at, agreed=agreed)
    unplaced = [m for m in proposal.waiting if m.role is TeamRole.LEAD and m.before is None]
    _keep_reasons(session, [m for m in unplaced if m.project_id in fresh])
    if proposal.prices is not None:
        keep_prices(session, proposal.prices, at=at)
    session.expire_all()
    return AppliedMoves(tuple(done), tuple(stale), tuple(full))


def _locked_projects(session: Session, project_ids: Sequence[int]) -> dict[int, Any]:
    """Version and banned agents of those that are not closed."""
    rows = session.execute(
        select(Project.id, Project.version, Project.banned_agents)
        .where(among(Project.id, project_ids), Project.state != ProjectState.CLOSED)
        .order_by(Project.id)
        .with_for_update()
    )
    return {row.id: row for row in rows}


def _within_capacity(session: Session, moves: Sequence[Move]) -> tuple[list[Move], list[Move]]:
    """The moves that fit together, slots given back by some serving others; their agents' loads are written."""
    people = {m.after for m in moves} | {m.before for m in moves if m.before is not None}
    agents = {
        row.id: row
        for row in session.execute(
            select(Agent.id, Agent.held, Agent.capacity, Agent.active)
            .where(among(Agent.id, [a for a in people if a is not None]))
            .order_by(Agent.id)
            .with_for_update()
        )
    }
    taken: Counter[int] = Counter()
    into: dict[int, list[Move]] = {}
    for move in moves:
        assert move.after is not None
        taken[move.after] += 1
        into.setdefault(move.after, []).append(move)
        if move.before is not None:
            taken[move.before] -= 1
    full: set[tuple[int, TeamRole, str]] = set()
    crowded = sorted(into)
    while crowded:
        again = set()
        for agent_id in crowded:
            agent = agents[agent_id]
            room = rules.room_of(active=agent.active, capacity=agent.capacity)
            while into[agent_id] and agent.held + taken[agent_id] > room:
                dropped = into[agent_id].pop()
                full.add(_place_of(dropped))
                taken[agent_id] -= 1
                if dropped.before is not None:
                    # It keeps the slot that others were counting on.
                    taken[dropped.before] += 1
                    again.add(dropped.before)
        crowded = sorted(again & into.keys())
    by_change: dict[int, list[int]] = {}
    for agent_id, change in taken.items():
        by_change.setdefault(change, []).append(agent_id)
    for change, ids in sorted(by_change.items()):
        if change:
            session.execute(
                update(Agent).where(among(Agent.id, ids)).values(held=Agent.held + change),
                execution_options={"synchronize_session": False},
            )
    return [m for m in moves if _place_of(m) not in full], [m for m in moves if _place_of(m) in full]


def _place_of(move: Move) -> tuple[int, TeamRole, str]:
    return move.project_id, move.role, move.counter


def _write(session: Session, moves: Sequence[Move], *, by: Actor, at: datetime, agreed: rules.AgreedMoment) -> None:
    mark(session, projects=(m.project_id for m in moves))
    ended = [m for m in moves if m.before is not None]
    if ended:
        acting = session.execute(
            select(ProjectMember.id, ProjectMember.project_id, ProjectMember.role, ProjectMember.counter).where(
                among(ProjectMember.project_id, [m.project_id for m in ended]), ProjectMember.until.is_(None)
            )
        )
        leaving = {_place_of(m) for m in ended}
        gone = [row.id for row in acting if (row.project_id, row.role, row.counter) in leaving]
        session.execute(
            update(ProjectMember).where(among(ProjectMember.id, gone)).values(until=agreed.since or at),
            execution_options={"synchronize_session": False},
        )
    _copy(
        session, ProjectMember, rules.MEMBER_COLUMNS,
        (
            rules.member_values(
                m.project_id, m.after,
                rules.AssignmentChoice(reason=m.reason, since=agreed.since, late_reason=agreed.late_reason),
                by=by, at=at, role=m.role, counter=m.counter,
            )
            for m in moves if m.after is not None
        ),
    )  # fmt: skip
    leads = [m for m in moves if m.role is TeamRole.LEAD]
    liaisons = [m for m in moves if m.role is not TeamRole.LEAD]
    names = names_of(session, [m.after for m in moves if m.after is not None])
    if others := {m.project_id for m in liaisons} - {m.project_id for m in leads}:
        session.execute(
            update(Project).where(among(Project.id, others)).values(version=Project.version + 1, changed_by=by.label),
            execution_options={"synchronize_session": False},
        )
    events: list[rules.Values] = []
    if leads:
        events += _write_leads(session, leads, names, by=by, at=at, since=agreed.since)
    if liaisons:
        events += _liaison_events(session, liaisons, names, by=by, at=at)
    _copy(session, CaseEvent, rules.EVENT_COLUMNS, events)


def _write_leads(
    session: Session, leads: Sequence[Move], names: Mapping[int, str], *, by: Actor, at: datetime,
    since: datetime | None,
) -> list[rules.Values]:  # fmt: skip
    """Projects and cases of those that have a lead from now on, and the lines for the timelines of these cases."""
    ids = [m.project_id for m in leads]
    session.execute(
        update(Project)
        .where(
            among(Project.id, ids), ProjectMember.project_id == Project.id, ProjectMember.role == TeamRole.LEAD,
            ProjectMember.until.is_(None),
        )
        .values(**rules.project_change(ProjectMember.reason, by=by), version=Project.version + 1),
        execution_options={"synchronize_session": False},
    )  # fmt: skip
    lead_of = {m.project_id: m.after for m in leads if m.after is not None}
    begun = session.execute(
        update(Case)
        .where(among(Case.project_id, ids), Case.stage == Stage.REQUESTED)
        .values(**rules.case_change(calendar_of(session), by=by, at=at, since=since), version=Case.version + 1)
        .returning(Case.id, Case.project_id, Case.stage),
        execution_options={"synchronize_session": False},
    ).all()
    fresh = {row.id for row in begun}
    changed = _open_cases(session, [m.project_id for m in leads if m.before is not None])
    return [
        rules.event_values(row.id, row.stage, rules.lead_given(names[lead_of[row.project_id]]), by=by, at=at)
        for row in begun
    ] + [
        rules.event_values(row.id, row.stage, _lead_changed(names, lead_of[row.project_id]), by=by, at=at)
        for row in changed
        if row.id not in fresh
    ]


def _lead_changed(names: Mapping[int, str], agent_id: int) -> rules.TeamEvent:
    return rules.lead_changed(names[agent_id], agent_id)


def _liaison_events(
    session: Session, liaisons: Sequence[Move], names: Mapping[int, str], *, by: Actor, at: datetime
) -> list[rules.Values]:
    cases: dict[int, list[Any]] = {}
    for row in _open_cases(session, [m.project_id for m in liaisons]):
        cases.setdefault(row.project_id, []).append(row)
    return [
        rules.event_values(row.id, row.stage, rules.liaison_given(names[m.after], m.counter), by=by, at=at)
        for m in liaisons
        if m.after is not None
        for row in cases.get(m.project_id, ())
    ]


def _open_cases(session: Session, project_ids: Sequence[int]) -> Sequence[Any]:
    if not project_ids:
        return ()
    return session.execute(
        select(Case.id, Case.project_id, Case.stage).where(among(Case.project_id, project_ids), Case.stage.not_in(ENDS))
    ).all()


def _copy(session: Session, noun: type[Base], columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Many new rows of one table in one stream; their ids come from the table's own sequence."""
    names = ", ".join(f'"{name}"' for name in columns)
    cursor: Any = session.connection().connection.cursor()
    with cursor, cursor.copy(f'COPY "{noun.__tablename__}" ({names}) FROM STDIN') as stream:
        for row in rows:
            stream.write_row([_plain(row[name]) for name in columns])


def _plain(value: Any) -> Any:
    """As COPY writes it."""
    if isinstance(value, Enum):
        return value.value
    return _json(value) if isinstance(value, dict) else value


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False)


def _keep_reasons(session: Session, waiting: Sequence[Move]) -> None:
    """Why nobody: kept with the project that goes on waiting."""
    if waiting:
        session.execute(
            text(
                "UPDATE project SET assignment_reason = w.reason"
                " FROM unnest(CAST(:ids AS bigint[]), CAST(:reasons AS jsonb[])) AS w (id, reason)"
                " WHERE project.id = w.id"
            ),
            {"ids": [m.project_id for m in waiting], "reasons": [_json(m.reason) for m in waiting]},
        )


def keep_prices(session: Session, prices: Mapping[Id, int], *, at: datetime) -> None:
    """Replace these agents' scarcity prices of the last batch; those of others stand."""
    session.execute(delete(ShadowPrice).where(among(ShadowPrice.agent_id, (int(agent) for agent in prices))))
    rows = ({"agent_id": int(agent), "value": price, "computed_at": at} for agent, price in prices.items() if price)
    _copy(session, ShadowPrice, ("agent_id", "value", "computed_at"), rows)


def names_of(session: Session, agent_ids: Sequence[int]) -> dict[Any, str]:
    """Agents' names by id."""
    rows = session.execute(select(Agent.id, Agent.name).where(among(Agent.id, sorted(set(agent_ids)))))
    return {row.id: row.name for row in rows}
