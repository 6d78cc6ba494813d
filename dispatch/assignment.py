"""Assignment: reads projects and agents into the matching's frozen inputs, proposes what would change."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from typing import Any, Protocol, cast

from sqlalchemy import ARRAY, BigInteger, ColumnElement, ForeignKey, String, any_, literal, select
from sqlalchemy.orm import InstrumentedAttribute, Mapped, Session, mapped_column

from agents.network import Division, Level, subtree_condition
from agents.roster import Agent, AgentSkill, Duty
from db import Base
from dispatch import matching
from dispatch.case import Case
from dispatch.catalog import Matter, calendar_of
from dispatch.clock import Calendar
from dispatch.matching.batch import match
from dispatch.matching.model import Choice, Id, Matching, Need, Network, Terms, Weights
from dispatch.project import Project, ProjectMember, ProjectState, Referral, TeamRole
from dispatch.review import Review
from dispatch.spells import AROUND, long_away
from dispatch.stages import ENDS
from dispatch.telling import day_of

WEIGHTS = Weights()
PRACTISED = 3  # the proficiency from which an agent is an authority on a kind of matter

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


class SlotPrice(Base):
    """What one slot of an agent was worth to others in the last batch: the online placement reckons with it."""

    __tablename__ = "slot_price"

    agent_id: Mapped[int] = mapped_column(ForeignKey("agent.id", ondelete="CASCADE"), primary_key=True)
    price: Mapped[int]
    priced_at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class Question:
    """The matching's inputs as read at one moment, and the versions they were read at."""

    needs: tuple[Need, ...]
    agents: tuple[matching.model.Agent, ...]
    network: Network
    versions: Mapping[int, int]


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

    @property
    def fingerprint(self) -> str:
        """The same for the same moves from the same state: what somebody saw is what somebody applies."""
        moves = sorted((m.project_id, m.role.value, m.counter, m.before or 0, m.after or 0) for m in self.moves)
        versions = sorted((m.project_id, self.versions[m.project_id]) for m in self.moves)
        return sha256(repr((moves, versions)).encode()).hexdigest()[:16]


# ---------------------------------------------------------------- reading


def agents_as_of(
    session: Session,
    on: date,
    *,
    path: str | None = None,
    ids: Iterable[int] | None = None,
    calendar: Calendar | None = None,
) -> list[matching.model.Agent]:
    """The active agents below ``path``, or those of ``ids``, as the matching sees them.

    Away is who is away longer than a stand-in acts."""
    here = select(Agent.id).join(Division, Division.id == Agent.division_id).where(Agent.active)
    if path is not None:
        here = here.where(subtree_condition(path))
    if ids is not None:
        here = here.where(among(Agent.id, ids))
    rows = session.execute(
        select(
            Agent.id, Agent.capacity, Agent.held, Agent.languages, Agent.stars, Agent.stand_in_id, Agent.team_id,
            Division.code, Division.level, Division.lon, Division.lat,
        )
        .join(Division, Division.id == Agent.division_id)
        .where(Agent.id.in_(here))
        .order_by(Agent.id)
    ).all()  # fmt: skip
    skills: dict[int, set[str]] = defaultdict(set)
    practised: dict[int, set[str]] = defaultdict(set)
    for agent_id, category, proficiency in session.execute(
        select(AgentSkill.agent_id, AgentSkill.category, AgentSkill.proficiency).where(AgentSkill.agent_id.in_(here))
    ):
        skills[agent_id].add(category)
        if proficiency >= PRACTISED:
            practised[agent_id].add(category)
    away = _long_absent(session, on, calendar or calendar_of(session))
    return [
        matching.model.Agent(
            id=row.id,
            node=row.code,
            level=int(row.level),
            capacity=row.capacity,
            held=row.held,
            lon=row.lon,
            lat=row.lat,
            skills=frozenset(skills.get(row.id, ())),
            languages=frozenset(row.languages),
            stars=row.stars,
            away=row.id in away,
            stand_in=row.stand_in_id,
            team=row.team_id,
            practised=frozenset(practised.get(row.id, ())),
        )
        for row in rows
    ]


