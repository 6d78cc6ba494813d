"""Projects: the list, one project with its team and why this agent, assigning, referring, delegation."""

from flask import Response as SheetResponse
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
from dispatch.cases.saved_view import ListName
from dispatch.catalogue.matter import Family
from dispatch.core.actor import Role
from dispatch.core.shanghai_time import in_shanghai
from dispatch.views import project_list, team_projects
from dispatch.views.inbox_page import inbox_choices
from dispatch.views.project_list import PROJECT_SORT, PROJECTS_PAGE, ProjectFilter
from dispatch.views.saved_views import saved_views
from web.pages.team.blueprint import RULES, bp, say, take_form
from web.wiring import files
from web.wiring.act_door import command_from_form, offers, take
from web.wiring.auth import current_actor, staff_only
from web.wiring.formatting import in_words
from web.wiring.list_parts import MOST_EXPORTED, one_of, page_number, row_id, sheet
from web.wiring.sheets import Plain
from web.wiring.transactions import transaction

PROJECT_HEADS = ("项目号", "项目", "企业", "所在地", "类别", "状态", "主办代办员", "在办件", "提出")


def _asked() -> ProjectFilter:
    """The filter in the URL; what is no choice there asks for nothing."""
    sort = request.args.get("sort", "")
    return ProjectFilter(
        state=one_of(ProjectState, "state"), family=one_of(Family, "family"), agent_id=row_id("agent"),
        town_id=row_id("town"), words=request.args.get("q", "")[:60], sort=sort if sort in PROJECT_SORT else "",
    )  # fmt: skip


@bp.get("/projects")
@staff_only
def projects() -> str:
    """The projects of my reach."""
    asked, page, viewer = _asked(), page_number(), current_actor()
    with transaction() as session:
        found = project_list.projects(session, viewer, asked, page=page)
        choices = inbox_choices(session, viewer)
        views = saved_views(session, viewer, ListName.PROJECTS)
    states = [(s.value, PROJECT_LABEL[s]) for s in ProjectState]
    return render_template(
        "team/projects.html", found=found, asked=asked, page=page, choices=choices, views=views, states=states,
        has_more=page * PROJECTS_PAGE < found.total, LABEL=PROJECT_LABEL, FAMILY=FAMILY_LABEL, SORT=PROJECT_SORT,
    )  # fmt: skip


@bp.get("/projects.csv")
@staff_only
def projects_csv() -> SheetResponse:
    """What the list shows, every page of it, as CSV."""
    return sheet("projects", "项目", PROJECT_HEADS, _rows(), "csv")


@bp.get("/projects.xlsx")
@staff_only
def projects_xlsx() -> SheetResponse:
    """What the list shows, every page of it, as a workbook."""
    return sheet("projects", "项目", PROJECT_HEADS, _rows(), "xlsx")


def _rows() -> list[tuple[Plain, ...]]:
    with transaction() as session:
        found = project_list.projects(session, current_actor(), _asked(), size=MOST_EXPORTED)
    return [
        (
            line.project_no, line.name, line.enterprise, line.place, in_words(FAMILY_LABEL[line.family]),
            in_words(PROJECT_LABEL[line.state]), line.agent, line.open_cases,
            in_shanghai(line.created_at).date().isoformat(),
        )
        for line in found.lines
    ]  # fmt: skip


@bp.get("/projects/<project_no>")
@staff_only
def project(project_no: str) -> str:
    """One project."""
    with transaction() as session:
        page = team_projects.project_page(session, current_actor(), project_no, at=db.now(session))
        return render_template(
            "team/project.html", page=page, FAMILY_LABEL=FAMILY_LABEL, PROJECT_LABEL=PROJECT_LABEL,
            may_act=current_actor().role is not Role.SUPERVISOR,
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
