"""Questions and complaints in one place (一号答), and what was changed because of them."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext

import db
from dispatch.acts.answering import OpenTicket
from dispatch.cases.evaluation import TicketKind
from dispatch.core.errors import NotFound
from dispatch.core.ids import CaseNo
from dispatch.views import enterprise_projects, enterprise_tickets
from dispatch.views.enterprise_tickets import improvements
from web.pages.enterprise.blueprint import RULES, bp, show
from web.pages.enterprise.questions import TicketForm
from web.wiring.accounts import Account
from web.wiring.act_door import offers, take
from web.wiring.auth import current_actor, current_person, enterprise_only
from web.wiring.transactions import transaction


@bp.route("/tickets", methods=["GET", "POST"])
@enterprise_only
@offers(OpenTicket)
def tickets() -> Any:
    """Ask, complain, suggest; read the answers, and what changed."""
    form = TicketForm(data={"case_no": request.args.get("case_no", ""), "kind": request.args.get("kind", "question")})
    if request.method == "POST" and form.validate():
        try:
            number = _open(form)
        except NotFound:
            form.case_no.errors = [gettext("没有这个办件，请核对编号")]
        except RULES as error:
            show(form, error)
        else:
            flash(gettext("已登记，编号 %(no)s", no=number))
            return redirect(url_for("enterprise.tickets"))
    with transaction() as session:
        at = db.now(session)
        rows = enterprise_tickets.tickets(session, current_actor())
        changed = improvements(session, current_actor())
        cases = [
            (case.case_no, f"{project.name} · {case.case_no}")
            for project in enterprise_projects.projects(session, current_actor(), at=at)
            for case in project.cases
        ]
    status = 200 if request.method != "POST" else 422
    return render_template("enterprise/tickets.html", form=form, tickets=rows, changed=changed, cases=cases), status


def _open(form: TicketForm) -> str:
    """About a case, whose contact is answered, or without one: then the account's number is."""
    case_no, phone = (form.case_no.data or "").strip(), None
    if not case_no:
        with transaction() as session:
            phone = session.get_one(Account, current_person().account_id).phone
    asked = OpenTicket(
        kind=TicketKind(form.kind.data),
        words=form.words.data,
        case_no=CaseNo(case_no) if case_no else None,
        phone=phone,
    )
    return take(asked).ticket_no
