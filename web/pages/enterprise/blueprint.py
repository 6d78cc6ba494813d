"""The enterprise's blueprint, and how a rule that was broken is shown beside the form that broke it."""

from flask import Blueprint
from flask_wtf import FlaskForm

from dispatch.core.errors import DispatchError, NotFound
from routing.day.errors import RunError
from web.wiring.formatting import in_words

bp = Blueprint("enterprise", __name__, url_prefix="/my")

RULES = (DispatchError, RunError)


def show(form: FlaskForm, error: Exception) -> None:
    """Put the words of a broken rule on the form. What is not there stays a 404."""
    if isinstance(error, NotFound):
        raise error
    assert isinstance(error, DispatchError | RunError)
    form.form_errors.append(in_words(error.user_message))
