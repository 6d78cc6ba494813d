"""What several steps of the path need: numbers, due moments, the rows of a case."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from agents.leave import acting_agent, acting_agents
from agents.roster import Agent
from dispatch.cases.case import Case
from dispatch.cases.notify import day_of
from dispatch.cases.project import Counter, Project, ProjectMember, TeamRole
from dispatch.cases.review import Review
from dispatch.cases.stages import ENDS
from dispatch.core.actor import Actor
from dispatch.core.shanghai_time import utc
from dispatch.custody.parcel import Parcel


def next_number(session: Session, key: str, *, width: int) -> str:
    """``key`` and the next number of it, from a row that concurrent callers take in turn."""
    statement = insert(Counter).values(key=key, last=1)
    taken = session.scalar(
        statement.on_conflict_do_update(index_elements=["key"], set_={"last": Counter.last + 1}).returning(Counter.last)
    )
    return f"{key}-{taken:0{width}d}"


def moment(on: date, seconds: int) -> datetime:
    return utc(on, time(0)) + timedelta(seconds=seconds)


def open_cases(session: Session, project: Project) -> list[Case]:
    query = select(Case).where(Case.project_id == project.id, Case.stage.not_in(ENDS)).order_by(Case.id)
    return list(session.scalars(query.with_for_update()))


def lead_agent(session: Session, case: Case, at: datetime) -> Agent | None:
    """Who acts for the case today: the lead agent, or the stand-in while the lead is away."""
    member = session.get_one(Project, case.project_id).lead
    if member is None:
        return None
    return acting_agent(session, session.get_one(Agent, member.agent_id), day_of(at))


def lead_agents(session: Session, cases: Iterable[Case], at: datetime) -> dict[int, Agent]:
    """The same for many cases, by their ids: projects, leads and absences are each read once."""
    of_project = {case.id: case.project_id for case in cases}
    if not of_project:
        return {}
    members = select(ProjectMember.project_id, ProjectMember.agent_id).where(
        ProjectMember.project_id.in_(set(of_project.values())),
        ProjectMember.role == TeamRole.LEAD,
        ProjectMember.until.is_(None),
    )
    lead_of = {row.project_id: row.agent_id for row in session.execute(members)}
    acting = acting_agents(session, lead_of.values(), day_of(at))
    return {case: acting[lead_of[project]] for case, project in of_project.items() if project in lead_of}


def reviews_of(session: Session, case: Case) -> list[Review]:
    """The reviews of a case, in the order of their matters."""
    return list(session.scalars(select(Review).where(Review.case_id == case.id).order_by(Review.id)))


def parcels_of(session: Session, case: Case) -> list[Parcel]:
    """The parcels of a case, oldest first."""
    return list(session.scalars(select(Parcel).where(Parcel.case_id == case.id).order_by(Parcel.id)))


def parcels_at(session: Session, stop_id: int) -> list[Parcel]:
    """The parcels that a stop is about, oldest first."""
    return list(session.scalars(select(Parcel).where(Parcel.stop_id == stop_id).order_by(Parcel.id)))


def actor_ref(by: Actor) -> str:
    """Who acted, as custody records it: an id, never a name."""
    return f"account:{by.account_id}" if by.account_id is not None else by.role.value
