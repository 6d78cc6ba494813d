"""Recorded event: what every event of a noun says of its day, its paper and its writing down, and which ones stand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeVar

from sqlalchemy import Text
from sqlalchemy.orm import Mapped, mapped_column

from db import Base

VOIDED = "voided"  # the kind of an event that takes an earlier one back: it did not happen


class RecordedEvent(Base):
    """The columns of every table of events: never changed, never deleted. A mistake is replaced by a further event."""

    __abstract__ = True

    id: Mapped[int] = mapped_column(primary_key=True)
    happened_on: Mapped[date]
    happened_at: Mapped[datetime | None]
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[str]
    account_id: Mapped[int | None]
    late_reason: Mapped[str] = mapped_column(Text, default="")
    document_no: Mapped[str] = mapped_column(default="")
    document: Mapped[str | None] = mapped_column(index=True)
    words: Mapped[str] = mapped_column(Text, default="")
    until: Mapped[date | None]
    correction_reason: Mapped[str] = mapped_column(Text, default="")
    corrects: Mapped[int | None]


Event = TypeVar("Event", bound=RecordedEvent)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """Who wrote an event down, when, and why so late or instead of which other."""

    at: datetime
    by: str
    account_id: int | None = None
    late_reason: str = ""
    corrects: int | None = None
    correction_reason: str = ""


def standing_events(events: Iterable[Event]) -> list[Event]:
    """Those that stand: neither corrected by another nor taken back."""
    kept = list(events)
    replaced = {event.corrects for event in kept if event.corrects is not None}
    return [event for event in kept if event.id not in replaced and event.kind != VOIDED]  # type: ignore[attr-defined]


def first_written(events: Iterable[RecordedEvent]) -> Mapping[int, int]:
    """For each event the id of the first that it replaces: a correction keeps the place of what it corrects."""
    first: dict[int, int] = {}
    for event in sorted(events, key=lambda one: one.id):
        first[event.id] = event.id if event.corrects is None else first[event.corrects]
    return first
