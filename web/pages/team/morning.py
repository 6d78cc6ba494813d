"""Half past eight: one page with everything that today asks for, and one print for the morning meeting."""

from flask import render_template

import db
from dispatch.core.working_days import CalendarMissing
from dispatch.views import courier_desk, morning_page
from routing.day.courier_stop import STOP_STATE_LABEL
from routing.day.day_plan import PLAN_LABEL
from web.pages.team.blueprint import bp
from web.wiring.auth import current_actor, staff_only
from web.wiring.transactions import transaction


@bp.get("")
@staff_only
def home() -> str:
    """The morning page."""
    with transaction() as session:
        try:
            page = morning_page.morning(session, current_actor(), at=db.now(session))
        except CalendarMissing as missing:
            return render_template("team/no_calendar.html", year=missing.year)
        return render_template(
            "team/home.html", page=page, PLAN_LABEL=PLAN_LABEL, STOP_STATE_LABEL=STOP_STATE_LABEL,
            from_couriers=courier_desk.waiting_reports(session, current_actor()),
        )  # fmt: skip
