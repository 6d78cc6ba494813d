"""Reviews: one matter with one authority, from filing to decision, with its corrections, pauses and limits."""

from dataclasses import fields
from datetime import date, datetime

from sqlalchemy import ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db import Base
from dispatch.cases.case import Case
from dispatch.cases.matter_on_project import MatterOnProject
from dispatch.cases.recorded_event import Recording, standing_events
from dispatch.cases.review_checks import check_story
from dispatch.cases.review_event import EventFacts, EventKind, ReviewEvent, event_row
from dispatch.cases.review_fold import (
    ReviewFacts,
    ReviewRules,
    ReviewStory,
    fold,
    limit_clocks,
    relief_in,
)
from dispatch.cases.review_state import NEXT_REVIEW, REVIEW_ENDS, UNFILED, ReviewState
from dispatch.catalogue.limit_column import LimitForm
from dispatch.catalogue.matter import Matter
from dispatch.core.errors import WrongStage
from dispatch.core.legal_clock import Lamp, LimitClocks
from dispatch.core.limit import NO_DUE_DATE, Limit, due_words
from dispatch.core.shanghai_time import in_shanghai
from dispatch.core.special_procedure import Pause, PauseKind
from dispatch.core.working_days import Calendar
from dispatch.path.edits import Relief

VERDICTS = frozenset({EventKind.COMMITMENT_VERIFIED, EventKind.DECISION_REVOKED})
RELIEVED = frozenset({EventKind.ORDER_DEFERRED, EventKind.ORDER_COMMITTED})
BROUGHT = frozenset({Relief.SIMULATED, Relief.COMMITMENT})  # by an event, and gone when it never was
IN_TIME = frozenset({EventKind.ACCEPTED, EventKind.SUPPLEMENT_ASKED, EventKind.NOT_ACCEPTED})
DERIVED = tuple(field.name for field in fields(ReviewFacts))


