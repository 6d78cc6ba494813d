"""Project facts: what decides a project's matters and papers, as the enterprise answers it after it was asked for."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext
from flask_wtf import FlaskForm

import db
from dispatch.acts.answering_facts import AnswerFacts
from dispatch.core.actor import Role
from dispatch.views.enterprise_projects import project_page
from web.pages.enterprise.blueprint import bp, taken
from web.wiring.act_door import offers
from web.wiring.auth import current_actor, enterprise_only
from web.wiring.fact_answers import SHOWN, answer_fields, read_answers
from web.wiring.transactions import transaction


@bp.route("/projects/<project_no>/facts", methods=["GET", "POST"])
@enterprise_only
@offers(AnswerFacts, only=frozenset({Role.ENTERPRISE}))
def project_facts(project_no: str) -> Any:
    """The questions of the project with their answers; what is sent changes path, limits and papers."""
    form = FlaskForm()
    with transaction() as session:
        page, row = project_page(session, current_actor(), project_no, at=db.now(session))
        family, before = row.family, dict(row.facts)
    fields = answer_fields(family, before)
    if request.method == "POST":
        answers, errors = read_answers(family, request.form, before)
        said = {key: answers.get(key) for key in request.form.get(SHOWN, "").split()}
        if not errors and taken(form, AnswerFacts, project=project_no, facts=said):
            flash(gettext("已更新，事项、时限和材料随之调整"))
            return redirect(url_for("enterprise.project", project_no=project_no))
        fields = answer_fields(family, answers, request.form, errors)
    status = 200 if request.method != "POST" else 422
    return render_template("enterprise/project_facts.html", project=page, form=form, fields=fields), status
