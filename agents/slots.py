"""Slots: an agent takes no more cases than it has capacity for, also when several ask at once."""

from __future__ import annotations

from sqlalchemy import update
from sqlalchemy.orm import Session
from sqlalchemy.orm.util import identity_key
from sqlalchemy.sql.dml import ReturningUpdate

from agents.roster import Agent


def take_slot(session: Session, agent_id: int) -> bool:
    """Take one of an agent's slots; False when none is free. Of several who ask at once, no more than fit get one."""
    taken = update(Agent).where(Agent.id == agent_id, Agent.held < Agent.capacity, Agent.active)
    return _one_changed(session, taken.values(held=Agent.held + 1).returning(Agent.id))


def release_slot(session: Session, agent_id: int) -> bool:
    """Give a slot back; False when the agent held none."""
    given = update(Agent).where(Agent.id == agent_id, Agent.held > 0)
    return _one_changed(session, given.values(held=Agent.held - 1).returning(Agent.id))


def _one_changed(session: Session, statement: ReturningUpdate[tuple[int]]) -> bool:
    changed = session.scalar(statement, execution_options={"synchronize_session": False})
    if changed is None:
        return False
    loaded = session.identity_map.get(identity_key(Agent, changed))
    if loaded is not None:
        session.expire(loaded, ["held"])
    return True
