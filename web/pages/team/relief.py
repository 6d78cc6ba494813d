"""Relief: who takes over while somebody is away longer than three working days, before anything is changed."""

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

import db
from dispatch.assignment import apply_batch
from dispatch.assignment.absence import propose_relief
from dispatch.core.errors import Stale
from dispatch.views.moves import move_lines
from web.pages.team.blueprint import RULES, bp, say
from web.wiring.auth import current_actor, leads_only
from web.wiring.transactions import transaction


@bp.get("/relief")
@leads_only
def relief() -> str:
    """The difference, and the notices that it costs."""
    with transaction() as session:
        found = propose_relief(session, at=db.now(session), path=current_actor().division_path)
        moves, waiting = move_lines(session, found.proposal.moves), move_lines(session, found.proposal.waiting)
    return render_template("team/relief.html", found=found, moves=moves, waiting=waiting)


@bp.post("/relief")
@leads_only
def apply_relief() -> Response:
    """Carry out what was seen, while it is still what would be proposed; nothing of it otherwise."""
    viewer = current_actor()
    try:
        with transaction() as session:
            at = db.now(session)
            found = propose_relief(session, at=at, path=viewer.division_path)
            if request.form.get("seen", "") != found.proposal.fingerprint:
                raise Stale(
                    "the proposal is not the one that was seen", user_message="情况有变化，请核对新的建议后再调整"
                )
            applied = apply_batch.apply(session, found.proposal, by=viewer, at=at)
            apply_batch.tell_placed(session, at=at)
        flash(gettext("已调整 %(done)s 项，名额已满 %(full)s 项", done=len(applied.done), full=len(applied.full)))
    except RULES as error:
        say(error)
    return redirect(url_for("team.relief"))
