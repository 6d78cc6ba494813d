"""What a review keeps of its events: how one is written down, corrected and derived anew, and what its lamp shows."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from dispatch.cases.case import Case, Outcome
from dispatch.cases.derived import MovedLimit, dates_of, decided_at, derive_review, outcome_of, stale_values
from dispatch.cases.review import DERIVED, Review
from dispatch.cases.review_event import EventKind, Recording
from dispatch.cases.review_fold import fold
from dispatch.cases.review_state import REVIEW_ENDS, ReviewState
from dispatch.catalogue.matter import Matter
from dispatch.core.errors import Refused, WrongStage
from dispatch.core.legal_clock import Lamp, LimitClocks
from dispatch.core.limit import NO_DUE_DATE, Limit
from dispatch.core.shanghai_time import in_shanghai
from dispatch.path.edits import Relief
from tests.dispatch.builders import MONDAY, TEN
from tests.dispatch.cases.stories import (
    ACCEPTED,
    CALENDAR,
    EXTENDED,
    FILED,
    FRIDAY,
    PAUSED,
    STORIES,
    event,
    noon,
    review_of,
)

AGENT = Recording(at=TEN, by="account:7", account_id=7)
GRANTED, DENIED = event(EventKind.GRANTED), event(EventKind.DENIED)


def correcting(number: int, **more: object) -> Recording:
    return replace(AGENT, corrects=number, correction_reason="误录", **more)  # type: ignore[arg-type]


# ---------------------------------------------------------------- one more event


def test_an_event_is_kept_with_who_wrote_it_when_and_why_so_late():
    review = review_of((FILED,))
    kept = review.record(ACCEPTED, replace(AGENT, late_reason="节后补录"), CALENDAR)
    assert kept is review.events[-1]
    assert (kept.review_id, kept.kind, kept.document_no) == (1, EventKind.ACCEPTED, "受1")
    assert (kept.recorded_at, kept.recorded_by, kept.account_id) == (TEN, "account:7", 7)
    assert (kept.late_reason, kept.corrects, kept.correction_reason) == ("节后补录", None, "")
    assert (review.version, review.changed_by, review.state) == (3, "account:7", ReviewState.ACCEPTED)


@pytest.mark.parametrize("state", STORIES)
def test_what_the_row_keeps_is_what_its_events_say(state: ReviewState):
    for story in STORIES[state]:
        review = review_of(story)
        facts = fold(review.story(CALENDAR), MONDAY)
        assert {name: getattr(review, name) for name in DERIVED} == {name: getattr(facts, name) for name in DERIVED}
        assert [pause.as_pause() for pause in review.pauses] == review.story(CALENDAR).pauses()
        assert (review.state, review.is_decided) == (state, state in REVIEW_ENDS)
        assert not review.derive(CALENDAR, MONDAY), "derived anew on the same day, nothing moves"


def test_a_decision_stands_and_only_a_correction_makes_it_another():
    review = review_of((FILED, ACCEPTED, GRANTED))
    with pytest.raises(WrongStage):
        review.record(event(EventKind.WITHDRAWN), AGENT, CALENDAR)
    review.record(DENIED, correcting(3), CALENDAR)
    assert (review.state, review.decision_reason) == (ReviewState.DENIED, "选址不符合规划")
    assert [one.kind for one in review.standing_events()] == [EventKind.FILED, EventKind.ACCEPTED, EventKind.DENIED]


def test_an_event_that_never_was_is_taken_back_on_the_day_of_the_writing_down():
    review = review_of((FILED, ACCEPTED))
    kept = review.record(None, correcting(2), CALENDAR)
    assert (kept.kind, kept.happened_on, kept.corrects) == (EventKind.VOIDED, MONDAY, 2)
    assert (review.state, review.accepted_at, review.legal_due_at) == (ReviewState.SUBMITTED, None, None)


def test_what_may_not_follow_is_refused_although_the_events_would_fit_together():
    """A withdrawal before the filing tells a possible story; a matter that is withdrawn is filed no more."""
    review = review_of((event(EventKind.WITHDRAWN, FRIDAY),))
    with pytest.raises(WrongStage, match="review 1 is withdrawn, filed may not follow") as refused:
        review.record(event(EventKind.FILED), AGENT, CALENDAR)
    assert refused.value.facts == {"review_id": 1}
    assert (review.version, len(review.events)) == (2, 1)


def test_a_commitment_is_verified_although_the_matter_is_decided():
    review = review_of((FILED, event(EventKind.GRANTED_ON_COMMITMENT)))
    review.record(event(EventKind.COMMITMENT_VERIFIED, MONDAY + timedelta(days=1)), AGENT, CALENDAR)
    assert (review.state, review.verified_at is not None) == (ReviewState.GRANTED, True)


def silence_accepts() -> Review:
    review = review_of((FILED,))
    due = review.correction_due_at
    assert due is not None
    silent = event(EventKind.DEEMED_ACCEPTED, in_shanghai(due).date(), due)
    review.record(silent, replace(AGENT, at=due), CALENDAR)
    assert (review.state, review.deemed_accepted) == (ReviewState.ACCEPTED, True)
    return review


@pytest.mark.parametrize(
    ("in_time", "state"),
    [
        (EventKind.ACCEPTED, ReviewState.ACCEPTED),
        (EventKind.SUPPLEMENT_ASKED, ReviewState.SUPPLEMENT),
        (EventKind.NOT_ACCEPTED, ReviewState.NOT_ACCEPTED),
    ],
)
def test_what_was_done_in_time_is_written_down_although_silence_was_taken_for_acceptance(
    in_time: EventKind, state: ReviewState
):
    review = silence_accepts()
    review.record(event(in_time, FRIDAY), AGENT, CALENDAR)
    assert (review.state, review.deemed_accepted) == (state, False)


def test_only_the_answers_that_were_due_count_against_the_silence():
    review = review_of((FILED, ACCEPTED))
    with pytest.raises(WrongStage):
        review.record(event(EventKind.SUPPLEMENT_ASKED), AGENT, CALENDAR)
    assert review.state is ReviewState.ACCEPTED


# ---------------------------------------------------------------- relief


def test_an_event_brings_its_relief_and_takes_it_along_when_it_never_was():
    review = review_of((FILED, event(EventKind.GRANTED_ON_COMMITMENT)))
    assert review.relief is Relief.COMMITMENT
    review.record(None, correcting(2), CALENDAR)
    assert (review.relief, review.state) == (None, ReviewState.SUBMITTED)


def test_relief_that_was_given_otherwise_stays_whatever_is_corrected():
    review = review_of((FILED, ACCEPTED))
    review.relief = Relief.DEFERRED
    review.record(None, correcting(2), CALENDAR)
    assert review.relief is Relief.DEFERRED


def test_relief_stays_while_an_event_that_brings_it_stands():
    simulated = event(EventKind.SIMULATED, FRIDAY)
    review = review_of((simulated, FILED, ACCEPTED))
    review.record(None, correcting(3), CALENDAR)
    assert review.relief is Relief.SIMULATED
    review.relief = None
    assert review.derive(CALENDAR, MONDAY), "relief that an event brings is kept again"
    assert (review.relief, review.derive(CALENDAR, MONDAY)) == (Relief.SIMULATED, False)


# ---------------------------------------------------------------- derived anew


def test_a_special_procedure_is_kept_with_every_word_of_its_notice():
    review = review_of((FILED, ACCEPTED, replace(PAUSED, rule="专家评审办法第七条")))
    (row,) = review.pauses
    assert row.as_pause() == review.story(CALENDAR).pauses()[0]
    assert (row.rule, row.maximum_wd, row.ended_on) == ("专家评审办法第七条", 20, None)
    review.record(event(EventKind.RESUMED), AGENT, CALENDAR)
    assert [pause.ended_on for pause in review.pauses] == [MONDAY]


def test_whatever_is_kept_wrongly_is_found_and_put_right():
    review = review_of((FILED, ACCEPTED, PAUSED))
    right = review.legal_due_at
    review.legal_due_at = TEN
    assert review.derive(CALENDAR, MONDAY)
    assert review.legal_due_at == right
    review.pauses.clear()
    assert review.derive(CALENDAR, MONDAY)
    assert len(review.pauses) == 1


def test_a_limit_that_moved_is_told_with_its_day_before_and_after():
    review = review_of((FILED, ACCEPTED, PAUSED))
    review.case, review.matter = Case(case_no="7"), Matter(short_name="用地规划许可")
    was, later = review.committed_due_at, MONDAY + timedelta(days=30)
    assert derive_review(review, CALENDAR, MONDAY) is None
    moved = derive_review(review, CALENDAR, later)
    assert moved == MovedLimit(1, "7", "用地规划许可", was, review.committed_due_at)
    assert was is not None and moved.now is not None and moved.now > was
    assert derive_review(review, CALENDAR, later) is None
    review.acceptance_no = "错"
    assert derive_review(review, CALENDAR, later) is None, "put right, but no limit moved"
    assert review.acceptance_no == "受1"


# ---------------------------------------------------------------- silence and lamp


def test_silence_accepts_only_once_the_five_days_are_over():
    review = review_of((FILED,))
    due = review.correction_due_at
    assert due is not None
    assert (review.is_deemed_accepted(due), review.is_deemed_accepted(due + timedelta(seconds=1))) == (False, True)
    assert not review_of(()).is_deemed_accepted(due)
    assert not review_of((FILED, ACCEPTED)).is_deemed_accepted(due + timedelta(days=1))


def test_the_lamp_follows_the_promise_which_never_outlasts_the_law():
    review = review_of((FILED, ACCEPTED))
    due = in_shanghai(review.committed_due_at).date()
    clocks = review.clocks()
    assert (clocks.promise.limit, clocks.legal.limit) == (Limit(10), Limit(20))
    assert review.lamp(CALENDAR, noon(FRIDAY)) is Lamp.GREEN
    assert review.lamp(CALENDAR, noon(due)) is Lamp.AMBER
    assert review.lamp(CALENDAR, noon(CALENDAR.next_workday(due))) is Lamp.RED
    assert review_of((FILED,)).lamp(CALENDAR, noon(due + timedelta(days=90))) is Lamp.GREEN
    review.committed_limit = Limit(99)
    assert review.clocks().binding(CALENDAR, MONDAY).limit == Limit(20)


def test_both_clocks_know_the_pauses_the_extension_and_the_decision():
    review = review_of((FILED, ACCEPTED, EXTENDED, PAUSED))
    for clock in (review.clocks().legal, review.clocks().promise):
        assert clock.pauses == (review.pauses[0].as_pause(),)
        assert (clock.extension.working_days, clock.extension.reason) == (10, "技术复杂")
        assert (clock.extension.approved_on, clock.extension.notified_on) == (FRIDAY, FRIDAY)
    decided = review_of((FILED, ACCEPTED, GRANTED))
    assert decided.clocks().legal.decided_at == decided.decided_at is not None
    assert review_of((FILED,)).clocks() == LimitClocks(None, None)


def test_the_last_day_is_said_as_provisional_while_its_year_is_and_not_at_all_before_it_runs():
    review = review_of((FILED, ACCEPTED))
    firm = review.due_words()
    review.is_provisional = True
    assert review.due_words() != firm and "暂定" in review.due_words()
    assert review_of((FILED,)).due_words() == NO_DUE_DATE


# ---------------------------------------------------------------- what a case has of its reviews


def test_a_case_is_due_when_the_last_of_its_reviews_is():
    short, long, waiting = review_of((FILED, ACCEPTED)), review_of((FILED, ACCEPTED, EXTENDED)), review_of((FILED,))
    legal, committed = dates_of([short, long, waiting])
    assert legal == in_shanghai(long.legal_due_at).date() > in_shanghai(short.legal_due_at).date()
    assert committed == in_shanghai(long.committed_due_at).date()
    assert dates_of([waiting]) == dates_of([]) == (None, None)


def test_a_case_is_decided_when_the_last_of_its_reviews_is():
    early = review_of((FILED, ACCEPTED, event(EventKind.GRANTED, FRIDAY)))
    late = review_of((FILED, ACCEPTED, GRANTED))
    assert early.decided_at < late.decided_at
    assert decided_at([late, early]) == late.decided_at
    assert decided_at([late, review_of((FILED, ACCEPTED))]) is None


def test_a_denial_never_reads_as_success():
    granted, denied = review_of((FILED, ACCEPTED, GRANTED)), review_of((FILED, ACCEPTED, DENIED))
    assert outcome_of([granted, granted]) is Outcome.GRANTED
    assert outcome_of([granted, denied]) is Outcome.PARTLY
    assert outcome_of([denied]) is Outcome.DENIED


def stale(*reviews: Review, today: date = MONDAY, **case: object) -> list[str]:
    legal, committed = dates_of(reviews)
    kept = Case(case_no="7", **{"legal_due_on": legal, "committed_due_on": committed, **case})
    return [one.what for one in stale_values(kept, reviews, CALENDAR, today)]


def test_a_case_and_its_reviews_are_stale_where_the_events_say_otherwise():
    review = review_of((FILED, ACCEPTED, PAUSED))
    legal, committed = dates_of([review])
    assert stale(review) == []
    assert stale(review, legal_due_on=MONDAY) == ["legal_due_on"]
    assert stale(review, committed_due_on=MONDAY) == ["committed_due_on"]
    review.receipt_no = "错"
    assert stale(review) == ["review 1 receipt_no"]
    (found,) = stale_values(
        Case(case_no="7", legal_due_on=legal, committed_due_on=committed), [review], CALENDAR, MONDAY
    )
    assert str(found) == "7 review 1 receipt_no: kept 错, derived "
    review.derive(CALENDAR, MONDAY)
    review.pauses.clear()
    assert stale(review) == ["review 1 pauses"]


def test_a_decided_case_is_stale_by_its_moment_or_its_outcome():
    review = review_of((FILED, ACCEPTED, GRANTED))
    right = {"decided_at": review.decided_at, "outcome": Outcome.GRANTED}
    assert stale(review) == stale(review, **right) == []
    assert stale(review, **{**right, "outcome": Outcome.DENIED}) == ["outcome"]
    assert stale(review, **{**right, "decided_at": TEN}) == ["decided_at"]


def test_a_limit_that_the_days_look_has_yet_to_move_is_not_stale_but_one_too_late_is():
    """A special procedure that outlives its end moves the limit day by day: forwards, and only while it is open."""
    review = review_of((FILED, ACCEPTED, PAUSED))
    later = MONDAY + timedelta(days=30)
    assert stale(review, today=later) == []
    right = review.legal_due_at
    review.legal_due_at = right + timedelta(days=60)
    assert "review 1 legal_due_at" in stale(review, today=later)
    review.legal_due_at = None
    assert "review 1 legal_due_at" in stale(review, today=later)
    ended = review_of((FILED, ACCEPTED, PAUSED, event(EventKind.RESUMED)))
    ended.legal_due_at -= timedelta(days=1)
    assert "review 1 legal_due_at" in stale(ended)
    again = event(EventKind.PAUSED, MONDAY, document_no="特2")
    second = review_of((FILED, ACCEPTED, PAUSED, event(EventKind.RESUMED), again))
    assert stale(second, today=later) == [], "one of its special procedures is open"


def test_nothing_that_is_wrong_is_written_down():
    review = review_of((FILED,))
    with pytest.raises(Refused):
        review.record(event(EventKind.ACCEPTED, document_no=""), AGENT, CALENDAR)
    assert (review.state, review.version, len(review.events)) == (ReviewState.SUBMITTED, 2, 1)
