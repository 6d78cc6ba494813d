"""The viewer's own enterprise: its people, and the county where it is at home."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from agents.network import Division
from dispatch.cases.access_control import visible_projects
from dispatch.cases.project import (
    Contact,
    Enterprise,
    Project,
)
from dispatch.core.actor import Actor


def own_enterprise(session: Session, viewer: Actor) -> Enterprise:
    """The viewer's enterprise."""
    assert viewer.enterprise_id is not None
    return session.get_one(Enterprise, viewer.enterprise_id)


def contacts(session: Session, viewer: Actor) -> list[Contact]:
    """The persons of the viewer's enterprise who are told of a case."""
    query = select(Contact).where(Contact.enterprise_id == viewer.enterprise_id).order_by(Contact.id)
    return list(session.scalars(query))


def home_area(session: Session, viewer: Actor) -> str | None:
    """The code of the county in which the enterprise's latest project is at home, else its own; None: neither known."""
    latest = select(Project.home_division_id).where(visible_projects(viewer)).order_by(Project.id.desc()).limit(1)
    found = session.scalar(latest)
    home = found if found is not None else own_enterprise(session, viewer).division_id
    return None if home is None else session.get_one(Division, home).code
