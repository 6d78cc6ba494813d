"""Facts: what was written down of a material or a ticket, put right."""

from apiflask import APIBlueprint

from dispatch.acts.correcting_facts import CorrectedFact, CorrectFact
from web.wiring.act_door import command_from, offers, schema_of, take
from web.wiring.api_answers import answers
from web.wiring.api_schema import Strict, problems
from web.wiring.idempotency import idempotent

bp = APIBlueprint("api_facts", __name__, url_prefix="/api/v1", tag="facts")


@bp.post("/facts/<int:fact_id>/correction")
@offers(CorrectFact)
@bp.input(schema_of(CorrectFact, path=("fact",)), arg_name="body")
@answers(CorrectedFact)
@bp.doc(responses=problems(404, 409, 422), security="bearer")
@idempotent
def correct(fact_id: int, body: Strict) -> CorrectedFact:
    """An event of a material or a ticket was written down wrongly: what is right, or that it never was."""
    return take(command_from(CorrectFact, body, fact=fact_id))
