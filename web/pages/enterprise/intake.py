"""Intake: asking for free proxy handling, one thing a page, with everything typed kept in a draft until it is sent."""

from datetime import date, timedelta
from math import cos, hypot, radians
from typing import Any

from flask import Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from flask_wtf import FlaskForm
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response as AnyResponse

import db
from agents.network import COUNTY_MAP_FILE, UnknownDivision, division_with
from dispatch.acts.asking import OpenCase, PersonGiven, RequestProject, SignDelegation, SiteGiven
from dispatch.acts.papers import GiveMaterial
from dispatch.cases.case import Way
from dispatch.cases.enterprises import add_contact
from dispatch.cases.notify import day_of
from dispatch.cases.project import FAMILY_LABEL, Contact, Enterprise, Power
from dispatch.catalogue.matter import Family
from dispatch.core.errors import Refused
from dispatch.core.ids import CaseNo, ContactId, MaterialId, ProjectNo
from dispatch.views import enterprise_intake
from dispatch.views.enterprise_papers import wanted_papers
from dispatch.views.enterprise_profile import contacts, own_enterprise
from web.pages.enterprise import draft
from web.pages.enterprise.blueprint import RULES, bp, show
from web.pages.enterprise.questions import (
    QUESTIONS,
    LetterForm,
    ProjectForm,
    SiteForm,
    WaysForm,
    facts_form,
    people_typed,
)
from web.wiring import files
from web.wiring.accounts import Account
from web.wiring.act_door import offers, take_in
from web.wiring.auth import current_actor, current_person, enterprise_only
from web.wiring.files import BadUpload
from web.wiring.formatting import in_words
from web.wiring.transactions import transaction

FARTHEST_KM = 45.0  # from the division's own point to a pin; counties of Jiangsu are smaller than that
TITLES = {
    "project": "办什么事", "site": "项目在哪里", "facts": "项目情况", "matters": "办哪些事项", "papers": "材料",
    "ways": "原件和结果怎么交接", "letter": "委托书", "review": "核对并提交",
}  # fmt: skip


def _page(step: str, answers: draft.Answers, status: int = 200, **more: Any) -> tuple[str, int]:
    steps = draft.steps_of(answers)
    place = steps.index(step)
    bar = [(TITLES[s], url_for(f"enterprise.intake_{s}") if s in answers else "", s == step) for s in steps]
    back = url_for(f"enterprise.intake_{steps[place - 1]}") if place else url_for("enterprise.intake")
    return render_template(
        f"enterprise/intake_{step}.html", answers=answers, bar=bar, place=place + 1, of=len(steps), back=back, **more
    ), status


def _draft(step: str) -> draft.Answers | AnyResponse:
    """The draft, or the way to the page that has to be answered first."""
    with transaction() as session:
        answers = draft.read(session, current_person().account_id)
    if answers is None:
        return redirect(url_for("enterprise.intake"))
    if not draft.may_open(answers, step):
        return redirect(url_for(f"enterprise.intake_{draft.next_step(answers)}"))
    return answers


def _keep(answers: draft.Answers, step: str) -> AnyResponse:
    """Keep the answers; on to the next page, or back to the review when it was reached before."""
    with transaction() as session:
        draft.write(session, current_person().account_id, answers)
    steps = draft.steps_of(answers)
    after = steps[min(steps.index(step) + 1, len(steps) - 1)]
    target = "review" if draft.next_step(answers) == "review" and request.form.get("then") == "review" else after
    return redirect(url_for(f"enterprise.intake_{target}"))


# ---------------------------------------------------------------- begin, go on, throw away


@bp.get("/intake")
@enterprise_only
def intake() -> str | AnyResponse:
    """What happens when one asks, and the unfinished request if there is one."""
    with transaction() as session:
        answers = draft.read(session, current_person().account_id)
    step = draft.next_step(answers) if answers is not None else "project"
    return render_template("enterprise/intake.html", answers=answers, step=step, step_title=TITLES[step])


@bp.post("/intake")
@enterprise_only
def intake_begin() -> AnyResponse:
    """A new request; an unfinished one is gone on with."""
    with transaction() as session:
        answers = draft.read(session, current_person().account_id)
        if answers is None:
            answers = {}
            draft.write(session, current_person().account_id, answers)
    return redirect(url_for(f"enterprise.intake_{draft.next_step(answers)}"))


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


# ---------------------------------------------------------------- the project


