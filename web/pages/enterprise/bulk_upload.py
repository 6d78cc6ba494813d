"""Bulk intake: an enterprise, or an agent for a park, uploads a sheet, reads what it would file, and files it."""

from pathlib import Path
from typing import Any

from flask import Blueprint, Response, current_app, render_template, request
from flask_babel import gettext
from sqlalchemy.orm import Session

from dispatch.acts.act import APPLICANTS
from dispatch.acts.asking import RequestProject
from dispatch.acts.batching import GatherBatch
from dispatch.core.actor import Actor, Role
from dispatch.core.canonical import canonical_name
from dispatch.core.ids import ProjectNo
from dispatch.views.project_batches import in_sight
from web.pages.enterprise import bulk_sheet
from web.pages.enterprise.bulk_filing import NothingFiled, OnlyChecked, SheetOutcome, file_projects
from web.wiring import sheet_draft, sheet_rows
from web.wiring.act_door import offers, take_in
from web.wiring.auth import caller, current_actor, current_person, limiter, roles
from web.wiring.registration import contact_of
from web.wiring.sheets import XLSX
from web.wiring.transactions import transaction

bp = Blueprint("bulk", __name__, url_prefix="/bulk")


@bp.get("/template.xlsx")
@roles(*APPLICANTS)
def template() -> Response:
    """An empty sheet with the columns that are read."""
    response = Response(bulk_sheet.template(current_actor()), content_type=XLSX)
    response.headers["Content-Disposition"] = 'attachment; filename="daiban-projects.xlsx"'
    return response


@bp.route("", methods=["GET", "POST"])
@limiter.limit(lambda: current_app.config["SHEET_LIMIT"], methods=["POST"], key_func=caller)
@offers(RequestProject)
def intake() -> Any:
    """All rows, or the good ones when that is ticked; nothing of a row that has a fault."""
    outcome, wrong = SheetOutcome(), ""
    if request.method == "POST":
        try:
            outcome = _filed()
        except sheet_rows.BadSheet as error:
            wrong = gettext(error.user_message, **error.names)
        except NothingFiled as error:
            outcome = SheetOutcome(faults=error.faults)
    return _page(outcome, wrong)


@bp.post("/check")
@limiter.limit(lambda: current_app.config["SHEET_LIMIT"], key_func=caller)
@roles(*APPLICANTS)
def check() -> Any:
    """What a sheet would file: it is filed as a whole and rolled back, and kept until its sender says so."""
    try:
        name, sheet = _uploaded()
    except sheet_rows.BadSheet as error:
        return _page(SheetOutcome(), gettext(error.user_message, **error.names))
    outcome = SheetOutcome()
    try:
        with transaction() as session:
            raise OnlyChecked(_file(session, sheet, current_actor(), keep_good=True))
    except OnlyChecked as checked:
        outcome = checked.outcome
    with transaction() as session:
        sheet_draft.keep(session, current_person().account_id, name, sheet)
    return _page(outcome, "", is_checked=True)


def _page(outcome: SheetOutcome, wrong: str, *, is_checked: bool = False) -> Any:
    status = 422 if wrong or (outcome.faults and not outcome.filed) else 200
    page = render_template(
        "bulk.html", outcome=outcome, wrong=wrong, columns=bulk_sheet.heads(current_actor()), NEEDED=bulk_sheet.NEEDED,
        keep_good="keep_good" in request.form, is_enterprise=current_actor().role is Role.ENTERPRISE,
        is_checked=is_checked,
    )  # fmt: skip
    return page, status


def _uploaded() -> tuple[str, sheet_rows.Sheet]:
    """The sheet that came, with its name. Raises BadSheet."""
    upload = request.files.get("sheet")
    if upload is None or not upload.filename:
        raise sheet_rows.BadSheet("no file", user_message="请选择文件")
    name = Path(canonical_name(upload.filename)).stem[:80]
    return name, sheet_rows.read(upload, bulk_sheet.heads(current_actor()))


def _filed() -> SheetOutcome:
    """The sheet that came, or that was checked, filed as a batch. Raises BadSheet and NothingFiled: nothing changed."""
    viewer, account_id, is_checked = current_actor(), current_person().account_id, "checked" in request.form
    given = None if is_checked else _uploaded()
    with transaction() as session:
        if is_checked:
            given = sheet_draft.kept(session, account_id)
        if given is None:
            raise sheet_rows.BadSheet("no checked sheet", user_message="核对过的表格已经提交或被替换，请重新上传")
        name, sheet = given
        outcome = _file(session, sheet, viewer, keep_good="keep_good" in request.form)
        if outcome.filed:
            seen = in_sight(session, viewer, [one.project_no for one in outcome.filed])
            if seen:
                batch = GatherBatch(projects=tuple(map(ProjectNo, seen)), name=name)
                outcome.batch_id = take_in(session, batch).batch_id
            sheet_draft.discard(session, account_id)
        return outcome


def _file(session: Session, sheet: sheet_rows.Sheet, viewer: Actor, *, keep_good: bool) -> SheetOutcome:
    told = contact_of(session, viewer) if viewer.role is Role.ENTERPRISE else None
    contact_id = None if told is None else told.id
    return file_projects(session, sheet, contact_id=contact_id, by=viewer, keep_good=keep_good)
