"""Projects: the list, one project with its team and why this agent, assigning, referring, delegation."""

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

import db
from dispatch.acts.act import STAFF
from dispatch.acts.assigning import AssignProject
from dispatch.acts.joint_filing import FileJointly
from dispatch.acts.referring import REFERRAL_STEPS, ReferProject
from dispatch.assignment import propose
from dispatch.cases.access_control import project_for
from dispatch.cases.project import FAMILY_LABEL, PROJECT_LABEL, ProjectState
from dispatch.core.actor import Role
from dispatch.views import team_projects
from web.pages.team.blueprint import RULES, bp, say, take_form
from web.wiring import cursors, files
from web.wiring.act_door import command_from_form, offers, take
from web.wiring.auth import current_actor, staff_only
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
        page = team_projects.project_page(session, current_actor(), project_no, at=db.now(session))
        return render_template(
            "team/project.html", page=page, FAMILY_LABEL=FAMILY_LABEL, PROJECT_LABEL=PROJECT_LABEL,
            TERMS=propose.TERM_WORDS, may_assign=current_actor().role in {Role.LEAD, Role.OPERATOR},
            may_file=current_actor().role in STAFF,
        )  # fmt: skip


@bp.post("/projects/<project_no>/assignment")
@offers(AssignProject)
def assign(project_no: str) -> Response:
    """Let the matching choose, or give it to a named agent with a reason."""
    back = url_for("team.project", project_no=project_no)
    if request.form.get("agent_id"):
        return take_form(AssignProject, "已指派", back=back, project=project_no)
    try:
        done = take(command_from_form(AssignProject, request.form, project=project_no, mode="auto"))
        flash(gettext("已自动派件") if done.agent_id else gettext("暂无合适的代办员，项目留在待派件"))
    except RULES as error:
        say(error)
    return redirect(back)


@bp.post("/projects/<project_no>/joint-filings")
@offers(FileJointly)
def file_jointly(project_no: str) -> Response:
    """Several matters of one joint group are filed on one form."""
    back = url_for("team.project", project_no=project_no, _anchor="joint")
    given = {}
    scan = request.files.get("document")
    if scan is not None and scan.filename:
        with transaction() as session:
            project_for(session, current_actor(), project_no)  # nothing is stored for somebody who may not
        try:
            given = {"document": files.keep(scan)}
        except files.BadUpload as error:
            say(error)
            return redirect(back)
    return take_form(FileJointly, "已一表报送", back=back, project=project_no, **given)


@bp.post("/projects/<project_no>/referral")
@offers(ReferProject)
def refer(project_no: str) -> Response:
    """First ask: offer the project to a colleague; it stays mine until accepted."""
    back = url_for("team.project", project_no=project_no)
    return take_form(ReferProject, "已转办，对方接受前仍由首问人负责", back=back, project=project_no)


@bp.post("/projects/<project_no>/referral/<int:referral_id>")
@offers(steps=REFERRAL_STEPS)
def answer_referral(project_no: str, referral_id: int) -> Response:
    """Take over what was offered, or decline it."""
    back, step = url_for("team.project", project_no=project_no), request.form.get("step", "")
    return take_form(
        REFERRAL_STEPS.get(step), "已接办" if step == "accepted" else "已谢绝转办，仍由首问人负责", back=back,
        project=project_no, referral_id=referral_id,
    )  # fmt: skip