@bp.route("/intake/project", methods=["GET", "POST"])
@enterprise_only
def intake_project() -> Any:
    """What is to be done."""
    answers = _draft("project")
    if not isinstance(answers, dict):
        return answers
    form = ProjectForm(data=answers.get("project"))
    if request.method != "POST":
        return _page("project", answers, form=form)
    if not form.validate():
        return _page("project", answers, 422, form=form)
    if form.state_secret.data == "yes":
        form.form_errors.append(
            gettext("涉密项目不得通过本系统办理，请到政务服务中心窗口当面咨询；本页填写的内容没有保存")
        )
        return _page("project", answers, 422, form=form)
    given = {
        "family": form.family.data, "name": form.name.data.strip(), "investment_wan": form.investment_wan.data,
        "project_code": (form.project_code.data or "").strip() or None, "state_secret": "no",
    }  # fmt: skip
    if answers.get("project", {}).get("family") not in {None, given["family"]}:
        for step in ("facts", "matters", "papers", "ways", "review"):
            answers.pop(step, None)
    answers["project"] = given
    return _keep(answers, "project")


# ---------------------------------------------------------------- the site


@bp.get("/intake/counties.geojson")
@enterprise_only
def county_map() -> Response:
    """The counties' outlines: the map of the site, without any server of tiles."""
    kept = {"Cache-Control": "private, max-age=86400"}
    return Response(COUNTY_MAP_FILE.read_bytes(), mimetype="application/geo+json", headers=kept)


@bp.get("/intake/places")
@enterprise_only
def places() -> dict[str, object]:
    """The towns of a county, for the page's script."""
    with transaction() as session:
        found = _towns(session, request.args.get("county", ""))
    return {"places": [{"code": p.code, "name": p.name, "lon": p.lon, "lat": p.lat} for p in found]}


@bp.route("/intake/site", methods=["GET", "POST"])
@enterprise_only
def intake_site() -> Any:
    """Where it is to be done: a division, an address, a pin."""
    answers = _draft("site")
    if not isinstance(answers, dict):
        return answers
    form = SiteForm(data=answers.get("site"))
    status = 200
    if request.method == "POST" and "list" not in request.form:
        if form.validate() and (site := _site(form)):
            if site["code"] != answers.get("site", {}).get("code"):
                answers.pop("matters", None)
            answers["site"] = site
            return _keep(answers, "site")
        status = 422
    with transaction() as session:
        cities = enterprise_intake.counties(session)
        towns = _towns(session, form.county.data or "")
    return _page("site", answers, status, form=form, cities=cities, towns=towns)


def _towns(session: Session, county: str) -> list[enterprise_intake.PlaceChoice]:
    try:
        return enterprise_intake.places_below(session, county) if county else []
    except UnknownDivision:
        return []


def _site(form: SiteForm) -> dict[str, Any] | None:
    """The site as it is kept; None with the form's errors filled in."""
    code = form.place.data or form.county.data
    with transaction() as session:
        try:
            division = division_with(session, code)
        except UnknownDivision:
            form.county.errors = [gettext("没有这个区划，请重新选择")]
            return None
        if division.retired_on is not None:
            form.place.errors = [
                gettext(
                    "%(name)s已于%(on)s撤并，请选择现行区划", name=division.name, on=f"{division.retired_on:%Y-%m-%d}"
                )
            ]
            return None
        county = enterprise_intake.county_of(session, division.code)
        if county is None or county.code != division_with(session, form.county.data).code:
            form.place.errors = [gettext("镇街与所选县（市、区）不符，请重新选择")]
            return None
        lon, lat = form.lon.data, form.lat.data
        if lon is None or lat is None:
            lon, lat, pinned = division.lon, division.lat, False
        else:
            pinned = True
            far_km = 111.2 * hypot(lat - division.lat, (lon - division.lon) * cos(radians(lat)))
            if far_km > FARTHEST_KM:
                form.address.errors = [
                    gettext("图上的位置离%(name)s有%(km)s公里，请核对图钉或区划", name=division.name, km=round(far_km))
                ]
                return None
        return {
            "code": division.code, "place_name": division.name, "county": county.code, "county_name": county.name,
            "place": "" if division.code == county.code else division.code, "address": form.address.data.strip(),
            "lon": round(lon, 6), "lat": round(lat, 6), "pinned": pinned,
        }  # fmt: skip


# ---------------------------------------------------------------- facts, matters, papers