def _long_absent(session: Session, on: date, calendar: Calendar) -> set[int]:
    near = select(Duty.agent_id, Duty.starts_on, Duty.ends_on).where(
        Duty.starts_on <= on + AROUND, Duty.ends_on >= on - AROUND
    )
    return long_away(((row.agent_id, row.starts_on, row.ends_on) for row in session.execute(near)), on, calendar)


def _coded(codes: Iterable[str]) -> ColumnElement[bool]:
    return Division.code == any_(literal(sorted(codes), ARRAY(String)))


def network_of(session: Session, codes: Iterable[str]) -> Network:
    """The divisions with these codes and all above them, as the matching's plain network."""
    rows = session.execute(select(Division.path).where(_coded(codes))).scalars()
    wanted = {code for path in rows for code in path.split(".")}
    found = session.execute(
        select(Division.code, Division.parent_code, Division.level, Division.lon, Division.lat).where(_coded(wanted))
    )
    return {row.code: (row.parent_code, int(row.level), row.lon, row.lat) for row in found}


def among(column: InstrumentedAttribute[int], ids: Iterable[int]) -> ColumnElement[bool]:
    """One array however many there are: thousands of parameters would be slow, and more than the protocol takes."""
    return column == any_(literal(sorted(ids), ARRAY(BigInteger)))


def _skills_needed(session: Session, project_ids: Sequence[int]) -> dict[int, dict[int | None, set[str]]]:
    """Per project and place of the counter: the categories of its open matters."""
    rows = session.execute(
        select(Case.project_id, Review.counter_division_id, Matter.category)
        .join(Review, Review.case_id == Case.id)
        .join(Matter, Matter.id == Review.matter_id)
        .where(among(Case.project_id, project_ids), Case.stage.not_in(ENDS), Review.decided_at.is_(None))
        .distinct()
    )
    needed: dict[int, dict[int | None, set[str]]] = {}
    for row in rows:
        needed.setdefault(row.project_id, {}).setdefault(row.counter_division_id, set()).add(row.category)
    return needed


class ProjectRow(Protocol):
    """What the matching reads of a project, from its row or from the columns of many."""

    id: int
    enterprise_id: int
    division_id: int
    home_division_id: int
    site_lon: float | None
    site_lat: float | None
    language: str
    priority: int
    banned_agents: list[Any]
    escalated: bool
    created_at: datetime


def _acting(session: Session, project_ids: Sequence[int]) -> dict[int, list[Any]]:
    """Who acts in each project now, in one query."""
    rows = session.execute(
        select(
            ProjectMember.project_id, ProjectMember.agent_id, ProjectMember.role, ProjectMember.counter,
            ProjectMember.told_at, ProjectMember.locked,
        ).where(among(ProjectMember.project_id, project_ids), ProjectMember.until.is_(None))
    )  # fmt: skip
    found: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        found[row.project_id].append(row)
    return found


