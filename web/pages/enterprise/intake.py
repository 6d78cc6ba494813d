"""Intake: a request is begun, gone on with, or given up; or one more case of a known project is begun."""

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

import db
from dispatch.cases.notify import day_of
from dispatch.catalogue.matter import Family
from dispatch.views import enterprise_intake
from web.pages.enterprise import draft
from web.pages.enterprise.blueprint import bp
from web.pages.enterprise.intake_steps import TITLES
from web.wiring.auth import current_actor, current_person, enterprise_only
from web.wiring.fact_answers import read_answers
from web.wiring.transactions import transaction


@bp.get("/intake")
@enterprise_only
def intake() -> str | AnyResponse:
    """What happens when one asks, and the unfinished request if there is one."""
    with transaction() as session:
        answers = draft.read(session, current_person().account_id)
    step = draft.next_step(answers) if answers is not None else "project"
    guide = list(request.args.items(multi=True)) if request.args.get("family") else []
    return render_template("enterprise/intake.html", answers=answers, step=step, step_title=TITLES[step], guide=guide)


@bp.post("/intake")
@enterprise_only
def intake_begin() -> AnyResponse:
    """A new request; an unfinished one is gone on with."""
    with transaction() as session:
        answers = draft.read(session, current_person().account_id)
        if answers is None:
            answers = _from_guide()
            draft.write(session, current_person().account_id, answers)
    return redirect(url_for(f"enterprise.intake_{draft.next_step(answers)}"))


def _from_guide() -> draft.Answers:
    """What was answered in the public guide, as what each page of the intake begins with."""
    if (asked := request.form.get("family", "")) not in set(Family):
        return {}
    facts, _ = read_answers(Family(asked), request.form, {})
    return {"guide": {"family": asked, "county": request.form.get("place", "")[:12], "facts": facts}}


@bp.post("/intake/discard")
@enterprise_only
def intake_discard() -> AnyResponse:
    """The unfinished request is not wanted any more."""
    with transaction() as session:
        draft.discard(session, current_person().account_id)
    flash(gettext("草稿已删除"))
    return redirect(url_for("enterprise.intake"))


@bp.post("/projects/<project_no>/cases")
@enterprise_only
def add_case(project_no: str) -> AnyResponse:
    """One more case of a project: what is known of it is not asked again."""
    account_id = current_person().account_id
    with transaction() as session:
        known = enterprise_intake.known_project(session, current_actor(), project_no, day_of(db.now(session)))
        earlier = draft.read(session, account_id)
        if earlier and earlier.get("project_no") != project_no:
            flash(gettext("您还有一份未提交的申请，请先提交或删除"), "error")
            return redirect(url_for("enterprise.intake"))
        answers: draft.Answers = earlier or {
            "project_no": known.project_no,
            "project": {"name": known.name, "family": known.family.value},
            "site": {"code": known.division_code, "place_name": known.place},
            "facts": known.facts,
            "has_letter": known.has_letter,
        }
        draft.write(session, account_id, answers)
    return redirect(url_for(f"enterprise.intake_{draft.next_step(answers)}"))
