"""The blueprint of the team's pages, and what their forms share."""

from collections.abc import Collection
from typing import Any

from flask import Blueprint, current_app, flash, redirect, request
from flask_babel import gettext
from werkzeug.wrappers import Response

from dispatch.acts.act import Act
from dispatch.cases.stages import LABEL, Stage
from dispatch.core.errors import DispatchError, NotFound, Refused
from routing.day.errors import RunError
from web.wiring.act_door import command_from_form, take
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


def take_form(command: type[Act[Any]] | None, done: str, *, back: str, path: Any = (), **given: Any) -> Response:
    """One act from a form of the team's pages; a broken rule is said on the page, and nothing is changed."""
    try:
        if command is None:
            raise Refused("which step?", user_message="请选择办理动作")
        take(command_from_form(command, request.form, **given), path=path)
        flash(gettext(done))
    except RULES as error:
        say(error)
    return redirect(back)
