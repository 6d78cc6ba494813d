"""Find: one box for any name or number; `/` or Ctrl-K leads here from every page."""

from flask import render_template, request, url_for

from dispatch.core.actor import Role
from dispatch.views.finding import FOUND_LABEL, Found, FoundKind
from dispatch.views.finding import find as find_any
from web.pages.team.blueprint import bp
from web.wiring.auth import current_actor, staff_only
from web.wiring.transactions import transaction


@bp.get("/find")
@staff_only
def find() -> str:
    """Cases, projects, tickets and people, the open before the ended."""
    with transaction() as session:
        found = find_any(session, current_actor(), request.args.get("q", ""))
    return render_template("team/find.html", found=found, address=_address, KIND=FOUND_LABEL)


def _address(hit: Found) -> str:
    match hit.kind:
        case FoundKind.CASE:
            return url_for("team.case", case_no=hit.key)
        case FoundKind.PROJECT:
            return url_for("team.project", project_no=hit.key)
        case FoundKind.AGENT:
            return url_for("team.agent", agent_id=hit.key)
        case FoundKind.COURIER if current_actor().role in {Role.LEAD, Role.SUPERVISOR, Role.OPERATOR}:
            return url_for("team.courier_roster", courier_id=hit.key)
        case _:
            return url_for("team.tickets", _anchor=hit.key)
