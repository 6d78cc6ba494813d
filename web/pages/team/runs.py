"""Runs: the day's areas and batches, a plan from the queue to its commit, and what happens on the road meanwhile."""

from datetime import date, timedelta
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

import db
from dispatch.acts.plan_steps import AskForPlan, AskWhatIf, CancelPlan, CommitPlan, ReplanDay, ReportShift, ShiftChange
from dispatch.core.actor import Role
from dispatch.core.localized_text import LocalizedText
from dispatch.custody.roadside_pass import RoadsidePass
from dispatch.views import day_runs, roadside
from dispatch.views.one_plan import plan_page
from dispatch.views.plan_costs import UNIT
from routing.day import what_if_jobs
from routing.day.couriers import VEHICLE_LABEL
from routing.day.day_plan import PLAN_LABEL, DayPlan, PlanConflict
from routing.day.hours import half_is_ahead, seconds_into, seconds_of_day
from web.pages.team.blueprint import RULES, bp, say, take_form
from web.wiring import jobs
from web.wiring.act_door import command_from_form, offers, take
from web.wiring.auth import current_actor, roles
from web.wiring.formatting import in_words, today
from web.wiring.transactions import transaction

runs_readers = roles(Role.LEAD, Role.SUPERVISOR, Role.OPERATOR)
LIMIT_S = 15
REPLAN_S = 4
MOST_LATE_MIN = 240


def asked_day() -> date:
    """The day in the URL, else today; a day that is none is today."""
    try:
        return date.fromisoformat(request.args.get("on", "") or request.form.get("on", ""))
    except ValueError:
        return today()


@bp.get("/runs")
@runs_readers
def runs() -> str:
    """The day's runs: what waits, what is planned, who drives."""
    on = asked_day()
    with transaction() as session:
        page = day_runs.runs_page(session, current_actor(), on)
        now_s = seconds_of_day(db.now(session)) if on == today() else None
        return render_template(
            "team/runs.html", page=page, PLAN_LABEL=PLAN_LABEL, now_s=now_s, before=on - timedelta(days=1),
            after=on + timedelta(days=1), may_act=current_actor().role is not Role.SUPERVISOR,
        )  # fmt: skip


@bp.post("/runs/plans")
@offers(AskForPlan)
def make_plan() -> Response:
    """Queue a plan for an area's batch; where one is committed, the new one replaces it."""
    given = {} if request.form.get("date") else {"date": asked_day()}
    try:
        plan_id = take(command_from_form(AskForPlan, request.form, **given)).id
    except RULES as error:
        say(error)
        return redirect(url_for("team.runs", on=asked_day().isoformat()))
    jobs.publish(jobs.PLAN, plan_id)
    return redirect(url_for("team.plan", plan_id=plan_id))


@bp.get("/plans/<int:plan_id>")
@runs_readers
def plan(plan_id: int) -> str:
    """One plan: its progress, then its runs, its unserved stops, and what a commit would change."""
    return _plan_page(plan_id)


def _plan_page(plan_id: int, conflict: PlanConflict | None = None) -> str:
    with transaction() as session:
        page = plan_page(session, current_actor(), plan_id)
        of_day = (RoadsidePass.division_id == page.plan.division_id, RoadsidePass.on == page.plan.on)
        passes = roadside.open_passes(session, current_actor(), *of_day)
        template = "team/_progress.html" if "HX-Request" in request.headers else "team/plan.html"
        return render_template(
            template, page=page, plan=page.plan, PLAN_LABEL=PLAN_LABEL, conflict=conflict,
            words=day_runs.CUTOFF_LABEL[page.plan.cutoff], curve=curve(page.plan.cost_curve),
            may_act=current_actor().role is not Role.SUPERVISOR, UNIT=UNIT, passes=passes,
            may_call_off=current_actor().role is not Role.SUPERVISOR, **_may_try(session, page.plan),
        )  # fmt: skip


def curve(points: list[Any], *, width: int = 560, height: int = 72) -> str:
    """The falling cost as the points of an SVG polyline; empty with fewer than two."""
    if len(points) < 2:
        return ""
    last_s = max(float(points[-1][0]), 0.1)
    costs = [float(cost) for _, cost in points]
    low, span = min(costs), max(max(costs) - min(costs), 1.0)
    return " ".join(
        f"{float(seconds) / last_s * width:.0f},{height - 4 - (cost - low) / span * (height - 8):.0f}"
        for (seconds, _), cost in zip(points, costs, strict=True)
    )


