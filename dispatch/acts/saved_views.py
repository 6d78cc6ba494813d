"""Saved views: a person keeps the filter of a list under a name, keeps it anew, and lets it go."""

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import parse_qsl, urlencode

from annotated_types import MaxLen, MinLen
from sqlalchemy import delete, func, select

from dispatch.acts.act import STAFF, ActContext, act
from dispatch.cases.saved_view import LONGEST_QUERY, ListName, SavedView
from dispatch.core.actor import Role
from dispatch.core.canonical import canonical_name
from dispatch.core.errors import Refused
from dispatch.core.localized_text import LocalizedText

MOST_VIEWS = 20
OF_A_PAGE = frozenset({"cursor", "page"})
"""What a view does not keep: it begins on the first page."""
ViewName = Annotated[str, MinLen(1), MaxLen(40)]
Query = Annotated[str, MaxLen(LONGEST_QUERY)]


@dataclass(frozen=True, slots=True)
class SavedViewResult:
    """A view that is kept: its name and the query of its address."""

    list_name: ListName
    name: str
    query: str


@dataclass(frozen=True, slots=True)
class DroppedView:
    """A view that was let go, and whether there was one of that name."""

    list_name: ListName
    name: str
    was_there: bool


@act(by=STAFF | {Role.SUPERVISOR})
@dataclass(frozen=True, slots=True, kw_only=True)
class SaveView:
    """The filter and the order of a list get a name; the same name again keeps what is asked for now."""

    list_name: ListName
    name: ViewName
    query: Query = ""

    def perform(self, context: ActContext) -> SavedViewResult:
        session, owner = context.session, context.actor.account_id
        name = canonical_name(self.name)
        if not name or owner is None:
            raise Refused("a view has a name and an owner", user_message="请给这个视图起一个名字", field="name")
        query = canonical_query(self.query)
        if len(query) > LONGEST_QUERY:
            raise Refused("the query is too long", user_message="筛选条件太长，请去掉一些再存")
        mine = (SavedView.account_id == owner, SavedView.list_name == self.list_name)
        # Two tabs of one person wait for each other.
        session.execute(select(func.pg_advisory_xact_lock(func.hashtext("saved view"), owner)))
        view = session.scalar(select(SavedView).where(*mine, SavedView.name == name).with_for_update())
        if view is None:
            if (session.scalar(select(func.count()).where(*mine)) or 0) >= MOST_VIEWS:
                words = LocalizedText("每张列表最多存%(n)s个视图，请先删去不用的", n=str(MOST_VIEWS))
                raise Refused("too many views", user_message=words)
            view = SavedView(account_id=owner, list_name=self.list_name, name=name)
            session.add(view)
        view.query = query
        session.flush()
        return SavedViewResult(view.list_name, view.name, view.query)


@act(by=STAFF | {Role.SUPERVISOR})
@dataclass(frozen=True, slots=True, kw_only=True)
class DropView:
    """A view of one's own is let go by its name; the list itself stays as it is, and what is gone stays gone."""

    list_name: ListName
    name: ViewName

    def perform(self, context: ActContext) -> DroppedView:
        name = canonical_name(self.name)
        mine = (SavedView.account_id == context.actor.account_id, SavedView.list_name == self.list_name)
        gone = context.session.execute(delete(SavedView).where(*mine, SavedView.name == name).returning(SavedView.id))
        return DroppedView(self.list_name, name, was_there=gone.first() is not None)


def canonical_query(query: str) -> str:
    """The parts of a query that say something, once each, without the page."""
    parts = parse_qsl(query.removeprefix("?"), max_num_fields=40)
    return urlencode([(name, value) for name, value in parts if value and name not in OF_A_PAGE])
