"""Questions and complaints in one place (一号答), and what was changed because of them."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext
from sqlalchemy.orm import Session

import db
from dispatch.acts import answering
from dispatch.cases.access_control import case_for
from dispatch.cases.evaluation import TicketKind
from dispatch.core.errors import NotFound, Refused
from dispatch.views import enterprise_profile, enterprise_projects, enterprise_tickets
from dispatch.views.enterprise_tickets import improvements
from web.pages.enterprise.blueprint import RULES, bp, show
from web.pages.enterprise.questions import TicketForm
from web.wiring.accounts import Account
from web.wiring.auth import current_actor, current_person, enterprise_only
from web.wiring.transactions import transaction


@bp.route("/tickets", methods=["GET", "POST"])
@enterprise_only
def tickets() -> Any:
    """Ask, complain, suggest; read the answers, and what changed."""
    form = TicketForm(data={"case_no": request.args.get("case_no", ""), "kind": request.args.get("kind", "question")})
    if request.method == "POST" and form.validate():
        try:
            with transaction() as session:
                number = _open(session, form)
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


def _open(session: Session, form: TicketForm) -> str:
    viewer, at = current_actor(), db.now(session)
    kind, case_no = TicketKind(form.kind.data), (form.case_no.data or "").strip()
    case = case_for(session, viewer, case_no, lock=True) if case_no else None
    account = session.get_one(Account, current_person().account_id)
    if case is not None:
        division_id = case.division_id
    else:
        home = enterprise_profile.home_division(session, viewer)
        if home is None:
            raise Refused("no place", user_message="您还没有项目，请直接拨打 12345")
        division_id = home
    ticket = answering.open_ticket(
        session, kind=kind, words=form.words.data.strip(), division_id=division_id, by=viewer, at=at, case=case,
        phone=None if case is not None else account.phone,
    )  # fmt: skip
    return ticket.ticket_no
