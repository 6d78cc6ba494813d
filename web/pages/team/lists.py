"""The seven lists (七张清单) of a project, to read and to print; and why its agents were chosen."""

from flask import render_template

import db
from dispatch.assignment import explanation
from dispatch.cases.access_control import project_for
from dispatch.views.lists import lists_page
from web.pages.team.blueprint import bp
from web.wiring.auth import current_actor, staff_only
from web.wiring.transactions import transaction


@bp.get("/projects/<project_no>/lists")
@staff_only
def lists(project_no: str) -> str:
    """All seven on one sheet."""
    with transaction() as session:
        page = lists_page(session, current_actor(), project_no, at=db.now(session))
    return render_template("team/lists.html", page=page)


@bp.get("/projects/<project_no>/why")
@staff_only
def why(project_no: str) -> str:
    """Why this agent, who came second, why nobody, and the smallest change that would place it."""
    with transaction() as session:
        project = project_for(session, current_actor(), project_no)
        found = explanation.why(session, project, at=db.now(session))
    return render_template("team/why.html", project=project, found=found)
