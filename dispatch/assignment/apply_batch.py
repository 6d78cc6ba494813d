"""Placing: carries a batch's proposal out in a few statements, whatever its size; who was placed is told afterwards."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, text, update
from sqlalchemy.orm import Session

from agents.matching.gc_disabled import gc_disabled
from agents.matching.model import Id
from agents.roster import Agent
from db import Base
from dispatch.assignment.matching_input import among
from dispatch.assignment.propose import Move, Proposal, ShadowPrice
from dispatch.assignment.staffing import PRESCREEN_WD, agent_values
from dispatch.cases.case import Case, CaseEvent
from dispatch.cases.lookups import due
from dispatch.cases.notify import queue_agent_notice, queue_notice
from dispatch.cases.project import Project, ProjectMember, ProjectState, TeamRole
from dispatch.cases.stages import ENDS, NOTICE, Stage
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.core.actor import Actor
from dispatch.core.localized_text import LocalizedText, to_json


@dataclass(frozen=True, slots=True)
class BatchResult:
    """What a batch changed, and what it left alone because it had changed meanwhile or had no slot."""

    done: tuple[Move, ...]
    stale: tuple[Move, ...]
    full: tuple[Move, ...]


@gc_disabled()
def apply(session: Session, proposal: Proposal, *, by: Actor, at: datetime) -> BatchResult:
    """Carry a proposal out in the caller's transaction: only rows that are as they were read; the rest is reported.

    Nobody is told yet: ``tell_placed`` does so, at once for a few and in portions for thousands."""
    wanted = sorted(proposal.moves, key=lambda move: (move.project_id, move.role, move.counter))
    versions = _locked_versions(session, [m.project_id for m in (*wanted, *proposal.waiting)])
    fresh = {p for p, version in versions.items() if version == proposal.versions[p]}
    stale = [m for m in wanted if m.project_id not in fresh]
    done, full = _within_capacity(session, [m for m in wanted if m.project_id in fresh])
    if done:
        _write(session, done, by=by, at=at)
    unplaced = [m for m in proposal.waiting if m.role is TeamRole.LEAD and m.before is None]
    _keep_reasons(session, [m for m in unplaced if m.project_id in fresh])
    if proposal.prices is not None:
        keep_prices(session, proposal.prices, at=at)
    session.expire_all()
    return BatchResult(tuple(done), tuple(stale), tuple(full))


def _locked_versions(session: Session, project_ids: Sequence[int]) -> dict[int, int]:
    rows = session.execute(
        select(Project.id, Project.version)
        .where(among(Project.id, project_ids), Project.state != ProjectState.CLOSED)
        .order_by(Project.id)
        .with_for_update()
    )
    return {row.id: row.version for row in rows}


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
            room = agent.capacity if agent.active else 0
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


def _write(session: Session, moves: Sequence[Move], *, by: Actor, at: datetime) -> None:
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
            update(ProjectMember).where(among(ProjectMember.id, gone)).values(until=at),
            execution_options={"synchronize_session": False},
        )
    _copy(
        session, ProjectMember, ("project_id", "agent_id", "role", "counter", "since", "locked", "chosen_by", "reason"),
        (
            (m.project_id, m.after, m.role.value, m.counter, at, False, "matching", _json(m.reason))
            for m in moves
        ),
    )  # fmt: skip
    leads = [m for m in moves if m.role is TeamRole.LEAD]
    if others := {m.project_id for m in moves} - {m.project_id for m in leads}:
        session.execute(
            update(Project).where(among(Project.id, others)).values(version=Project.version + 1),
            execution_options={"synchronize_session": False},
        )
    if leads:
        _write_leads(session, leads, by=by, at=at)


def _write_leads(session: Session, leads: Sequence[Move], *, by: Actor, at: datetime) -> None:
    ids = [m.project_id for m in leads]
    session.execute(
        update(Project)
        .where(
            among(Project.id, ids), ProjectMember.project_id == Project.id, ProjectMember.role == TeamRole.LEAD,
            ProjectMember.until.is_(None),
        )
        .values(
            state=ProjectState.ACTIVE, assignment_reason=ProjectMember.reason, version=Project.version + 1
        ),
        execution_options={"synchronize_session": False},
    )  # fmt: skip
    names = names_of(session, [m.after for m in leads if m.after is not None])
    name_of = {m.project_id: names[m.after] for m in leads if m.after is not None}
    begun = session.execute(
        update(Case)
        .where(among(Case.project_id, ids), Case.stage == Stage.REQUESTED)
        .values(
            stage=Stage.ASSIGNED, stage_at=at, changed_by=by.label, version=Case.version + 1,
            prescreen_by=due(calendar_of(session), at, PRESCREEN_WD),
        )
        .returning(Case.id, Case.project_id),
        execution_options={"synchronize_session": False},
    ).all()  # fmt: skip
    fresh = {row.id for row in begun}
    others = session.execute(
        select(Case.id, Case.project_id, Case.stage).where(
            among(Case.project_id, [m.project_id for m in leads if m.before is not None]), Case.stage.not_in(ENDS)
        )
    ).all()
    events = [
        _event(
            row.id,
            Stage.ASSIGNED,
            "assigned",
            LocalizedText("已指派代办员%(name)s", name=name_of[row.project_id]),
            by,
            at,
        )
        for row in begun
    ] + [
        _event(
            row.id,
            row.stage,
            "agent_changed",
            LocalizedText("代办员变更为%(name)s", name=name_of[row.project_id]),
            by,
            at,
        )
        for row in others
        if row.id not in fresh
    ]
    _copy(session, CaseEvent, ("case_id", "at", "kind", "stage", "actor", "words", "detail", "internal"), events)


def _event(case_id: int, stage: Stage, kind: str, words: str, by: Actor, at: datetime) -> tuple[Any, ...]:
    return case_id, at, kind, stage.value, by.label, str(words), json.dumps(to_json(words)), False


def _copy(session: Session, noun: type[Base], columns: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> None:
    """Many new rows of one table in one stream; their ids come from the table's own sequence."""
    names = ", ".join(f'"{name}"' for name in columns)
    cursor: Any = session.connection().connection.cursor()
    with cursor, cursor.copy(f'COPY "{noun.__tablename__}" ({names}) FROM STDIN') as stream:
        for row in rows:
            stream.write_row(row)


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
    rows = ((int(agent), price, at) for agent, price in prices.items() if price)
    _copy(session, ShadowPrice, ("agent_id", "value", "computed_at"), rows)


