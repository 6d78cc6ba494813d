"""Grades: bad ones with the steps of their rectification, and each agent's mean; the rater is hidden from the rated."""

from flask import render_template, request, url_for
from werkzeug.exceptions import NotFound as NoPage
from werkzeug.wrappers import Response

import db
from dispatch.acts.rectifying import RectifyGrade
from dispatch.cases.evaluation import RECTIFICATION_LABEL, RectificationState
from dispatch.core.actor import Role
from dispatch.views import evaluations_page
from web.pages.team.blueprint import bp, take_form
from web.wiring.act_door import offers
from web.wiring.auth import current_actor, staff_only
from web.wiring.transactions import transaction


@bp.get("/evaluations")
@staff_only
def evaluations() -> str:
    """What is to be verified, rectified and called back, the most urgent first."""
    wanted = request.args.get("state", "")
    state = RectificationState(wanted) if wanted in set(RectificationState) else None
    viewer = current_actor()
    with transaction() as session:
        counted = evaluations_page.counts(session, viewer)
        return render_template(
            "team/evaluations.html", rows=evaluations_page.bad_grades(session, viewer, at=db.now(session), state=state),
            state_chips=[(s.value, words, counted[s.value]) for s, words in RECTIFICATION_LABEL.items()
                         if s.value in counted],
            grades=evaluations_page.grade_counts(session, viewer),
            agents=evaluations_page.agents_by_grade(session, viewer),
            is_rated=viewer.role is Role.AGENT,
        )  # fmt: skip


@bp.post("/evaluations/<int:rectification_id>")
@offers(RectifyGrade)
def rectify(rectification_id: int) -> Response:
    """One step of a rectification; each says what was found, done or answered."""
    if request.form.get("step", "") not in set(RectificationState):
        raise NoPage
    back = url_for("team.evaluations", _anchor=f"r{rectification_id}")
    return take_form(RectifyGrade, "已记录", back=back, rectification=rectification_id)
