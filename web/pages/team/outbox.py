"""The outbox: what was said to whom and what became of it, a resend that asks why, texts, numbers, people's data."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from flask import current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from sqlalchemy import select
from werkzeug.exceptions import NotFound as NoPage
from werkzeug.wrappers import Response

import db
from dispatch.acts.act import Act
from dispatch.acts.notices import (
    EditText,
    ErasePerson,
    ExportPerson,
    ResendMessage,
    ResumeNotices,
    RevertText,
    StopNotices,
    UnmaskNumber,
)
from dispatch.cases.notify import day_of
from dispatch.core.actor import Role
from dispatch.core.errors import Refused
from dispatch.views import sms_outbox
from notifications import people, suppression, text_catalogue, text_rendering, texts
from notifications.heartbeat import last_beat, liveness
from notifications.message import State
from notifications.settings import NoticeSettings
from web.pages.team.blueprint import RULES, bp, say, take_form
from web.wiring.accounts import Account
from web.wiring.act_door import command_from_form, offers, take
from web.wiring.auth import current_actor, leads_only, operator_only, staff_only
from web.wiring.formatting import business_clock, in_words
from web.wiring.sheets import comma_separated
from web.wiring.transactions import transaction

REPORT_DAYS = 7
SHORTEST_REASON = 2
WHY_LABEL = {
    suppression.SuppressionReason.ASKED_US: "本人要求停发",
    suppression.SuppressionReason.ASKED_PROVIDER: "本人向运营商退订",
    suppression.SuppressionReason.UNREACHABLE: "号码无法接收短信",
}
NOT_AGAIN = "这条短信不能重发：验证码只能重新获取，已送达或发送中的不重复发送"


def notice_settings() -> NoticeSettings:
    """How this program sends."""
    found: NoticeSettings = current_app.extensions["daiban.notices"]
    return found


@bp.get("/outbox", endpoint="outbox")
@staff_only
def outbox_page() -> str:
    """Messages, newest first; the heartbeat above them."""
    viewer = current_actor()
    wanted, cursor = request.args.get("state", ""), request.args.get("cursor", "")
    state = State(wanted) if wanted in set(State) else None
    with transaction() as session:
        at = db.now(session)
        rows, following = sms_outbox.messages(
            session, viewer, state=state, case_no=request.args.get("case", ""),
            after=int(cursor) if cursor.isdecimal() else None, plain=db.is_demo(session),
        )  # fmt: skip
        may_see_all = viewer.role is not Role.AGENT
        return render_template(
            "team/outbox.html", rows=rows, following=following, state_chips=sms_outbox.states(session, viewer, at=at),
            beat=liveness(session, notice_settings()), days=REPORT_DAYS,
            report=sms_outbox.delivery_report(
                session, first=day_of(at) - timedelta(days=REPORT_DAYS - 1), last=day_of(at)
            )
            if may_see_all else [],
            may_act=viewer.role in {Role.LEAD, Role.OPERATOR}, is_operator=viewer.role is Role.OPERATOR,
        )  # fmt: skip


@bp.post("/outbox/<int:message_id>/again")
@offers(ResendMessage)
def resend(message_id: int) -> Response:
    """The same words again, because a person says why."""
    back = url_for("team.outbox", _anchor=f"m{message_id}")
    return take_form(ResendMessage, "已重发，并记录了原因", back=back, message=message_id)


@bp.post("/outbox/<int:message_id>/number")
@offers(UnmaskNumber)
def unmask(message_id: int) -> Response:
    """The whole number, for a reason that is written down."""
    try:
        number = take(command_from_form(UnmaskNumber, request.form, message=message_id))
        flash(gettext("完整号码 %(number)s（本次查看已记录）", number=number or "—"))
    except RULES as error:
        say(error)
    return redirect(url_for("team.outbox", _anchor=f"m{message_id}"))


# ---------------------------------------------------------------- numbers that are left alone


@bp.get("/numbers")
@leads_only
def numbers() -> str:
    """Who gets nothing, since when and why."""
    with transaction() as session:
        return render_template("team/numbers.html", rows=sms_outbox.left_alone(session), WHY=WHY_LABEL)


NUMBER_STEPS: Mapping[str, type[Act[None]]] = {"stop": StopNotices, "lift": ResumeNotices}


@bp.post("/numbers")
@offers(steps=NUMBER_STEPS, key="what")
def change_number() -> Response:
    """A number's owner wants no more notices, or wants them again."""
    lifts = request.form.get("what") == "lift"
    done = "已恢复向该号码发送通知" if lifts else "已停止向该号码发送通知，验证码除外"
    return take_form(NUMBER_STEPS["lift" if lifts else "stop"], done, back=url_for("team.numbers"))


# ---------------------------------------------------------------- one person's data

ACCESS_LABEL = {"unmask": "查看完整号码", "export": "查阅导出", "erase": "清除"}
ACCESSES = 50


