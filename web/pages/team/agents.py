"""The people: a board of agents with load, leave and stars; leave is entered here."""

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

import db
from agents.roster import CATEGORY_LABEL
from dispatch.acts.assigning import ApplyBatch
from dispatch.acts.people import RecordLeave
from dispatch.assignment import propose
from dispatch.views.agents_board import board
from dispatch.views.moves import move_lines
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
    rows, following = cursors.page(found, PAGE, lambda line: line.place)
    return render_template("team/agents.html", rows=rows, next_cursor=following, CATEGORY=CATEGORY_LABEL)


@bp.post("/agents/<int:agent_id>/leave")
@offers(RecordLeave)
def leave(agent_id: int) -> Response:
    """Enter an absence; up to three working days the stand-in acts and nothing is matched again."""
    try:
        if take(command_from_form(RecordLeave, request.form, agent=agent_id)).is_long:
            flash(gettext("已登记；超过三个工作日，请确认由谁接办"))
            return redirect(url_for("team.relief"))
        flash(gettext("已登记，B 角接替"))
    except RULES as error:
        say(error)
    return redirect(url_for("team.agents"))


@bp.get("/assignment")
@leads_only
def proposal() -> str:
    """What a batch would change: the difference, before it is applied."""
    viewer = current_actor()
    with transaction() as session:
        found = propose.propose(session, at=db.now(session), path=viewer.division_path)
        moves, waiting = move_lines(session, found.moves), move_lines(session, found.waiting)
    return render_template("team/proposal.html", found=found, moves=moves, waiting=waiting, TERMS=propose.TERM_WORDS)


@bp.post("/assignment")
@offers(ApplyBatch)
def apply_proposal() -> Response:
    """Apply the batch that was seen; rows that change meanwhile are left alone and counted."""
    seen = {} if request.form.get("seen") else {"seen": ""}
    try:
        applied = take(command_from_form(ApplyBatch, request.form, **seen))
    except RULES as error:
        say(error)
        return redirect(url_for("team.proposal"))
    flash(
        gettext(
            "已调整 %(done)s 项，期间有变动 %(stale)s 项，名额已满 %(full)s 项",
            done=applied.done, stale=applied.stale, full=applied.full,
        )
    )  # fmt: skip
    return redirect(url_for("team.projects"))
