"""Leave: who is away on a day, and who acts instead."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from agents.roster import Agent, Duty


def is_away(session: Session, agent_id: int, on: date) -> bool:
    """Whether a leave, an illness or a training covers that day."""
    return bool(
        session.scalar(select(exists().where(Duty.agent_id == agent_id, Duty.starts_on <= on, Duty.ends_on >= on)))
    )


def acting_agent(session: Session, agent: Agent, on: date) -> Agent:
    """Who acts for ``agent`` that day (A/B 角): itself, or the first stand-in down the line who is there.

    When everybody down the line is away the agent itself is the answer: the work stays where it was.
    """
    seen = {agent.id}
    acting = agent
    while not acting.active or is_away(session, acting.id, on):
        stand_in = session.get(Agent, acting.stand_in_id) if acting.stand_in_id is not None else None
        if stand_in is None or stand_in.id in seen:
            return agent
        seen.add(stand_in.id)
        acting = stand_in
    return acting


def acting_agents(session: Session, agent_ids: Iterable[int], on: date) -> dict[int, Agent]:
    """Who acts for each of these agents that day; only of those who are not there is anybody else read."""
    wanted = set(agent_ids)
    if not wanted:
        return {}
    agents = session.scalars(select(Agent).where(Agent.id.in_(wanted)).order_by(Agent.id)).all()
    on_duty = Duty.agent_id.in_(wanted), Duty.starts_on <= on, Duty.ends_on >= on
    away = set(session.scalars(select(Duty.agent_id).where(*on_duty)))
    return {
        agent.id: agent if agent.active and agent.id not in away else acting_agent(session, agent, on)
        for agent in agents
    }
