"""Messages: what was said to whom, masked, and a resend that asks why."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from apiflask import APIBlueprint
from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.acts.notices import MessageResult, ResendMessage
from dispatch.cases.access_control import within
from dispatch.core.actor import Role
from notifications import outbox
from notifications.message import Message, State
from notifications.phone import mask
from web.wiring import cursors
from web.wiring.act_door import command_from, offers, schema_of, take
from web.wiring.api_answers import answers, page_model
from web.wiring.api_schema import PageQuery, Strict, problems
from web.wiring.auth import current_actor, roles
from web.wiring.idempotency import idempotent
from web.wiring.resource_json import as_json
from web.wiring.transactions import transaction

bp = APIBlueprint("api_messages", __name__, url_prefix="/api/v1", tag="messages")


class MessagesQuery(PageQuery):
    """Which messages."""

    state: State | None = None


@dataclass(frozen=True, slots=True)
class MessageAnswer:
    """A message: its text by name and version, its words with codes as ******, its masked number, its cost in fen."""

    id: int
    text: str
    version: int
    body: str
    to: str
    state: State
    reason: str | None
    attempts: int
    segments: int | None
    cost_fen: int | None
    created_at: datetime
    sent_at: datetime | None
    not_before: datetime
    gateway: str | None


def _line(session: Session, message: Message) -> MessageAnswer:
    return MessageAnswer(
        message.id, message.text_name, message.text_version, outbox.body_of(session, message),
        mask(message.to_phone or ""), message.state, message.reason, message.attempts, message.segments,
        message.cost_fen, message.created_at, message.sent_at, message.not_before, message.gateway,
    )  # fmt: skip


@bp.get("/messages")
@roles(Role.LEAD, Role.SUPERVISOR, Role.OPERATOR)
@bp.input(MessagesQuery, location="query", arg_name="asked")
@answers(page_model(MessageAnswer))
@bp.doc(responses=problems(422), security="bearer")
def listed(asked: MessagesQuery) -> dict[str, Any]:
    """The newest first; numbers masked, codes as ******."""
    viewer = current_actor()
    after = cursors.decode(asked.cursor, int)
    query = select(Message).where(within(viewer, Message.division_id)).order_by(Message.id.desc())  # type: ignore[arg-type]
    if asked.state is not None:
        query = query.where(Message.state == asked.state)
    if after is not None:
        query = query.where(Message.id < after[0])
    with transaction() as session:
        rows = session.scalars(query.limit(asked.limit + 1)).all()
        items, following = cursors.page(rows, asked.limit, lambda row: (row.id,))
        return {
            "items": [as_json(_line(session, message)) for message in items],
            "next_cursor": following,
        }


@bp.post("/messages/<int:message_id>/resend")
@offers(ResendMessage)
@bp.input(schema_of(ResendMessage, path=("message",)), arg_name="body")
@answers(MessageResult, 201)
@bp.doc(responses=problems(404, 409, 422), security="bearer")
@idempotent
def resend(message_id: int, body: Strict) -> tuple[MessageResult, int]:
    """Say it again, as a new message that names the first and the reason."""
    return take(command_from(ResendMessage, body, message=message_id)), 201
