"""The query page: where a case is, by its query code and four digits, without a login and with masked data only."""

from typing import Any

from flask import Blueprint, render_template, request
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import StringField
from wtforms.validators import InputRequired, Length, Optional, ValidationError

import db
from dispatch.views.track import canonical_query_code, digits_of, tracked
from web.wiring.auth import limiter
from web.wiring.client_marks import device_digest, mark_device
from web.wiring.codes import TooSoon
from web.wiring.guesses import Guesser, GuessKind, TooManyGuesses, begin_guess
from web.wiring.network_line import network_of
from web.wiring.transactions import transaction

bp = Blueprint("track", __name__, url_prefix="/track")
LONGEST_PASTED = 400
"""Characters: a notice of several parts, pasted whole."""


class TrackForm(FlaskForm):
    """What the notice to the enterprise told."""

    code = StringField(
        _("查询码"), [InputRequired(_("请填写短信中的查询码")), Length(max=LONGEST_PASTED)],
    )  # fmt: skip
    last_four = StringField(_("手机号后四位"), [InputRequired(_("请填写手机号后四位")), Length(max=40)])
    case_no = StringField(_("办件编号"), [Optional(), Length(max=LONGEST_PASTED)])

    def validate_code(self, field: StringField) -> None:
        """Whatever stands around it: there is one code in it."""
        if not canonical_query_code(field.data or ""):
            raise ValidationError(gettext("查询码是8位字母和数字"))

    def validate_last_four(self, field: StringField) -> None:
        """Four digits, in any width."""
        if len(digits_of(field.data or "")) != 4:
            raise ValidationError(gettext("是4位数字"))

    def validate_case_no(self, field: StringField) -> None:
        """A number has digits."""
        if not digits_of(field.data or ""):
            raise ValidationError(gettext("办件编号只有数字，横线可省略"))


@bp.get("")
def home() -> str:
    """The form of the query page."""
    return render_template("track/home.html", form=TrackForm())


@bp.post("")
@limiter.limit("10 per minute; 60 per hour; 200 per day", deduct_when=lambda answer: answer.status_code != 200)
def show() -> Any:
    """The case, or one answer for everything that does not fit: nothing tells which part was wrong.

    Only what opened nothing counts: a hall's visitors share one line."""
    form = TrackForm()
    if not form.validate():
        return render_template("track/home.html", form=form), 422
    guesser = Guesser(network_of(request.remote_addr), device_digest())
    try:
        with transaction() as session:  # wrong guesses are counted by the code too, from whatever address they come
            guess = begin_guess(session, GuessKind.TRACK, canonical_query_code(form.code.data), guesser)
    except TooManyGuesses as error:
        raise TooSoon(error.wait_s) from None
    with transaction() as session:
        found = tracked(
            session, code=form.code.data, last_four=form.last_four.data, case_no=form.case_no.data or "",
            at=db.now(session),
        )  # fmt: skip
        if found is not None:
            guess = session.merge(guess)
            guess.is_right, guess.device = True, mark_device()
    if found is None:
        form.form_errors.append(gettext("没有查到。请核对查询码、手机号后四位和办件编号；也可拨打 12345 咨询"))
        return render_template("track/home.html", form=form), 422
    return render_template("track/case.html", case=found)
