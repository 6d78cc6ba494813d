"""The calendar page: which days are working days, for everybody who lives by them; no login."""

from flask import Blueprint, render_template, request

from dispatch.views.calendar_page import calendar_page
from web.wiring.formatting import today
from web.wiring.transactions import transaction

bp = Blueprint("calendar", __name__)


@bp.get("/calendar")
def year() -> str:
    """A year in months; this one unless another is asked for."""
    asked = request.args.get("year", "")
    with transaction() as session:
        page = calendar_page(
            session, int(asked) if asked.isdecimal() and len(asked) == 4 else today().year, today=today()
        )
    return render_template("track/calendar.html", page=page)
