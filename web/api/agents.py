"""Agents: one with everything known, edited, absences, and leaving for good."""

from apiflask import APIBlueprint

import db
from dispatch.acts.absences import CancelLeave, CancelledLeave, ChangeLeave, LeaveResult, RecordLeave
from dispatch.acts.agent_changes import DepartAgent, DepartureResult, EditAgent, EditedAgent
from dispatch.core.ids import AbsenceId, AgentId
from dispatch.views.agent_page import AgentPage, DeparturePreview, agent_page, departure_page, preview_of
from web.wiring.act_door import command_from, offers, schema_of, take
from web.wiring.agent_accounts import depart_agent, edit_agent
from web.wiring.api_answers import answers
from web.wiring.api_schema import Strict, problems
from web.wiring.auth import current_actor, leads_only
from web.wiring.formatting import today
from web.wiring.idempotency import idempotent
from web.wiring.transactions import transaction

bp = APIBlueprint("api_agents", __name__, url_prefix="/api/v1/agents", tag="agents")


@bp.get("/<int:agent_id>")
@leads_only
@answers(AgentPage)
@bp.doc(responses=problems(404), security="bearer")
def read(agent_id: int) -> AgentPage:
    """An agent's station, skills, load, absences and stand-in, with the version to edit upon."""
    with transaction() as session:
        return agent_page(session, current_actor(), AgentId(agent_id), today=today())


@bp.put("/<int:agent_id>")
@offers(EditAgent)
@bp.input(schema_of(EditAgent, path=("agent",)), arg_name="body")
@answers(EditedAgent)
@bp.doc(responses=problems(404, 409, 422), security="bearer")
@idempotent
def edit(agent_id: int, body: Strict) -> EditedAgent:
    """All that is known of the agent, as it shall be."""
    return edit_agent(command_from(EditAgent, body, agent=AgentId(agent_id)))


@bp.post("/<int:agent_id>/absences")
@offers(RecordLeave)
@bp.input(schema_of(RecordLeave, path=("agent",)), arg_name="body")
@answers(LeaveResult, 201)
@bp.doc(responses=problems(404, 422), security="bearer")
@idempotent
def add_absence(agent_id: int, body: Strict) -> tuple[LeaveResult, int]:
    """A leave, an illness, a training."""
    return take(command_from(RecordLeave, body, agent=AgentId(agent_id))), 201


@bp.put("/<int:agent_id>/absences/<int:absence_id>")
@offers(ChangeLeave)
@bp.input(schema_of(ChangeLeave, path=("agent", "absence")), arg_name="body")
@answers(LeaveResult)
@bp.doc(responses=problems(404, 422), security="bearer")
@idempotent
def change_absence(agent_id: int, absence_id: int, body: Strict) -> LeaveResult:
    """Other days of one that is not over."""
    return take(command_from(ChangeLeave, body, agent=AgentId(agent_id), absence=AbsenceId(absence_id)))


@bp.delete("/<int:agent_id>/absences/<int:absence_id>")
@offers(CancelLeave)
@answers(CancelledLeave)
@bp.doc(responses=problems(404, 422), security="bearer")
@idempotent
def cancel_absence(agent_id: int, absence_id: int) -> CancelledLeave:
    """One that does not take place, or ends yesterday."""
    return take(CancelLeave(agent=AgentId(agent_id), absence=AbsenceId(absence_id)))


@bp.get("/<int:agent_id>/departure")
@leads_only
@answers(DeparturePreview)
@bp.doc(responses=problems(404), security="bearer")
def preview_departure(agent_id: int) -> DeparturePreview:
    """Who would take over what if the agent left for good; ``seen`` is what the step asks for."""
    with transaction() as session:
        page = departure_page(session, current_actor(), AgentId(agent_id), at=db.now(session), today=today())
        return preview_of(page)


@bp.post("/<int:agent_id>/departure")
@offers(DepartAgent)
@bp.input(schema_of(DepartAgent, path=("agent",)), arg_name="body")
@answers(DepartureResult)
@bp.doc(responses=problems(404, 409, 422), security="bearer")
@idempotent
def depart(agent_id: int, body: Strict) -> DepartureResult:
    """The load is handed over as it was read, and the account closed; or nothing is changed."""
    return depart_agent(command_from(DepartAgent, body, agent=AgentId(agent_id)))
