"""The saved views of one's own lists."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.cases.access_control import visible_saved_views
from dispatch.cases.saved_view import ListName, SavedView
from dispatch.core.actor import Actor


@dataclass(frozen=True, slots=True)
class SavedViewLine:
    """A view by its name, and the query of its address."""

    list_name: ListName
    name: str
    query: str


def saved_views(session: Session, viewer: Actor, list_name: ListName | None = None) -> tuple[SavedViewLine, ...]:
    """One's own views, of one list or of all, by name."""
    query = select(SavedView).where(visible_saved_views(viewer))
    if list_name is not None:
        query = query.where(SavedView.list_name == list_name)
    rows = session.scalars(query.order_by(SavedView.list_name, SavedView.name))
    return tuple(SavedViewLine(row.list_name, row.name, row.query) for row in rows)
