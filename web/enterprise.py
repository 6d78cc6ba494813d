"""The enterprise's pages: its projects, where each case is, and what is next."""

from flask import Blueprint, render_template

from web.auth import enterprise_only

bp = Blueprint("enterprise", __name__, url_prefix="/my")


@bp.get("")
@enterprise_only
def home() -> str:
    """The enterprise's projects."""
    return render_template("enterprise/home.html")
