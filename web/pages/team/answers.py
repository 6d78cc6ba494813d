"""Answers: questions and complaints, answered and called back, never by the person complained about."""

from flask import render_template, request, url_for
from werkzeug.wrappers import Response

import db
from dispatch.acts.act import STAFF
from dispatch.acts.answering import TICKET_STEPS
from dispatch.acts.correcting_facts import CorrectFact
from dispatch.cases.evaluation import TICKET_LABEL, TicketState
from dispatch.core.ids import TicketNo
from dispatch.views import team_tickets
from web.pages.team.blueprint import bp, take_form
from web.wiring.act_door import offers
from web.wiring.auth import current_actor, staff_only
from web.wiring.transactions import transaction


@bp.get("/tickets")
@staff_only
def tickets() -> str:
    """Open ones first."""
    state = request.args.get("state", "")
    state = state if state in {s.value for s in TicketState} else ""
    with transaction() as session:
        at = db.now(session)
        rows = team_tickets.tickets(session, current_actor(), state=state)
        states = [("open", "待答复"), ("answered", "已答复"), ("called_back", "已回访")]
        return render_template(
            "team/tickets.html",
            rows=rows,
            states=states,
            KIND=TICKET_LABEL,
            at=at,
            may_act=current_actor().role in STAFF,
        )


@bp.post("/tickets/<ticket_no>/facts/<int:fact_id>")
@offers(CorrectFact)
def correct_ticket(ticket_no: str, fact_id: int) -> Response:
    """What was written down of a ticket was wrong."""
    back = url_for("team.tickets")
    return take_form(CorrectFact, "已更正", back=back, fact=fact_id, path=[(TicketNo, ticket_no)])


@bp.post("/tickets/<ticket_no>")
@offers(steps=TICKET_STEPS)
def answer(ticket_no: str) -> Response:
    """Answer, or call back."""
    step, back = request.form.get("step", ""), url_for("team.tickets")
    return take_form(TICKET_STEPS.get(step), "已答复" if step == "answered" else "已回访", back=back, ticket=ticket_no)
