"""The outbox: what was said to whom and what became of it, a resend that asks why, texts, numbers, people's data."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
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
from dispatch.cases.person_data import PersonDatum
from dispatch.core.actor import Role
from dispatch.core.errors import Refused
from dispatch.views import sms_outbox
from notifications import inbound, people, suppression, text_catalogue, text_rendering, texts
from notifications.heartbeat import last_beat, liveness
from notifications.message import State
from notifications.phone import normalise
from notifications.settings import NoticeSettings
from web.pages.team.blueprint import RULES, bp, say, take_form
from web.wiring import person_accounts
from web.wiring.accounts import Account
from web.wiring.act_door import command_from_form, offers, take, take_in
from web.wiring.auth import current_actor, leads_only, operator_only, staff_only
from web.wiring.formatting import business_clock, in_words
from web.wiring.forms import whole_number
from web.wiring.sheets import comma_separated
from web.wiring.transactions import transaction

REPORT_DAYS = 7
WHY_LABEL = {
    suppression.SuppressionReason.ASKED_US: "本人要求停发",
    suppression.SuppressionReason.ASKED_PROVIDER: "本人向运营商退订",
    suppression.SuppressionReason.UNREACHABLE: "号码无法接收短信",
}


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
            after=whole_number(cursor) or None, plain=db.is_demo(session),
        )  # fmt: skip
        may_see_all = viewer.role is not Role.AGENT
        return render_template(
            "team/outbox.html", rows=rows, following=following, state_chips=sms_outbox.states(session, viewer, at=at),
            beat=liveness(session, notice_settings()), days=REPORT_DAYS,
            replies=sms_outbox.replies(session, viewer),
            odd=inbound.odd_pushes(session) if viewer.role is Role.OPERATOR else [],
            report=sms_outbox.delivery_report(
                session, viewer, first=day_of(at) - timedelta(days=REPORT_DAYS - 1), last=day_of(at)
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
        shown = take(command_from_form(UnmaskNumber, request.form, message=message_id))
        flash(gettext("完整号码 %(number)s（本次查看已记录）", number=shown.number or "—"))
    except RULES as error:
        say(error)
    return redirect(url_for("team.outbox", _anchor=f"m{message_id}"))


# ---------------------------------------------------------------- numbers that are left alone


@bp.get("/numbers")
@leads_only
def numbers() -> str:
    """Who gets nothing, since when and why."""
    with transaction() as session:
        return render_template("team/numbers.html", rows=sms_outbox.left_alone(session, current_actor()), WHY=WHY_LABEL)


NUMBER_STEPS: Mapping[str, type[Act[None]]] = {"stop": StopNotices, "lift": ResumeNotices}


@bp.post("/numbers")
@offers(steps=NUMBER_STEPS)
def change_number() -> Response:
    """A number's owner wants no more notices, or wants them again."""
    step = request.form.get("step", "")
    return take_form(
        NUMBER_STEPS.get(step),
        "已恢复向该号码发送通知" if step == "lift" else "已停止向该号码发送通知，验证码除外",
        back=url_for("team.numbers"),
    )


# ---------------------------------------------------------------- one person's data

ACCESS_LABEL = {"unmask": "查看完整号码", "export": "查阅导出", "erase": "清除"}
ACCESSES = 50


@bp.get("/privacy")
@operator_only
def privacy() -> str:
    """What is held of one person on request; who saw, exported and erased what; what the retention job forgot."""
    cursor = request.args.get("cursor", "")
    skip = whole_number(cursor, most=1_000_000)
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
@offers(steps=PERSON_STEPS)
def person_request() -> Response:
    """Export or erase what was said to one number, once its owner was identified and said why."""
    try:
        match request.form.get("step"):
            case "export":
                with transaction() as session:
                    found = take_in(session, command_from_form(ExportPerson, request.form))
                    places = [*found.places, *person_accounts.held(session, _number_hash())]
                return _as_file(found.rows, places, at=business_clock()[0])
            case "erase":
                with transaction() as session:
                    erased = take_in(session, command_from_form(ErasePerson, request.form))
                    by = current_actor().account_id
                    places = [*erased.places, *person_accounts.forget(session, _number_hash(), by_id=by)]
                flash(gettext("已清除 %(n)s 条短信的号码和内容；退订记录仅保留校验值", n=erased.messages))
                _say_places(places)
            case _:
                raise Refused("export or erase?", user_message="请选择办理动作")
    except RULES as error:
        say(error)
    return redirect(url_for("team.privacy"))


