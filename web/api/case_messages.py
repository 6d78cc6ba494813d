"""Case messages: the conversation of enterprise and office inside a case, written, read, taken back, dealt with."""

from typing import Any

from apiflask import APIBlueprint
from pydantic import RootModel

from dispatch.acts.case_messages import (
    MESSAGE_STEPS,
    CaseMessageResult,
    MessagesRead,
    ReadCaseMessages,
    WithdrawEnterpriseMessage,
    WriteCaseMessage,
)
from dispatch.core.actor import Role
from dispatch.core.ids import CaseMessageId, CaseNo
from dispatch.views.case_messages import CaseConversation, case_messages
from web.wiring.act_door import body_of_steps, command_from, offers, schema_of, take
from web.wiring.api_answers import answers
from web.wiring.api_schema import Strict, problems
from web.wiring.auth import current_actor, roles
from web.wiring.idempotency import idempotent
from web.wiring.transactions import transaction

bp = APIBlueprint("api_case_messages", __name__, url_prefix="/api/v1", tag="cases")


@bp.get("/cases/<case_no>/messages")
@roles(Role.ENTERPRISE, Role.AGENT, Role.LEAD, Role.SUPERVISOR, Role.OPERATOR)
@answers(CaseConversation)
@bp.doc(responses=problems(404), security="bearer")
def listed(case_no: str) -> CaseConversation:
    """Every message of the case, the earliest first. Reading this marks nothing as read."""
    with transaction() as session:
        return case_messages(session, current_actor(), case_no)


@bp.post("/cases/<case_no>/messages")
@offers(WriteCaseMessage)
@bp.input(schema_of(WriteCaseMessage, path=("case",)), arg_name="body")
@answers(CaseMessageResult, 201)
@bp.doc(responses=problems(404, 409, 422), security="bearer")
@idempotent
def write(case_no: str, body: Strict) -> tuple[CaseMessageResult, int]:
    """A message to the other side, who is told by SMS once until it has read."""
    return take(command_from(WriteCaseMessage, body, case=case_no)), 201


@bp.post("/cases/<case_no>/messages/read")
@offers(ReadCaseMessages)
@bp.input(schema_of(ReadCaseMessages, path=("case",)), arg_name="body")
@answers(MessagesRead)
@bp.doc(responses=problems(404, 422), security="bearer")
@idempotent
def read(case_no: str, body: Strict) -> MessagesRead:
    """My side has read what the other one wrote."""
    return take(command_from(ReadCaseMessages, body, case=case_no))


@bp.post("/cases/<case_no>/messages/<int:case_message>")
@offers(steps=MESSAGE_STEPS)
@bp.input(body_of_steps("MessageStepIn", MESSAGE_STEPS, path=("case", "case_message")), arg_name="body")
@answers(CaseMessageResult)
@bp.doc(responses=problems(404, 409, 422), security="bearer")
@idempotent
def step(case_no: str, case_message: int, body: RootModel[Any]) -> CaseMessageResult:
    """The office takes back what the enterprise has not read, or deals with a message otherwise than by an answer."""
    command = MESSAGE_STEPS[body.root.step]
    return take(command_from(command, body.root, case=case_no, case_message=case_message))


@bp.post("/cases/<case_no>/messages/<int:case_message>/withdrawal")
@offers(WithdrawEnterpriseMessage)
@answers(CaseMessageResult)
@bp.doc(responses=problems(404, 409, 422), security="bearer")
def withdraw(case_no: str, case_message: int) -> CaseMessageResult:
    """The enterprise takes back what the office has not read."""
    return take(WithdrawEnterpriseMessage(case=CaseNo(case_no), case_message=CaseMessageId(case_message)))
