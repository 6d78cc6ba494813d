"""Calibration: how often what was promised with 85 in 100 came true, for those who lead."""

from flask import render_template

from dispatch.core.actor import Role
from dispatch.views.calibration import calibration_page
from web.pages.team.blueprint import bp
from web.wiring.auth import current_actor, roles
from web.wiring.transactions import transaction


@bp.get("/calibration")
@roles(Role.LEAD, Role.SUPERVISOR, Role.OPERATOR)
def calibration() -> str:
    """Reliability by decile, Brier scores beside simpler forecasts, with their n."""
    with transaction() as session:
        page = calibration_page(session, current_actor())
    return render_template("team/calibration.html", page=page)
