"""Stop reports: what a courier's phone or form sends of a stop, taken in a transaction of its own."""

import uuid
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

import db
from dispatch.acts import stop_report
from dispatch.acts.stop_report import WrongCode
from dispatch.cases.access_control import stop_for
from dispatch.core.actor import Actor
from dispatch.core.errors import Refused
from routing.day.courier_stop import FailReason, StopAct
from web.wiring import files
from web.wiring.api_schema import Strict
from web.wiring.transactions import transaction

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
MOST_PHOTOS = 3


class StopEventIn(Strict):
    """What happened, as the phone recorded it. The same ``event_id`` twice is one event."""

    event_id: uuid.UUID
    act: StopAct
    device_at: datetime | None = None
    sent_at: datetime | None = Field(default=None, description="The device's clock when it sent this: shows its drift")
    reason: FailReason | None = None
    note: str | None = Field(default=None, max_length=400)
    waybills: list[str] = Field(default_factory=list, max_length=200)
    exceptions: list[str] = Field(default_factory=list, max_length=200)
    code: str | None = Field(default=None, max_length=12)
    identity_checked: bool = False
    inspected: bool = False
    seal_no: str | None = Field(default=None, max_length=40)
    photos: list[Digest] = Field(default_factory=list, max_length=MOST_PHOTOS, description="As `proofs` answered them")
    signature: Digest | None = Field(default=None, description="As `proofs` answered it")


def report_stop(viewer: Actor, stop_id: int, body: StopEventIn) -> dict[str, Any]:
    """Take one act in a transaction of its own; a wrong code is refused, and its try counted."""
    if not all(files.is_kept(digest) for digest in (*body.photos, *filter(None, [body.signature]))):
        raise Refused("a proof that nobody uploaded", user_message="照片或签名没有上传成功，请重新提交")
    wrong: WrongCode | None = None
    answer: dict[str, Any] = {}
    with transaction() as session:
        stop = stop_for(session, viewer, stop_id, lock=True)
        at = db.now(session)
        real = db.real_now(session)
        sent_at, device_at = _aware(body.sent_at), _aware(body.device_at)
        drift = None if sent_at is None else (real - sent_at).total_seconds()
        if device_at is not None:
            device_at += at - real  # in a demo whose clock was moved, both clocks of an event tell the same day
        said = stop_report.StopReport(
            event_id=body.event_id, act=body.act, device_at=device_at, drift_s=drift, reason=body.reason,
            note=body.note, waybills=tuple(body.waybills), exceptions=tuple(body.exceptions), code=body.code,
            identity_checked=body.identity_checked, inspected=body.inspected, seal_no=body.seal_no,
            photos=tuple(body.photos), signature=body.signature,
        )  # fmt: skip
        try:
            done = stop_report.report_stop(session, stop, said, by=viewer, at=at)
        except WrongCode as error:
            wrong = error  # nothing else has changed: the count of tries is kept
        else:
            answer = {"event_id": str(done.event_id), "stop_id": stop.id, "state": stop.state.value, "at": done.at}
    if wrong is not None:
        raise wrong
    return answer


def _aware(moment: datetime | None) -> datetime | None:
    """A phone that sends no offset means Jiangsu's time."""
    if moment is None or moment.tzinfo is not None:
        return moment
    return moment.replace(tzinfo=db.SHANGHAI)
