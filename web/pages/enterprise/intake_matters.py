"""Intake, what: the facts of the project, its matters and their papers."""

from typing import Any

from flask import request
from flask_babel import gettext

from dispatch.catalogue.matter import Family
from dispatch.path.facts import facts_of
from dispatch.path.predicate import FactValue
from dispatch.views import enterprise_intake
from dispatch.views.path_figures import gain_at_intake
from web.pages.enterprise import draft
from web.pages.enterprise.blueprint import bp
from web.pages.enterprise.drafted_request import drafted_papers, place_and_facts
from web.pages.enterprise.intake_steps import draft_for, keep_answers, step_page
from web.wiring import files
from web.wiring.auth import current_actor, current_person, enterprise_only
from web.wiring.fact_answers import SHOWN, answer_fields, asked_now, read_answers
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
    before = answers.get("facts") or _of_guide(answers, family)
    if request.method != "POST":
        return step_page("facts", answers, fields=answer_fields(family, before), further=frozenset())
    facts, errors = read_answers(family, request.form, before)
    further = _further(family, facts)
    if errors or further:
        fields = answer_fields(family, facts, request.form, errors)
        return step_page("facts", answers, 422 if errors else 200, fields=fields, further=further)
    if facts != answers.get("facts"):
        for later in ("matters", "papers", "ways"):
            answers.pop(later, None)
    answers["facts"] = facts
    return keep_answers(answers, "facts")


def _of_guide(answers: draft.Answers, family: Family) -> dict[str, FactValue]:
    """What the public guide was told, where it was told of this family."""
    guide = answers.get("guide", {})
    return guide["facts"] if guide.get("family") == family else {}


def _further(family: Family, facts: dict[str, FactValue]) -> frozenset[str]:
    """Common questions that these answers bring up and that were not on the page."""
    shown = request.form.get(SHOWN, "").split()
    asked = {fact.key for fact in asked_now(family, facts_of(facts)) if fact.common}
    return frozenset(asked.difference(shown)) if shown else frozenset()


@bp.route("/intake/matters", methods=["GET", "POST"])
@enterprise_only
def intake_matters() -> Any:
    """Which matters: those that the template names, or any of the catalogue."""
    answers = draft_for("matters")
    if not isinstance(answers, dict):
        return answers
    with transaction() as session:
        phases = enterprise_intake.offers(
            session, current_actor(), project_no=answers.get("project_no"), **place_and_facts(session, answers)
        )
        gain = gain_at_intake(session, **place_and_facts(session, answers))
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
        wanted = drafted_papers(session, current_actor(), answers)
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
