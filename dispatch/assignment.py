"""Assignment: reads projects and agents into the matching's frozen inputs, applies its answer in one transaction."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, delete, insert, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from agents.network import Division, Level, subtree_condition
from agents.roster import Agent, AgentSkill, Duty
from db import Base
from dispatch import matching
from dispatch.case import Case
from dispatch.catalog import Matter, calendar_of
from dispatch.clock import Calendar
from dispatch.errors import NoCapacity
from dispatch.flow import add_liaison, assign
from dispatch.matching.batch import match
from dispatch.matching.model import Choice, Id, Matching, Need, Network, Terms, Weights
from dispatch.matching.online import place_one
from dispatch.project import Project, ProjectMember, ProjectState, Referral, TeamRole
from dispatch.review import Review
from dispatch.scope import Viewer
from dispatch.stages import ENDS
from dispatch.telling import day_of

WEIGHTS = Weights()
SHORT_LEAVE_WD = 3  # up to so many working days the stand-in acts and nothing is matched again

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
    prices: Mapping[Id, int]


@dataclass(frozen=True, slots=True)
class Applied:
    """What a batch changed, and what it left alone because it had changed meanwhile or had no slot."""

    done: tuple[Move, ...]
    stale: tuple[Move, ...]
    full: tuple[Move, ...]


# ---------------------------------------------------------------- reading


def agents_as_of(session: Session, on: date, *, path: str | None = None, calendar: Calendar | None = None) -> list[Any]:
    """The active agents below ``path`` as the matching sees them; away is who is away longer than a stand-in acts."""
    query = select(Agent, Division).join(Division, Division.id == Agent.division_id).where(Agent.active)
    if path is not None:
        query = query.where(subtree_condition(path))
    rows = session.execute(query.order_by(Agent.id)).all()
    skills: dict[int, dict[str, int]] = {}
    for row in session.execute(select(AgentSkill.agent_id, AgentSkill.category, AgentSkill.proficiency)):
        skills.setdefault(row.agent_id, {})[row.category] = row.proficiency
    away = _long_absent(session, on, calendar or calendar_of(session))
    return [
        matching.model.Agent(
            id=agent.id,
            node=division.code,
            level=int(division.level),
            capacity=agent.capacity,
            held=agent.held,
            lon=division.lon,
            lat=division.lat,
            skills=frozenset(skills.get(agent.id, ())),
            languages=frozenset(agent.languages),
            stars=agent.stars,
            away=agent.id in away,
            stand_in=agent.stand_in_id,
            team=agent.team_id,
            practised=frozenset(name for name, level in skills.get(agent.id, {}).items() if level >= 3),
        )
        for agent, division in rows
    ]


def _long_absent(session: Session, on: date, calendar: Calendar) -> set[int]:
    duties = session.scalars(select(Duty).where(Duty.starts_on <= on, Duty.ends_on >= on))
    return {
        duty.agent_id
        for duty in duties
        if len(calendar.workdays_after(duty.starts_on, duty.ends_on)) + calendar.is_workday(duty.starts_on)
        > SHORT_LEAVE_WD
    }


def network_of(session: Session, codes: Iterable[str]) -> Network:
    """The divisions with these codes and all above them, as the matching's plain network."""
    rows = session.execute(select(Division.path).where(Division.code.in_(list(codes)))).scalars()
    wanted = {code for path in rows for code in path.split(".")}
    found = session.execute(
        select(Division.code, Division.parent_code, Division.level, Division.lon, Division.lat).where(
            Division.code.in_(wanted)
        )
    )
    return {row.code: (row.parent_code, int(row.level), row.lon, row.lat) for row in found}


def _skills_needed(session: Session, project_ids: Sequence[int]) -> dict[int, dict[int | None, set[str]]]:
    """Per project and place of the counter: the categories of its open matters."""
    rows = session.execute(
        select(Case.project_id, Review.counter_division_id, Matter.category)
        .join(Review, Review.case_id == Case.id)
        .join(Matter, Matter.id == Review.matter_id)
        .where(Case.project_id.in_(project_ids), Case.stage.not_in(ENDS), Review.decided_at.is_(None))
        .distinct()
    )
    needed: dict[int, dict[int | None, set[str]]] = {}
    for row in rows:
        needed.setdefault(row.project_id, {}).setdefault(row.counter_division_id, set()).add(row.category)
    return needed


