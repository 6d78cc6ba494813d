"""Intake, what: the facts of the project, its matters and their papers."""

from typing import Any

from flask import request
from flask_babel import gettext

import db
from dispatch.cases.notify import day_of
from dispatch.catalogue.matter import Family
from dispatch.views import enterprise_intake
from dispatch.views.path_figures import gain_at_intake
from web.pages.enterprise import draft
from web.pages.enterprise.blueprint import bp
from web.pages.enterprise.intake_steps import draft_for, keep_answers, step_page
from web.pages.enterprise.questions import (
    QUESTIONS,
    facts_form,
)
from web.wiring import files
from web.wiring.auth import current_actor, current_person, enterprise_only
from web.wiring.files import BadUpload
from web.wiring.formatting import in_words
from web.wiring.transactions import transaction


@bp.route("/intake/facts", methods=["GET", "POST"])
@enterprise_only
def intake_facts() -> Any:
    """What decides which matters apply."""
    answers = draft_for("facts")
    if not isinstance(answers, dict):
        return answers
    family = Family(answers["project"]["family"])
    form: Any = facts_form(family, answers.get("facts", {}))
    questions = QUESTIONS[family]
    if request.method != "POST":
        return step_page("facts", answers, form=form, questions=questions)
    if not form.validate():
        return step_page("facts", answers, 422, form=form, questions=questions)
    facts = {q.fact: form[q.fact].data for q in questions if form[q.fact].data is not None}
    if facts != answers.get("facts"):
        answers.pop("matters", None)
    answers["facts"] = facts
    return keep_answers(answers, "facts")


@bp.route("/intake/matters", methods=["GET", "POST"])
@enterprise_only
def intake_matters() -> Any:
    """Which matters: those that the template names, or any of the catalogue."""
    answers = draft_for("matters")
    if not isinstance(answers, dict):
        return answers
    with transaction() as session:
        phases = enterprise_intake.offers(
            session, current_actor(), division_code=answers["site"]["code"],
            family=Family(answers["project"]["family"]), facts=answers["facts"], project_no=answers.get("project_no"),
        )  # fmt: skip
        gain = gain_at_intake(
            session, division_code=answers["site"]["code"], family=Family(answers["project"]["family"]),
            facts=answers["facts"], on=day_of(db.now(session)),
        )  # fmt: skip
    if request.method != "POST":
        chosen = answers.get("matters") or _usual(phases)
        return step_page("matters", answers, phases=phases, chosen=chosen, gain=gain)
    offered = {offer.code for phase in phases for offer in phase.offers}
    chosen = [code for code in dict.fromkeys(request.form.getlist("matter")) if code in offered]
    if not chosen:
        error = gettext("请至少选择一个事项")
        return step_page("matters", answers, 422, phases=phases, chosen=[], gain=gain, error=error)
    if chosen != answers.get("matters"):
        answers.pop("papers", None)
        answers.pop("ways", None)
    answers["matters"] = chosen
    return keep_answers(answers, "matters")


def _usual(phases: list[enterprise_intake.Phase]) -> list[str]:
    """What is ticked beforehand: the first phase in which something that applies is still to be asked for."""
    for phase in phases:
        if codes := [offer.code for offer in phase.fitting if not offer.under_way]:
            return codes
    return []


@bp.route("/intake/papers", methods=["GET", "POST"])
@enterprise_only
@files.takes_many_files
def intake_papers() -> Any:
    """The papers: what is held already is not asked for again; the rest may be given now or later."""
    answers = draft_for("papers")
    if not isinstance(answers, dict):
        return answers
    with transaction() as session:
        wanted = enterprise_intake.papers_for(
            session, current_actor(), answers["matters"], project_no=answers.get("project_no")
        )
    kept: dict[str, Any] = answers.setdefault("files", {})
    errors: dict[int, str] = {}
    if request.method == "POST":
        for n, paper in enumerate(wanted):
            upload = request.files.get(f"file{n}")
            if paper.held or paper.on_paper or upload is None or not upload.filename:
                continue
            try:
                kept[paper.name] = files.kept_paper(upload)
            except BadUpload as error:
                errors[n] = in_words(error.user_message)
        for name in set(request.form.getlist("remove")):
            kept.pop(name, None)
        with transaction() as session:
            draft.write(session, current_person().account_id, answers)
        if not errors and "remove" not in request.form:
            answers["papers"] = True
            return keep_answers(answers, "papers")
    return step_page("papers", answers, 422 if errors else 200, wanted=wanted, kept=kept, errors=errors)
