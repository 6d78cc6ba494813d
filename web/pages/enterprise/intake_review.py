"""Intake, the end: how papers travel, the letter, a last look, and the request is sent."""

from dataclasses import asdict
from datetime import date, timedelta
from typing import Any

from flask import flash, redirect, request, url_for
from flask_babel import gettext
from flask_wtf import FlaskForm
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

import db
from dispatch.acts.act_record import earlier_answer
from dispatch.acts.asking import OpenCase, RequestProject, SignDelegation, SiteGiven
from dispatch.acts.delegation import AuthorisedPerson
from dispatch.acts.papers import GiveMaterial
from dispatch.cases.case import Way
from dispatch.cases.notify import day_of
from dispatch.cases.project import FAMILY_LABEL, Power
from dispatch.catalogue.matter import Family
from dispatch.core.amount import amount_wan
from dispatch.core.ids import CaseNo, ContactId, MaterialId, ProjectNo
from dispatch.path.facts import facts_of
from dispatch.views import enterprise_intake
from dispatch.views.enterprise_papers import wanted_papers
from dispatch.views.enterprise_profile import own_enterprise
from web.pages.enterprise import draft
from web.pages.enterprise.blueprint import RULES, bp, show
from web.pages.enterprise.drafted_request import drafted_papers
from web.pages.enterprise.intake_steps import draft_for, keep_answers, step_page
from web.pages.enterprise.questions import LetterForm, WaysForm, people_typed
from web.wiring.act_door import form_id, offers, take_in
from web.wiring.auth import current_actor, current_person, enterprise_only
from web.wiring.fact_answers import fact_lines
from web.wiring.registration import contact_of, told_by_default
from web.wiring.transactions import transaction

INTAKE = "intake"
"""The name of the one step that a sent draft is."""


@bp.route("/intake/ways", methods=["GET", "POST"])
@enterprise_only
def intake_ways() -> Any:
    """By courier or over the counter; not asked for when nothing is on paper."""
    answers = draft_for("ways")
    if not isinstance(answers, dict):
        return answers
    with transaction() as session:
        originals = [
            paper.name
            for paper in drafted_papers(session, current_actor(), answers)
            if paper.on_paper and not paper.held
        ]
        results = enterprise_intake.results_on_paper(session, answers["matters"])
    form = WaysForm(data=answers.get("ways") or {"pickup": "courier", "delivery": "courier"})
    if request.method == "POST" and form.validate():
        answers["ways"] = {"pickup": form.pickup.data or "courier", "delivery": form.delivery.data or "courier"}
        return keep_answers(answers, "ways")
    status = 200 if request.method != "POST" else 422
    return step_page("ways", answers, status, form=form, originals=originals, results=results)


@bp.route("/intake/letter", methods=["GET", "POST"])
@enterprise_only
def intake_letter() -> Any:
    """The delegation letter with its authorised persons."""
    answers = draft_for("letter")
    if not isinstance(answers, dict):
        return answers
    with transaction() as session:
        today = day_of(db.now(session))
        enterprise = own_enterprise(session, current_actor())
        told = told_by_default(session, current_actor())
        names = enterprise_intake.names_of(session, answers["matters"])
    earlier = answers.get("letter")
    usual = {"valid_to": today + timedelta(days=365), "submit": True, "correct": True, "receive": True}
    form = LetterForm(data=_letter_data(earlier) if earlier else usual).for_day(today)
    people = (earlier or {}).get("people") or [{**told, "may_hand_over": True, "may_receive": True}]
    wrong: list[str] = []
    if request.method == "POST":
        people, kept, wrong = people_typed(request.form)
        if form.validate() and not wrong:
            answers["letter"] = {
                "legal_representative": form.legal_representative.data.strip(),
                "powers": [power.value for power in form.powers],
                "may_pass_on": bool(form.may_pass_on.data),
                "valid_to": form.valid_to.data.isoformat(),
                "people": [asdict(person) for person in kept],
            }
            return keep_answers(answers, "letter")
    status = 200 if request.method != "POST" else 422
    return step_page(
        "letter", answers, status, form=form, people=people, wrong=wrong, enterprise=enterprise, names=names
    )


def _letter_data(letter: dict[str, Any]) -> dict[str, Any]:
    return {
        "legal_representative": letter["legal_representative"],
        "may_pass_on": letter["may_pass_on"],
        "valid_to": date.fromisoformat(letter["valid_to"]),
        **{power.value: power.value in letter["powers"] for power in Power},
    }