@bp.post("/plans/<int:plan_id>/commit")
@offers(CommitPlan)
def commit_plan(plan_id: int) -> Any:
    """The preview becomes the day's runs; a conflict is shown with its difference, and nothing has changed."""
    try:
        done = take(command_from_form(CommitPlan, request.form, plan=plan_id))
    except PlanConflict as conflict:
        return _plan_page(plan_id, conflict), 409
    flash(gettext("路线已下发，%(n)s 站有了新的上门时段", n=done.told))
    if done.to_call:
        flash(gettext("%(n)s 处短信到不了，请按“电话告知”逐个打电话", n=done.to_call))
    return redirect(url_for("team.plan", plan_id=plan_id))


@bp.post("/plans/<int:plan_id>/cancel")
@offers(CancelPlan)
def cancel_plan(plan_id: int) -> Response:
    """Give a job or a preview up: stops stay as they are, nobody is told anything."""
    back = url_for("team.plan", plan_id=plan_id)
    return take_form(CancelPlan, "已放弃这次计算，站点和已下发的路线不变", back=back, plan=plan_id)


@bp.post("/plans/<int:plan_id>/replan")
@offers(ReplanDay)
def replan(plan_id: int) -> Response:
    """Plan the rest of a committed day anew: what is driven stays, announced windows are kept where it pays."""
    try:
        fresh = take(command_from_form(ReplanDay, request.form, plan=plan_id)).id
    except RULES as error:
        say(error)
        return redirect(url_for("team.plan", plan_id=plan_id))
    jobs.publish(jobs.PLAN, fresh)
    return redirect(url_for("team.plan", plan_id=fresh))


@bp.get("/plans/<int:plan_id>/what-if")
@runs_readers
def what_if(plan_id: int) -> str:
    """How the question for one courier more stands: a part of the plan's page."""
    with transaction() as session:
        page = plan_page(session, current_actor(), plan_id)
        return render_template("team/_what_if.html", page=page, plan=page.plan, **_may_try(session, page.plan))


@bp.post("/plans/<int:plan_id>/what-if")
@offers(AskWhatIf)
def ask_what_if(plan_id: int) -> Response:
    """Ask what one courier more would bring; a worker solves it, the plan stays as it is."""
    try:
        take(command_from_form(AskWhatIf, request.form, plan=plan_id))
    except RULES as error:
        say(error)
    else:
        jobs.publish(jobs.WHAT_IF, plan_id)
    return redirect(url_for("team.plan", plan_id=plan_id, _anchor="what-if"))


def _may_try(session: Session, plan: DayPlan) -> dict[str, Any]:
    """Whether one courier more may be tried: by whom may act, while any of the batch's half day lies ahead."""
    ahead = half_is_ahead(plan.cutoff, seconds_into(plan.on, db.now(session))) and plan.on >= today()
    return {
        "may_try": ahead and plan.state in what_if_jobs.TRIED and current_actor().role is not Role.SUPERVISOR,
        "VEHICLE_LABEL": VEHICLE_LABEL,
    }


SHIFT_WORDS = {
    ShiftChange.OUT: "已记录：%(name)s 今天不能继续",
    ShiftChange.LATE: "已记录：%(name)s 晚 %(n)s 分钟",
    ShiftChange.BACK: "已记录：%(name)s 恢复正常",
}


@bp.post("/runs/couriers/<int:courier_id>")
@offers(ReportShift)
def courier_event(courier_id: int) -> Response:
    """A courier drops out, is late, or is back: the shift says so, and the rest of the day is planned anew."""
    on = asked_day()
    try:
        done = take(command_from_form(ReportShift, request.form, courier=courier_id, on=on))
    except RULES as error:
        say(error)
        return redirect(url_for("team.runs", on=on.isoformat()))
    said = in_words(LocalizedText(SHIFT_WORDS[done.what], name=done.courier, n=done.late_min))
    for plan_id in done.plans:
        jobs.publish(jobs.PLAN, plan_id)
    if not done.plans:
        flash(said)
        return redirect(url_for("team.runs", on=on.isoformat()))
    flash(gettext("%(said)s，正在重排余下的站点", said=said))
    return redirect(url_for("team.plan", plan_id=done.plans[0]))
