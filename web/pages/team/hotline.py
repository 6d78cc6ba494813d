"""The hotline's seat (12345): find the caller's case, say what may be said, write the request down."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext

import db
from dispatch.acts.act import STAFF
from dispatch.acts.answering import OpenTicket
from dispatch.cases.evaluation import TICKET_LABEL
from dispatch.core.actor import Role
from dispatch.views.agents_board import stations
from dispatch.views.finding import LONGEST
from dispatch.views.hotline_page import hotline_case, hotline_hits
from web.pages.team.blueprint import RULES, bp, say
from web.wiring.act_door import command_from_form, offers, take
from web.wiring.auth import current_actor, staff_only
from web.wiring.transactions import transaction


@bp.get("/hotline")
@staff_only
def hotline() -> str:
    """What the caller names, the case that is meant, and a form for what is asked."""
    words, case_no, viewer = request.args.get("q", "")[:LONGEST], request.args.get("case_no", "")[:40], current_actor()
    with transaction() as session:
        chosen = hotline_case(session, viewer, case_no, at=db.now(session)) if case_no else None
        hits = hotline_hits(session, viewer, words) if words.strip() and chosen is None else ()
        places = [(place.code, place.name) for place in stations(session, viewer)]
    return render_template("team/hotline.html", words=words, hits=hits, chosen=chosen, places=places, KIND=TICKET_LABEL)


@bp.post("/hotline")
@offers(OpenTicket, only=STAFF | {Role.SUPERVISOR})
def hotline_ticket() -> Any:
    """What the caller asks gets a number, an owner and a day; about a case, or about a place."""
    try:
        made = take(command_from_form(OpenTicket, request.form))
    except RULES as error:
        say(error)
        return redirect(url_for("team.hotline", case_no=request.form.get("case_no") or None))
    flash(gettext("已登记，编号 %(no)s", no=made.ticket_no))
    return redirect(url_for("team.tickets", q=made.ticket_no))