@bp.route("/intake/facts", methods=["GET", "POST"])
@enterprise_only
def intake_facts() -> Any:
    """What decides which matters apply."""
    answers = _draft("facts")
    if not isinstance(answers, dict):
        return answers
    family = Family(answers["project"]["family"])
    form: Any = facts_form(family, answers.get("facts", {}))
    questions = QUESTIONS[family]
    if request.method != "POST":
        return _page("facts", answers, form=form, questions=questions)
    if not form.validate():
        return _page("facts", answers, 422, form=form, questions=questions)
    facts = {q.fact: form[q.fact].data for q in questions if form[q.fact].data is not None}
    if facts != answers.get("facts"):
        answers.pop("matters", None)
    answers["facts"] = facts
    return _keep(answers, "facts")


@bp.route("/intake/matters", methods=["GET", "POST"])
@enterprise_only
def intake_matters() -> Any:
    """Which matters: those that the template names, or any of the catalogue."""
    answers = _draft("matters")
    if not isinstance(answers, dict):
        return answers
    with transaction() as session:
        phases = enterprise_intake.offers(
            session, current_actor(), division_code=answers["site"]["code"],
            family=Family(answers["project"]["family"]), facts=answers["facts"], project_no=answers.get("project_no"),
        )  # fmt: skip
    if request.method != "POST":
        chosen = answers.get("matters") or _usual(phases)
        return _page("matters", answers, phases=phases, chosen=chosen)
    offered = {offer.code for phase in phases for offer in phase.offers}
    chosen = [code for code in dict.fromkeys(request.form.getlist("matter")) if code in offered]
    if not chosen:
        error = gettext("请至少选择一个事项")
        return _page("matters", answers, 422, phases=phases, chosen=[], error=error)
    if chosen != answers.get("matters"):
        answers.pop("papers", None)
        answers.pop("ways", None)
    answers["matters"] = chosen
    return _keep(answers, "matters")


def _usual(phases: list[enterprise_intake.Phase]) -> list[str]:
    """What is ticked beforehand: the first phase in which something that applies is still to be asked for."""
    for phase in phases:
        if codes := [offer.code for offer in phase.fitting if not offer.under_way]:
            return codes
    return []


@bp.route("/intake/papers", methods=["GET", "POST"])
@enterprise_only
def intake_papers() -> Any:
    """The papers: what is held already is not asked for again; the rest may be given now or later."""
    answers = _draft("papers")
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
                kept[paper.name] = _stored(upload)
            except BadUpload as error:
                errors[n] = in_words(error.user_message)
        for name in set(request.form.getlist("remove")):
            kept.pop(name, None)
        with transaction() as session:
            draft.write(session, current_person().account_id, answers)
        if not errors and "remove" not in request.form:
            answers["papers"] = True
            return _keep(answers, "papers")
    return _page("papers", answers, 422 if errors else 200, wanted=wanted, kept=kept, errors=errors)


def _stored(upload: FileStorage) -> dict[str, str]:
    digest = files.keep(upload)
    suffix = files.path_of(digest).suffix[1:]
    return {"sha256": digest, "media_type": files.MEDIA[suffix], "filename": (upload.filename or "")[-120:]}


# ---------------------------------------------------------------- ways, letter, review


@bp.route("/intake/ways", methods=["GET", "POST"])
@enterprise_only
def intake_ways() -> Any:
    """By courier or over the counter; not asked for when nothing is on paper."""
    answers = _draft("ways")
    if not isinstance(answers, dict):
        return answers
    with transaction() as session:
        originals = [
            paper.name
            for paper in enterprise_intake.papers_for(session, current_actor(), answers["matters"])
            if paper.on_paper and not paper.held
        ]
        results = enterprise_intake.results_on_paper(session, answers["matters"])
    form = WaysForm(data=answers.get("ways") or {"pickup": "courier", "delivery": "courier"})
    if request.method == "POST" and form.validate():
        answers["ways"] = {"pickup": form.pickup.data or "courier", "delivery": form.delivery.data or "courier"}
        return _keep(answers, "ways")
    status = 200 if request.method != "POST" else 422
    return _page("ways", answers, status, form=form, originals=originals, results=results)