def names_of(session: Session, agent_ids: Sequence[int]) -> dict[Any, str]:
    """Agents' names by id."""
    rows = session.execute(select(Agent.id, Agent.name).where(among(Agent.id, sorted(set(agent_ids)))))
    return {row.id: row.name for row in rows}


# ---------------------------------------------------------------- telling


def tell_placed(session: Session, *, at: datetime, limit: int = 200, project_id: int | None = None) -> int:
    """Tell agents and enterprises of placements that nobody was told of yet; how many members were told."""
    untold = select(ProjectMember).where(ProjectMember.told_at.is_(None), ProjectMember.until.is_(None))
    if project_id is not None:
        untold = untold.where(ProjectMember.project_id == project_id)
    members = session.scalars(untold.order_by(ProjectMember.id).limit(limit).with_for_update(skip_locked=True)).all()
    for member in members:
        _tell_one(session, member, at=at)
    return len(members)


def _tell_one(session: Session, member: ProjectMember, *, at: datetime) -> None:
    member.told_at = at
    project, agent = session.get_one(Project, member.project_id), session.get_one(Agent, member.agent_id)
    queue_agent_notice(
        session, agent, project, text="project_for_agent", key=f"{agent.id}:{member.id}", at=at,
        values={"project": project.name[:20], "case_no": project.project_no},
    )  # fmt: skip
    if member.role is not TeamRole.LEAD:
        return
    values = agent_values(session, agent)
    before = any(m.role is TeamRole.LEAD and m.until is not None and m.told_at is not None for m in project.members)
    for case in session.scalars(select(Case).where(Case.project_id == project.id, Case.stage.not_in(ENDS))):
        if before:
            queue_notice(session, case, "agent_changed", at=at, key=str(member.id), values=values)
        else:
            queue_notice(session, case, NOTICE[Stage.ASSIGNED], at=at, values=values)