def needs_of(session: Session, rows: Sequence[ProjectRow], *, at: datetime, calendar: Calendar) -> list[Need]:
    """The roles that somebody must fill: a lead at home, a liaison for each counter above it. A few queries for all."""
    projects = list(rows)
    ids = [project.id for project in projects]
    acting = _acting(session, ids)
    skills = _skills_needed(session, ids)
    divisions = {
        division.id: division
        for division in session.scalars(
            select(Division).where(
                among(
                    Division.id,
                    {p.division_id for p in projects}
                    | {p.home_division_id for p in projects}
                    | {place for by_place in skills.values() for place in by_place if place is not None},
                )
            )
        )
    }
    first_asks = {
        row.project_id: row.from_agent_id
        for row in session.scalars(
            select(Referral).where(among(Referral.project_id, ids), Referral.accepted_at.is_(None))
        )
    }
    served = _previous_agents(session, {p.enterprise_id for p in projects})
    waited_since: dict[date, int] = {}
    found: list[Need] = []
    for project in projects:
        home = divisions[project.home_division_id]
        site = divisions[project.division_id]
        by_place = skills.get(project.id, {})
        upper = {
            place
            for place in by_place
            if place is not None and place != home.id and divisions[place].level < Level.COUNTY
        }
        team = acting.get(project.id, ())
        lead = next((m for m in team if m.role is TeamRole.LEAD), None)
        # What a liaison handles at its own counter is not asked of the lead.
        at_home = frozenset(s for place, names in by_place.items() if place not in upper for s in names)
        asked_on = day_of(project.created_at)
        if asked_on not in waited_since:
            waited_since[asked_on] = max(0, calendar.working_days_between(asked_on, day_of(at)))
        waited = waited_since[asked_on]
        found.append(
            Need(
                id=f"{project.id}:lead",
                role="lead",
                project=project.id,
                node=home.code,
                lon=project.site_lon if project.site_lon is not None else site.lon,
                lat=project.site_lat if project.site_lat is not None else site.lat,
                skills=at_home,
                language=None if project.language == "zh" else project.language,
                priority=min(9, max(1, project.priority)),
                waiting_days=waited,
                current=None if lead is None else lead.agent_id,
                told=lead is not None and lead.told_at is not None,
                first_ask=first_asks.get(project.id) if lead is None else None,
                previous=frozenset(served.get(project.enterprise_id, ())),
                lock=lead.agent_id if lead is not None and lead.locked else None,
                bans=frozenset(project.banned_agents),
                escalated=project.escalated,
            )
        )
        for place in sorted(upper):
            counter = divisions[place]
            liaison = next((m for m in team if m.role is TeamRole.LIAISON and m.counter == counter.code), None)
            current = None if liaison is None else liaison.agent_id
            found.append(
                Need(
                    id=f"{project.id}:{counter.code}",
                    role="liaison",
                    project=project.id,
                    node=counter.code,
                    lon=counter.lon,
                    lat=counter.lat,
                    skills=frozenset(by_place[place]),
                    priority=min(9, max(1, project.priority)),
                    waiting_days=waited,
                    current=current,
                    told=liaison is not None and liaison.told_at is not None,
                )
            )
    return found


def _previous_agents(session: Session, enterprises: Iterable[int]) -> dict[int, set[int]]:
    rows = session.execute(
        select(Project.enterprise_id, ProjectMember.agent_id)
        .join(ProjectMember, ProjectMember.project_id == Project.id)
        .where(among(Project.enterprise_id, enterprises), ProjectMember.role == TeamRole.LEAD)
        .distinct()
    )
    served: dict[int, set[int]] = {}
    for row in rows:
        served.setdefault(row.enterprise_id, set()).add(row.agent_id)
    return served


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

READ = (
    Project.id, Project.version, Project.enterprise_id, Project.division_id, Project.home_division_id, Project.site_lon,
    Project.site_lat, Project.language, Project.priority, Project.banned_agents, Project.escalated, Project.created_at,
)  # fmt: skip


def ask(session: Session, *, at: datetime, path: str | None = None) -> Question:
    """Read everything that a batch needs, in a few queries."""
    calendar = calendar_of(session)
    query = select(*READ).where(Project.state != ProjectState.CLOSED)
    if path is not None:
        query = query.join(Division, Division.id == Project.home_division_id).where(subtree_condition(path))
    projects = session.execute(query.order_by(Project.id)).all()
    agents = agents_as_of(session, day_of(at), calendar=calendar)
    needs = needs_of(session, cast(Sequence[ProjectRow], projects), at=at, calendar=calendar)
    network = network_of(session, {agent.node for agent in agents} | {need.node for need in needs})
    return Question(tuple(needs), tuple(agents), network, {p.id: p.version for p in projects})


def propose(session: Session, *, at: datetime, path: str | None = None, limit_s: float | None = None) -> Proposal:
    """The batch's answer as a difference from what is, with its proof. Nothing is changed."""
    question = ask(session, at=at, path=path)
    answer = match(question.needs, question.agents, question.network, WEIGHTS, limit_s=limit_s)
    return difference(session, question, answer)


def difference(session: Session, question: Question, answer: Matching) -> Proposal:
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
    return Proposal(
        tuple(moves), tuple(waiting), question.versions, answer.objective, answer.certificate.proven, answer.scarcity
    )
