"""The query page: where a case is, by its query code and four digits, without a login and with masked data only."""

from flask import Blueprint, render_template

bp = Blueprint("track", __name__, url_prefix="/track")


@bp.get("")
def home() -> str:
    """The form of the query page."""
    return render_template("track/home.html")
