"""Reviews: one matter with one authority, from filing to decision, with its corrections, pauses and limits."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db import Base
from dispatch.cases.case import Case
from dispatch.catalogue.matter import Matter
from dispatch.core.errors import Refused, WrongStage
from dispatch.core.legal_clock import Extension, Lamp, LegalClock
from dispatch.core.localized_text import LocalizedText
from dispatch.core.shanghai_time import in_shanghai
from dispatch.core.special_procedure import Pause, PauseKind
from dispatch.core.statutory_limits import correction_due_at, counts_as_accepted, deemed_accepted_on, delivery_due_at
from dispatch.core.working_days import Calendar
from dispatch.path.edits import Relief


class ReviewState(StrEnum):
    """Where one matter is with its authority. PREPARED 待报送: known since intake, not filed yet."""

    PREPARED = "prepared"
    SIMULATED = "simulated"
    SUBMITTED = "submitted"
    ACCEPTED = "accepted"
    SUPPLEMENT = "supplement"
    NOT_ACCEPTED = "not_accepted"
    PAUSED = "paused"
    EXTENDED = "extended"
    GRANTED = "granted"
    DENIED = "denied"
    RETURNED = "returned"
    WITHDRAWN = "withdrawn"


REVIEW_LABEL = {
    ReviewState.PREPARED: "待报送",
    ReviewState.SIMULATED: "模拟审批",
    ReviewState.SUBMITTED: "已报送",
    ReviewState.ACCEPTED: "已受理",
    ReviewState.SUPPLEMENT: "补正",
    ReviewState.NOT_ACCEPTED: "不予受理",
    ReviewState.PAUSED: "特别程序",
    ReviewState.EXTENDED: "已延期",
    ReviewState.GRANTED: "准予许可",
    ReviewState.DENIED: "不予许可",
    ReviewState.RETURNED: "退办",
    ReviewState.WITHDRAWN: "已撤件",
}

_RUNNING = frozenset({ReviewState.GRANTED, ReviewState.DENIED, ReviewState.RETURNED, ReviewState.WITHDRAWN})
NEXT_REVIEW: dict[ReviewState, frozenset[ReviewState]] = {
    ReviewState.PREPARED: frozenset({ReviewState.SIMULATED, ReviewState.SUBMITTED, ReviewState.WITHDRAWN}),
    ReviewState.SIMULATED: frozenset({ReviewState.SUBMITTED, ReviewState.WITHDRAWN}),
    ReviewState.SUBMITTED: frozenset(
        {
            ReviewState.ACCEPTED,
            ReviewState.SUPPLEMENT,
            ReviewState.NOT_ACCEPTED,
            ReviewState.GRANTED,  # a same-day matter (即办件) is decided as it is filed
            ReviewState.WITHDRAWN,
        }
    ),
    ReviewState.SUPPLEMENT: frozenset({ReviewState.SUBMITTED, ReviewState.WITHDRAWN}),
    ReviewState.ACCEPTED: _RUNNING | {ReviewState.PAUSED, ReviewState.EXTENDED},
    ReviewState.PAUSED: frozenset({ReviewState.ACCEPTED, ReviewState.EXTENDED, ReviewState.WITHDRAWN}),
    ReviewState.EXTENDED: _RUNNING | {ReviewState.PAUSED},
    ReviewState.NOT_ACCEPTED: frozenset(),
    ReviewState.GRANTED: frozenset(),
    ReviewState.DENIED: frozenset(),
    ReviewState.RETURNED: frozenset(),
    ReviewState.WITHDRAWN: frozenset(),
}
REVIEW_ENDS = frozenset(state for state, following in NEXT_REVIEW.items() if not following)


RELIEF_LABEL = {Relief.DEFERRED: "容缺受理", Relief.COMMITMENT: "告知承诺", Relief.SIMULATED: "模拟审批"}


class Review(Base):
    """One matter (事项) under review: the legal clock runs from the authority's written acceptance."""

    __tablename__ = "review"

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("dispatch_case.id"), index=True)
    matter_id: Mapped[int] = mapped_column(ForeignKey("matter.id"), index=True)
    authority: Mapped[str]
    authority_division_id: Mapped[int | None] = mapped_column(ForeignKey("division.id"))
    counter_division_id: Mapped[int | None] = mapped_column(ForeignKey("division.id"))
    counter: Mapped[str] = mapped_column(default="")
    state: Mapped[ReviewState] = mapped_column(default=ReviewState.PREPARED, index=True)
    relief: Mapped[Relief | None]
    statutory_wd: Mapped[int]
    committed_wd: Mapped[int]
    same_day: Mapped[bool] = mapped_column(default=False)
    filed_at: Mapped[datetime | None]
    receipt_no: Mapped[str | None]
    correction_due_at: Mapped[datetime | None]
    correction_asked_at: Mapped[datetime | None]
    correction_words: Mapped[str | None] = mapped_column(Text)
    accepted_at: Mapped[datetime | None]
    acceptance_no: Mapped[str | None]
    deemed_accepted: Mapped[bool] = mapped_column(default=False)
    legal_due_at: Mapped[datetime | None]
    committed_due_at: Mapped[datetime | None]
    extension_wd: Mapped[int | None]
    extension_approved_on: Mapped[date | None]
    extension_notified_on: Mapped[date | None]
    extension_reason: Mapped[str | None] = mapped_column(Text)
    decided_at: Mapped[datetime | None]
    decision_no: Mapped[str | None]
    decision_reason: Mapped[str | None] = mapped_column(Text)
    deliver_by: Mapped[datetime | None]
    survey_on: Mapped[date | None]
    verify_by: Mapped[date | None]
    verified_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)

    case: Mapped[Case] = relationship(backref="reviews")
    matter: Mapped[Matter] = relationship()
    pauses: Mapped[list["ReviewPause"]] = relationship(order_by="ReviewPause.id")

    def move_to(self, state: ReviewState) -> None:
        """Raises WrongStage when ``state`` may not follow."""
        if state not in NEXT_REVIEW[self.state]:
            raise WrongStage(f"review {self.id} is {self.state}, {state} may not follow", review_id=self.id)
        self.state = state
        self.version += 1

    def file(self, *, at: datetime, receipt_no: str, calendar: Calendar) -> None:
        """The agent filed it with the authority: five working days for corrections begin."""
        if self.state is not ReviewState.SUBMITTED:
            self.move_to(ReviewState.SUBMITTED)
        self.filed_at, self.receipt_no = at, receipt_no
        self.correction_asked_at = None
        self.correction_due_at = correction_due_at(calendar, at)

    def accept(self, *, at: datetime, notice_no: str, calendar: Calendar, deemed: bool = False) -> None:
        """The written acceptance (受理通知书), or five days of silence: day 1 is the next working day."""
        if not notice_no.strip() and not deemed:
            raise Refused("an acceptance needs the number of its notice", user_message="请填写受理通知书编号")
        self.move_to(ReviewState.ACCEPTED)
        self.accepted_at, self.acceptance_no, self.deemed_accepted = at, notice_no, deemed
        self.refresh_due(calendar, at)

    def is_deemed_accepted(self, now: datetime, calendar: Calendar) -> bool:
        """Five working days without a request for corrections: the matter counts as accepted."""
        return (
            self.state is ReviewState.SUBMITTED
            and self.filed_at is not None
            and counts_as_accepted(calendar, self.filed_at, now, answered_at=None)
        )

    def deemed_accepted_at(self, calendar: Calendar) -> datetime:
        assert self.filed_at is not None
        return max(self.filed_at, calendar.closes_at(deemed_accepted_on(calendar, self.filed_at)))

    def ask_corrections(self, *, at: datetime, words: str, calendar: Calendar) -> None:
        """All corrections at once, within five working days of filing."""
        if not words.strip():
            raise Refused("corrections need to be listed", user_message="请一次性列明全部补正内容")
        if self.is_deemed_accepted(at, calendar):
            raise Refused(f"review {self.id}: the five days have passed", user_message="已超过五个工作日，依法视为受理")
        self.move_to(ReviewState.SUPPLEMENT)
        self.correction_asked_at, self.correction_words = at, words

    def pause(self, pause: "ReviewPause", *, at: datetime, calendar: Calendar) -> None:
        """A special procedure from the closed list, with its notice: its days do not count."""
        pause.as_pause()
        self.move_to(ReviewState.PAUSED)
        self.pauses.append(pause)
        self.refresh_due(calendar, at)

    def resume(self, *, on: date, at: datetime, calendar: Calendar) -> None:
        running = next((p for p in reversed(self.pauses) if p.ended_on is None), None)
        if running is None:
            raise WrongStage(f"review {self.id} has no running pause")
        running.ended_on = max(on, running.starts_on)
        self.move_to(ReviewState.EXTENDED if self.extension_wd else ReviewState.ACCEPTED)
        self.refresh_due(calendar, at)

    def extend(self, *, working_days: int, approved_on: date, reason: str, at: datetime, calendar: Calendar) -> None:
        """Usually ten working days, approved by the head and notified; once, before the limit has run out."""
        if self.extension_wd is not None:
            raise Refused(f"review {self.id} was extended already", user_message="只能延期一次")
        notified_on = in_shanghai(at).date()
        try:
            Extension(approved_on, notified_on, reason, working_days)
        except ValueError as error:
            raise Refused(str(error), user_message="延期须写明理由，批准日期不得晚于告知日期") from error
        if (clock := self.legal_clock()) is not None and clock.is_too_late_to_extend(calendar, at):
            raise Refused(f"review {self.id}: the limit has run out", user_message="法定时限已过，不能再延期")
        self.move_to(ReviewState.EXTENDED)
        self.extension_wd, self.extension_approved_on = working_days, approved_on
        self.extension_notified_on, self.extension_reason = notified_on, reason
        self.refresh_due(calendar, at)

    def decide(self, state: ReviewState, *, at: datetime, decision_no: str, reason: str, calendar: Calendar) -> None:
        """GRANTED, DENIED (with reasons) or RETURNED. A same-day matter may be decided as it is filed."""
        if self.state is ReviewState.SUBMITTED and not (self.same_day or self.relief is Relief.COMMITMENT):
            raise WrongStage(f"review {self.id} is not accepted yet and is no same-day matter")
        if state is ReviewState.DENIED and not reason.strip():
            raise Refused("a denial needs its reasons", user_message="不予许可须说明理由并告知救济途径")
        self.move_to(state)
        self.decided_at, self.decision_no, self.decision_reason = at, decision_no, reason or None
        self.deliver_by = delivery_due_at(calendar, at)

    def grant_on_commitment(self, *, at: datetime, decision_no: str, verify_by: date, calendar: Calendar) -> None:
        """告知承诺: decided at once on the applicant's commitment, to be verified afterwards."""
        if verify_by <= in_shanghai(at).date():
            raise Refused(f"review {self.id}: verified by {verify_by}?", user_message="事后核查期限须晚于今天")
        self.relief = Relief.COMMITMENT
        self.decide(ReviewState.GRANTED, at=at, decision_no=decision_no, reason="", calendar=calendar)
        self.verify_by = verify_by

    def verify(self, *, holds: bool, at: datetime) -> None:
        """The verification afterwards: the commitment holds, or the decision is revoked (撤销)."""
        if self.relief is not Relief.COMMITMENT or self.state is not ReviewState.GRANTED:
            raise WrongStage(f"review {self.id} was not granted on a commitment", user_message="该事项不是告知承诺办结")
        if self.verified_at is not None or self.revoked_at is not None:
            raise WrongStage(f"review {self.id} was verified already", user_message="已核查过，不能重复登记")
        if holds:
            self.verified_at = at
        else:
            self.revoked_at = at
        self.version += 1

    def legal_clock(self) -> LegalClock | None:
        """The statutory limit as the legal clock reckons it; None before the acceptance."""
        return self._clock(self.statutory_wd)

    def committed_clock(self) -> LegalClock | None:
        """The authority's own shorter promise (承诺时限)."""
        return self._clock(self.committed_wd)

    def _clock(self, limit_days: int) -> LegalClock | None:
        if self.accepted_at is None:
            return None
        extension = None
        if self.extension_wd and self.extension_approved_on and self.extension_notified_on:
            extension = Extension(
                self.extension_approved_on,
                self.extension_notified_on,
                self.extension_reason or "延期",
                self.extension_wd,
            )
        return LegalClock(
            accepted_at=self.accepted_at,
            limit_days=limit_days,
            pauses=tuple(p.as_pause() for p in self.pauses),
            extension=extension,
            decided_at=self.decided_at,
        )

    def refresh_due(self, calendar: Calendar, at: datetime) -> None:
        """Reckon both due moments anew: after a pause, an extension, a new calendar or new opening hours."""
        today = in_shanghai(at).date()
        if (legal := self.legal_clock()) is not None and (committed := self.committed_clock()) is not None:
            self.legal_due_at = legal.due_at(calendar, today)
            self.committed_due_at = min(committed.due_at(calendar, today), self.legal_due_at)

    def lamp(self, calendar: Calendar, now: datetime) -> Lamp:
        """Green, amber or red by the committed limit. Before acceptance there is no limit yet: green."""
        clock = self.committed_clock()
        return Lamp.GREEN if clock is None else clock.lamp(calendar, now)

    @property
    def is_decided(self) -> bool:
        return self.state in REVIEW_ENDS


class ReviewPause(Base):
    """A special procedure (特别程序) that stops the legal clock: its kind, notice, expected and real end."""

    __tablename__ = "review_pause"

    id: Mapped[int] = mapped_column(primary_key=True)
    review_id: Mapped[int] = mapped_column(ForeignKey("review.id"), index=True)
    kind: Mapped[PauseKind]
    notice_no: Mapped[str]
    starts_on: Mapped[date]
    expected_end_on: Mapped[date]
    maximum_wd: Mapped[int]
    rule: Mapped[str] = mapped_column(default="")
    ended_on: Mapped[date | None]

    def as_pause(self) -> Pause:
        """The value that the legal clock reckons with. Raises Refused when the row breaks a rule of the closed list."""
        try:
            return Pause(
                kind=self.kind,
                notice=self.notice_no,
                starts_on=self.starts_on,
                expected_end_on=self.expected_end_on,
                maximum_wd=self.maximum_wd,
                ended_on=self.ended_on,
                rule=self.rule or "",
            )
        except ValueError as error:
            raise Refused(
                str(error), user_message=LocalizedText("特别程序登记有误：%(error)s", error=str(error))
            ) from error
