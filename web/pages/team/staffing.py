"""Staffing: a lead asks who together could take what waits, and how the week's hours share out. Nothing is changed."""

from typing import Any

from flask import flash, render_template, request
from flask_babel import gettext, lazy_gettext
from flask_wtf import FlaskForm
from sqlalchemy.orm import Session
from wtforms import IntegerField, SelectField
from wtforms.validators import InputRequired, NumberRange

import db
from agents.matching.staffing_child import SolverUnavailable, hours_in_child, teams_in_child
from agents.roster import CATEGORY_LABEL
from dispatch.assignment.team_plan import propose_teams, team_question
from dispatch.assignment.week_plan import HOURS_TO_FOLLOW, HOURS_TO_PREPARE, propose_week, week_question
from dispatch.core.errors import Refused
from dispatch.views.staffing_page import LACK_WORDS, REASON_WORDS, staffing_areas, teams_page, week_page
from web.pages.team.blueprint import bp, say
from web.wiring.auth import current_actor, leads_only
from web.wiring.transactions import transaction

LIMIT_S = 8.0
"""For the search; a county is done in a fraction of it."""
NO_TOKEN = {"csrf": False}


class AreaForm(FlaskForm):
    """Which place is asked about. Sent by GET without a token: the answer has an address and changes nothing."""

    area = SelectField(lazy_gettext("范围"))

    def offer(self, session: Session) -> str:
        """Fill in the choices; the path of the place that is chosen."""
        areas = staffing_areas(session, current_actor())
        self.area.choices = [(one.code, one.label) for one in areas]
        return next((one.path for one in areas if one.code == self.area.data), "")


class WeekForm(AreaForm):
    """The place, and what a matter takes of a week before and after its papers are filed."""

    to_prepare = IntegerField(
        lazy_gettext("申报前每个事项的工时"), default=HOURS_TO_PREPARE,
        validators=[InputRequired(lazy_gettext("请填写工时")), NumberRange(0, 40, lazy_gettext("在 0 到 40 之间"))],
    )  # fmt: skip
    to_follow = IntegerField(
        lazy_gettext("申报后每个事项的工时"), default=HOURS_TO_FOLLOW,
        validators=[InputRequired(lazy_gettext("请填写工时")), NumberRange(0, 40, lazy_gettext("在 0 到 40 之间"))],
    )  # fmt: skip


@bp.get("/staffing/teams")
@leads_only
def staffing_teams() -> Any:
    """The smallest team for each project that waits because nobody alone has all its skills; what none covers."""
    is_asked, page = "area" in request.args, None
    form = AreaForm(request.args if is_asked else None, meta=NO_TOKEN)
    with transaction() as session:
        path = form.offer(session)
        question = team_question(session, at=db.now(session), path=path) if is_asked and form.validate() else None
    if question is not None:
        try:
            page = teams_page(propose_teams(question, solve=teams_in_child, limit_s=LIMIT_S))
        except SolverUnavailable:
            flash(gettext("没有在时限内算完，请缩小范围后再试"), "error")
    return render_template(
        "team/staffing_teams.html", form=form, page=page, CATEGORY=CATEGORY_LABEL, LACK=LACK_WORDS
    ), (422 if form.errors else 200)


@bp.get("/staffing/week")
@leads_only
def staffing_week() -> Any:
    """Who has hours for which project this week, what waits for hours and why."""
    is_asked, page, question = "area" in request.args, None, None
    form = WeekForm(request.args if is_asked else None, meta=NO_TOKEN)
    with transaction() as session:
        path = form.offer(session)
        if is_asked and form.validate():
            try:
                question = week_question(
                    session, at=db.now(session), path=path, to_prepare=form.to_prepare.data,
                    to_follow=form.to_follow.data,
                )  # fmt: skip
            except Refused as error:
                say(error)
    if question is not None:
        try:
            page = week_page(propose_week(question, solve=hours_in_child, limit_s=LIMIT_S))
        except SolverUnavailable:
            flash(gettext("没有在时限内算完，请缩小范围后再试"), "error")
    return render_template("team/staffing_week.html", form=form, page=page, REASON=REASON_WORDS), (
        422 if form.errors else 200
    )
