"""Fact events: what happened to a material, ticket, letter or result, by paper or at the counter, and who says so."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from db import EncryptedText
from dispatch.cases.recorded_event import RecordedEvent, Recording, first_written, standing_events
from dispatch.core.shanghai_time import utc


class FactKind(StrEnum):
    """What can happen to each noun. VOIDED takes an earlier event back: it did not happen."""

    MATERIAL_LOOKED_UP = "material_looked_up"
    MATERIAL_HELD = "material_held"
    MATERIAL_GIVEN = "material_given"
    MATERIAL_PASSED = "material_passed"
    MATERIAL_REFUSED = "material_refused"
    MATERIAL_DEFERRED = "material_deferred"
    MATERIAL_MENDED = "material_mended"
    MATERIAL_NOT_NEEDED = "material_not_needed"
    MATERIAL_AWAITED = "material_awaited"
    MATERIAL_WAIVED = "material_waived"
    TICKET_RECEIVED = "ticket_received"
    TICKET_ANSWERED = "ticket_answered"
    TICKET_CALLED_BACK = "ticket_called_back"
    RESULT_DELIVERED = "result_delivered"
    DELEGATION_SIGNED = "delegation_signed"
    DELEGATION_REVOKED = "delegation_revoked"
    VOIDED = "voided"


FACT_LABEL = {
    FactKind.MATERIAL_LOOKED_UP: "调用电子证照",
    FactKind.MATERIAL_HELD: "已有，不再索要",
    FactKind.MATERIAL_GIVEN: "收到材料",
    FactKind.MATERIAL_PASSED: "预审合格",
    FactKind.MATERIAL_REFUSED: "告知补正",
    FactKind.MATERIAL_DEFERRED: "容缺后补",
    FactKind.MATERIAL_MENDED: "补正已收齐",
    FactKind.MATERIAL_NOT_NEEDED: "不再需要",
    FactKind.MATERIAL_AWAITED: "待前序事项产出",
    FactKind.MATERIAL_WAIVED: "不适用",
    FactKind.TICKET_RECEIVED: "收到来电来信",
    FactKind.TICKET_ANSWERED: "答复",
    FactKind.TICKET_CALLED_BACK: "回访",
    FactKind.RESULT_DELIVERED: "送达办理结果",
    FactKind.DELEGATION_SIGNED: "签署委托书",
    FactKind.DELEGATION_REVOKED: "撤销委托",
    FactKind.VOIDED: "登记作废",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """What one event says: its kind, its day (and moment, where one is known), and what its paper adds.

    ``words``: what is wrong, an answer. ``until``: the day a deferred material is owed by. ``document``: the SHA-256 of
    the scan or of the material itself, with its media type and the name of its file."""

    kind: FactKind
    happened_on: date = date.min
    happened_at: datetime | None = None
    document_no: str = ""
    document: str | None = None
    media_type: str = ""
    filename: str = ""
    words: str = ""
    until: date | None = None

    @property
    def at(self) -> datetime:
        """Its moment; of a day alone, the beginning of that day in Shanghai."""
        return self.happened_at or utc(self.happened_on, time(0))


class FactEvent(RecordedEvent):
    """One event of exactly one noun: never changed, never deleted. A mistake is replaced by a further event (更正)."""

    __tablename__ = "fact_event"
    __table_args__ = (
        CheckConstraint(
            "num_nonnulls(material_id, ticket_id, delivered_case_id, delegation_id) = 1", name="of_one_noun"
        ),
        CheckConstraint("corrects IS NULL OR correction_reason <> ''", name="corrected_with_reason"),
        CheckConstraint("kind <> 'voided' OR corrects IS NOT NULL", name="voids_something"),
        Index("uq_fact_event_corrects", "corrects", unique=True, postgresql_where=text("corrects IS NOT NULL")),
    )

    material_id: Mapped[int | None] = mapped_column(ForeignKey("material.id"), index=True)
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id"), index=True)
    delivered_case_id: Mapped[int | None] = mapped_column(ForeignKey("dispatch_case.id"), index=True)
    delegation_id: Mapped[int | None] = mapped_column(ForeignKey("delegation.id"), index=True)
    kind: Mapped[FactKind]
    media_type: Mapped[str] = mapped_column(default="")
    filename: Mapped[str | None] = mapped_column(EncryptedText)
    corrects: Mapped[int | None] = mapped_column(ForeignKey("fact_event.id"))

    if TYPE_CHECKING:  # each noun's own mapping brings its side
        material: Any
        ticket: Any
        delivered_case: Any
        delegation: Any

    @property
    def case_id(self) -> int | None:
        """The case that its material or result belongs to."""
        return self.delivered_case_id if self.material is None else int(self.material.case_id)

    @property
    def project_id(self) -> int | None:
        """The project of its letter, or of its case."""
        if self.delegation is not None:
            return int(self.delegation.project_id)
        case = self.delivered_case if self.material is None else self.material.case
        return None if case is None else int(case.project_id)

    def fact(self) -> Fact:
        """The value that the folds read."""
        return Fact(
            kind=self.kind, happened_on=self.happened_on, happened_at=self.happened_at,
            document_no=self.document_no, document=self.document, media_type=self.media_type,
            filename=self.filename or "", words=self.words, until=self.until,
        )  # fmt: skip


def fact_row(fact: Fact, recording: Recording) -> FactEvent:
    """The row of an event; its noun takes it in."""
    return FactEvent(
        kind=fact.kind, happened_on=fact.happened_on, happened_at=fact.happened_at, document_no=fact.document_no,
        document=fact.document, media_type=fact.media_type, filename=fact.filename or None, words=fact.words,
        until=fact.until, recorded_at=recording.at, recorded_by=recording.by, account_id=recording.account_id,
        late_reason=recording.late_reason, corrects=recording.corrects, correction_reason=recording.correction_reason,
    )  # fmt: skip


def facts_in_order(events: Iterable[FactEvent], *more: Fact, without: int | None = None) -> list[Fact]:
    """The standing facts by day and moment, with ``more`` and without the event of id ``without``.

    What only the day is known of is taken for the end of it. Two of one moment stand in the order of their writing
    down, a correction in the place of what it corrects."""
    kept = list(events)
    first = first_written(kept)
    place = math.inf if without is None else first[without]
    told = [(event.fact(), float(first[event.id])) for event in standing_events(kept) if event.id != without]
    told += [(fact, place) for fact in more]
    return [fact for fact, _ in sorted(told, key=_by_moment)]


def _by_moment(told: tuple[Fact, float]) -> tuple[date, float, float]:
    fact, place = told
    return fact.happened_on, math.inf if fact.happened_at is None else fact.happened_at.timestamp(), place
