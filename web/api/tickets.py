"""Tickets: questions and complaints, numbered and owned."""

from typing import Any

from apiflask import APIBlueprint
from pydantic import RootModel

from dispatch.acts.answering import TICKET_STEPS, OpenTicket, TicketResult
from dispatch.cases.evaluation import TicketKind, TicketState
from dispatch.views import resource_lists
from dispatch.views.resource_lists import ListedTicket, ListPart
from web.wiring import cursors
from web.wiring.act_door import body_of_steps, command_from, offers, schema_of, take
from web.wiring.api_answers import answers, page_model
from web.wiring.api_schema import PageQuery, Strict, problems
from web.wiring.auth import current_actor, signed_in
from web.wiring.idempotency import idempotent
from web.wiring.resource_json import as_json
from web.wiring.transactions import transaction

bp = APIBlueprint("api_tickets", __name__, url_prefix="/api/v1", tag="tickets")


class TicketsQuery(PageQuery):
    """Which questions and complaints."""

    state: TicketState | None = None
    kind: TicketKind | None = None


@bp.get("/tickets")
@signed_in
@bp.input(TicketsQuery, location="query", arg_name="asked")
@answers(page_model(ListedTicket, ("id",)))
@bp.doc(responses=problems(422), security="bearer")
def listed(asked: TicketsQuery) -> dict[str, Any]:
    """The questions and complaints that I may see, newest first."""
    after = cursors.decode(asked.cursor, int)
    part = ListPart(None if after is None else after[0], asked.limit)
    with transaction() as session:
        rows = resource_lists.ticket_lines(session, current_actor(), part, state=asked.state, kind=asked.kind)
    items, following = cursors.page(rows, asked.limit, lambda row: (row.id,))
    return {"items": [as_json(row, but=("id",)) for row in items], "next_cursor": following}


@bp.post("/tickets")
@offers(OpenTicket)
@bp.input(schema_of(OpenTicket), arg_name="body")
@answers(TicketResult, 201)
@bp.doc(responses=problems(404, 422), security="bearer")
@idempotent
def make(body: Strict) -> tuple[TicketResult, int]:
    """Ask or complain: a number, an owner who is never the person complained about, a due day."""
    return take(command_from(OpenTicket, body)), 201


@bp.post("/tickets/<ticket_no>")
@offers(steps=TICKET_STEPS)
@bp.input(body_of_steps("TicketStepIn", TICKET_STEPS, path=("ticket",)), arg_name="body")
@answers(TicketResult)
@bp.doc(responses=problems(404, 409, 422), security="bearer")
@idempotent
def step(ticket_no: str, body: RootModel[Any]) -> TicketResult:
    """Answer a ticket, or write down what the asker said when called back."""
    return take(command_from(TICKET_STEPS[body.root.step], body.root, ticket=ticket_no))
