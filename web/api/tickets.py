"""Tickets: questions and complaints, numbered and owned."""

from typing import Any

from apiflask import APIBlueprint
from pydantic import Field

import db
from agents.network import division_with
from dispatch.acts import answering
from dispatch.cases.access_control import case_for
from dispatch.cases.evaluation import TicketKind
from dispatch.core.actor import Role
from dispatch.core.errors import Refused
from web.wiring.api_schema import Strict, problems
from web.wiring.auth import current_actor, roles
from web.wiring.idempotency import idempotent
from web.wiring.transactions import transaction

bp = APIBlueprint("api_tickets", __name__, url_prefix="/api/v1", tag="tickets")


class TicketIn(Strict):
    """What is asked, about which case or place."""

    kind: TicketKind
    words: str = Field(min_length=1, max_length=2000)
    case_no: str | None = None
    area: str | None = Field(default=None, pattern=r"^\d{6,12}$")
    phone: str | None = Field(default=None, max_length=20)
    from_12345: bool = False


@bp.post("/tickets")
@roles(Role.ENTERPRISE, Role.AGENT, Role.LEAD, Role.SUPERVISOR, Role.OPERATOR)
@bp.input(TicketIn, arg_name="body")
@bp.output({}, status_code=201)
@bp.doc(responses=problems(404, 422), security="bearer")
@idempotent
def make(body: TicketIn) -> tuple[dict[str, Any], int]:
    """Ask or complain: a number, an owner who is never the person complained about, a due day."""
    viewer = current_actor()
    with transaction() as session:
        case = case_for(session, viewer, body.case_no) if body.case_no else None
        if case is None and body.area is None:
            raise Refused("a ticket needs a case or an area", user_message="请选择办件或所在区县")
        division_id = case.division_id if case is not None else division_with(session, body.area or "").id
        ticket = answering.open_ticket(
            session, kind=body.kind, words=body.words, division_id=division_id, by=viewer, at=db.now(session),
            case=case, phone=body.phone, from_12345=body.from_12345 and viewer.role is not Role.ENTERPRISE,
        )  # fmt: skip
        return {"ticket_no": ticket.ticket_no, "due_at": ticket.due_at, "state": ticket.state.value}, 201
