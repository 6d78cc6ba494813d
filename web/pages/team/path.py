"""The approval path of one project: drawn, and changed by its lead with a reason; every change can be undone."""

from collections.abc import Callable
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

import db
from dispatch.acts.path_editing import edit_path, undo_edit
from dispatch.cases.access_control import project_for
from dispatch.cases.project import Project
from dispatch.core.actor import Actor, Role
from dispatch.core.errors import Refused
from dispatch.path.edit_log import KINDS
from dispatch.views.path_page import path_page
from web.pages.team.blueprint import RULES, bp, say
from web.wiring.auth import current_actor, leads_only, staff_only
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
@leads_only
def edit(project_no: str) -> Response:
    """Change one thing of the path."""
    kind, days = request.form.get("kind", ""), request.form.get("days", "")
    kept: dict[str, Any] = {name: request.form.get(name, "").strip() for name in ("code", "on", "reason")}

    def change(session: Session, viewer: Actor, row: Project) -> str:
        if kind in {"drop_wait", "defer"}:
            kept["code"], _, kept["on"] = request.form.get("wait", "").partition("|")
        if kind not in KINDS:
            raise Refused(f"{kind!r} is no kind of edit", user_message="请选择调整内容")
        if kind == "set_days" and not (days.isdecimal() and len(days) < 4):
            raise Refused(f"{days!r} are no working days", user_message="请填写工作日数")
        made = KINDS[kind](kept | {"days": int(days) if days.isdecimal() else 0})
        edit_path(session, row, made, kind=kind, by=viewer, at=db.now(session), version=_version())
        return "线路已调整"

    return _change(project_no, change)


@bp.post("/projects/<project_no>/path/<int:number>/undo")
@leads_only
def undo_path_edit(project_no: str, number: int) -> Response:
    """Take one change back."""

    def change(session: Session, viewer: Actor, row: Project) -> str:
        reason = request.form.get("reason", "")
        undo_edit(session, row, number, reason=reason, by=viewer, at=db.now(session), version=_version())
        return "已撤销这项调整"

    return _change(project_no, change)


def _change(project_no: str, change: Callable[[Session, Actor, Project], str]) -> Response:
    viewer = current_actor()
    try:
        with transaction() as session:
            words = change(session, viewer, project_for(session, viewer, project_no, lock=True))
        flash(gettext(words))
    except RULES as error:
        say(error)
    return redirect(url_for("team.path", project_no=project_no))


def _version() -> int | None:
    version = request.form.get("version", "")
    return int(version) if version.isdecimal() else None
