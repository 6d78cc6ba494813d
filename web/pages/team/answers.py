"""Answers: questions and complaints, answered and called back, never by the person complained about."""

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

import db
from dispatch.acts import answering
from dispatch.cases.access_control import ticket_for
from dispatch.cases.evaluation import TICKET_LABEL, TicketState
from dispatch.views import team_tickets
from web.pages.team.blueprint import RULES, bp, say
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
@staff_only
def answer(ticket_no: str) -> Response:
    """Answer, or call back."""
    viewer = current_actor()
    try:
        with transaction() as session:
            ticket = ticket_for(session, viewer, ticket_no)
            at, words = db.now(session), request.form.get("words", "")
            if ticket.state is TicketState.OPEN:
                answering.answer(session, ticket, reply=words, by=viewer, at=at)
                said = "已答复"
            else:
                ticket.call_back(at=at, words=words)
                said = "已回访"
        flash(gettext(said))
    except RULES as error:
        say(error)
    return redirect(url_for("team.tickets"))
