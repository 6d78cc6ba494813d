"""Forms: validators that the pages share, and how a field is tied to its hint and its errors."""

from flask import Flask
from flask_wtf import FlaskForm
from wtforms import Field, ValidationError

from dispatch.cases.enterprises import mobile_of
from dispatch.core.errors import Refused
from dispatch.core.ids import BIGGEST
from web.wiring.formatting import in_words


def phone_number(form: FlaskForm, field: Field) -> None:
    """A validator: the field holds a number that an SMS reaches; ``field.e164`` keeps its one form."""
    try:
        field.e164 = mobile_of(field.data or "")
    except Refused as error:
        raise ValidationError(in_words(error.user_message)) from None


def whole_number(typed: str, *, most: int = BIGGEST) -> int:
    """A number that somebody typed or that stands in an address; 0 for what is none, or is larger than ``most``.

    The length is looked at first: Python refuses to read thousands of digits, and no row has such a number."""
    plain = typed.strip()
    if not (plain.isascii() and plain.isdecimal()) or len(plain.lstrip("0")) > len(str(most)):
        return 0
    found = int(plain.lstrip("0") or "0")
    return found if found <= most else 0


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