@bp.route("/intake/letter", methods=["GET", "POST"])
@enterprise_only
def intake_letter() -> Any:
    """The delegation letter with its authorised persons."""
    answers = _draft("letter")
    if not isinstance(answers, dict):
        return answers
    with transaction() as session:
        today = day_of(db.now(session))
        enterprise = own_enterprise(session, current_actor())
        contact = contact_of(session, enterprise)
        told = {"name": contact.name, "phone": contact.phone} if contact else {}
        names = enterprise_intake.names_of(session, answers["matters"])
    earlier = answers.get("letter")
    usual = {"valid_to": today + timedelta(days=365), "submit": True, "correct": True, "receive": True}
    form = LetterForm(data=_letter_data(earlier) if earlier else usual).for_day(today)
    people = (earlier or {}).get("people") or [told | {"may_hand_over": True, "may_receive": True}]
    wrong: list[str] = []
    if request.method == "POST":
        people, kept, wrong = people_typed(request.form)
        if form.validate() and not wrong:
            answers["letter"] = {
                "legal_representative": form.legal_representative.data.strip(),
                "powers": [power.value for power in form.powers],
                "may_pass_on": bool(form.may_pass_on.data),
                "valid_to": form.valid_to.data.isoformat(),
                "people": kept,
            }
            return _keep(answers, "letter")
    status = 200 if request.method != "POST" else 422
    return _page("letter", answers, status, form=form, people=people, wrong=wrong, enterprise=enterprise, names=names)


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
    answers = _draft("review")
    if not isinstance(answers, dict):
        return answers
    form = FlaskForm()
    if request.method == "POST" and form.validate():
        try:
            return _send()
        except RULES as error:
            show(form, error)
    with transaction() as session:
        wanted = enterprise_intake.papers_for(
            session, current_actor(), answers["matters"], project_no=answers.get("project_no")
        )
        names = enterprise_intake.names_of(session, answers["matters"])
        enterprise = own_enterprise(session, current_actor())
    return _page(
        "review", answers, 200 if request.method != "POST" else 422, form=form, wanted=wanted, names=names,
        enterprise=enterprise, family=FAMILY_LABEL[Family(answers["project"]["family"])],
    )  # fmt: skip


def _send() -> AnyResponse:
    """The draft becomes a case, with its letter and its papers, in one transaction."""
    account_id = current_person().account_id
    with transaction() as session:
        answers = draft.read(session, account_id, lock=True)
        if answers is None or draft.next_step(answers) != "review":
            return redirect(url_for("enterprise.intake"))
        made = take_in(session, _asked_for(session, answers))
        if letter := answers.get("letter"):
            take_in(session, _letter(letter, answers, made.project_no))
        kept = answers.get("files", {})
        for material_id, name in wanted_papers(session, made.case_no):
            if paper := kept.get(name):
                given = {**paper, "case": CaseNo(made.case_no), "material_id": MaterialId(material_id)}
                take_in(session, GiveMaterial(**given))
        draft.discard(session, account_id)
    flash(gettext("已提交。办件编号 %(no)s，查询码 %(code)s，已发短信给您", no=made.case_no, code=made.query_code))
    return redirect(url_for("enterprise.case", case_no=made.case_no))


def _asked_for(session: Session, answers: draft.Answers) -> RequestProject | OpenCase:
    """What the answers ask for: a project with its first case, or one more case of a known one."""
    pickup, delivery = Way(answers["ways"]["pickup"]), Way(answers["ways"]["delivery"])
    matters = tuple(answers["matters"])
    if project_no := answers.get("project_no"):
        return OpenCase(project=ProjectNo(project_no), matters=matters, pickup_way=pickup, delivery_way=delivery)
    contact = contact_of(session, own_enterprise(session, current_actor()))
    if contact is None:
        raise Refused("nobody to tell", user_message="请先由管理员为您的账号登记手机号，以便接收通知")
    told, site = answers["project"], answers["site"]
    return RequestProject(
        name=told["name"],
        family=Family(told["family"]),
        matters=matters,
        facts=answers["facts"],
        site=SiteGiven(site["code"], site["lon"], site["lat"], f"{site['place_name']}{site['address']}"),
        investment_wan=told.get("investment_wan"),
        project_code=told.get("project_code"),
        is_state_secret=told.get("state_secret") == "yes",
        contact_id=ContactId(contact.id),
        pickup_way=pickup,
        delivery_way=delivery,
    )


def _letter(letter: dict[str, Any], answers: draft.Answers, project_no: str) -> SignDelegation:
    return SignDelegation(
        project=ProjectNo(project_no), legal_representative=letter["legal_representative"],
        powers=tuple(Power(power) for power in letter["powers"]), matters=tuple(answers["matters"]),
        people=tuple(PersonGiven(**person) for person in letter["people"]),
        valid_to=date.fromisoformat(letter["valid_to"]), may_pass_on=letter["may_pass_on"],
    )  # fmt: skip


def contact_of(session: Session, enterprise: Enterprise) -> Contact | None:
    """Who is told of each stage: the person at the screen, else the enterprise's first contact."""
    account = session.get_one(Account, current_person().account_id)
    if account.phone:
        return add_contact(session, enterprise.id, account.name, account.phone, at=db.now(session))
    return next(iter(contacts(session, current_actor())), None)
