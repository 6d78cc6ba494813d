"""One agent: what is known is edited, leave is changed and cancelled, and who leaves for good hands everything over."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

import db
from agents.roster import CATEGORY_LABEL
from dispatch.acts.absences import CancelLeave, ChangeLeave, LeaveResult, RecordLeave
from dispatch.acts.agent_changes import ABLE, LEARNING, MASTERS, DepartAgent, EditAgent
from dispatch.core.errors import Refused
from dispatch.core.ids import AbsenceId, AgentId, AreaCode
from dispatch.views.agent_page import agent_page, departure_page
from dispatch.views.agents_board import AWAY
from dispatch.views.place_list import place_named
from web.pages.team.blueprint import RULES, bp, say
from web.wiring.accounts import AccountError
from web.wiring.act_door import command_from_form, offers, take
from web.wiring.agent_accounts import depart_agent, edit_agent
from web.wiring.auth import current_actor, leads_only, staff_only
from web.wiring.formatting import today
from web.wiring.transactions import transaction

LANGUAGE_LABEL = {"zh": "中文", "en": "英语", "ja": "日语", "ko": "韩语", "de": "德语"}
SKILL_LABEL = {"learning": "学习", "able": "熟悉", "masters": "精通"}
SKILL_LEVELS = {"learning": LEARNING, "able": ABLE, "masters": MASTERS}


@bp.get("/agents/<int:agent_id>")
@staff_only
def agent(agent_id: int) -> str:
    """Who it is, what is held, when away."""
    return _page(agent_id)


def _page(agent_id: int, *, is_typed: bool = False) -> str:
    """The page; with what was typed where it was refused."""
    with transaction() as session:
        found = agent_page(session, current_actor(), AgentId(agent_id), today=today())
    return render_template(
        "team/agent.html", agent=found, typed=request.form if is_typed else None, CATEGORY=CATEGORY_LABEL,
        LANGUAGES=LANGUAGE_LABEL, LEVELS=SKILL_LEVELS, SKILL=SKILL_LABEL,
        KINDS={kind.value: words for kind, words in AWAY.items()},
    )  # fmt: skip


@bp.post("/agents/<int:agent_id>")
@offers(EditAgent)
def change_agent(agent_id: int) -> Any:
    """All that is known, as it shall be; what was typed stays when something is wrong."""
    try:
        with transaction() as session:
            place = place_named(session, current_actor(), request.form.get("division", ""))
            code = AreaCode(place.code)
        edit_agent(command_from_form(EditAgent, request.form, agent=AgentId(agent_id), division=code))
        flash(gettext("已保存"))
    except (*RULES, AccountError) as error:
        say(error)
        return _page(agent_id, is_typed=True), 422
    return redirect(url_for("team.agent", agent_id=agent_id))


@bp.post("/agents/<int:agent_id>/leave")
@offers(RecordLeave)
def leave(agent_id: int) -> Response:
    """Enter an absence; up to three working days the stand-in acts and nothing is matched again."""
    try:
        return _entered(agent_id, take(command_from_form(RecordLeave, request.form, agent=AgentId(agent_id))))
    except RULES as error:
        say(error)
    return redirect(url_for("team.agent", agent_id=agent_id))


@bp.post("/agents/<int:agent_id>/leave/<int:absence_id>")
@offers(steps={"change": ChangeLeave, "cancel": CancelLeave})
def change_leave(agent_id: int, absence_id: int) -> Response:
    """Cut short, moved or cancelled."""
    given: dict[str, Any] = {"agent": AgentId(agent_id), "absence": AbsenceId(absence_id)}
    try:
        match request.form.get("step"):
            case "change":
                return _entered(agent_id, take(command_from_form(ChangeLeave, request.form, **given)))
            case "cancel":
                take(CancelLeave(**given))
                flash(gettext("已取消"))
            case _:
                raise Refused("which step?", user_message="请选择办理动作")
    except RULES as error:
        say(error)
    return redirect(url_for("team.agent", agent_id=agent_id))


def _entered(agent_id: int, done: LeaveResult) -> Response:
    """Back to the agent, or on to who takes over; with a warning where nobody is left to stand in."""
    if done.also_away:
        flash(gettext("注意：%(names)s 同期也不在岗，A、B 角不能互相接替", names="、".join(done.also_away)), "error")
    if done.is_long:
        flash(gettext("已登记；超过三个工作日，请确认由谁接办"))
        return redirect(url_for("team.relief"))
    flash(gettext("已登记，B 角接替"))
    return redirect(url_for("team.agent", agent_id=agent_id))


@bp.get("/agents/<int:agent_id>/departure")
@leads_only
def departure(agent_id: int) -> str:
    """Who would take over what, and what else the agent leaves, before anything changes."""
    with transaction() as session:
        found = departure_page(session, current_actor(), AgentId(agent_id), at=db.now(session), today=today())
    return render_template("team/departure.html", page=found, agent=found.agent, found=found.found)


@bp.post("/agents/<int:agent_id>/departure")
@offers(DepartAgent)
def depart(agent_id: int) -> Response:
    """Everything is handed over as it was read, and the account is closed; or nothing is changed."""
    try:
        done = depart_agent(command_from_form(DepartAgent, request.form, agent=AgentId(agent_id)))
    except RULES as error:
        say(error)
        return redirect(url_for("team.departure", agent_id=agent_id))
    flash(
        gettext(
            "已办理离岗：%(moved)s 项已交接，%(waiting)s 项待派件，账号已关闭", moved=done.moved, waiting=done.waiting
        )
    )
    return redirect(url_for("team.agent", agent_id=agent_id))
