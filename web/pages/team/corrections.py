"""Corrections of a project: one page with a form for each of its own facts that may have been written down wrongly."""

from flask import render_template, url_for
from flask import request as asked
from werkzeug.wrappers import Response

from dispatch.acts.correcting_facts import CorrectFact
from dispatch.acts.correcting_matters import CorrectMatters
from dispatch.acts.merging_projects import MergeProjects
from dispatch.acts.project_correction_steps import PROJECT_CORRECTIONS
from dispatch.cases.project import FAMILY_LABEL
from dispatch.core.actor import Role
from dispatch.core.ids import ProjectNo
from dispatch.views.correction_forms import correction_forms
from dispatch.views.merge_page import merge_page
from web.pages.team.blueprint import bp, take_form
from web.wiring.act_door import offers
from web.wiring.auth import current_actor, leads_only, roles
from web.wiring.transactions import transaction


@bp.get("/projects/<project_no>/corrections")
@roles(Role.AGENT, Role.LEAD, Role.OPERATOR)
def corrections(project_no: str) -> str:
    """What of the project may be put right, each with its form."""
    with transaction() as session:
        page = correction_forms(session, current_actor(), project_no)
    is_lead = current_actor().role is not Role.AGENT
    return render_template("team/corrections.html", page=page, is_lead=is_lead, FAMILY_LABEL=FAMILY_LABEL)


@bp.post("/projects/<project_no>/corrections")
@offers(steps=PROJECT_CORRECTIONS, key="part")
def correct_project(project_no: str) -> Response:
    """Something of the project was written down wrongly."""
    back = url_for("team.project", project_no=project_no)
    step = PROJECT_CORRECTIONS.get(asked.form.get("part", ""))
    return take_form(step, "已更正", back=back, project=project_no)


@bp.post("/cases/<case_no>/matters")
@offers(CorrectMatters)
def correct_matters(case_no: str) -> Response:
    """A case has a matter too few or too many."""
    return take_form(CorrectMatters, "已更正", back=url_for("team.case", case_no=case_no), case=case_no)


@bp.post("/projects/<project_no>/facts/<int:fact_id>")
@offers(CorrectFact)
def correct_letter(project_no: str, fact_id: int) -> Response:
    """The day of a letter, or of its end, was written down wrongly."""
    back = url_for("team.corrections", project_no=project_no)
    return take_form(CorrectFact, "已更正", back=back, fact=fact_id, path=[(ProjectNo, project_no)])


@bp.get("/projects/<project_no>/merger")
@leads_only
def merger(project_no: str) -> str:
    """What moves and what ends where this project is a duplicate of another, before anything changes."""
    with transaction() as session:
        page = merge_page(session, current_actor(), project_no, asked.args.get("into", "")[:40])
    return render_template("team/merger.html", page=page)


@bp.post("/projects/<project_no>/merger")
@offers(MergeProjects)
def merge(project_no: str) -> Response:
    """The duplicate goes into the project that is kept."""
    back = url_for("team.project", project_no=project_no)
    return take_form(MergeProjects, "已合并", back=back, project=project_no)
