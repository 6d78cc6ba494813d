"""Saved views on the team's lists: kept from the list itself, and let go there."""

from flask import request, url_for
from werkzeug.wrappers import Response

from dispatch.acts.saved_views import DropView, SaveView, canonical_query
from dispatch.cases.saved_view import ListName
from web.pages.team.blueprint import bp, take_form
from web.wiring.act_door import offers

PAGES = {
    ListName.CASES: "team.inbox",
    ListName.PROJECTS: "team.projects",
    ListName.OWED: "team.owed",
    ListName.TICKETS: "team.tickets",
    ListName.AGENTS: "team.agents",
}


def _back() -> str:
    """The list from which the form came, as it was asked for."""
    named = request.form.get("list_name", "")
    page = PAGES[ListName(named)] if named in set(ListName) else "team.inbox"
    query = canonical_query(request.form.get("query", "")[:2000])
    return url_for(page) + ("?" + query if query else "")


@bp.post("/views")
@offers(SaveView)
def save_view() -> Response:
    """The list as it is filtered and ordered gets a name."""
    return take_form(SaveView, "已保存视图", back=_back())


@bp.post("/views/removal")
@offers(DropView)
def drop_view() -> Response:
    """A view is let go."""
    return take_form(DropView, "已删除视图", back=_back())
