"""Messages: what was said to whom, masked, and a resend that asks why."""

from typing import Any

from apiflask import APIBlueprint
from pydantic import Field
from sqlalchemy import select

import db
from dispatch.cases.access_control import within
from dispatch.core.actor import Role
from dispatch.core.errors import NotFound, Refused
from notifications import outbox
from notifications.message import Message, State
from notifications.outbox import NotResendable
from notifications.phone import mask
from web.wiring import cursors
from web.wiring.api_schema import PageQuery, Strict, problems
from web.wiring.auth import current_actor, leads_only, roles
from web.wiring.idempotency import idempotent
from web.wiring.transactions import transaction

bp = APIBlueprint("api_messages", __name__, url_prefix="/api/v1", tag="messages")


class MessagesQuery(PageQuery):
    """Which messages."""

    state: State | None = None


class ResendIn(Strict):
    """Why it is sent again."""

    reason: str = Field(min_length=1, max_length=200)


@bp.get("/messages")
@roles(Role.LEAD, Role.SUPERVISOR, Role.OPERATOR)
@bp.input(MessagesQuery, location="query", arg_name="asked")
@bp.output({})
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
            "items": [
                {
                    "id": m.id, "text": m.text_name, "version": m.text_version, "body": outbox.body_of(session, m),
                    "to": mask(m.to_phone or ""), "state": m.state.value, "reason": m.reason, "attempts": m.attempts,
                    "segments": m.segments, "cost_fen": m.cost_fen, "created_at": m.created_at, "sent_at": m.sent_at,
                    "not_before": m.not_before, "gateway": m.gateway,
                }
                for m in items
            ],
            "next_cursor": following,
        }  # fmt: skip


@bp.post("/messages/<int:message_id>/resend")
@leads_only
@bp.input(ResendIn, arg_name="body")
@bp.output({}, status_code=201)
@bp.doc(responses=problems(404, 409, 422), security="bearer")
@idempotent
def resend(message_id: int, body: ResendIn) -> tuple[dict[str, Any], int]:
    """Say it again, as a new message that names the first and the reason."""
    viewer = current_actor()
    with transaction() as session:
        message = session.scalar(
            select(Message).where(Message.id == message_id, within(viewer, Message.division_id))  # type: ignore[arg-type]
        )
        if message is None:
            raise NotFound(f"no message {message_id} for this viewer")
        try:
            again = outbox.resend(session, message, why=body.reason, by_account=viewer.account_id, at=db.now(session))
        except NotResendable as error:
            raise Refused(str(error), user_message="这条短信不能重发") from error
        session.flush()
        return {"id": again.id, "state": again.state.value}, 201
