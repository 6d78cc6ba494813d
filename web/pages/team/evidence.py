"""The evidence register of a project's enterprise: what is held already, and what was looked up."""

from flask import render_template, url_for
from werkzeug.wrappers import Response

import db
from dispatch.acts.entering_evidence import EnterEvidence, WithdrawEvidence
from dispatch.core.actor import Role
from dispatch.core.shanghai_time import in_shanghai
from dispatch.views.evidence_page import evidence_of_project
from web.pages.team.blueprint import bp, take_form
from web.wiring.act_door import offers
from web.wiring.auth import current_actor, staff_only
from web.wiring.transactions import transaction


@bp.get("/projects/<project_no>/evidence")
@staff_only
def evidence(project_no: str) -> str:
    """What the enterprise holds, until when, and where it was used."""
    viewer = current_actor()
    with transaction() as session:
        page = evidence_of_project(session, viewer, project_no, on=in_shanghai(db.now(session)).date())
    return render_template("team/evidence.html", page=page, may_act=viewer.role is not Role.SUPERVISOR)


@bp.post("/projects/<project_no>/evidence")
@offers(EnterEvidence)
def enter_evidence(project_no: str) -> Response:
    """A paper was looked up."""
    back = url_for("team.evidence", project_no=project_no)
    return take_form(EnterEvidence, "已登记", back=back, project=project_no)


@bp.post("/projects/<project_no>/evidence/<int:number>/withdrawal")
@offers(WithdrawEvidence)
def withdraw_evidence(project_no: str, number: int) -> Response:
    """A paper proves nothing any more."""
    back = url_for("team.evidence", project_no=project_no)
    return take_form(WithdrawEvidence, "已撤回", back=back, project=project_no, number=number)
