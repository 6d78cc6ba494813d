"""The blueprint of the team's pages, and what their forms share."""

from collections.abc import Collection

from flask import Blueprint, current_app, flash
from flask_babel import gettext

from dispatch.cases.stages import LABEL, Stage
from dispatch.core.errors import DispatchError, NotFound
from routing.day.errors import RunError
from web.wiring.formatting import in_words

bp = Blueprint("team", __name__, url_prefix="/team")

# Broken rules that are said beside the form, with nothing lost of what was typed.
RULES = (DispatchError, RunError, ValueError)


def say(error: Exception) -> None:
    """Show what rule was broken, in the reader's words. What is absent or not the reader's stays a 404."""
    if isinstance(error, NotFound):
        raise error
    flash(in_words(getattr(error, "user_message", "") or gettext("填写有误，请核对后再提交")), "error")


@bp.app_template_global()
def stage_label(stage: Stage) -> str:
    """A stage in words."""
    return LABEL[stage]


@bp.app_template_global()
def endpoints() -> Collection[str]:
    """Which pages there are."""
    return current_app.view_functions
