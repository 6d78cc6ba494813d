"""Assignment: proposes what a batch of the matching would change, with reasons in plain data and its proof."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import ForeignKey, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from agents.matching.batch import match
from agents.matching.gc_disabled import gc_disabled
from agents.matching.model import Choice, Id, Matching, Terms, Weights
from agents.roster import Agent
from db import Base
from dispatch.assignment.matching_input import MatchingInput, among, build_input
from dispatch.cases.project import Project, TeamRole

WEIGHTS = Weights()

TERM_WORDS = {
    "waiting": "等待",
    "move": "更换代办员",
    "escalation": "跨级指派",
    "travel": "路程",
    "proficiency": "业务熟练度",
    "stars": "星级",
    "continuity": "原代办员连续服务",
    "evenness": "负荷均衡",
}


class ShadowPrice(Base):
    """What one slot of an agent was worth to others in the last batch: the online placement reckons with it."""

    __tablename__ = "shadow_price"

    agent_id: Mapped[int] = mapped_column(ForeignKey("agent.id", ondelete="CASCADE"), primary_key=True)
    value: Mapped[int]
    computed_at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class Move:
    """One line of a proposal: who would act for a project, and who acts now."""

    project_id: int
    project_no: str
    role: TeamRole
    counter: str
    before: int | None
    after: int | None
    reason: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a batch would change, before anything is."""

    moves: tuple[Move, ...]
    waiting: tuple[Move, ...]
    versions: Mapping[int, int]
    objective: int
    proven: bool
    prices: Mapping[Id, int] | None
    """What a slot is worth at each agent whom nobody but these projects competes for; None: nothing was learned."""

    @property
    def fingerprint(self) -> str:
        """The same for the same moves from the same state: what somebody saw is what somebody applies."""
        moves = sorted((m.project_id, m.role.value, m.counter, m.before or 0, m.after or 0) for m in self.moves)
        versions = sorted((m.project_id, self.versions[m.project_id]) for m in self.moves)
        return sha256(repr((moves, versions)).encode()).hexdigest()[:16]


# ---------------------------------------------------------------- reasons


def reason_of(choice: Choice, pool: Mapping[Id, Any], names: Mapping[int, str]) -> dict[str, Any]:
    """The choice in plain data, as it is stored and shown: the terms, the runners-up and what they lost by."""

    def about(agent_id: Id | None) -> dict[str, Any]:
        agent = None if agent_id is None else pool.get(agent_id)
        if agent is None:
            return {"agent_id": agent_id}
        return {
            "agent_id": agent_id, "name": names.get(agent.id, ""), "held": agent.held, "capacity": agent.capacity,
            "stars": agent.stars, "node": agent.node,
        }  # fmt: skip

    return {
        "chosen": about(choice.agent),
        "terms": terms_of(choice.terms),
        "cost": choice.cost,
        "runners_up": [
            {**about(other.agent), "cost": other.cost, "lost_by": other.lost_by} for other in choice.runners_up
        ],
    }


def _spoken_of(session: Session, choices: Iterable[Choice]) -> dict[int, str]:
    """The names of everybody whom these choices mention."""
    people = {int(i) for c in choices for i in (c.agent, *(other.agent for other in c.runners_up)) if i is not None}
    return {row.id: row.name for row in session.execute(select(Agent.id, Agent.name).where(among(Agent.id, people)))}


def terms_of(terms: Terms) -> dict[str, int]:
    """The terms that count, by name."""
    return {name: value for name, value in terms._asdict().items() if value}


# ---------------------------------------------------------------- a batch


def propose(session: Session, *, at: datetime, path: str | None = None, limit_s: float | None = None) -> Proposal:
    """The batch's answer as a difference from what is, with its proof. Nothing is changed."""
    question = build_input(session, at=at, path=path)
    answer = match(question.needs, question.agents, question.network, WEIGHTS, limit_s=limit_s)
    return difference(session, question, answer)


@gc_disabled()
def difference(session: Session, question: MatchingInput, answer: Matching) -> Proposal:
    """An answer as what it would change."""
    pool = {a.id: a for a in question.agents}
    changed = [need for need in question.needs if need.current is None or answer.choices[need.id].agent != need.current]
    names = _spoken_of(session, (answer.choices[need.id] for need in changed))
    numbers = {
        row.id: row.project_no
        for row in session.execute(
            select(Project.id, Project.project_no).where(among(Project.id, {int(need.project) for need in changed}))
        )
    }
    moves: list[Move] = []
    waiting: list[Move] = []
    for need in changed:
        choice = answer.choices[need.id]
        move = Move(
            project_id=int(need.project),
            project_no=numbers[int(need.project)],
            role=TeamRole(need.role),
            counter="" if need.role == "lead" else need.node,
            before=None if need.current is None else int(need.current),
            after=None if choice.agent is None else int(choice.agent),
            reason=reason_of(choice, pool, names),
        )
        (moves if move.after is not None else waiting).append(move)
    prices = {agent.id: answer.scarcity.get(agent.id, 0) for agent in question.at_home()}
    return Proposal(
        tuple(moves), tuple(waiting), question.versions, answer.objective, answer.certificate.proven, prices
    )
