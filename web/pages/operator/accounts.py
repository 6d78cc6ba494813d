"""The operator's own pages: accounts to bind, unbind and renumber, each with a reason; the demo's clock."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, current_app, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext
from sqlalchemy import or_, select
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

import db
from dispatch.cases.project import Enterprise
from notifications.phone import BadNumber, mask, normalise
from web.wiring import jobs
from web.wiring.accounts import Account, AccountError, AccountState, bind, change_number, unbind
from web.wiring.auth import current_person, leads_only, operator_only, safe_target
from web.wiring.transactions import transaction

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
        elif one.isascii() and one.isdecimal() and len(one) < 19:
            found = session.execute(_matching(Account.id == int(one))).all()
        rows = [
            {"account": account, "enterprise": enterprise, "phone": mask(account.phone) if account.phone else ""}
            for account, enterprise in found
        ]
    return render_template("operator/accounts.html", rows=rows, asked=asked)


def _wanted(asked: str) -> list[Any]:
    wanted = [
        Account.login == asked.lower(),
        Account.name == asked,
        Enterprise.credit_code == asked.upper(),
        Enterprise.name.contains(asked, autoescape=True),
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
        if act == "unbind":
            unbind(session, account, by=by, reason=reason)
        elif act == "bind":
            code = request.form.get("credit_code", "").strip().upper()
            enterprise_id = session.scalar(select(Enterprise.id).where(Enterprise.credit_code == code))
            if enterprise_id is None or account.state is AccountState.CLOSED:
                raise AccountError("no such enterprise", user_message=gettext("没有找到该信用代码的企业，或账号已关闭"))
            bind(session, account, enterprise_id=enterprise_id, by=by, reason=reason)
        elif act == "number":
            try:
                change_number(session, account, normalise(request.form.get("phone", "")), by=by, reason=reason)
            except BadNumber:
                raise AccountError("not a number", user_message=gettext("手机号有误，请填写11位手机号")) from None
        else:
            raise NotFound
    flash(gettext("已保存，并记录了原因"))
    return redirect(url_for("operator.accounts", id=account_id))


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
    g.pop("business_clock", None)
    jobs.publish(jobs.DAY)
    flash(gettext("演示时间已前移"))
    return redirect(safe_target(request.form.get("next")) or "/team")
