"""The contact card: what an enterprise is given to reach its agent (企业联系卡)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from agents.leave import acting_agent
from agents.network import Division, Level
from agents.roster import Agent

HOTLINE = "12345"  # 一号答


@dataclass(frozen=True, slots=True)
class ContactCard:
    """An agent, its station and its stand-in: office numbers only, no personal phone."""

    name: str
    agent_no: str
    station: str
    office_phone: str
    backup: str | None
    backup_office_phone: str | None
    level: Level
    hours: str
    hotline: str = HOTLINE


def contact_card(
    session: Session, agent: Agent, on: date, *, hours: str = "", acting: Agent | None = None
) -> ContactCard:
    """The card of an agent as of a day. ``hours`` are the counters' opening hours, which the caller knows, as it may
    know who is ``acting`` that day."""
    station = session.get_one(Division, agent.division_id)
    backup = session.get(Agent, agent.stand_in_id) if agent.stand_in_id is not None else None
    if backup is not None and not backup.active:
        backup = None
    acting = acting or acting_agent(session, agent, on)
    if acting is not agent:
        backup = acting
    return ContactCard(
        name=agent.name,
        agent_no=agent.agent_no,
        station=station.name,
        office_phone=agent.office_phone,
        backup=backup.name if backup else None,
        backup_office_phone=backup.office_phone if backup else None,
        level=station.level,
        hours=hours,
    )
