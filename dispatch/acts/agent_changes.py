"""Agent changes: what is known of an agent is edited, and one who leaves for good hands everything over first."""

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Le, MinLen
from pydantic import StringConstraints
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from agents.roster import Agent, AgentSkill, Category
from dispatch.acts.act import LEADS, ActContext, act
from dispatch.acts.act_fields import Name, Phone, Why
from dispatch.acts.people import checked_person, checked_station
from dispatch.assignment import departure
from dispatch.core.errors import Refused, Stale
from dispatch.core.ids import AgentId, AreaCode
from dispatch.core.localized_text import LocalizedText

LEARNING, ABLE, MASTERS = 1, 2, 3
LanguageCode = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}$")]


@dataclass(frozen=True, slots=True)
class EditedAgent:
    """An agent after a change: the version that the next one is made upon."""

    agent_id: int
    version: int


@act(by=LEADS)
@dataclass(frozen=True, slots=True, kw_only=True)
class EditAgent:
    """What is known of an agent: all of it as it shall be, with skills by how well they are known."""

    agent: AgentId
    version: int | None = None
    name: Name
    phone: Phone
    office_phone: Phone = ""
    division: AreaCode
    capacity: Annotated[int, Ge(0), Le(50)]
    weekly_hours: Annotated[int, Ge(0), Le(60)]
    stars: Annotated[int, Ge(0), Le(5)]
    languages: Annotated[tuple[LanguageCode, ...], MinLen(1)] = ("zh",)
    learning: tuple[Category, ...] = ()
    able: tuple[Category, ...] = ()
    masters: tuple[Category, ...] = ()
    stand_in: AgentId | None = None

    def perform(self, context: ActContext) -> EditedAgent:
        session, agent = context.session, _locked(context, self.agent)
        if self.version is not None and agent.version != self.version:
            raise Stale(f"agent {agent.id} is at version {agent.version}, not {self.version}")
        station = checked_station(context, self.division)
        name, phone = checked_person(self.name, self.phone)
        stand_in_id = self._stand_in(context, agent)
        agent.name, agent.phone, agent.stand_in_id = name, phone, stand_in_id
        agent.office_phone = self.office_phone.strip() or agent.office_phone
        agent.division_id, agent.capacity, agent.weekly_hours = station.id, self.capacity, self.weekly_hours
        agent.stars, agent.languages = self.stars, sorted(set(self.languages))
        _set_skills(session, agent.id, self._proficiency())
        session.flush()
        return EditedAgent(agent.id, agent.version)

    def _stand_in(self, context: ActContext, agent: Agent) -> int | None:
        if self.stand_in is None:
            return None
        other = context.row(Agent, self.stand_in)
        if other.id == agent.id or not other.active:
            raise Refused(f"{other.id} cannot stand in for {agent.id}", user_message="B角须是另一位在岗的代办员")
        return other.id

    def _proficiency(self) -> dict[str, int]:
        """The best that is said of each category."""
        said = ((LEARNING, self.learning), (ABLE, self.able), (MASTERS, self.masters))
        return {category.value: level for level, categories in said for category in categories}


def _locked(context: ActContext, agent: AgentId) -> Agent:
    row = context.row(Agent, agent)
    context.session.refresh(row, with_for_update=True)
    if not row.active:
        raise Refused(f"agent {row.id} has left", user_message="该代办员已离岗")
    return row


def _set_skills(session: Session, agent_id: int, wanted: dict[str, int]) -> None:
    session.execute(delete(AgentSkill).where(AgentSkill.agent_id == agent_id, AgentSkill.category.not_in(wanted)))
    kept = {row.category: row for row in session.scalars(select(AgentSkill).where(AgentSkill.agent_id == agent_id))}
    for category, proficiency in wanted.items():
        if category in kept:
            kept[category].proficiency = proficiency
        else:
            session.add(AgentSkill(agent_id=agent_id, category=category, proficiency=proficiency))


@dataclass(frozen=True, slots=True)
class DepartureResult:
    """What became of an agent's load: how much went to others, and how much waits for one."""

    agent_id: int
    moved: int
    waiting: int


@act(by=LEADS)
@dataclass(frozen=True, slots=True, kw_only=True)
class DepartAgent:
    """An agent leaves for good: everything is handed over as it was seen, nothing stays behind.

    ``seen``: the fingerprint of the handover that was read."""

    agent: AgentId
    seen: str
    reason: Why

    def perform(self, context: ActContext) -> DepartureResult:
        session, agent = context.session, context.row(Agent, self.agent)
        if not agent.active:
            raise Refused(f"agent {agent.id} has left", user_message="该代办员已离岗")
        found = departure.propose_departure(session, agent, at=context.at)
        if found.fingerprint != self.seen:
            raise Stale("the handover is not the one that was seen", user_message="情况有变化，请核对新的接办建议")
        departure.hand_over(session, agent, found, by=context.actor, at=context.at)
        left = departure.still_held(session, agent)
        if left:
            raise Stale(
                f"agent {agent.id} still holds {left}",
                user_message=LocalizedText("还有 %(n)s 项没有交出，请核对新的接办建议", n=left),
            )
        return DepartureResult(agent.id, len(found.moves), len(found.waiting))
