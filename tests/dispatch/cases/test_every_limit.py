"""Every row of the catalogue: lamp, date, notice, drawing, list and report speak of one limit."""

import csv
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch.cases.review import Review
from dispatch.cases.review_event import EventFacts, EventKind, Recording
from dispatch.cases.review_state import ReviewState
from dispatch.catalogue.matter_rows import matter_from
from dispatch.core.legal_clock import Lamp
from dispatch.core.limit import NO_DUE_DATE, DayUnit, due_words, last_day, law_words, promise_words
from dispatch.core.shanghai_time import in_shanghai
from dispatch.core.three_clocks import ClockOf
from dispatch.path.approval_graph import Path as ApprovalPath
from dispatch.path.matter_node import Basis, MatterNode
from dispatch.path.path_step import Counting, PathStep
from dispatch.path.schedule import MatterProgress, dated, schedule
from dispatch.path.seven_lists import seven_lists
from tests.dispatch.calendars import shipped_calendar

CALENDAR = shipped_calendar()
DATA = Path(__file__).parents[3] / "dispatch" / "data"


def nodes() -> list[MatterNode]:
    found = []
    for file in sorted(DATA.glob("catalog_*.csv")):
        with file.open(encoding="utf-8", newline="") as source:
            found += map(matter_from, csv.DictReader(source))
    return [node for node in found if node.whose is ClockOf.AUTHORITY]


NODES = nodes()
WORKDAYS = st.dates(date(2026, 1, 5), date(2026, 12, 31)).map(CALENDAR.first_workday_from)


def reviewed(node: MatterNode, accepted_on: date) -> Review:
    """The matter filed and accepted as its counter opens on that day."""
    review = Review(
        id=1, state=ReviewState.PREPARED, version=1, statutory_limit=node.statutory, committed_limit=node.committed,
        same_day=False, deemed_accepted=False, is_provisional=False,
    )  # fmt: skip
    at = CALENDAR.opens_at(accepted_on) + timedelta(minutes=5)
    for kind in (EventKind.FILED, EventKind.ACCEPTED):
        facts = EventFacts(kind=kind, happened_on=accepted_on, document_no="受1")
        review.record(facts, Recording(at=at, by="agent"), CALENDAR)
        review.events[-1].id = len(review.events)
    return review


def due_by_hand(node: MatterNode, accepted_on: date) -> date | None:
    """The earlier of the law's day and the promised one, each counted a day at a time."""
    ends = []
    for limit in (node.statutory, node.committed):
        if limit is None:
            continue
        on, left = accepted_on, limit.days
        while left:
            on += timedelta(days=1)
            left -= limit.unit is DayUnit.CALENDAR or CALENDAR.is_workday(on)
        while not CALENDAR.is_workday(on):
            on += timedelta(days=1)
        ends.append(on)
    return min(ends, default=None)


@pytest.mark.parametrize("node", NODES, ids=lambda node: node.code)
@given(accepted_on=WORKDAYS, later=st.integers(0, 90))
@settings(max_examples=15, deadline=None)
def test_one_limit_everywhere(node: MatterNode, accepted_on: date, later: int) -> None:
    review, due = reviewed(node, accepted_on), due_by_hand(node, accepted_on)
    now = CALENDAR.opens_at(accepted_on + timedelta(days=later)) + timedelta(hours=1)
    if due is None:
        assert review.committed_due_at is None
        assert review.due_words() == NO_DUE_DATE
        assert review.lamp(CALENDAR, now) is Lamp.GREEN
        return
    closes_at = CALENDAR.closes_at(due)
    assert review.committed_due_at == closes_at
    assert review.due_words() == due_words(due, is_provisional=due.year == 2027)
    assert (review.lamp(CALENDAR, now) is Lamp.RED) == (now > closes_at)
    path = ApprovalPath((PathStep(node, ()),))
    plan = schedule(path, Basis.COMMITTED, Counting.ELAPSED)
    for progress in ({}, {node.code: progress_of(review, accepted_on)}):
        (drawn,) = dated(path, CALENDAR, accepted_on, today=accepted_on, progress=progress)
        assert drawn.committed_on == due
        assert drawn.is_estimate or not review.is_provisional
        lists = {sheet.key: sheet for sheet in seven_lists(path, plan, {node.code: drawn})}
        assert lists["agents"].rows[-1][-1] == f"{due.year}年{due.month}月{due.day}日"
    assert lists["matters"].rows[0][5:7] == (law_words(node.statutory), promise_words(node.committed))
    assert is_on_time(review, accepted_on, closes_at)
    assert not is_on_time(reviewed(node, accepted_on), accepted_on, closes_at + timedelta(seconds=1))


def progress_of(review: Review, accepted_on: date) -> MatterProgress:
    """What the project's path is told of the review."""
    legal = review.legal_due_at
    return MatterProgress(
        accepted_on=accepted_on, legal_due_on=None if legal is None else in_shanghai(legal).date(),
        due_on=in_shanghai(review.committed_due_at).date(),
    )  # fmt: skip


def is_on_time(review: Review, accepted_on: date, decided_at: datetime) -> bool:
    """As the report judges a decision."""
    facts = EventFacts(
        kind=EventKind.GRANTED, happened_on=in_shanghai(decided_at).date(), happened_at=decided_at, document_no="准1"
    )
    review.record(facts, Recording(at=decided_at, by="agent"), CALENDAR)
    return review.decided_at <= review.committed_due_at and review.lamp(CALENDAR, decided_at) is not Lamp.RED


def test_twenty_working_days_end_before_thirty_calendar_days_but_not_over_a_long_holiday() -> None:
    node = next(node for node in NODES if node.code == "IND-107")
    before = {start: due_by_hand(node, start) for start in (date(2026, 3, 2), date(2026, 2, 2))}
    assert before[date(2026, 3, 2)] == last_day(CALENDAR, date(2026, 3, 2), node.committed)
    assert before[date(2026, 2, 2)] == last_day(CALENDAR, date(2026, 2, 2), node.statutory)
