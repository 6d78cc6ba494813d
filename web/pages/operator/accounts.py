"""The operator's own pages: accounts to bind, unbind and renumber, each with a reason; the demo's clock."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext, lazy_gettext
from flask_wtf import FlaskForm
from sqlalchemy import or_, select
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response
from wtforms import RadioField, SelectChoice, StringField
from wtforms.validators import InputRequired, Length

import db
from dispatch.acts.confirming_codes import ConfirmCreditCode
from dispatch.cases.enterprises import mobile_of
from dispatch.cases.project import Enterprise
from dispatch.core.actor import ROLE_LABEL, Role
from dispatch.core.canonical import canonical_code, canonical_name
from dispatch.core.errors import Refused
from dispatch.views.place_list import place_named
from notifications.phone import BadNumber, mask, normalise
from web.wiring import jobs
from web.wiring.accounts import Account, AccountError, AccountState, NotOneself, bind, change_number, unbind
from web.wiring.act_door import command_from_form, offers, take
from web.wiring.auth import current_actor, current_person, leads_only, operator_only, proved, safe_target
from web.wiring.formatting import in_words
from web.wiring.forms import phone_number, whole_number
from web.wiring.second_factor import remove_factor
from web.wiring.staff_accounts import MADE_BY_OPERATORS, approve_operator, make_staff
from web.wiring.transactions import forget_facts, transaction

bp = Blueprint("operator", __name__, url_prefix="/operator")

STEPS = {"hour": timedelta(hours=1), "day": timedelta(days=1)}
MOST_SHOWN = 50


@bp.route("/accounts", methods=["GET", "POST"])
@operator_only
def accounts() -> str:
    """Look for an account by number, login or enterprise; numbers are masked, and asked for in no URL."""
    asked, one = request.form.get("q", "").strip(), request.args.get("id", "")
    with transaction() as session:
        found: Sequence[Any] = ()
        if asked:
            found = session.execute(_matching(*_wanted(asked))).all()
        elif number := whole_number(one):
            found = session.execute(_matching(Account.id == number)).all()
        rows = [
            {"account": account, "enterprise": enterprise, "phone": mask(account.phone) if account.phone else ""}
            for account, enterprise in found
        ]
    return render_template("operator/accounts.html", rows=rows, asked=asked)


def _wanted(asked: str) -> list[Any]:
    wanted = [
        Account.login == asked.lower(),
        Account.name == asked,
        Enterprise.credit_code == canonical_code(asked),
        Enterprise.name.contains(canonical_name(asked), autoescape=True),
    ]
    with suppress(BadNumber):  # not a number: the other ways to find an account remain
        wanted.append(Account.phone_hash == db.keyed_hash(normalise(asked)))
    return wanted


def _matching(*wanted: Any) -> Any:
    return (
        select(Account, Enterprise.name)
        .outerjoin(Enterprise, Enterprise.id == Account.enterprise_id)
        .where(or_(*wanted))
        .order_by(Account.state, Account.id)
        .limit(MOST_SHOWN)
    )


@bp.post("/accounts/<int:account_id>")
@operator_only
@proved
def change_account(account_id: int) -> Response:
    """Bind, unbind or renumber one account; a reason is always kept."""
    act, reason = request.form.get("act", ""), request.form.get("reason", "").strip()
    with transaction() as session:
        account = session.get(Account, account_id, with_for_update=True)
        by = session.get_one(Account, current_person().account_id)
        if account is None:
            raise NotFound
        if len(reason) < 2:
            raise AccountError("a reason is needed", user_message=gettext("请写明原因"))
        if act == "approve":
            approve_operator(session, by, account, reason=reason)
        elif act == "unbind":
            unbind(session, account, by=by, reason=reason)
        elif act == "bind":
            code = canonical_code(request.form.get("credit_code", ""))
            enterprise_id = session.scalar(select(Enterprise.id).where(Enterprise.credit_code == code))
            if enterprise_id is None or account.state is AccountState.CLOSED:
                raise AccountError("no such enterprise", user_message=gettext("没有找到该信用代码的企业，或账号已关闭"))
            bind(session, account, enterprise_id=enterprise_id, by=by, reason=reason)
        elif act == "factor":
            if account.id == by.id:
                raise NotOneself("one's own second factor is taken away with a code of it")
            remove_factor(session, account, by_id=by.id, reason=reason)
            account.sign_out_everywhere()
        elif act == "number":
            change_number(session, account, mobile_of(request.form.get("phone", "")), by=by, reason=reason)
        else:
            raise NotFound
    flash(gettext("已保存，并记录了原因"))
    return redirect(url_for("operator.accounts", id=account_id))


@bp.post("/credit-codes")
@offers(ConfirmCreditCode)
def confirm_credit_code() -> Response:
    """A code that a licence shows although its check character does not fit."""
    try:
        take(command_from_form(ConfirmCreditCode, request.form))
        flash(gettext("已确认，该企业现在可以注册和申请"))
    except Refused as error:
        flash(in_words(error.user_message), "error")
    return redirect(url_for("operator.accounts"))


class StaffForm(FlaskForm):
    """A lead or supervisor of a place, or an operator."""

    role = RadioField(
        lazy_gettext("岗位"), default=Role.LEAD,
        choices=[SelectChoice(role.value, lazy_gettext(ROLE_LABEL[role])) for role in MADE_BY_OPERATORS],
    )  # fmt: skip
    name = StringField(lazy_gettext("姓名"), [InputRequired(lazy_gettext("请填写姓名")), Length(max=20)])
    phone = StringField(lazy_gettext("手机号"), [InputRequired(lazy_gettext("请填写手机号")), phone_number])
    login = StringField(lazy_gettext("工号"), [Length(max=40)])
    division = StringField(lazy_gettext("辖区"), [Length(max=40)])
    reason = StringField(
        lazy_gettext("原因（必填，留档）"), [InputRequired(lazy_gettext("请写明原因")), Length(2, 200)]
    )


@bp.route("/accounts/new", methods=["GET", "POST"])
@operator_only
@proved
def new_account() -> Any:
    """A lead, a supervisor or an operator; what was typed stays when something is wrong."""
    form = StaffForm()
    if request.method != "POST":
        return render_template("operator/new_account.html", form=form)
    try:
        if form.validate():
            account_id = _made(form)
            flash(gettext("已开通，本人用手机号和短信验证码登录；系统管理员还须另一位系统管理员复核"))
            return redirect(url_for("operator.accounts", id=account_id))
    except (AccountError, Refused) as error:
        form.form_errors.append(in_words(error.user_message))
    return render_template("operator/new_account.html", form=form), 422


def _made(form: StaffForm) -> int:
    role = Role(form.role.data)
    with transaction() as session:
        place = None if role is Role.OPERATOR else place_named(session, current_actor(), form.division.data).id
        account = make_staff(
            session, session.get_one(Account, current_person().account_id), role=role, name=form.name.data.strip(),
            phone=form.phone.e164, login=form.login.data, division_id=place, reason=form.reason.data.strip(),
        )  # fmt: skip
        return account.id


@bp.post("/clock")
@leads_only
def move_clock() -> Response:
    """Move the demo's clock on by an hour or a day. A real database has no such thing."""
    step = STEPS.get(request.form.get("step", ""))
    if step is None:
        raise NotFound
    with transaction() as session:
        if not db.is_demo(session) or current_app.extensions["daiban.settings"].sends:
            raise NotFound
        moment: datetime = db.now(session) + step
        db.set_clock(session, moment)
    forget_facts()
    jobs.publish(jobs.DAY)
    flash(gettext("演示时间已前移"))
    return redirect(safe_target(request.form.get("next")) or "/team")