def _number_hash() -> bytes:
    """The number of the form, as it is looked up; the act has refused what is none."""
    return db.keyed_hash(normalise(request.form.get("phone", "")))


def _say_places(places: Sequence[PersonDatum]) -> None:
    """What was forgotten beside the messages, and what has to stay, each place with why."""
    forgotten = [gettext(place.where) for place in places if not place.stays_because]
    if forgotten:
        flash(gettext("另清除：%(places)s", places=_listed(forgotten)))
    staying = [f"{gettext(place.where)}（{gettext(place.stays_because)}）" for place in places if place.stays_because]
    if staying:
        flash(gettext("依法暂留：%(places)s", places=_listed(staying)))


def _listed(words: Sequence[str]) -> str:
    return "、".join(f"{word} × {n}" if n > 1 else word for word, n in Counter(words).items())


def _as_file(rows: Sequence[people.ExportedMessage], places: Sequence[PersonDatum], *, at: datetime) -> Response:
    """A table that any office program opens: first where the person stands, then what was said; codes covered."""
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
    stands = [
        ["", gettext(place.where), place.what, gettext(place.stays_because), _since(place.since), "", ""]
        for place in places
    ]
    name = f"messages-{day_of(at):%Y%m%d}.csv"
    return Response(
        comma_separated(heads, [*stands, *lines]), mimetype="text/csv",
        headers={"Content-Disposition": f"attachment; filename={name}", "Cache-Control": "no-store"},
    )  # fmt: skip


def _since(moment: datetime | date | None) -> str:
    return _written(moment) if isinstance(moment, datetime) else "" if moment is None else moment.isoformat()


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


@bp.get("/texts/<text_name>/<locale>")
@operator_only
def text(text_name: str, locale: str) -> str:
    """One text's words, with what they cost, every version and what to register."""
    return _text_page(text_name, locale)


@bp.post("/texts/<text_name>/<locale>", endpoint="change_text")
@offers(steps=TEXT_STEPS)
def change_text(text_name: str, locale: str) -> Any:
    """In force as a new version, or every fault at once; any other word is a preview, and changes nothing."""
    step = TEXT_STEPS.get(request.form.get("step", ""))
    if step is None:
        return _text_page(text_name, locale)
    try:
        take(command_from_form(step, request.form, text_name=text_name, locale=locale))
    except texts.BadWords as error:
        return _text_page(text_name, locale, faults=error.faults), 422
    except Refused as error:
        return _text_page(text_name, locale, faults=[in_words(error.user_message)]), 422
    flash(gettext("已生效，新短信从现在起使用这个版本"))
    return redirect(url_for("team.text", text_name=text_name, locale=locale))


def _text_page(name: str, locale: str, *, faults: Sequence[str] = ()) -> str:
    """The text with the words in force, or those that were typed and what is wrong with them."""
    if name not in text_catalogue.catalogue().texts or locale not in text_catalogue.LOCALES:
        raise NoPage
    settings = notice_settings()
    with transaction() as session:
        now = texts.current(session, name, locale)
        words = request.form.get("words", now.words).strip()
        return render_template(
            "team/text.html", text=text_catalogue.text_named(name), locale=locale, now=now, words=words,
            note=request.form.get("note", "").strip(), shown=texts.preview(name, locale, words, settings),
            faults=faults, history=texts.history(session, name, locale), codes=_domestic_codes(settings),
            to_register=text_rendering.domestic_template(name, locale),
            PURPOSE=sms_outbox.PURPOSE_LABEL, placeholders=text_catalogue.catalogue().placeholders,
        )  # fmt: skip
