"""The query page: where a case is, by its query code and four digits, without a login and with masked data only."""

from typing import Any

from flask import Blueprint, render_template, request
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import StringField
from wtforms.validators import InputRequired, Length, Optional, Regexp

import db
from dispatch.views.track import tracked
from web.wiring.auth import limiter
from web.wiring.transactions import transaction

bp = Blueprint("track", __name__, url_prefix="/track")


class TrackForm(FlaskForm):
    """What the notice to the enterprise told."""

    code = StringField(
        _("查询码"), [InputRequired(_("请填写短信中的查询码")), Length(max=20),
                   Regexp(r"^[\sA-Za-z0-9-]+$", message=_("查询码是8位字母和数字"))],
    )  # fmt: skip
    last_four = StringField(
        _("手机号后四位"), [InputRequired(_("请填写手机号后四位")), Regexp(r"^\s*\d{4}\s*$", message=_("是4位数字"))]
    )
    case_no = StringField(
        _("办件编号"), [Optional(), Length(max=40), Regexp(r"^[\s\d-]+$", message=_("办件编号只有数字，横线可省略"))]
    )


def _code() -> str:
    """Wrong guesses are counted by the code too, from whatever address they come."""
    return "track:" + request.form.get("code", "").strip().upper()[:20]


@bp.get("")
def home() -> str:
    """The form of the query page."""
    return render_template("track/home.html", form=TrackForm())


@bp.post("")
@limiter.limit("10 per minute; 60 per hour; 200 per day")
@limiter.limit("10 per hour", key_func=_code, deduct_when=lambda response: response.status_code == 422)
def show() -> Any:
    """The case, or one answer for everything that does not fit: nothing tells which part was wrong."""
    form = TrackForm()
    if not form.validate():
        return render_template("track/home.html", form=form), 422
    with transaction() as session:
        found = tracked(
            session, code=form.code.data, last_four=form.last_four.data, case_no=form.case_no.data or "",
            at=db.now(session),
        )  # fmt: skip
    if found is None:
        form.form_errors.append(gettext("没有查到。请核对查询码、手机号后四位和办件编号；也可拨打 12345 咨询"))
        return render_template("track/home.html", form=form), 422
    return render_template("track/case.html", case=found)
