"""Answers: questions and complaints, answered and called back, never by the person complained about."""

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

import db
from dispatch.acts.answering import AnswerTicket
from dispatch.cases.evaluation import TICKET_LABEL, TicketState
from dispatch.views import team_tickets
from web.pages.team.blueprint import RULES, bp, say
from web.wiring.act_door import command_from_form, offers, take
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
        return render_template("team/tickets.html", rows=rows, states=states, KIND=TICKET_LABEL, at=at)


@bp.post("/tickets/<ticket_no>")
@offers(AnswerTicket)
def answer(ticket_no: str) -> Response:
    """Answer, or call back."""
    try:
        done = take(command_from_form(AnswerTicket, request.form, ticket=ticket_no))
        flash(gettext("已答复") if done.state is TicketState.ANSWERED else gettext("已回访"))
    except RULES as error:
        say(error)
    return redirect(url_for("team.tickets"))
