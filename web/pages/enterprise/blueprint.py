"""The enterprise's blueprint, how its forms take an act, and how a broken rule is shown beside the form."""

from typing import Any

from flask import Blueprint, flash, request
from flask_wtf import FlaskForm

from dispatch.acts.act import Act
from dispatch.core.errors import DispatchError, NotFound
from routing.day.errors import RunError
from web.wiring.act_door import command_from_form, take
from web.wiring.formatting import in_words

bp = Blueprint("enterprise", __name__, url_prefix="/my")

RULES = (DispatchError, RunError)


def show(form: FlaskForm, error: Exception) -> None:
    """Put the words of a broken rule on the form. What is not there stays a 404."""
    if isinstance(error, NotFound):
        raise error
    assert isinstance(error, DispatchError | RunError)
    form.form_errors.append(in_words(error.user_message))


def taken(form: FlaskForm, command: type[Act[Any]], **given: Any) -> bool:
    """One act from a form that shows itself again with all that was typed where a rule is broken."""
    try:
        take(command_from_form(command, request.form, **given))
    except RULES as error:
        show(form, error)
        return False
    return True


def say(error: DispatchError | RunError) -> None:
    """Tell which rule was broken on the page that comes next. What is not there stays a 404."""
    if isinstance(error, NotFound):
        raise error
    flash(in_words(error.user_message), "error")