@bp.get("/privacy")
@operator_only
def privacy() -> str:
    """What is held of one person on request; who saw, exported and erased what; what the retention job forgot."""
    cursor = request.args.get("cursor", "")
    skip = min(int(cursor), 1_000_000) if cursor.isascii() and cursor.isdecimal() else 0
    with transaction() as session:
        rows = people.accesses(session, skip=skip, limit=ACCESSES + 1)
        by = {row.account_id for row in rows}
        return render_template(
            "team/privacy.html", rows=rows[:ACCESSES], following=skip + ACCESSES if len(rows) > ACCESSES else None,
            names=dict(session.execute(select(Account.id, Account.name).where(Account.id.in_(by))).all()),
            retention=last_beat(session, "retention"), keep_days=notice_settings().keep_values_days, KIND=ACCESS_LABEL,
        )  # fmt: skip


PERSON_STEPS: Mapping[str, type] = {"export": ExportPerson, "erase": ErasePerson}


@bp.post("/privacy")
@offers(steps=PERSON_STEPS, key="act")
def person_request() -> Response:
    """Export or erase what was said to one number, once its owner was identified and said why."""
    try:
        if request.form.get("act") not in PERSON_STEPS:
            raise Refused("neither export nor erase", user_message="请写明本人的请求，并确认已核实本人身份")
        if request.form.get("act") == "export":
            rows = take(command_from_form(ExportPerson, request.form))
            return _as_file(rows, at=business_clock()[0])
        forgotten = take(command_from_form(ErasePerson, request.form))
        flash(gettext("已清除 %(n)s 条短信的号码和内容；退订记录仅保留校验值", n=forgotten))
    except RULES as error:
        say(error)
    return redirect(url_for("team.privacy"))


def _as_file(rows: Sequence[people.ExportedMessage], *, at: datetime) -> Response:
    """A table that any office program opens; numbers masked, codes covered."""
    heads = [gettext(head) for head in ("收件人", "用途", "内容", "状态", "产生时间", "提交时间", "结束时间")]
    lines = [
        [
            row.to,
            gettext(sms_outbox.PURPOSE_LABEL.get(row.text, row.text)),
            row.body,
            gettext(sms_outbox.STATE_LABEL[row.state]),
            *(_written(moment) for moment in (row.created_at, row.sent_at, row.settled_at)),
        ]
        for row in rows
    ]
    name = f"messages-{day_of(at):%Y%m%d}.csv"
    return Response(
        comma_separated(heads, lines), mimetype="text/csv",
        headers={"Content-Disposition": f"attachment; filename={name}", "Cache-Control": "no-store"},
    )  # fmt: skip


def _written(moment: datetime | None) -> str:
    return f"{moment.astimezone(db.SHANGHAI):%Y-%m-%d %H:%M:%S}" if moment else ""


# ---------------------------------------------------------------- the texts


@bp.get("/texts", endpoint="texts")
@operator_only
def texts_page() -> str:
    """Every text with the words in force and what they cost."""
    settings = notice_settings()
    with transaction() as session:
        rows = []
        for text in text_catalogue.catalogue().texts.values():
            now = texts.current(session, text.name, "zh")
            rows.append((text, now, texts.preview(text.name, "zh", now.words, settings)))
        return render_template(
            "team/texts.html", rows=rows, PURPOSE=sms_outbox.PURPOSE_LABEL, codes=_domestic_codes(settings)
        )


def _domestic_codes(settings: NoticeSettings) -> Mapping[str, str] | None:
    """The domestic provider's template codes by "text/locale"; None where no such account is set."""
    return next((account.templates for account in settings.domestic.values()), None)


TEXT_STEPS: Mapping[str, type[Act[int]]] = {"save": EditText, "revert": RevertText}


def _changed(act: str, name: str, locale: str) -> list[str]:
    """Take the step of the form; what is wrong with it, every fault at once."""
    if act not in TEXT_STEPS:
        return []
    try:
        take(command_from_form(TEXT_STEPS[act], request.form, text_name=name, locale=locale))
    except texts.BadWords as error:
        return error.faults
    except Refused as error:
        return [in_words(error.user_message)]
    return []


@bp.route("/texts/<text_name>/<locale>", methods=["GET", "POST"])
@offers(steps=TEXT_STEPS, key="act")
def text(text_name: str, locale: str) -> Any:
    """One text's words: preview with real-looking values, every fault at once, then in force as a new version."""
    name = text_name
    if name not in text_catalogue.catalogue().texts or locale not in text_catalogue.LOCALES:
        raise NoPage
    settings = notice_settings()
    act, note = request.form.get("act", ""), request.form.get("note", "").strip()
    faults = _changed(act, name, locale) if request.method == "POST" else []
    with transaction() as session:
        now = texts.current(session, name, locale)
        words = request.form.get("words", now.words).strip()
        if request.method != "POST" or faults or act == "preview":
            page = render_template(
                "team/text.html", text=text_catalogue.text_named(name), locale=locale, now=now, words=words, note=note,
                shown=texts.preview(name, locale, words, settings), faults=faults,
                history=texts.history(session, name, locale), codes=_domestic_codes(settings),
                to_register=text_rendering.domestic_template(name, locale),
                PURPOSE=sms_outbox.PURPOSE_LABEL, placeholders=text_catalogue.catalogue().placeholders,
            )  # fmt: skip
            return page, 422 if faults else 200
    flash(gettext("已生效，新短信从现在起使用这个版本"))
    return redirect(url_for("team.text", text_name=name, locale=locale))