def needs_of(session: Session, projects: Sequence[Project], *, at: datetime, calendar: Calendar) -> list[Need]:
    """The roles that somebody must fill: a lead at home, a liaison for each counter above it."""
    ids = [project.id for project in projects]
    skills = _skills_needed(session, ids)
    divisions = {
        division.id: division
        for division in session.scalars(
            select(Division).where(
                Division.id.in_(
                    {p.division_id for p in projects}
                    | {p.home_division_id for p in projects}
                    | {place for by_place in skills.values() for place in by_place if place is not None}
                )
            )
        )
    }
    first_asks = {
        row.project_id: row.from_agent_id
        for row in session.scalars(select(Referral).where(Referral.project_id.in_(ids), Referral.accepted_at.is_(None)))
    }
    served = _previous_agents(session, {p.enterprise_id for p in projects})
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
        lead = project.lead
        # What a liaison handles at its own counter is not asked of the lead.
        at_home = frozenset(s for place, names in by_place.items() if place not in upper for s in names)
        waited = max(0, calendar.working_days_between(day_of(project.created_at), day_of(at)))
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
            current = next((m.agent_id for m in project.liaisons if m.counter == counter.code), None)
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
                    told=current is not None,
                )
            )
    return found


def _previous_agents(session: Session, enterprises: Iterable[int]) -> dict[int, set[int]]:
    rows = session.execute(
        select(Project.enterprise_id, ProjectMember.agent_id)
        .join(ProjectMember, ProjectMember.project_id == Project.id)
        .where(Project.enterprise_id.in_(list(enterprises)), ProjectMember.role == TeamRole.LEAD)
        .distinct()
    )
    served: dict[int, set[int]] = {}
    for row in rows:
        served.setdefault(row.enterprise_id, set()).add(row.agent_id)
    return served


# ---------------------------------------------------------------- one project now


def place(session: Session, project: Project, *, by: Viewer, at: datetime) -> ProjectMember | None:
    """Find the lead agent for a waiting project at once. None: nobody eligible is free, it keeps waiting."""
    calendar = calendar_of(session)
    home = session.get_one(Division, project.home_division_id)
    pool = agents_as_of(session, day_of(at), path=_pool_path(session, project, home), calendar=calendar)
    needs = needs_of(session, [project], at=at, calendar=calendar)
    network = network_of(session, {agent.node for agent in pool} | {need.node for need in needs})
    prices: dict[Id, int] = {row.agent_id: row.price for row in session.scalars(select(SlotPrice))}
    lead = next(need for need in needs if need.role == "lead")
    for _ in range(5):
        choice = place_one(lead, pool, network, WEIGHTS, prices)
        if choice.agent is None:
            project.assignment_reason = reason_of(session, choice, pool)
            return None
        try:
            member = assign(
                session, project, agent_id=int(choice.agent), by=by, at=at, reason=reason_of(session, choice, pool)
            )
        except NoCapacity:
            # Somebody else was quicker: ask again without that agent.
            pool = [agent for agent in pool if agent.id != choice.agent]
            continue
        _place_liaisons(session, project, [n for n in needs if n.role == "liaison"], prices, by=by, at=at)
        return member
    return None


def _pool_path(session: Session, project: Project, home: Division) -> str:
    """Who may be asked: the home county's subtree, from its city down once the project is escalated."""
    if project.escalated and home.parent_code is not None:
        return home.path.rsplit(".", 1)[0]
    return home.path


def _place_liaisons(
    session: Session, project: Project, needs: Sequence[Need], prices: Mapping[Id, int], *, by: Viewer, at: datetime
) -> None:
    for need in needs:
        if need.current is not None:
            continue
        counter = session.scalar(select(Division).where(Division.code == need.node))
        if counter is None:
            continue
        pool = [a for a in agents_as_of(session, day_of(at), path=counter.path) if a.node == need.node]
        network = network_of(session, {need.node})
        choice = place_one(need, pool, network, WEIGHTS, prices)
        if choice.agent is not None:
            add_liaison(session, project, agent_id=int(choice.agent), counter=need.node, by=by, at=at)


