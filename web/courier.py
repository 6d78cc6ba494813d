"""The courier's phone: today's run, one stop after the other."""

from flask import Blueprint, render_template

from web.auth import courier_only

bp = Blueprint("courier", __name__, url_prefix="/run")


@bp.get("")
@courier_only
def home() -> str:
    """Today's run."""
    return render_template("courier/home.html")
