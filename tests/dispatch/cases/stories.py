"""Stories of a review: for each state, events that lead there, all within one Monday and the days before it."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

from dispatch.cases.recorded_event import Recording
from dispatch.cases.review import Review
from dispatch.cases.review_event import EventFacts, EventKind
from dispatch.cases.review_state import ReviewState
from dispatch.core.limit import Limit
from dispatch.core.shanghai_time import utc
from dispatch.core.special_procedure import PauseKind
from tests.dispatch.builders import MONDAY, TEN
from tests.dispatch.calendars import shipped_calendar

CALENDAR = shipped_calendar()
FRIDAY = MONDAY - timedelta(days=3)


def event(kind: EventKind, on: date = MONDAY, at: datetime | None = None, **more: object) -> EventFacts:
    """An event with what its paper needs."""
    wanted: dict[str, object] = {
        EventKind.ACCEPTED: {"document_no": "受1"},
        EventKind.SUPPLEMENT_ASKED: {"words": "缺总平面图"},
        EventKind.NOT_ACCEPTED: {"words": "不属于本机关职权"},
        EventKind.DENIED: {"words": "选址不符合规划"},
        EventKind.PAUSED: {
            "document_no": "特1", "pause_kind": PauseKind.EXPERT_REVIEW, "until": MONDAY + timedelta(days=9),
            "maximum_wd": 20,
        },
        EventKind.EXTENDED: {"words": "技术复杂", "working_days": 10, "notified_on": on},
        EventKind.GRANTED_ON_COMMITMENT: {"until": MONDAY + timedelta(days=30)},
    }.get(kind, {})  # fmt: skip
    return EventFacts(kind=kind, happened_on=on, happened_at=at, **{**wanted, **more})  # type: ignore[arg-type]


EVENTS = tuple(event(kind) for kind in EventKind if kind not in {EventKind.VOIDED, EventKind.DEEMED_ACCEPTED})

FILED = event(EventKind.FILED, FRIDAY)
ACCEPTED = event(EventKind.ACCEPTED, FRIDAY)
PAUSED = event(EventKind.PAUSED, FRIDAY)
EXTENDED = event(EventKind.EXTENDED, FRIDAY)
STORIES: dict[ReviewState, tuple[tuple[EventFacts, ...], ...]] = {
    ReviewState.PREPARED: ((),),
    ReviewState.SIMULATED: ((event(EventKind.SIMULATED, FRIDAY),),),
    ReviewState.SUBMITTED: ((FILED,),),
    ReviewState.SUPPLEMENT: ((FILED, event(EventKind.SUPPLEMENT_ASKED, FRIDAY)),),
    ReviewState.ACCEPTED: ((FILED, ACCEPTED),),
    ReviewState.PAUSED: ((FILED, ACCEPTED, PAUSED), (FILED, ACCEPTED, EXTENDED, PAUSED)),
    ReviewState.EXTENDED: ((FILED, ACCEPTED, EXTENDED),),
    ReviewState.NOT_ACCEPTED: ((FILED, event(EventKind.NOT_ACCEPTED)),),
    ReviewState.GRANTED: ((FILED, ACCEPTED, event(EventKind.GRANTED)),),
    ReviewState.DENIED: ((FILED, ACCEPTED, event(EventKind.DENIED)),),
    ReviewState.RETURNED: ((FILED, ACCEPTED, event(EventKind.RETURNED)),),
    ReviewState.WITHDRAWN: ((FILED, event(EventKind.WITHDRAWN)),),
}


def review_of(story: Sequence[EventFacts] = (), *, same_day: bool = False) -> Review:
    """A review of no database, with these events written down one after the other."""
    review = Review(
        id=1, state=ReviewState.PREPARED, version=1, statutory_limit=Limit(20), committed_limit=Limit(10),
        same_day=same_day, deemed_accepted=False, is_provisional=False,
    )  # fmt: skip
    for n, facts in enumerate(story):
        review.record(facts, Recording(at=TEN + timedelta(minutes=n), by="agent"), CALENDAR)
        review.events[-1].id = n + 1
    return review


def noon(on: date) -> datetime:
    """Twelve o'clock in Jiangsu."""
    return utc(on, time(12))
