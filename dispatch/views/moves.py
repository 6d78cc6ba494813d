"""Moves as a page shows them: projects, counters and people by their names."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from agents.network import Division
from agents.roster import Agent
from dispatch.assignment.propose import Move
from dispatch.cases.project import Project


@dataclass(frozen=True, slots=True)
class MoveLine:
    """One project that changes hands. ``counter`` is the place of a liaison's counter, empty for the lead."""

    project_no: str
    project: str
    counter: str
    before: str
    after: str
    terms: tuple[tuple[str, Any], ...]


def move_lines(session: Session, moves: Sequence[Move]) -> tuple[MoveLine, ...]:
    """The moves in their order, in three queries however many there are; in none where nothing moves."""
    if not moves:
        return ()
    people = {person for move in moves for person in (move.before, move.after) if person is not None}
    names = {row.id: row.name for row in session.execute(select(Agent.id, Agent.name).where(Agent.id.in_(people)))}
    projects = {
        row.id: row.name
        for row in session.execute(
            select(Project.id, Project.name).where(Project.id.in_({move.project_id for move in moves}))
        )
    }
    places = {
        row.code: row.name
        for row in session.execute(
            select(Division.code, Division.name).where(Division.code.in_({move.counter for move in moves}))
        )
    }
    return tuple(
        MoveLine(
            move.project_no,
            projects[move.project_id],
            places.get(move.counter, move.counter),
            "" if move.before is None else names[move.before],
            "" if move.after is None else names[move.after],
            tuple(move.reason.get("terms", {}).items()),
        )
        for move in moves
    )
