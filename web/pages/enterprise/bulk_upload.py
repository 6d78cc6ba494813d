"""Bulk intake: an enterprise, or an agent for a park, uploads a sheet and reads each fault beside its row."""

from typing import Any

from flask import Blueprint, Response, render_template, request
from flask_babel import gettext

import db
from dispatch.core.actor import Role
from dispatch.views.enterprise_profile import own_enterprise
from web.pages.enterprise import bulk_sheet
from web.pages.enterprise.intake_steps import contact_of
from web.wiring.auth import current_actor, roles
from web.wiring.sheets import XLSX
from web.wiring.transactions import transaction

bp = Blueprint("bulk", __name__, url_prefix="/bulk")

filing = roles(Role.ENTERPRISE, Role.AGENT, Role.LEAD, Role.OPERATOR)


@bp.get("/template.xlsx")
@filing
def template() -> Response:
    """An empty sheet with the columns that are read."""
    response = Response(bulk_sheet.template(current_actor()), content_type=XLSX)
    response.headers["Content-Disposition"] = 'attachment; filename="daiban-projects.xlsx"'
    return response


@bp.route("", methods=["GET", "POST"])
@filing
def intake() -> Any:
    """All rows, or the good ones when that is ticked; nothing of a row that has a fault."""
    outcome, wrong = bulk_sheet.SheetOutcome(), ""
    if request.method == "POST":
        try:
            outcome = _filed()
        except bulk_sheet.BadSheet as error:
            wrong = gettext(error.user_message)
        except bulk_sheet.NothingFiled as error:
            outcome = bulk_sheet.SheetOutcome(faults=error.faults)
    status = 422 if wrong or (outcome.faults and not outcome.filed) else 200
    page = render_template(
        "bulk.html", outcome=outcome, wrong=wrong, columns=bulk_sheet.heads(current_actor()), NEEDED=bulk_sheet.NEEDED,
        keep_good="keep_good" in request.form, is_enterprise=current_actor().role is Role.ENTERPRISE,
    )  # fmt: skip
    return page, status


def _filed() -> bulk_sheet.SheetOutcome:
    """The uploaded sheet, filed. Raises BadSheet and NothingFiled, and then nothing has changed."""
    viewer, upload = current_actor(), request.files.get("sheet")
    if upload is None or not upload.filename:
        raise bulk_sheet.BadSheet("no file", user_message="请选择文件")
    rows = bulk_sheet.read(upload, bulk_sheet.heads(viewer))
    with transaction() as session:
        contact = None
        if viewer.role is Role.ENTERPRISE:
            contact = contact_of(session, own_enterprise(session, viewer))
            if contact is None:
                raise bulk_sheet.BadSheet(
                    "nobody to tell", user_message="请先由管理员为您的账号登记手机号，以便接收通知"
                )
        return bulk_sheet.file_projects(
            session, rows, contact=contact, by=viewer, at=db.now(session), keep_good="keep_good" in request.form
        )
