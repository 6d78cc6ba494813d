"""Batches: projects that were asked for together, their codes, one letter for all, and taking the whole back."""

from datetime import timedelta
from typing import Any

from flask import Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext

import db
from dispatch.acts.act import APPLICANTS
from dispatch.acts.batching import GatherBatch, SignBatch, UndoBatch
from dispatch.cases.notify import day_of
from dispatch.core.actor import Role
from dispatch.core.ids import BatchId
from dispatch.views import enterprise_profile, project_batches
from dispatch.views.enterprise_turns import TURN_LABEL, Turn
from web.pages.enterprise.blueprint import RULES, say, taken
from web.pages.enterprise.bulk_upload import bp
from web.pages.enterprise.questions import LetterForm, people_typed
from web.wiring.act_door import command_from_form, offers, take
from web.wiring.auth import current_actor, roles
from web.wiring.list_parts import sheet
from web.wiring.transactions import transaction


@bp.get("/batches")
@roles(*APPLICANTS)
def batches() -> str:
    """The batches, and the open projects that are in none."""
    viewer = current_actor()
    with transaction() as session:
        lines = project_batches.batches(session, viewer)
        loose = project_batches.loose_projects(session, viewer)
    return render_template(
        "enterprise/batches.html", batches=lines, loose=loose, is_enterprise=viewer.role is Role.ENTERPRISE
    )


@bp.post("/batches")
@offers(GatherBatch)
def gather() -> Any:
    """Projects that belong together."""
    try:
        made = take(command_from_form(GatherBatch, request.form))
    except RULES as error:
        say(error)
        return redirect(url_for("bulk.batches"))
    flash(gettext("已合成一批，共 %(n)s 个项目", n=len(made.projects)))
    return redirect(url_for("bulk.batch", batch_id=made.batch_id))


@bp.get("/batches/<int:batch_id>")
@roles(*APPLICANTS)
def batch(batch_id: int) -> str:
    """Where each project of the batch is, and what waits."""
    viewer, turn = current_actor(), request.args.get("turn", "")
    with transaction() as session:
        page = project_batches.batch_page(session, viewer, BatchId(batch_id), at=db.now(session))
    waiting = [(one.value, TURN_LABEL[one], page.waiting(one)) for one in Turn if one and page.waiting(one)]
    shown = [one for one in page.projects if not turn or any(case.turn.value == turn for case in one.cases)]
    return render_template(
        "enterprise/batch.html", page=page, shown=shown, waiting=waiting,
        is_enterprise=viewer.role is Role.ENTERPRISE,
    )  # fmt: skip


@bp.get("/batches/<int:batch_id>/codes.xlsx")
@roles(*APPLICANTS)
def codes(batch_id: int) -> Response:
    """The codes to ask after each case, as a workbook."""
    with transaction() as session:
        lines = project_batches.batch_codes(session, current_actor(), BatchId(batch_id))
    rows = [(one.project_no, one.name, one.case_no, one.query_code) for one in lines]
    response = sheet(f"codes-{batch_id}", "查询码", ("项目编号", "项目", "办件编号", "查询码"), rows, "xlsx")
    response.headers["Cache-Control"] = "private, no-store"
    return response


@bp.route("/batches/<int:batch_id>/letter", methods=["GET", "POST"])
@offers(SignBatch)
def sign_batch(batch_id: int) -> Any:
    """One letter for every project of the batch that has none in force."""
    with transaction() as session:
        at = db.now(session)
        page = project_batches.batch_page(session, current_actor(), BatchId(batch_id), at=at)
        enterprise = enterprise_profile.own_enterprise(session, current_actor())
    usual = {"valid_to": day_of(at) + timedelta(days=365), "submit": True, "correct": True, "receive": True}
    form = LetterForm(data=usual).for_day(day_of(at))
    people: list[dict[str, Any]] = []
    wrong: list[str] = []
    back = url_for("bulk.batch", batch_id=batch_id)
    if request.method == "POST":
        people, kept, wrong = people_typed(request.form)
        signed = {"batch": batch_id, "powers": tuple(form.powers), "people": tuple(kept)}
        if form.validate() and not wrong and taken(form, SignBatch, **signed):
            flash(gettext("委托书已签署"))
            return redirect(back)
    elif not page.may_sign:
        flash(gettext("本批次没有需要签署委托书的项目"))
        return redirect(back)
    names = [project.name for project in page.projects if project.waits_for(Turn.SIGN_LETTER)]
    shown = render_template(
        "enterprise/batch_letter.html", page=page, form=form, people=people, wrong=wrong, enterprise=enterprise,
        names=names,
    )  # fmt: skip
    return shown, 200 if request.method != "POST" else 422


@bp.post("/batches/<int:batch_id>/undo")
@offers(UndoBatch)
def undo(batch_id: int) -> Any:
    """The whole batch is taken back."""
    try:
        done = take(command_from_form(UndoBatch, request.form, batch=batch_id))
    except RULES as error:
        say(error)
    else:
        flash(gettext("已撤回 %(n)s 个项目", n=len(done.taken_back)))
        if done.kept:
            flash(gettext("%(n)s 个项目已经在办，没有撤回", n=len(done.kept)), "error")
    return redirect(url_for("bulk.batch", batch_id=batch_id))
