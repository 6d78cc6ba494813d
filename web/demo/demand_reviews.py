"""The reviews of a drawn project: what happened to each matter by the stage of its case, and what follows from it."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import date, time, timedelta

from dispatch.cases.matter_on_project import MatterOnProject
from dispatch.cases.review_event import EventFacts, EventKind, ReviewEvent
from dispatch.cases.review_fold import ReviewRules, ReviewStory, fold
from dispatch.cases.stages import Stage
from dispatch.core.actor import SYSTEM
from dispatch.core.shanghai_time import utc
from dispatch.core.working_days import Calendar
from web.demo.context import NOW, TODAY
from web.demo.copying import NextIds, Row

BEFORE_FILING = frozenset({Stage.REQUESTED, Stage.ASSIGNED, Stage.PRESCREENED, Stage.COLLECTED})
DECIDED = frozenset({Stage.DECIDED, Stage.DELIVERED})
SILENCE_WD = 4  # a filing is younger than the five days after which silence accepts


def story_of(stage: Stage, due_on: date | None, mine: MatterOnProject, calendar: Calendar) -> Iterator[EventFacts]:
    """Filed, accepted, granted, as far as the stage of the case goes; due about ``due_on``."""
    if stage in BEFORE_FILING:
        return
    days = max(1, mine.committed.schedule_wd if mine.committed is not None else 1)
    filed_on = min(TODAY, calendar.add_working_days(due_on, -days)) if due_on is not None else TODAY
    if stage is Stage.SUBMITTED:
        filed_on = max(filed_on, calendar.add_working_days(TODAY, -SILENCE_WD))
    filed_at = min(utc(filed_on, time(9, 10)), NOW - timedelta(minutes=30))
    yield EventFacts(kind=EventKind.FILED, happened_on=filed_on, happened_at=filed_at, document_no="SL")
    if stage is Stage.SUBMITTED:
        return
    accepted_at = filed_at + timedelta(minutes=10)
    yield EventFacts(kind=EventKind.ACCEPTED, happened_on=filed_on, happened_at=accepted_at, document_no="受")
    if stage in DECIDED:
        on = max(filed_on, calendar.add_working_days(TODAY, -1))
        decided_at = max(accepted_at, min(utc(on, time(10)), NOW - timedelta(minutes=10)))
        yield EventFacts(kind=EventKind.GRANTED, happened_on=on, happened_at=decided_at, document_no="准")


def review_row(mine: MatterOnProject, story: ReviewStory) -> Row:
    """The row of a review, with what its events say."""
    return {
        "authority": mine.authority, "authority_division_id": mine.authority_division_id,
        "counter_division_id": mine.counter_division_id, "counter": mine.counter,
        "centre_no": mine.centre_no, "statutory_limit": mine.statutory,
        "committed_limit": mine.committed, "joint_cap": mine.joint_cap, "same_day": mine.same_day,
        "version": 1, "changed_by": "",
        **asdict(fold(story, TODAY)),
    }  # fmt: skip


def event_rows(ids: NextIds, review_id: int, story: ReviewStory) -> Iterator[Row]:
    """The rows of its events, each written down as it happened."""
    for facts in story.events:
        yield {
            "id": ids.next(ReviewEvent), "review_id": review_id, **asdict(facts), "recorded_at": facts.happened_at,
            "recorded_by": SYSTEM.label, "late_reason": "", "correction_reason": "",
        }  # fmt: skip


def rules_of(mine: MatterOnProject) -> ReviewRules:
    """What the events of a matter are read with, as it stands on its project."""
    return ReviewRules(mine.statutory, mine.committed, mine.same_day, mine.centre_no, mine.joint_cap)
