"""Projects: the list, one project with its team and why this agent, assigning, referring, delegation."""

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext
from sqlalchemy import select
from werkzeug.wrappers import Response

import db
from agents.roster import Agent
from dispatch.assignment import apply_batch, propose, staffing
from dispatch.assignment.assign_one import place
from dispatch.cases.access_control import project_for, visible_agents
from dispatch.cases.project import FAMILY_LABEL, PROJECT_LABEL, ProjectState, Referral
from dispatch.core.actor import Role
from dispatch.core.errors import NotFound, Refused
from dispatch.views import team_projects
from web.pages.team.blueprint import RULES, bp, say
from web.wiring import cursors
from web.wiring.auth import current_actor, leads_only, roles, staff_only
from web.wiring.transactions import transaction

PAGE = 50


@bp.get("/projects")
@staff_only
def projects() -> str:
    """The projects of my reach, newest first."""
    after = cursors.decode(request.args.get("cursor"), int)
    state = request.args.get("state", "")
    state = state if state in {s.value for s in ProjectState} else ""
    with transaction() as session:
        found = team_projects.projects(
            session, current_actor(), state=state, words=request.args.get("q", "")[:60],
            after=after[0] if after else None, limit=PAGE,
        )  # fmt: skip
    rows, following = cursors.page(found, PAGE, lambda row: (row.id,))
    states = [(s.value, PROJECT_LABEL[s]) for s in ProjectState]
    return render_template("team/projects.html", rows=rows, next_cursor=following, states=states, LABEL=PROJECT_LABEL)


@bp.get("/projects/<project_no>")
@staff_only
def project(project_no: str) -> str:
    """One project."""
    with transaction() as session:
        page = team_projects.project_page(session, current_actor(), project_no)
        return render_template(
            "team/project.html", page=page, FAMILY_LABEL=FAMILY_LABEL, PROJECT_LABEL=PROJECT_LABEL,
            TERMS=propose.TERM_WORDS, may_assign=current_actor().role in {Role.LEAD, Role.OPERATOR},
        )  # fmt: skip


@bp.post("/projects/<project_no>/assignment")
@leads_only
def assign(project_no: str) -> Response:
    """Let the matching choose, or give it to a named agent with a reason."""
    viewer = current_actor()
    try:
        with transaction() as session:
            row = project_for(session, viewer, project_no, lock=True)
            at = db.now(session)
            chosen = request.form.get("agent_id", "")
            if chosen:
                reason = request.form.get("reason", "").strip()
                if not reason:
                    raise Refused("a choice by hand needs its reason", user_message="请填写指派理由")
                agent = session.scalar(select(Agent).where(Agent.id == int(chosen), visible_agents(viewer)))
                if agent is None:
                    raise NotFound(f"no agent {chosen}")
                staffing.assign(
                    session, row, agent_id=agent.id, by=viewer, at=at, reason={"why": reason}, chosen_by=viewer.label,
                    locked=request.form.get("lock") == "1",
                )  # fmt: skip
                words = gettext("已指派")
            else:
                placed = place(session, row, by=viewer, at=at)
                apply_batch.tell_placed(session, at=at, project_id=row.id)
                words = gettext("已自动派件") if placed else gettext("暂无合适的代办员，项目留在待派件")
        flash(words)
    except RULES as error:
        say(error)
    return redirect(url_for("team.project", project_no=project_no))


@bp.post("/projects/<project_no>/referral")
@roles(Role.AGENT, Role.LEAD, Role.OPERATOR)
def refer(project_no: str) -> Response:
    """First ask: offer the project to a colleague; it stays mine until accepted."""
    viewer = current_actor()
    try:
        with transaction() as session:
            row = project_for(session, viewer, project_no, lock=True)
            lead = row.lead
            mine = viewer.agent_id or (lead.agent_id if lead else None)
            if mine is None or not request.form.get("agent_id", "").isdecimal():
                raise Refused("from whom to whom?", user_message="请选择接办的代办员")
            staffing.refer(
                session, row, from_agent_id=mine, to_agent_id=int(request.form["agent_id"]),
                reason=request.form.get("reason", ""), by=viewer, at=db.now(session),
            )  # fmt: skip
        flash(gettext("已转办，对方接受前仍由首问人负责"))
    except RULES as error:
        say(error)
    return redirect(url_for("team.project", project_no=project_no))


@bp.post("/projects/<project_no>/referral/<int:referral_id>")
@roles(Role.AGENT, Role.LEAD, Role.OPERATOR)
def accept_referral(project_no: str, referral_id: int) -> Response:
    """Take over what was offered."""
    viewer = current_actor()
    try:
        with transaction() as session:
            row = project_for(session, viewer, project_no, lock=True)
            referral = session.get(Referral, referral_id)
            if referral is None or referral.project_id != row.id:
                raise NotFound(f"no referral {referral_id}")
            if viewer.role is Role.AGENT and referral.to_agent_id != viewer.agent_id:
                raise Refused("offered to somebody else", user_message="该转办不是发给您的")
            staffing.accept_referral(session, row, referral, by=viewer, at=db.now(session))
        flash(gettext("已接办"))
    except RULES as error:
        say(error)
    return redirect(url_for("team.project", project_no=project_no))
