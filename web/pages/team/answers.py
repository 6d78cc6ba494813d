"""Answers: questions and complaints, answered and called back, never by the person complained about."""

from flask import Response as SheetResponse
from flask import render_template, request, url_for
from werkzeug.wrappers import Response

import db
from dispatch.acts.act import LEADS, STAFF
from dispatch.acts.answering import TICKET_STEPS
from dispatch.acts.correcting_facts import CorrectFact
from dispatch.cases.evaluation import TICKET_LABEL, TicketKind, TicketState
from dispatch.cases.saved_view import ListName
from dispatch.core.actor import Role
from dispatch.core.ids import TicketNo
from dispatch.core.shanghai_time import in_shanghai
from dispatch.views import team_tickets
from dispatch.views.saved_views import saved_views
from dispatch.views.team_tickets import TICKET_SORT, TICKETS_PAGE, TicketFilter, owners
from web.pages.team.blueprint import bp, take_form
from web.wiring.act_door import offers
from web.wiring.auth import current_actor, staff_only
from web.wiring.formatting import in_words
from web.wiring.list_parts import MOST_EXPORTED, one_of, page_number, sheet
from web.wiring.sheets import Plain
from web.wiring.transactions import transaction

MAY_ROUTE = LEADS | {Role.SUPERVISOR}
TICKET_HEADS = ("工单号", "类型", "状态", "企业", "办件号", "承办", "收到", "应答复", "内容", "答复")
STEP_DONE = {"answered": "已答复", "called_back": "已回访", "routed": "已转办"}
TICKET_STATE_LABEL = {TicketState.OPEN: "待答复", TicketState.ANSWERED: "已答复", TicketState.CALLED_BACK: "已回访"}


def _asked() -> TicketFilter:
    """The filter in the URL; what is no choice there asks for nothing."""
    args = request.args
    return TicketFilter(
        one_of(TicketState, "state"), one_of(TicketKind, "kind"), from_12345=args.get("from") == "12345",
        words=args.get("q", "")[:60], sort=args.get("sort", "") if args.get("sort") in TICKET_SORT else "",
    )  # fmt: skip


@bp.get("/tickets")
@staff_only
def tickets() -> str:
    """Open ones first."""
    viewer, page, asked = current_actor(), page_number(), _asked()
    with transaction() as session:
        at = db.now(session)
        found = team_tickets.tickets(session, viewer, asked, at=at, page=page)
        views = saved_views(session, viewer, ListName.TICKETS)
        agents = owners(session, viewer) if viewer.role in MAY_ROUTE else ()
        return render_template(
            "team/tickets.html", found=found, asked=asked, page=page, views=views, at=at, KIND=TICKET_LABEL,
            has_more=page * TICKETS_PAGE < found.total, STATE=TICKET_STATE_LABEL, SORT=TICKET_SORT,
            may_act=viewer.role in STAFF, agents=agents,
        )  # fmt: skip


@bp.get("/tickets.csv")
@staff_only
def tickets_csv() -> SheetResponse:
    """What the list shows, every page of it, as CSV."""
    return sheet("tickets", "工单", TICKET_HEADS, _rows(), "csv")


@bp.get("/tickets.xlsx")
@staff_only
def tickets_xlsx() -> SheetResponse:
    """What the list shows, every page of it, as a workbook."""
    return sheet("tickets", "工单", TICKET_HEADS, _rows(), "xlsx")


def _rows() -> list[tuple[Plain, ...]]:
    with transaction() as session:
        found = team_tickets.tickets(session, current_actor(), _asked(), at=db.now(session), size=MOST_EXPORTED)
        return [
            (
                line.ticket.ticket_no, in_words(TICKET_LABEL[line.ticket.kind]),
                in_words(TICKET_STATE_LABEL[line.ticket.state]), line.enterprise, line.case_no, line.owner,
                in_shanghai(line.ticket.opened_at).strftime("%Y-%m-%d %H:%M"),
                in_shanghai(line.ticket.due_at).strftime("%Y-%m-%d %H:%M"), line.ticket.words, line.ticket.reply,
            )
            for line in found.lines
        ]  # fmt: skip


@bp.post("/tickets/<ticket_no>/facts/<int:fact_id>")
@offers(CorrectFact)
def correct_ticket(ticket_no: str, fact_id: int) -> Response:
    """What was written down of a ticket was wrong."""
    back = url_for("team.tickets")
    return take_form(CorrectFact, "已更正", back=back, fact=fact_id, path=[(TicketNo, ticket_no)])


@bp.post("/tickets/<ticket_no>")
@offers(steps=TICKET_STEPS)
def answer(ticket_no: str) -> Response:
    """Answer, call back, or give it to who is to answer."""
    step, back = request.form.get("step", ""), url_for("team.tickets")
    return take_form(TICKET_STEPS.get(step), STEP_DONE.get(step, ""), back=back, ticket=ticket_no)
