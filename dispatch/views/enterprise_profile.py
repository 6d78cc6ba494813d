"""The viewer's own enterprise: its people, and the county where it is at home."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.cases.access_control import visible_contacts
from dispatch.cases.project import (
    Contact,
    Enterprise,
)
from dispatch.core.actor import Actor


def own_enterprise(session: Session, viewer: Actor) -> Enterprise:
    """The viewer's enterprise."""
    assert viewer.enterprise_id is not None
    return session.get_one(Enterprise, viewer.enterprise_id)


def contacts(session: Session, viewer: Actor) -> list[Contact]:
    """The persons of the viewer's enterprise who are told of a case, the viewer's own entry first."""
    own = Contact.account_id == viewer.account_id
    return list(
        session.scalars(select(Contact).where(visible_contacts(viewer)).order_by(own.is_(True).desc(), Contact.id))
    )
