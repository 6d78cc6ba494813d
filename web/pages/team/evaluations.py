"""Grades: bad ones with the steps of their rectification, and each agent's mean; the rater is hidden from the rated."""

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.exceptions import NotFound as NoPage
from werkzeug.wrappers import Response

import db
from dispatch.acts import answering
from dispatch.cases.evaluation import RECTIFICATION_LABEL, RectificationState
from dispatch.core.actor import Role
from dispatch.core.errors import Refused, WrongStage
from dispatch.views import evaluations_page
from web.pages.team.blueprint import bp, say
from web.wiring.auth import current_actor, roles, staff_only
from web.wiring.transactions import transaction

may_step = roles(Role.AGENT, Role.SUPERVISOR, Role.OPERATOR)


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
@may_step
def rectify(rectification_id: int) -> Response:
    """One step of a rectification; each says what was found, done or answered."""
    viewer = current_actor()
    wanted = request.form.get("step", "")
    if wanted not in set(RectificationState):
        raise NoPage
    try:
        with transaction() as session:
            rectification = evaluations_page.rectification_for(session, viewer, rectification_id)
            answering.rectify(
                session, rectification, RectificationState(wanted), words=request.form.get("words", "").strip(),
                by=viewer, at=db.now(session),
            )  # fmt: skip
        flash(gettext("已记录"))
    except (Refused, WrongStage) as error:
        say(error)
    return redirect(url_for("team.evaluations", _anchor=f"r{rectification_id}"))
