"""One case: its page with the six answers, withdrawing it, and rating it at the end."""

import re
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext
from flask_wtf import FlaskForm

import db
from dispatch.acts.closing import EvaluateCase, GradeGiven
from dispatch.acts.early_ends import WithdrawCase
from dispatch.cases.evaluation import GRADE_LABEL, Grade
from dispatch.cases.stages import Stage
from dispatch.core.ids import ReviewId
from dispatch.views.enterprise_case import EnterpriseCasePage, case_page
from dispatch.views.enterprise_tickets import tickets
from web.pages.enterprise.blueprint import bp, taken
from web.pages.enterprise.questions import ReasonForm
from web.wiring.act_door import offers
from web.wiring.auth import current_actor, enterprise_only
from web.wiring.formatting import in_words
from web.wiring.transactions import transaction


def the_case(case_no: str) -> EnterpriseCasePage:
    """What the pages of a case show."""
    with transaction() as session:
        return case_page(session, current_actor(), case_no, at=db.now(session), say=in_words)


@bp.get("/cases/<case_no>")
@enterprise_only
def case(case_no: str) -> str:
    """Where is it, who has it, when, what next, where are my originals, is it free; then everything else."""
    with transaction() as session:
        page = case_page(session, current_actor(), case_no, at=db.now(session), say=in_words)
        asked = tickets(session, current_actor(), case_id=page.id)
    return render_template("enterprise/case.html", case=page, tickets=asked)


@bp.route("/cases/<case_no>/withdrawal", methods=["GET", "POST"])
@enterprise_only
@offers(WithdrawCase)
def withdraw(case_no: str) -> Any:
    """The enterprise takes the case back."""
    page, form = the_case(case_no), ReasonForm()
    if request.method == "POST" and form.validate() and taken(form, WithdrawCase, case=case_no):
        flash(gettext("已撤件"))
        return redirect(url_for("enterprise.case", case_no=case_no))
    return render_template("enterprise/withdraw.html", case=page, form=form), 200 if request.method != "POST" else 422


@bp.route("/cases/<case_no>/evaluation", methods=["GET", "POST"])
@enterprise_only
@offers(EvaluateCase)
def evaluate(case_no: str) -> Any:
    """好差评: a grade for each matter."""
    page, form = the_case(case_no), FlaskForm()
    typed = {row.review_id: request.form.get(f"grade{row.review_id}", "") for row in page.matters}
    said = {row.review_id: request.form.get(f"words{row.review_id}", "")[:500] for row in page.matters}
    if request.method != "POST" and page.stage is not Stage.DELIVERED:
        flash(gettext("办理结果送达后才能评价") if not page.ended else gettext("本办件已结束"), "error")
        return redirect(url_for("enterprise.case", case_no=case_no))
    if request.method == "POST" and form.validate():
        grades = tuple(
            GradeGiven(ReviewId(key), int(typed[key]), said[key]) for key in typed if re.fullmatch("[1-5]", typed[key])
        )
        if taken(form, EvaluateCase, case=case_no, grades=grades):
            flash(gettext("谢谢您的评价"))
            return redirect(url_for("enterprise.case", case_no=case_no))
    labels = [(grade.value, GRADE_LABEL[grade]) for grade in Grade]
    status = 200 if request.method != "POST" else 422
    return render_template(
        "enterprise/evaluate.html", case=page, form=form, typed=typed, said=said, labels=labels
    ), status