def reason_of(session: Session, choice: Choice, pool: Sequence[Any]) -> dict[str, Any]:
    """The choice in plain data, as it is stored and shown: the terms, the runners-up and what they lost by."""
    names = {a.id: a for a in pool}

    def about(agent_id: Id | None) -> dict[str, Any]:
        agent = names.get(agent_id)
        if agent is None:
            return {"agent_id": agent_id}
        row = session.get(Agent, agent_id)
        return {
            "agent_id": agent_id, "name": row.name if row else "", "held": agent.held, "capacity": agent.capacity,
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


def terms_of(terms: Terms) -> dict[str, int]:
    """The terms that count, by name."""
    return {name: value for name, value in terms._asdict().items() if value}


# ---------------------------------------------------------------- a batch


def ask(session: Session, *, at: datetime, path: str | None = None) -> Question:
    """Read everything that a batch needs, in a few queries."""
    calendar = calendar_of(session)
    query = select(Project).where(Project.state != ProjectState.CLOSED)
    if path is not None:
        query = query.join(Division, Division.id == Project.home_division_id).where(subtree_condition(path))
    projects = session.scalars(query.order_by(Project.id)).all()
    agents = agents_as_of(session, day_of(at), calendar=calendar)
    needs = needs_of(session, projects, at=at, calendar=calendar)
    network = network_of(session, {agent.node for agent in agents} | {need.node for need in needs})
    return Question(tuple(needs), tuple(agents), network, {p.id: p.version for p in projects})


def propose(session: Session, *, at: datetime, path: str | None = None, limit_s: float | None = None) -> Proposal:
    """The batch's answer as a difference from what is, with its proof. Nothing is changed."""
    question = ask(session, at=at, path=path)
    answer = match(question.needs, question.agents, question.network, WEIGHTS, limit_s=limit_s)
    return _difference(session, question, answer)


def _difference(session: Session, question: Question, answer: Matching) -> Proposal:
    numbers = {
        row.id: row.project_no
        for row in session.execute(select(Project.id, Project.project_no).where(Project.id.in_(question.versions)))
    }
    moves: list[Move] = []
    waiting: list[Move] = []
    for need in question.needs:
        choice = answer.choices[need.id]
        if choice.agent == need.current and need.current is not None:
            continue
        move = Move(
            project_id=int(need.project),
            project_no=numbers[int(need.project)],
            role=TeamRole(need.role),
            counter="" if need.role == "lead" else need.node,
            before=None if need.current is None else int(need.current),
            after=None if choice.agent is None else int(choice.agent),
            reason=reason_of(session, choice, question.agents),
        )
        (moves if move.after is not None else waiting).append(move)
    return Proposal(
        tuple(moves), tuple(waiting), question.versions, answer.objective, answer.certificate.proven, answer.scarcity
    )


def apply(session: Session, proposal: Proposal, *, by: Viewer, at: datetime) -> Applied:
    """Carry a proposal out in the caller's transaction: only rows that are as they were read; the rest is reported."""
    done: list[Move] = []
    stale: list[Move] = []
    full: list[Move] = []
    wanted = sorted(proposal.moves, key=lambda move: (move.project_id, move.role, move.counter))
    projects = {
        p.id: p
        for p in session.scalars(
            select(Project)
            .where(Project.id.in_({m.project_id for m in wanted}))
            .order_by(Project.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    }
    touched: set[int] = set()
    for move in wanted:
        project = projects[move.project_id]
        if project.version != proposal.versions[project.id] and project.id not in touched:
            stale.append(move)
            continue
        assert move.after is not None
        try:
            with session.begin_nested():
                if move.role is TeamRole.LEAD:
                    assign(session, project, agent_id=move.after, by=by, at=at, reason=move.reason)
                else:
                    add_liaison(session, project, agent_id=move.after, counter=move.counter, by=by, at=at)
        except NoCapacity:
            full.append(move)
            continue
        touched.add(project.id)
        done.append(move)
    for move in proposal.waiting:
        if move.role is TeamRole.LEAD and (project_row := session.get(Project, move.project_id)) is not None:
            project_row.assignment_reason = dict(move.reason)
    keep_prices(session, proposal.prices, at=at)
    return Applied(tuple(done), tuple(stale), tuple(full))


def keep_prices(session: Session, prices: Mapping[Id, int], *, at: datetime) -> None:
    """Replace the scarcity prices of the last batch."""
    session.execute(delete(SlotPrice))
    rows = [{"agent_id": int(agent), "price": price, "priced_at": at} for agent, price in prices.items() if price]
    if rows:
        session.execute(insert(SlotPrice), rows)
