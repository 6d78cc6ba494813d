"""New people: a lead makes the accounts of the agents and couriers of the own subtree; they sign in by SMS code."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext, lazy_gettext
from flask_wtf import FlaskForm
from sqlalchemy.orm import Session
from wtforms import IntegerField, RadioField, SelectChoice, SelectField, SelectMultipleField, StringField
from wtforms.validators import InputRequired, Length, NumberRange
from wtforms.widgets import CheckboxInput, ListWidget

from agents.roster import CATEGORY_LABEL, Category
from dispatch.acts.people import AddAgent, AddCourier
from dispatch.core.actor import Role
from dispatch.core.errors import Refused
from dispatch.core.ids import AreaCode
from dispatch.views.agents_board import stations
from dispatch.views.place_list import place_named
from routing.day.couriers import VEHICLE_LABEL, VehicleKind
from web.pages.team.blueprint import RULES, bp, say
from web.wiring.accounts import Account, NumberTaken, account_of_phone, note
from web.wiring.act_door import is_repeat, offers, take_in
from web.wiring.auth import current_actor, current_person
from web.wiring.formatting import in_words
from web.wiring.forms import phone_number
from web.wiring.transactions import transaction


class PersonForm(FlaskForm):
    """An agent or a courier, at a place of the lead's subtree."""

    role = RadioField(
        lazy_gettext("岗位"),
        choices=[SelectChoice("agent", lazy_gettext("代办员")), SelectChoice("courier", lazy_gettext("揽投员"))],
        default="agent",
    )
    name = StringField(lazy_gettext("姓名"), validators=[InputRequired(lazy_gettext("请填写姓名")), Length(max=20)])
    phone = StringField(lazy_gettext("手机号"), validators=[InputRequired(lazy_gettext("请填写手机号")), phone_number])
    division = StringField(lazy_gettext("站点"), validators=[InputRequired(lazy_gettext("请填写站点"))])
    office_phone = StringField(lazy_gettext("服务电话（座机）"), validators=[Length(max=20)])
    capacity = IntegerField(
        lazy_gettext("同时在办上限"), default=6, validators=[NumberRange(0, 50, lazy_gettext("在 0 到 50 之间"))]
    )
    weekly_hours = IntegerField(
        lazy_gettext("每周工时"), default=40, validators=[NumberRange(0, 60, lazy_gettext("在 0 到 60 之间"))]
    )
    skills = SelectMultipleField(
        lazy_gettext("专长"),
        choices=[SelectChoice(key.value, lazy_gettext(words)) for key, words in CATEGORY_LABEL.items()],
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
    )
    vehicle = SelectField(
        lazy_gettext("车辆"), choices=[SelectChoice(v.value, lazy_gettext(words)) for v, words in VEHICLE_LABEL.items()]
    )


@bp.route("/people/new", methods=["GET", "POST"])
@offers(AddAgent, AddCourier)
def new_person() -> Any:
    """One form; what was typed stays when something is wrong."""
    form = PersonForm()
    with transaction() as session:
        places = [place.name for place in stations(session, current_actor())]
        command = _command(session, form) if request.method == "POST" and form.validate() else None
        is_sent_again = command is not None and is_repeat(session, command)
        is_taken = command is not None and account_of_phone(session, form.phone.e164) is not None
    if is_taken and not is_sent_again:
        form.phone.errors = [*form.phone.errors, NumberTaken.user_message]
    elif command is not None:
        try:
            if not is_sent_again:
                _make(form, command)
        except RULES as error:
            say(error)
        else:
            flash(gettext("已开通，本人用手机号和短信验证码登录"))
            return redirect(url_for("team.agents"))
    return render_template("team/person.html", form=form, places=places), 200 if request.method != "POST" else 422


def _command(session: Session, form: PersonForm) -> AddAgent | AddCourier | None:
    """Whom the form describes; None where its place is not clear, which stands beside the field then."""
    name, phone = form.name.data.strip(), form.phone.e164
    try:
        division = AreaCode(place_named(session, current_actor(), form.division.data).code)
    except Refused as error:
        form.division.errors = [*form.division.errors, in_words(error.user_message)]
        return None
    if Role(form.role.data) is Role.COURIER:
        return AddCourier(division=division, name=name, phone=phone, vehicle=VehicleKind(form.vehicle.data))
    return AddAgent(
        division=division, name=name, phone=phone, office_phone=form.office_phone.data or "",
        capacity=form.capacity.data, weekly_hours=form.weekly_hours.data,
        skills=tuple(Category(skill) for skill in form.skills.data or []),
    )  # fmt: skip


def _make(form: PersonForm, command: AddAgent | AddCourier) -> None:
    """The agent or the courier, and in the same transaction an account to sign in with. Raises Refused."""
    account = Account(role=Role(form.role.data), name=command.name)
    account.set_phone(form.phone.e164)
    with transaction() as session:
        made = take_in(session, command)
        if isinstance(command, AddAgent):
            account.agent_id = made
        else:
            account.courier_id = made
        session.add(account)
        session.flush()
        note(session, account, kind="made", reason="组长开通", by_id=current_person().account_id)
