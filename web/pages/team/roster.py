"""The roster (排班): couriers in a calendar, one courier's rules, and a sheet that brings many at once."""

from datetime import timedelta
from typing import Any

from flask import Response as FileResponse
from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from dispatch.acts.rostering import AddShiftRule, DropShiftRule, EditCourier, ImportRoster
from dispatch.core.actor import Role
from dispatch.core.ids import CourierId, ShiftRuleId
from dispatch.views import roster_page
from routing.day.couriers import VEHICLE_LABEL
from web.pages.team import roster_sheet
from web.pages.team.blueprint import RULES, bp, say, take_form
from web.pages.team.runs import asked_day, runs_readers
from web.wiring.act_door import offers, take
from web.wiring.auth import current_actor, roles
from web.wiring.formatting import today
from web.wiring.sheet_rows import BadSheet, Fault
from web.wiring.sheets import XLSX
from web.wiring.transactions import transaction

rosterers = roles(Role.LEAD, Role.OPERATOR)


@bp.get("/roster")
@runs_readers
def roster() -> str:
    """Two weeks of everybody's shifts, and whether they suffice."""
    return _calendar()


def _calendar(faults: tuple[Fault, ...] = (), wrong: str = "") -> str:
    with transaction() as session:
        page = roster_page.roster_page(session, current_actor(), asked_day(), today=today())
    step = timedelta(days=roster_page.DAYS_SHOWN)
    return render_template(
        "team/roster.html", page=page, before=page.first - step, after=page.first + step, faults=faults, wrong=wrong,
        may_act=current_actor().role is not Role.SUPERVISOR,
    )  # fmt: skip


@bp.get("/roster/template")
@rosterers
def roster_template() -> FileResponse:
    """The empty sheet."""
    answer = FileResponse(roster_sheet.template(), mimetype=XLSX)
    answer.headers.set("Content-Disposition", "attachment", filename="roster.xlsx")
    return answer


@bp.post("/roster/sheet")
@offers(ImportRoster)
def import_roster() -> Any:
    """All lines of a sheet, or none: what is wrong stands by row and column."""
    upload = request.files.get("sheet")
    if upload is None:
        return _calendar(wrong=gettext("请选择文件")), 422
    try:
        with transaction() as session:
            lines, faults = roster_sheet.lines_of(session, current_actor(), upload)
    except BadSheet as error:
        return _calendar(wrong=gettext(error.user_message, **error.names)), 422
    if faults:
        return _calendar(tuple(faults)), 422
    try:
        done = take(ImportRoster(lines=tuple(lines)))
    except RULES as error:
        say(error)
    else:
        flash(gettext("已导入 %(n)s 行排班，%(d)s 个班次有变化", n=len(lines), d=done.days_changed))
    return redirect(url_for("team.roster"))


@bp.get("/roster/<int:courier_id>")
@runs_readers
def courier_roster(courier_id: int) -> str:
    """One courier: the rules, the next two weeks, the vehicle."""
    with transaction() as session:
        page = roster_page.courier_roster(session, current_actor(), CourierId(courier_id), today=today())
    return render_template(
        "team/courier_roster.html", page=page, may_act=current_actor().role is not Role.SUPERVISOR,
        VEHICLE_LABEL=VEHICLE_LABEL,
    )  # fmt: skip


@bp.post("/roster/<int:courier_id>/rules")
@offers(AddShiftRule)
def add_shift_rule(courier_id: int) -> Response:
    """A pattern, days off, or another shift."""
    back = url_for("team.courier_roster", courier_id=courier_id)
    return take_form(AddShiftRule, "已录入，今后的班次已按此更新", back=back, courier=CourierId(courier_id))


@bp.post("/roster/<int:courier_id>/rules/<int:rule_id>/removal")
@offers(DropShiftRule)
def drop_shift_rule(courier_id: int, rule_id: int) -> Response:
    """Take a rule back."""
    back = url_for("team.courier_roster", courier_id=courier_id)
    given = {"courier": CourierId(courier_id), "rule_id": ShiftRuleId(rule_id)}
    return take_form(DropShiftRule, "已撤销，今后的班次已按其余排班更新", back=back, **given)


@bp.post("/roster/<int:courier_id>/vehicle")
@offers(EditCourier)
def edit_courier(courier_id: int) -> Response:
    """The vehicle, what it carries, and whether the courier is sent out."""
    back = url_for("team.courier_roster", courier_id=courier_id)
    return take_form(EditCourier, "已保存", back=back, courier=CourierId(courier_id))
