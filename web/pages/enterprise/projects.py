"""Projects: the list that an enterprise comes home to, one project with its letters, revoking, the contact card."""

from datetime import timedelta
from typing import Any
from urllib.parse import urljoin

import segno
from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext
from markupsafe import Markup

import db
from dispatch.acts.asking import RevokeDelegation, SignDelegation
from dispatch.cases.project_path import facts_of_project
from dispatch.core.errors import NotFound
from dispatch.core.shanghai_time import in_shanghai
from dispatch.views import enterprise_profile, enterprise_projects
from dispatch.views.enterprise_path import drawn_path
from dispatch.views.enterprise_turns import TURN_LABEL, Turn
from dispatch.views.evidence_page import own_evidence
from dispatch.views.path_figures import project_figures
from web.pages.enterprise import draft
from web.pages.enterprise.blueprint import bp, taken
from web.pages.enterprise.questions import LetterForm, ReasonForm, people_typed
from web.wiring.act_door import offers
from web.wiring.auth import current_actor, current_person, enterprise_only
from web.wiring.fact_answers import fact_lines
from web.wiring.formatting import in_words
from web.wiring.list_parts import page_number
from web.wiring.transactions import transaction

A_PAGE = 20


@bp.get("")
@enterprise_only
def home() -> str:
    """The enterprise's projects: where each case is and what waits for the enterprise."""
    with transaction() as session:
        rows = enterprise_projects.projects(session, current_actor(), at=db.now(session))
        unfinished = draft.read(session, current_person().account_id)
    words, turn = request.args.get("q", "").strip()[:80], request.args.get("turn", "")
    found = [one for one in rows if one.names(words) and (not turn or any(c.turn.value == turn for c in one.cases))]
    pages = max(1, -(-len(found) // A_PAGE))
    page = min(page_number(), pages)
    waiting = [(one.value, TURN_LABEL[one], sum(row.waits_for(one) for row in rows)) for one in Turn if one]
    return render_template(
        "enterprise/home.html", projects=found[(page - 1) * A_PAGE : page * A_PAGE], found=len(found), all=len(rows),
        page=page, pages=pages, waiting=[one for one in waiting if one[2]], q=words,
        unfinished=unfinished,
    )  # fmt: skip


@bp.get("/evidence")
@enterprise_only
def evidence() -> str:
    """What the enterprise holds already, until when, and where it was used."""
    with transaction() as session:
        lines = own_evidence(session, current_actor(), on=in_shanghai(db.now(session)).date())
    return render_template("enterprise/evidence.html", lines=lines)


@bp.get("/projects/<project_no>")
@enterprise_only
def project(project_no: str) -> str:
    """One project: who acts, its cases, its whole path, its letters."""
    with transaction() as session:
        at = db.now(session)
        page, row = enterprise_projects.project_page(session, current_actor(), project_no, at=at)
        path = drawn_path(session, row, at=at, say=in_words)
        figures = project_figures(session, row, at=at)
        answered, assumed = fact_lines(facts_of_project(row), row.family)
        return render_template(
            "enterprise/project.html", project=page, path=path, figures=figures, answered=answered, assumed=assumed
        )


@bp.get("/projects/<project_no>/card")
@enterprise_only
def card(project_no: str) -> str:
    """The contact card (联系卡), made to be printed and pinned to a wall."""
    with transaction() as session:
        page, _ = enterprise_projects.project_page(session, current_actor(), project_no, at=db.now(session))
    if page.helper is None:
        raise NotFound(f"project {project_no} has no agent yet")
    address = urljoin(request.host_url, url_for("track.home"))
    picture = segno.make_qr(address, error="m").svg_inline(scale=5, border=2)
    return render_template("enterprise/card.html", project=page, address=address, qr=Markup(picture))  # noqa: S704 - made here


@bp.route("/projects/<project_no>/revocation", methods=["GET", "POST"])
@enterprise_only
@offers(RevokeDelegation)
def revoke(project_no: str) -> Any:
    """The delegation is revoked: work stops, windows are told, papers come home."""
    form = ReasonForm()
    with transaction() as session:
        page, _ = enterprise_projects.project_page(session, current_actor(), project_no, at=db.now(session))
    if request.method == "POST" and form.validate() and taken(form, RevokeDelegation, project=project_no):
        flash(gettext("委托已撤销，代办员停止办理，在外的原件将送回"))
        return redirect(url_for("enterprise.project", project_no=project_no))
    if page.letter is None:
        flash(gettext("没有正在生效的委托书"), "error")
        return redirect(url_for("enterprise.project", project_no=project_no))
    status = 200 if request.method != "POST" else 422
    return render_template("enterprise/revoke.html", project=page, form=form), status


@bp.route("/projects/<project_no>/letter", methods=["GET", "POST"])
@enterprise_only
@offers(SignDelegation)
def sign_letter(project_no: str) -> Any:
    """A new letter when none is in force."""
    with transaction() as session:
        at = db.now(session)
        page, _ = enterprise_projects.project_page(session, current_actor(), project_no, at=at)
        enterprise = enterprise_profile.own_enterprise(session, current_actor())
    today = in_shanghai(at).date()
    usual = {"valid_to": today + timedelta(days=365), "submit": True, "correct": True, "receive": True}
    form = LetterForm(data=usual).for_day(today)
    people: list[dict[str, Any]] = []
    wrong: list[str] = []
    if request.method == "POST":
        people, kept, wrong = people_typed(request.form)
        signed = {"project": project_no, "powers": tuple(form.powers), "people": tuple(kept), "matters": ()}
        if form.validate() and not wrong and taken(form, SignDelegation, **signed):
            flash(gettext("委托书已签署"))
            return redirect(url_for("enterprise.project", project_no=project_no))
    if page.letter is not None:
        flash(gettext("已有正在生效的委托书"))
        return redirect(url_for("enterprise.project", project_no=project_no))
    status = 200 if request.method != "POST" else 422
    names = [gettext("本项目的全部事项")]
    return render_template(
        "enterprise/letter.html",
        project=page,
        form=form,
        people=people,
        wrong=wrong,
        enterprise=enterprise,
        names=names,
    ), status
