"""Courier's phone: it says what waits on it and shows how far its clock is off."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from annotated_types import Ge, Le
from sqlalchemy import select

from dispatch.acts.act import ActContext, act
from dispatch.acts.act_fields import Name
from dispatch.acts.door_report import fact_time
from dispatch.cases.courier_report import CourierPhone
from dispatch.core.actor import Role
from dispatch.core.errors import NotFound

Count = Annotated[int, Ge(0), Le(10_000)]


@act(by={Role.COURIER}, is_routine=True)
@dataclass(frozen=True, slots=True, kw_only=True)
class ReportPhone:
    """What waits on a phone, what is stuck there, what waits for another courier, and its own clock."""

    device: uuid.UUID
    waiting: Count = 0
    stuck: Count = 0
    others: Count = 0
    oldest_at: datetime | None = None
    sent_at: datetime | None = None
    program: Name = ""

    def perform(self, context: ActContext) -> None:
        session = context.session
        if context.actor.courier_id is None:
            raise NotFound("an account without a courier")
        when = fact_time(self.oldest_at, self.sent_at, at=context.at, real=context.real_at())
        mine = (CourierPhone.courier_id == context.actor.courier_id, CourierPhone.device == self.device)
        phone = session.scalar(select(CourierPhone).where(*mine).with_for_update())
        if phone is None:
            phone = CourierPhone(courier_id=context.actor.courier_id, device=self.device, heard_at=context.at)
            session.add(phone)
        phone.heard_at, phone.skew_s = context.at, None if when.drift_s is None else -when.drift_s
        phone.waiting, phone.stuck, phone.others, phone.program = self.waiting, self.stuck, self.others, self.program
        phone.oldest_at = when.at if self.oldest_at is not None else None
