"""Claims at the window: who says to belong to an enterprise, approved or refused by who has seen the papers."""

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from web.pages.team.blueprint import RULES, bp, say
from web.wiring import claims
from web.wiring.accounts import Account
from web.wiring.auth import current_actor, current_person, leads_only
from web.wiring.transactions import transaction


@bp.get("/claims", endpoint="claims")
@leads_only
def claims_page() -> str:
    """Claims that nobody has decided, the oldest first."""
    with transaction() as session:
        return render_template("team/claims.html", rows=claims.open_claims(session, current_actor()))


@bp.post("/claims/<int:claim_id>")
@leads_only
def decide_claim(claim_id: int) -> Response:
    """Approve on papers seen, or refuse with a reason; who decided on what is kept with the account."""
    approves = request.form.get("act") == "approve"
    words = request.form.get("document" if approves else "reason", "")[:200]
    try:
        with transaction() as session:
            viewer, by = current_actor(), session.get_one(Account, current_person().account_id)
            if approves:
                shown = words if request.form.get("seen") == "yes" else ""
                takes_over = request.form.get("takes_over") == "yes"
                claims.approve_at_window(session, viewer, by, claim_id, document=shown, takes_over=takes_over)
            else:
                claims.refuse_at_window(session, viewer, by, claim_id, reason=words)
        flash(gettext("已核验通过，记录了证件和经办人") if approves else gettext("已退回并关闭账号，记录了原因"))
    except RULES as error:
        say(error)
    return redirect(url_for("team.claims"))
