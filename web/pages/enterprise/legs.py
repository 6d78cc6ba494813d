"""Courier legs: an enterprise picks when papers are fetched or brought, and moves it until the run is committed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import FloatField, RadioField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, NumberRange, Optional

import db
from dispatch.acts.booking import BookDelivery, BookPickup, RescheduleLeg
from dispatch.cases.access_control import parcel_for
from dispatch.cases.case import Case
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.core.shanghai_time import in_shanghai
from dispatch.core.working_days import Calendar
from dispatch.views.enterprise_case import EnterpriseCasePage, case_page
from dispatch.views.enterprise_letters import DelegationLetterView
from notifications.phone import mask
from routing.day.hours import AM_CLOSES, PM_CLOSES
from web.pages.enterprise.blueprint import bp, taken
from web.wiring import formatting
from web.wiring.act_door import offers
from web.wiring.auth import current_actor, enterprise_only
from web.wiring.transactions import transaction

WINDOWS = ((9 * 3600, 11 * 3600), (10 * 3600, 12 * 3600), (14 * 3600, 16 * 3600), (15 * 3600, 17 * 3600))
NOON_S = 12 * 3600
DAYS_AHEAD = 5


@dataclass(frozen=True, slots=True)
class Slot:
    """A day and a window that may still be booked."""

    on: date
    opens_s: int
    closes_s: int

    @property
    def key(self) -> str:
        return f"{self.on.isoformat()}/{self.opens_s}"

    def closes_after(self, local: datetime) -> bool:
        """Whether a courier may still come in it after that moment of Shanghai."""
        into = local.hour * 3600 + local.minute * 60 + local.second
        return (self.on, self.closes_s) > (local.date(), into)

    @property
    def window(self) -> dict[str, Any]:
        """The fields of a command that says when a courier comes."""
        return {"on": self.on, "opens_s": self.opens_s, "closes_s": self.closes_s}


def slots(calendar: Calendar, at: datetime) -> list[Slot]:
    """What may be booked: asked for by 11:30 runs this afternoon, by 16:30 tomorrow morning, later the afternoon."""
    local = in_shanghai(at)
    today, clock = local.date(), local.time()
    works = calendar.is_workday(today)
    day = today if works and clock <= AM_CLOSES else calendar.next_workday(today)
    from_s = 0 if works and AM_CLOSES < clock <= PM_CLOSES else NOON_S
    found: list[Slot] = []
    for _n in range(DAYS_AHEAD):
        found += [Slot(day, opens, closes) for opens, closes in WINDOWS if opens >= from_s]
        day, from_s = calendar.next_workday(day), 0
    return found


class LegForm(FlaskForm):
    """When and where a courier comes, and who is there."""

    slot = RadioField(_("上门时间"), [InputRequired(_("请选择上门时间"))])
    person = SelectField(_("当面交接的人"), [InputRequired(_("请选择授权人"))])
    address = StringField(_("上门地址"), [InputRequired(_("请填写上门地址")), Length(min=4, max=200)])
    lon = FloatField(_("经度"), [Optional(), NumberRange(116, 122.5, _("经度不在江苏省内"))])
    lat = FloatField(_("纬度"), [Optional(), NumberRange(30.5, 35.5, _("纬度不在江苏省内"))])


class SlotForm(FlaskForm):
    """Another time."""

    slot = RadioField(_("改到"), [InputRequired(_("请选择上门时间"))])


def _by_day(open_slots: Sequence[Slot]) -> list[tuple[date, list[Slot]]]:
    days: dict[date, list[Slot]] = {}
    for slot in open_slots:
        days.setdefault(slot.on, []).append(slot)
    return list(days.items())


def _words(slot: Slot) -> str:
    return f"{formatting.day(slot.on)} {formatting.window((slot.opens_s, slot.closes_s))}"


def _choices(open_slots: Sequence[Slot]) -> list[SelectChoice]:
    return [SelectChoice(slot.key, _words(slot)) for slot in open_slots]


@bp.route("/cases/<case_no>/pickup", methods=["GET", "POST"])
@enterprise_only
@offers(BookPickup)
def book_pickup(case_no: str) -> Any:
    """A courier fetches the originals."""
    return _book(case_no, BookPickup)


@bp.route("/cases/<case_no>/delivery", methods=["GET", "POST"])
@enterprise_only
@offers(BookDelivery)
def book_delivery(case_no: str) -> Any:
    """A courier brings the results."""
    return _book(case_no, BookDelivery)


def _book(case_no: str, command: type[BookPickup | BookDelivery]) -> Any:
    inward = command is BookPickup
    page, open_slots = _case_and_slots(case_no)
    back = redirect(url_for("enterprise.case", case_no=case_no, _anchor="legs"))
    may = page.can_book_pickup if inward else page.can_book_delivery
    form = LegForm(data={"address": page.site_address})
    form.slot.choices = _choices(open_slots)
    form.person.choices = [] if page.letter is None else _people(page.letter, inward=inward)
    if request.method == "POST" and form.validate():
        slot = next(s for s in open_slots if s.key == form.slot.data)
        if taken(form, command, case=case_no, recipient_id=int(form.person.data), **slot.window):
            flash(
                gettext(
                    "已预约%(when)s",
                    when=f"{formatting.day(slot.on)} {formatting.window((slot.opens_s, slot.closes_s))}",
                )
            )
            return back
    if not may or page.letter is None:
        flash(gettext("委托书尚未签署或已失效，不能预约") if may else gettext("现在不需要预约上门"), "error")
        return back
    status = 200 if request.method != "POST" else 422
    return render_template("enterprise/leg.html", case=page, form=form, days=_by_day(open_slots), inward=inward), status


def _case_and_slots(case_no: str) -> tuple[EnterpriseCasePage, list[Slot]]:
    with transaction() as session:
        at = db.now(session)
        return case_page(session, current_actor(), case_no, at=at), slots(calendar_of(session), at)


def _people(letter: DelegationLetterView, *, inward: bool) -> list[SelectChoice]:
    return [
        SelectChoice(str(person.id), f"{person.name} {mask(person.phone)}")
        for person in letter.people
        if (person.may_hand_over if inward else person.may_receive)
    ]


@bp.route("/parcels/<waybill>/window", methods=["GET", "POST"])
@enterprise_only
@offers(RescheduleLeg)
def reschedule(waybill: str) -> Any:
    """Another day or window, without calling anybody, until the run is committed."""
    page, open_slots = _case_and_slots(_case_no_of(waybill))
    leg = next(row for row in page.legs if row.waybill == waybill)
    back = redirect(url_for("enterprise.case", case_no=page.case_no, _anchor="legs"))
    if leg.papers_at is not None:
        ready = in_shanghai(leg.papers_at)
        open_slots = [slot for slot in open_slots if slot.closes_after(ready)]
    form = SlotForm()
    form.slot.choices = _choices(open_slots)
    if request.method == "POST" and form.validate():
        slot = next(s for s in open_slots if s.key == form.slot.data)
        if taken(form, RescheduleLeg, waybill=waybill, **slot.window):
            flash(gettext("已改约"))
            return back
    if not leg.can_reschedule:
        flash(gettext("已排入当日线路或已结束，不能在线改约，请联系代办员"), "error")
        return back
    status = 200 if request.method != "POST" else 422
    return render_template(
        "enterprise/reschedule.html", case=page, leg=leg, form=form, days=_by_day(open_slots)
    ), status


def _case_no_of(waybill: str) -> str:
    with transaction() as session:
        return session.get_one(Case, parcel_for(session, current_actor(), waybill).case_id).case_no
