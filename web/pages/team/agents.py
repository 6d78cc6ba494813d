"""The people: a board of agents with load, leave and stars, and the batch of the matching."""

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

import db
from agents.roster import CATEGORY_LABEL
from dispatch.acts.assigning import ApplyBatch, reach_path
from dispatch.assignment import propose
from dispatch.cases.saved_view import ListName
from dispatch.views.agents_board import board
from dispatch.views.moves import move_lines
from dispatch.views.saved_views import saved_views
from web.pages.team.blueprint import RULES, bp, say
from web.wiring import cursors
from web.wiring.act_door import command_from_form, offers, take
from web.wiring.auth import current_actor, leads_only, staff_only
from web.wiring.transactions import transaction

PAGE = 50


@bp.get("/agents")
@staff_only
def agents() -> str:
    """Who is free, who is away, who stands in."""
    after = cursors.decode(request.args.get("cursor"), float, int, str, int)
    with transaction() as session:
        today = db.now(session).astimezone(db.SHANGHAI).date()
        found = board(session, current_actor(), on=today, words=request.args.get("q", "")[:40], after=after, limit=PAGE)
        views = saved_views(session, current_actor(), ListName.AGENTS)
    rows, following = cursors.page(found, PAGE, lambda line: line.place)
    return render_template("team/agents.html", rows=rows, next_cursor=following, views=views, CATEGORY=CATEGORY_LABEL)


@bp.get("/assignment")
@leads_only
def proposal() -> str:
    """What a batch would change: the difference, before it is applied."""
    with transaction() as session:
        found = propose.propose(session, at=db.now(session), path=reach_path(current_actor()))
        moves, waiting = move_lines(session, found.moves), move_lines(session, found.waiting)
    return render_template("team/proposal.html", found=found, moves=moves, waiting=waiting, TERMS=propose.TERM_WORDS)


@bp.post("/assignment")
@offers(ApplyBatch)
def apply_proposal() -> Response:
    """Apply the batch that was seen; rows that change meanwhile are left alone and counted."""
    try:
        applied = take(command_from_form(ApplyBatch, request.form)).applied
    except RULES as error:
        say(error)
        return redirect(url_for("team.proposal"))
    if applied is not None:
        flash(
            gettext(
                "已调整 %(done)s 项，期间有变动 %(stale)s 项，名额已满 %(full)s 项",
                done=applied.done, stale=applied.stale, full=applied.full,
            )
        )  # fmt: skip
    return redirect(url_for("team.projects"))
