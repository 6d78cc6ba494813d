"""Relief: who takes over while somebody is away longer than three working days, before anything is changed."""

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

import db
from dispatch.acts.assigning import RelieveAgents, reach_path
from dispatch.assignment.absence import propose_relief
from dispatch.views.moves import move_lines
from web.pages.team.blueprint import RULES, bp, say
from web.wiring.act_door import command_from_form, offers, take
from web.wiring.auth import current_actor, leads_only
from web.wiring.transactions import transaction


@bp.get("/relief")
@leads_only
def relief() -> str:
    """The difference, and the notices that it costs."""
    with transaction() as session:
        found = propose_relief(session, at=db.now(session), path=reach_path(current_actor()))
        moves, waiting = move_lines(session, found.proposal.moves), move_lines(session, found.proposal.waiting)
    return render_template("team/relief.html", found=found, moves=moves, waiting=waiting)


@bp.post("/relief")
@offers(RelieveAgents)
def apply_relief() -> Response:
    """Carry out what was seen, while it is still what would be proposed; nothing of it otherwise."""
    try:
        done = take(command_from_form(RelieveAgents, request.form))
        flash(gettext("已调整 %(done)s 项，名额已满 %(full)s 项", done=done.done, full=done.full))
    except RULES as error:
        say(error)
    return redirect(url_for("team.relief"))
