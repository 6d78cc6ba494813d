"""Door report: what a phone says happened at a stop, when it happened by a corrected clock, and what it is shown by."""

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated

from annotated_types import MaxLen

from db import SHANGHAI
from dispatch.acts.act_fields import MOST_PHOTOS, Digest, Name, Reason
from routing.day.courier_stop import FailReason, StopAct

OLDEST_FACT = timedelta(days=3)
"""A phone's clock that says a fact is older than this is not believed: the time of arrival stands instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorReport:
    """What happened at a stop, as the phone recorded it; the same ``event_id`` twice is one event.

    ``sent_at``: the phone's clock when it sent this, which shows its drift. ``waybills``: what it is about, everything
    there when empty. ``exceptions``: what stayed behind, each with its own reason where ``reasons`` has one. ``found``:
    envelopes in the courier's hands that no load scan put there. Photos and signature by their SHA-256."""

    event_id: uuid.UUID
    act: StopAct
    device_at: datetime | None = None
    sent_at: datetime | None = None
    reason: FailReason | None = None
    note: Reason | None = None
    waybills: Annotated[tuple[str, ...], MaxLen(200)] = ()
    exceptions: Annotated[tuple[str, ...], MaxLen(200)] = ()
    reasons: Mapping[str, FailReason] = field(default_factory=dict)
    found: Annotated[tuple[str, ...], MaxLen(200)] = ()
    code: Annotated[str, MaxLen(12)] | None = None
    identity_checked: bool = False
    inspected: bool = False
    seal_no: Name | None = None
    photos: Annotated[tuple[Digest, ...], MaxLen(MOST_PHOTOS)] = ()
    signature: Digest | None = None

    @property
    def proofs(self) -> tuple[str, ...]:
        """The digests of what was photographed and signed."""
        return (*self.photos, *([self.signature] if self.signature else []))


@dataclass(frozen=True, slots=True)
class FactTime:
    """When something happened by the server's clock, and the two clocks that say so."""

    at: datetime
    recorded_at: datetime
    device_at: datetime | None = None
    drift_s: float | None = None


def fact_time(device_at: datetime | None, sent_at: datetime | None, *, at: datetime, real: datetime) -> FactTime:
    """The phone's time, corrected by how far its clock was off when it sent; never after it arrived.

    ``at`` is the program's moment, ``real`` the real one: in a demo whose clock was moved, both clocks of an event tell
    the same day. A phone that sends no offset means Jiangsu's time."""
    device_at, sent_at = _aware(device_at), _aware(sent_at)
    drift_s = None if sent_at is None else (real - sent_at).total_seconds()
    if device_at is None:
        return FactTime(at, at, None, drift_s)
    device_at += at - real
    corrected = device_at + timedelta(seconds=drift_s or 0.0)
    believed = at - OLDEST_FACT <= corrected <= at
    return FactTime(corrected if believed else at, at, device_at, drift_s)


def not_before(when: FactTime, moments: Collection[datetime | None]) -> FactTime:
    """The same, no earlier than what it follows: a clock that is a little off does not turn the order around."""
    earliest = max((moment for moment in moments if moment is not None), default=None)
    if earliest is None or earliest <= when.at:
        return when
    return FactTime(min(earliest, when.recorded_at), when.recorded_at, when.device_at, when.drift_s)


def _aware(moment: datetime | None) -> datetime | None:
    if moment is None or moment.tzinfo is not None:
        return moment
    return moment.replace(tzinfo=SHANGHAI)
