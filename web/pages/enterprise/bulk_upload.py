"""Bulk intake: an enterprise, or an agent for a park, uploads a sheet and reads each fault beside its row."""

from typing import Any

from flask import Blueprint, Response, current_app, render_template, request
from flask_babel import gettext

from dispatch.acts.act import APPLICANTS
from dispatch.acts.asking import RequestProject
from dispatch.core.actor import Role
from web.pages.enterprise import bulk_sheet
from web.pages.enterprise.bulk_filing import NothingFiled, SheetOutcome, file_projects
from web.wiring import sheet_rows
from web.wiring.act_door import offers
from web.wiring.auth import caller, current_actor, limiter, roles
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
    status = 422 if wrong or (outcome.faults and not outcome.filed) else 200
    page = render_template(
        "bulk.html", outcome=outcome, wrong=wrong, columns=bulk_sheet.heads(current_actor()), NEEDED=bulk_sheet.NEEDED,
        keep_good="keep_good" in request.form, is_enterprise=current_actor().role is Role.ENTERPRISE,
    )  # fmt: skip
    return page, status


def _filed() -> SheetOutcome:
    """The uploaded sheet, filed. Raises BadSheet and NothingFiled, and then nothing has changed."""
    viewer, upload = current_actor(), request.files.get("sheet")
    if upload is None or not upload.filename:
        raise sheet_rows.BadSheet("no file", user_message="请选择文件")
    sheet = sheet_rows.read(upload, bulk_sheet.heads(viewer))
    with transaction() as session:
        told = contact_of(session, viewer) if viewer.role is Role.ENTERPRISE else None
        return file_projects(
            session, sheet, contact_id=None if told is None else told.id, by=viewer,
            keep_good="keep_good" in request.form,
        )  # fmt: skip
