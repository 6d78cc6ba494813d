"""Tickets: questions and complaints, numbered and owned."""

from apiflask import APIBlueprint

from dispatch.acts.answering import OpenTicket, TicketResult
from web.wiring.act_door import command_from, offers, schema_of, take
from web.wiring.api_schema import Strict, problems
from web.wiring.idempotency import idempotent

bp = APIBlueprint("api_tickets", __name__, url_prefix="/api/v1", tag="tickets")


@bp.post("/tickets")
@offers(OpenTicket)
@bp.input(schema_of(OpenTicket), arg_name="body")
@bp.output({}, status_code=201)
@bp.doc(responses=problems(404, 422), security="bearer")
@idempotent
def make(body: Strict) -> tuple[TicketResult, int]:
    """Ask or complain: a number, an owner who is never the person complained about, a due day."""
    return take(command_from(OpenTicket, body)), 201