class Review(Base):
    """One matter (事项) under review: the legal clock runs from the authority's written acceptance.

    What its events say is kept here for those who read many (``DERIVED``); only ``take_over`` writes it."""

    __tablename__ = "review"

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("dispatch_case.id"), index=True)
    matter_id: Mapped[int] = mapped_column(ForeignKey("matter.id"), index=True)
    authority: Mapped[str]
    authority_division_id: Mapped[int | None] = mapped_column(ForeignKey("division.id"))
    counter_division_id: Mapped[int | None] = mapped_column(ForeignKey("division.id"))
    counter: Mapped[str] = mapped_column(default="")
    centre_no: Mapped[str | None] = mapped_column(ForeignKey("service_centre.centre_no"))
    state: Mapped[ReviewState] = mapped_column(default=ReviewState.PREPARED, index=True)
    relief: Mapped[Relief | None]
    statutory_limit: Mapped[Limit | None] = mapped_column(LimitForm)
    committed_limit: Mapped[Limit | None] = mapped_column(LimitForm)
    joint_cap: Mapped[Limit | None] = mapped_column(LimitForm)  # of its joint group, where it is filed on its form
    same_day: Mapped[bool] = mapped_column(default=False)
    filed_at: Mapped[datetime | None]
    receipt_no: Mapped[str | None]
    joint_group: Mapped[str | None]
    joint_no: Mapped[str | None]
    capped_from: Mapped[datetime | None]
    joint_due_at: Mapped[datetime | None]  # by when the whole joint filing is promised
    correction_due_at: Mapped[datetime | None]
    correction_asked_at: Mapped[datetime | None]
    correction_words: Mapped[str | None] = mapped_column(Text)
    accepted_at: Mapped[datetime | None]
    acceptance_no: Mapped[str | None]
    deemed_accepted: Mapped[bool] = mapped_column(default=False)
    legal_due_at: Mapped[datetime | None]
    committed_due_at: Mapped[datetime | None]  # what binds: the earlier of the law's day and the promised one
    is_provisional: Mapped[bool] = mapped_column(default=False)  # it rests on holidays that are not published yet
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
    changed_by: Mapped[str] = mapped_column(default="")

    case: Mapped[Case] = relationship(backref="reviews")
    matter: Mapped[Matter] = relationship()
    events: Mapped[list[ReviewEvent]] = relationship(order_by=ReviewEvent.id)
    pauses: Mapped[list["ReviewPause"]] = relationship(order_by="ReviewPause.id", cascade="all, delete-orphan")

    def rules(self) -> ReviewRules:
        """What its events are read with."""
        return ReviewRules(self.statutory_limit, self.committed_limit, self.same_day, self.centre_no, self.joint_cap)

    def follow(self, mine: MatterOnProject) -> None:
        """Its limits are those that the matter has on its project; who decides it, until it is filed."""
        self.statutory_limit, self.committed_limit, self.joint_cap = mine.statutory, mine.committed, mine.joint_cap
        self.same_day = mine.same_day
        if self.state is not None and self.state not in UNFILED:
            return
        self.authority, self.authority_division_id = mine.authority, mine.authority_division_id
        self.counter, self.counter_division_id, self.centre_no = mine.counter, mine.counter_division_id, mine.centre_no

    def standing_events(self) -> list[ReviewEvent]:
        """The events that no later one corrects."""
        return standing_events(self.events)

    def story(self, calendar: Calendar, *more: EventFacts, without: int | None = None) -> ReviewStory:
        """Its standing events, with ``more`` and without the one of id ``without``."""
        kept = [event.facts() for event in self.standing_events() if event.id != without]
        return ReviewStory.of([*kept, *more], self.rules(), calendar)

    def record(self, facts: EventFacts | None, recording: Recording, calendar: Calendar) -> ReviewEvent:
        """One more event, and everything that follows from it. ``facts`` None: the corrected event did not happen.

        Raises WrongStage or Refused where it cannot have happened so; nothing has changed then."""
        story = self.story(calendar, *(() if facts is None else (facts,)), without=recording.corrects)
        check_story(story)
        if facts is not None and recording.corrects is None:
            self._check_move(facts.kind, story.state())
        kept = facts or EventFacts(kind=EventKind.VOIDED, happened_on=in_shanghai(recording.at).date())
        if recording.corrects is not None and relief_in(story.events) is None and self.relief in BROUGHT:
            self.relief = None
        event = event_row(self.id, kept, recording)
        self.events.append(event)
        self.version += 1
        self.changed_by = recording.by
        self.take_over(story, in_shanghai(recording.at).date())
        return event

    def _check_move(self, kind: EventKind, state: ReviewState) -> None:
        """Raises WrongStage when the event may not follow on the state that the review is in."""
        if kind in VERDICTS or kind in RELIEVED:
            return
        # What the authority did in time counts, although silence was taken for acceptance meanwhile.
        here = ReviewState.SUBMITTED if self.deemed_accepted and kind in IN_TIME else self.state
        if state not in NEXT_REVIEW[here]:
            raise WrongStage(f"review {self.id} is {self.state}, {kind} may not follow", review_id=self.id)

    def derive(self, calendar: Calendar, today: date) -> bool:
        """Fold the standing events anew. Whether anything that is kept of them has moved."""
        return self.take_over(self.story(calendar), today)

    def take_over(self, story: ReviewStory, today: date) -> bool:
        """Keep what the story says; whether it differs from what was kept."""
        facts, moved = fold(story, today), False
        for name in DERIVED:
            value = getattr(facts, name)
            if getattr(self, name) != value:
                setattr(self, name, value)
                moved = True
        relief = relief_in(story.events)
        if relief is not None and relief is not self.relief:
            self.relief, moved = relief, True
        return self._keep_pauses(story) or moved

    def _keep_pauses(self, story: ReviewStory) -> bool:
        told, kept = story.pauses(), list(self.pauses)
        if told == [pause.as_pause() for pause in kept]:
            return False
        self.pauses[:] = [ReviewPause.of(pause) for pause in told]
        return True

    def is_deemed_accepted(self, now: datetime) -> bool:
        """Five working days without a request for corrections: the matter counts as accepted."""
        due = self.correction_due_at
        return self.state is ReviewState.SUBMITTED and due is not None and now > due

    def clocks(self) -> LimitClocks:
        """The limits of the law and of the promise as they run; neither runs before the acceptance."""
        return limit_clocks(self, (pause.as_pause() for pause in self.pauses), self.rules())

    def lamp(self, calendar: Calendar, now: datetime) -> Lamp:
        """Green, amber or red by the limit that binds. Before acceptance there is no limit yet: green."""
        return self.clocks().lamp(calendar, now)

    def due_words(self) -> str:
        """The day by which it must be decided, as every page and notice says it."""
        if self.committed_due_at is None:
            return NO_DUE_DATE
        return due_words(in_shanghai(self.committed_due_at).date(), is_provisional=self.is_provisional)

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
        """The value that the legal clock reckons with."""
        return Pause(
            kind=self.kind, notice=self.notice_no, starts_on=self.starts_on, expected_end_on=self.expected_end_on,
            maximum_wd=self.maximum_wd, ended_on=self.ended_on, rule=self.rule or "",
        )  # fmt: skip

    @classmethod
    def of(cls, pause: Pause) -> "ReviewPause":
        """The row of a special procedure as the events tell it."""
        return cls(
            kind=pause.kind, notice_no=pause.notice, starts_on=pause.starts_on, expected_end_on=pause.expected_end_on,
            maximum_wd=pause.maximum_wd, rule=pause.rule, ended_on=pause.ended_on,
        )  # fmt: skip
