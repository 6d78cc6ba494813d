"""The inbox: open cases, the overdue first; filters and pages live in the URL."""

from flask import render_template, request

import db
from dispatch.cases.stages import LABEL, MILESTONES, Stage
from dispatch.core.actor import Role
from dispatch.views import inbox_page
from web.pages.team.blueprint import bp
from web.wiring.auth import current_actor, staff_only
from web.wiring.transactions import transaction

OPEN_STAGES = (*MILESTONES[:2], Stage.CORRECTION, *MILESTONES[2:-1])

MOST_PAGES = 100_000


@bp.get("/inbox")
@staff_only
def inbox() -> str:
    """Cases to work on."""
    viewer = current_actor()
    stage = request.args.get("stage", "")
    stage = stage if stage in {s.value for s in Stage} else ""
    mine = viewer.role is Role.AGENT and request.args.get("who", "mine") == "mine"
    page = min(max(request.args.get("page", 1, type=int), 1), MOST_PAGES)
    with transaction() as session:
        asked = inbox_page.InboxFilter(stage, mine, request.args.get("q", "")[:60])
        found = inbox_page.inbox(session, viewer, at=db.now(session), asked=asked, page=page)
        counts = inbox_page.stage_counts(session, viewer)
    stages = [(s.value, LABEL[s], counts.get(s.value, 0)) for s in OPEN_STAGES if counts.get(s.value)]
    return render_template(
        "team/inbox.html", rows=found.lines, total=found.total, stages=stages, mine=mine, page=page,
        has_more=page * inbox_page.INBOX_PAGE < found.total,
    )  # fmt: skip
