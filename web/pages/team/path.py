"""The approval path of one project: drawn, and changed by its lead with a reason; every change can be undone."""

from flask import render_template, request, url_for
from werkzeug.wrappers import Response

import db
from dispatch.acts.path_editing import EditPath, UndoPathEdit
from dispatch.core.actor import Role
from dispatch.views.path_page import path_page
from web.pages.team.blueprint import bp, take_form
from web.wiring.act_door import offers
from web.wiring.auth import current_actor, staff_only
from web.wiring.formatting import in_words
from web.wiring.transactions import transaction


@bp.get("/projects/<project_no>/path")
@staff_only
def path(project_no: str) -> str:
    """The diagram, every matter with what it waits for, and the history of changes."""
    with transaction() as session:
        page = path_page(session, current_actor(), project_no, at=db.now(session), say=in_words)
        may_edit = current_actor().role in {Role.LEAD, Role.OPERATOR}
        return render_template("team/path.html", page=page, may_edit=may_edit)


@bp.post("/projects/<project_no>/path")
@offers(EditPath)
def edit(project_no: str) -> Response:
    """Change one thing of the path; a wait is chosen as the two matters that it stands between."""
    given = {}
    if request.form.get("wait"):
        given["code"], _, given["on"] = request.form["wait"].partition("|")
    back = url_for("team.path", project_no=project_no)
    return take_form(EditPath, "线路已调整", back=back, project=project_no, **given)


@bp.post("/projects/<project_no>/path/<int:number>/undo")
@offers(UndoPathEdit)
def undo_path_edit(project_no: str, number: int) -> Response:
    """Take one change back."""
    back = url_for("team.path", project_no=project_no)
    return take_form(UndoPathEdit, "已撤销这项调整", back=back, project=project_no, number=number)
