"""Forms: validators that the pages share, and how a field is tied to its hint and its errors."""

from flask import Flask
from flask_babel import gettext
from flask_wtf import FlaskForm
from wtforms import Field, ValidationError

from notifications.phone import BadNumber, normalise


def phone_number(form: FlaskForm, field: Field) -> None:
    """A validator: the field holds a number that can be dialled; ``field.e164`` keeps its one form."""
    try:
        field.e164 = normalise(field.data or "")
    except BadNumber:
        raise ValidationError(gettext("手机号有误，请填写11位手机号")) from None


def field_attributes(field: Field, hint: str, more: dict[str, object]) -> dict[str, object]:
    """The attributes of an input: what the page asks for, and what a screen reader is told of hint and errors."""
    described = " ".join([f"{field.id}-hint"] * bool(hint) + [f"{field.id}-error"] * bool(field.errors))
    attributes: dict[str, str] = {"aria-describedby": described} if described else {}
    if field.errors:
        attributes["aria-invalid"] = "true"
    return more | attributes


def install(app: Flask) -> None:
    """What macros.html calls."""
    app.jinja_env.globals["field_attributes"] = field_attributes
