"""The agents' board: who is free, who is away and who stands in, the freest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Double, Select, cast, func, or_, select, tuple_
from sqlalchemy.orm import Session, aliased

from agents.network import Division
from agents.roster import Agent, Duty, DutyKind, skills_of
from dispatch.acts.people import STATION_LEVELS
from dispatch.cases.access_control import visible_agents, within
from dispatch.core.actor import Actor

AWAY: dict[DutyKind, str] = {DutyKind.LEAVE: "休假", DutyKind.SICK: "病假", DutyKind.TRAINING: "培训"}

SHARE = Agent.held / cast(func.greatest(Agent.capacity, 1), Double)
ORDER = (SHARE, Division.level, Agent.pinyin, Agent.id)


@dataclass(frozen=True, slots=True)
class AgentLine:
    """One agent of the board; ``place`` is where the list goes on after this line."""

    id: int
    agent_no: str
    name: str
    station: str
    held: int
    capacity: int
    stars: int
    skills: dict[str, int]
    away: str
    stand_in: str
    place: tuple[float, int, str, int]


def board(
    session: Session,
    viewer: Actor,
    *,
    on: date,
    words: str = "",
    after: tuple[float, int, str, int] | None = None,
    limit: int = 50,
) -> list[AgentLine]:
    """The active agents of the viewer's reach as of a day, the freest first, ``limit`` and one more."""
    query = _lines(on).where(visible_agents(viewer))
    if words.strip():
        typed = words.strip()
        query = query.where(
            or_(
                Agent.name.contains(typed, autoescape=True),
                Agent.pinyin.startswith(typed.lower(), autoescape=True),
                Division.name.contains(typed, autoescape=True),
            )
        )
    if after is not None:
        query = query.where(tuple_(*ORDER) > tuple_(*after))
    rows = session.execute(query.order_by(*ORDER).limit(limit + 1)).all()
    skills = skills_of(session, [row.id for row in rows])
    return [
        AgentLine(
            row.id, row.agent_no, row.name, row.station, row.held, row.capacity, row.stars, skills[row.id],
            AWAY[row.away] if row.away else "", row.stand_in or "", (row.share, row.level, row.pinyin, row.id),
        )
        for row in rows
    ]  # fmt: skip


def _lines(on: date) -> Select[*tuple[Any, ...]]:
    second = aliased(Agent)
    away = (
        select(Duty.kind)
        .where(Duty.agent_id == Agent.id, Duty.starts_on <= on, Duty.ends_on >= on)
        .order_by(Duty.id)
        .limit(1)
        .scalar_subquery()
    )
    return (
        select(
            Agent.id, Agent.agent_no, Agent.name, Agent.pinyin, Agent.held, Agent.capacity, Agent.stars, Division.level,
            Division.name.label("station"), second.name.label("stand_in"), away.label("away"), SHARE.label("share"),
        )
        .join(Division, Division.id == Agent.division_id)
        .outerjoin(second, second.id == Agent.stand_in_id)
        .where(Agent.active)
    )  # fmt: skip


def stations(session: Session, viewer: Actor) -> Sequence[Division]:
    """The cities, counties, zones and towns of the viewer's reach, where somebody may be stationed."""
    wanted = select(Division).where(within(viewer, Division.id), Division.level.in_(STATION_LEVELS))  # type: ignore[arg-type]
    return session.scalars(wanted.where(Division.retired_on.is_(None)).order_by(Division.path).limit(400)).all()
