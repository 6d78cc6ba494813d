"""The pages of agents, leads, supervisors and operators: the day at half past eight, cases, people, runs."""

from flask import Blueprint, render_template

from web.auth import staff_only

bp = Blueprint("team", __name__, url_prefix="/team")


@bp.get("")
@staff_only
def home() -> str:
    """Half past eight, one page."""
    return render_template("team/home.html")
