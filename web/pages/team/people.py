"""New people: a lead makes the accounts of the agents and couriers of the own subtree; they sign in by SMS code."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext, lazy_gettext
from flask_wtf import FlaskForm
from sqlalchemy import select
from sqlalchemy.orm import Session
from wtforms import IntegerField, RadioField, SelectChoice, SelectField, SelectMultipleField, StringField
from wtforms.validators import InputRequired, Length, NumberRange
from wtforms.widgets import CheckboxInput, ListWidget

import db
from agents.network import Division, ServiceCentre, centre_of
from agents.roster import CATEGORY_LABEL, Agent, AgentSkill, Category
from dispatch.cases.access_control import within
from dispatch.cases.lookups import next_number
from dispatch.core.actor import Actor, Role
from routing.day.couriers import VEHICLE_LABEL, Courier, Shift, VehicleKind
from web.pages.team.blueprint import bp
from web.wiring.accounts import Account, NumberTaken, account_of_phone, note
from web.wiring.auth import current_actor, current_person, leads_only
from web.wiring.forms import phone_number
from web.wiring.transactions import transaction

SHIFTS_AHEAD = 28  # days for which a new courier's ordinary shifts are entered


class PersonForm(FlaskForm):
    """An agent or a courier, at a place of the lead's subtree."""

    role = RadioField(
        lazy_gettext("岗位"),
        choices=[SelectChoice("agent", lazy_gettext("代办员")), SelectChoice("courier", lazy_gettext("揽投员"))],
        default="agent",
    )
    name = StringField(lazy_gettext("姓名"), validators=[InputRequired(lazy_gettext("请填写姓名")), Length(max=20)])
    phone = StringField(lazy_gettext("手机号"), validators=[InputRequired(lazy_gettext("请填写手机号")), phone_number])
    division = SelectField(lazy_gettext("站点"), coerce=int)
    office_phone = StringField(lazy_gettext("服务电话（座机）"), validators=[Length(max=20)])
    capacity = IntegerField(
        lazy_gettext("同时在办上限"), default=6, validators=[NumberRange(0, 50, lazy_gettext("在 0 到 50 之间"))]
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
@leads_only
def new_person() -> Any:
    """One form; what was typed stays when something is wrong."""
    viewer, form = current_actor(), PersonForm()
    with transaction() as session:
        places = _places(session, viewer)
    form.division.choices = [
        SelectChoice(place.id, f"{'　' * max(0, place.level - 3)}{place.name}") for place in places
    ]
    if request.method == "POST" and form.validate():
        with transaction() as session:
            if account_of_phone(session, form.phone.e164) is not None:
                form.phone.errors = [*form.phone.errors, NumberTaken.user_message]
            else:
                _make(session, form, by_id=current_person().account_id)
                flash(gettext("已开通，本人用手机号和短信验证码登录"))
                return redirect(url_for("team.agents"))
    return render_template("team/person.html", form=form), 200 if request.method != "POST" else 422


def _places(session: Session, viewer: Actor) -> Sequence[Division]:
    """The counties, zones and towns of the viewer's reach."""
    wanted = select(Division).where(within(viewer, Division.id), Division.level.in_((2, 3, 4)))  # type: ignore[arg-type]
    return session.scalars(wanted.where(Division.retired_on.is_(None)).order_by(Division.path).limit(400)).all()


def _make(session: Session, form: PersonForm, *, by_id: int) -> Account:
    division = session.get_one(Division, form.division.data)
    phone, name = form.phone.e164, form.name.data.strip()
    account = Account(role=Role(form.role.data), name=name)
    account.set_phone(phone)
    if account.role is Role.AGENT:
        number = next_number(session, f"agent-{division.code[:6]}", width=4).rsplit("-", 1)[1]
        agent = Agent(
            agent_no=f"{division.code[:6]}N{number}", name=name, phone=phone,
            office_phone=form.office_phone.data or "12345",
            division_id=division.id, capacity=form.capacity.data, stars=3,
        )  # fmt: skip
        session.add(agent)
        session.flush()
        session.add_all(
            AgentSkill(agent_id=agent.id, category=Category(skill).value, proficiency=2)
            for skill in form.skills.data or []
        )
        account.agent_id = agent.id
    else:
        account.courier_id = _courier(session, division, name=name, phone=phone, vehicle=form.vehicle.data).id
    session.add(account)
    session.flush()
    note(session, account, kind="made", reason="组长开通", by_id=by_id)
    return account


def _courier(session: Session, division: Division, *, name: str, phone: str, vehicle: str) -> Courier:
    """A courier at the county's centre, with four weeks of ordinary shifts on which the day's plans count."""
    centre: ServiceCentre | None = centre_of(session, division)
    if centre is None:
        raise LookupError(f"{division} has no centre")
    number = next_number(session, f"courier-{division.code[:6]}", width=3).rsplit("-", 1)[1]
    courier = Courier(
        courier_no=f"{division.code[:6]}E{number}", name=name, phone=phone, phone_hash=db.keyed_hash(phone),
        division_id=centre.division_id, centre_id=centre.id, vehicle=VehicleKind(vehicle),
    )  # fmt: skip
    session.add(courier)
    session.flush()
    today = db.now(session).astimezone(db.SHANGHAI).date()
    session.add_all(
        Shift(courier_id=courier.id, on=today + timedelta(days=n), starts_s=8 * 3600, ends_s=18 * 3600)
        for n in range(SHIFTS_AHEAD)
    )
    return courier
