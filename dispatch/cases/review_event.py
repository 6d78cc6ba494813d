"""Review events: what happened to one matter, on which day its paper says so, and who wrote it down when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.cases.recorded_event import RecordedEvent, Recording
from dispatch.core.special_procedure import PauseKind


class EventKind(StrEnum):
    """What can happen to a matter. VOIDED takes an earlier event back: it did not happen."""

    SIMULATED = "simulated"
    FILED = "filed"
    SUPPLEMENT_ASKED = "supplement_asked"
    NOT_ACCEPTED = "not_accepted"
    ACCEPTED = "accepted"
    DEEMED_ACCEPTED = "deemed_accepted"
    PAUSED = "paused"
    RESUMED = "resumed"
    EXTENDED = "extended"
    GRANTED = "granted"
    GRANTED_ON_COMMITMENT = "granted_on_commitment"
    DENIED = "denied"
    RETURNED = "returned"
    WITHDRAWN = "withdrawn"
    COMMITMENT_VERIFIED = "commitment_verified"
    DECISION_REVOKED = "decision_revoked"
    ORDER_DEFERRED = "order_deferred"
    ORDER_COMMITTED = "order_committed"
    VOIDED = "voided"


EVENT_LABEL = {
    EventKind.SIMULATED: "模拟审批",
    EventKind.FILED: "报送",
    EventKind.SUPPLEMENT_ASKED: "告知补正",
    EventKind.NOT_ACCEPTED: "不予受理",
    EventKind.ACCEPTED: "受理",
    EventKind.DEEMED_ACCEPTED: "视为受理",
    EventKind.PAUSED: "特别程序开始",
    EventKind.RESUMED: "特别程序结束",
    EventKind.EXTENDED: "延期",
    EventKind.GRANTED: "准予许可",
    EventKind.GRANTED_ON_COMMITMENT: "告知承诺准予",
    EventKind.DENIED: "不予许可",
    EventKind.RETURNED: "退办",
    EventKind.WITHDRAWN: "撤件",
    EventKind.COMMITMENT_VERIFIED: "承诺核查属实",
    EventKind.DECISION_REVOKED: "撤销决定",
    EventKind.ORDER_DEFERRED: "容缺受理，前置事项后补",
    EventKind.ORDER_COMMITTED: "告知承诺，前置事项后补",
    EventKind.VOIDED: "登记作废",
}
DECISIONS = frozenset(
    {EventKind.GRANTED, EventKind.GRANTED_ON_COMMITMENT, EventKind.DENIED, EventKind.RETURNED, EventKind.NOT_ACCEPTED}
)

# What a decision may turn out to have been; anything else is taken back and written down anew.
TURNS_OUT_AS = frozenset({EventKind.GRANTED, EventKind.DENIED, EventKind.RETURNED})


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFacts:
    """What one event says: its kind, its day (and moment, where one is known), and what its paper adds.

    ``words``: corrections, reasons. ``until``: a pause's expected end, or the day by which a commitment is verified,
    or what was relieved is there.
    ``notified_on``: when an extension was told to the applicant.
    ``joint_group``: filed with others of this joint group on one form, whose number is ``document_no``."""

    kind: EventKind
    happened_on: date = date.min
    happened_at: datetime | None = None
    document_no: str = ""
    document: str | None = None
    words: str = ""
    joint_group: str = ""
    pause_kind: PauseKind | None = None
    until: date | None = None
    maximum_wd: int | None = None
    rule: str = ""
    working_days: int | None = None
    notified_on: date | None = None


class ReviewEvent(RecordedEvent):
    """One event of a matter: never changed, never deleted. A mistake is replaced by a further event (更正)."""

    __tablename__ = "review_event"
    __table_args__ = (
        CheckConstraint("corrects IS NULL OR correction_reason <> ''", name="corrected_with_reason"),
        CheckConstraint("kind <> 'voided' OR corrects IS NOT NULL", name="voids_something"),
        Index("ix_review_event_document_no", "document_no", postgresql_where=text("document_no <> ''")),
        Index("uq_review_event_corrects", "corrects", unique=True, postgresql_where=text("corrects IS NOT NULL")),
    )

    review_id: Mapped[int] = mapped_column(ForeignKey("review.id"), index=True)
    kind: Mapped[EventKind]
    joint_group: Mapped[str] = mapped_column(server_default="", default="")
    pause_kind: Mapped[PauseKind | None]
    maximum_wd: Mapped[int | None]
    rule: Mapped[str] = mapped_column(default="")
    working_days: Mapped[int | None]
    notified_on: Mapped[date | None]
    corrects: Mapped[int | None] = mapped_column(ForeignKey("review_event.id"))

    def facts(self) -> EventFacts:
        """The value that the fold reads."""
        return EventFacts(
            kind=self.kind, happened_on=self.happened_on, happened_at=self.happened_at,
            document_no=self.document_no, document=self.document, words=self.words,
            joint_group=self.joint_group, pause_kind=self.pause_kind,
            until=self.until, maximum_wd=self.maximum_wd, rule=self.rule, working_days=self.working_days,
            notified_on=self.notified_on,
        )  # fmt: skip


def event_row(review_id: int, facts: EventFacts, recording: Recording) -> ReviewEvent:
    """The row of an event."""
    return ReviewEvent(
        review_id=review_id, kind=facts.kind, happened_on=facts.happened_on, happened_at=facts.happened_at,
        recorded_at=recording.at, recorded_by=recording.by, account_id=recording.account_id,
        late_reason=recording.late_reason, document_no=facts.document_no, document=facts.document,
        words=facts.words, joint_group=facts.joint_group, pause_kind=facts.pause_kind, until=facts.until,
        maximum_wd=facts.maximum_wd, rule=facts.rule, working_days=facts.working_days, notified_on=facts.notified_on,
        corrects=recording.corrects, correction_reason=recording.correction_reason,
    )  # fmt: skip