@bp.route("/intake/review", methods=["GET", "POST"])
@enterprise_only
@offers(RequestProject, OpenCase, SignDelegation, GiveMaterial)
def intake_review() -> Any:
    """Everything once more, then it is sent: the request, the letter and the papers in one transaction."""
    if request.method == "POST" and (sent := _sent_before()) is not None:
        return _sent(sent["case_no"], sent["query_code"])
    answers = draft_for("review")
    if not isinstance(answers, dict):
        return answers
    form = FlaskForm()
    if request.method == "POST" and form.validate():
        try:
            return _send()
        except RULES as error:
            show(form, error)
    with transaction() as session:
        wanted = drafted_papers(session, current_actor(), answers)
        names = enterprise_intake.names_of(session, answers["matters"])
        enterprise = own_enterprise(session, current_actor())
    family = Family(answers["project"]["family"])
    answered, assumed = fact_lines(facts_of(answers["facts"]), family)
    return step_page(
        "review", answers, 200 if request.method != "POST" else 422, form=form, wanted=wanted, names=names,
        enterprise=enterprise, family=FAMILY_LABEL[family], answered=answered, assumed=assumed,
    )  # fmt: skip


def _send() -> AnyResponse:
    """The draft becomes a case, with its letter and its papers, in one transaction."""
    account_id = current_person().account_id
    with transaction() as session:
        answers = draft.read(session, account_id, lock=True)
        if answers is None or draft.next_step(answers) != "review":
            return redirect(url_for("enterprise.intake"))
        made = take_in(session, _asked_for(session, answers), client_id=form_id(INTAKE))
        if letter := answers.get("letter"):
            take_in(session, _letter(letter, answers, made.project_no))
        kept = answers.get("files", {})
        for material_id, name in wanted_papers(session, made.case_no):
            if paper := kept.get(name):
                given = {**paper, "case": CaseNo(made.case_no), "material_id": MaterialId(material_id)}
                take_in(session, GiveMaterial(**given))
        draft.discard(session, account_id)
    return _sent(made.case_no, made.query_code)


def _sent_before() -> dict[str, str] | None:
    """What this form made when it was sent before; its draft is gone since then."""
    with transaction() as session:
        earlier = earlier_answer(session, current_actor(), form_id(INTAKE))
    return None if earlier is None else earlier["result"]


def _sent(case_no: str, query_code: str) -> AnyResponse:
    flash(gettext("已提交。办件编号 %(no)s，查询码 %(code)s，已发短信给您", no=case_no, code=query_code))
    return redirect(url_for("enterprise.case", case_no=case_no))


def _asked_for(session: Session, answers: draft.Answers) -> RequestProject | OpenCase:
    """What the answers ask for: a project with its first case, or one more case of a known one."""
    pickup, delivery = Way(answers["ways"]["pickup"]), Way(answers["ways"]["delivery"])
    matters = tuple(answers["matters"])
    if project_no := answers.get("project_no"):
        return OpenCase(project=ProjectNo(project_no), matters=matters, pickup_way=pickup, delivery_way=delivery)
    contact = contact_of(session, current_actor())
    told, site = answers["project"], answers["site"]
    invested = told.get("investment_wan")
    return RequestProject(
        name=told["name"],
        family=Family(told["family"]),
        matters=matters,
        facts=answers["facts"],
        site=SiteGiven(site["code"], site["lon"], site["lat"], site["address"]),
        investment_wan=None if invested in {None, ""} else amount_wan(str(invested)),
        project_code=told.get("project_code"),
        is_state_secret=told.get("state_secret") == "yes",
        contact_id=None if contact is None else ContactId(contact.id),
        pickup_way=pickup,
        delivery_way=delivery,
    )


def _letter(letter: dict[str, Any], answers: draft.Answers, project_no: str) -> SignDelegation:
    return SignDelegation(
        project=ProjectNo(project_no), legal_representative=letter["legal_representative"],
        powers=tuple(Power(power) for power in letter["powers"]), matters=tuple(answers["matters"]),
        people=tuple(AuthorisedPerson(**person) for person in letter["people"]),
        valid_to=date.fromisoformat(letter["valid_to"]), may_pass_on=letter["may_pass_on"],
    )  # fmt: skip
