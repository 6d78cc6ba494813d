"""What a matter's events say it is: whatever the order they are written down in, with the limits reckoned apart."""

from datetime import date, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch.cases.recorded_event import Recording, standing_events
from dispatch.cases.review_checks import check_story
from dispatch.cases.review_event import EventFacts, EventKind, ReviewEvent
from dispatch.cases.review_fold import ReviewFacts, ReviewRules, ReviewStory, fold
from dispatch.cases.review_state import ReviewState
from dispatch.core.errors import DispatchError, Refused, WrongStage
from dispatch.core.limit import Limit
from dispatch.core.opening_hours import SeasonHours
from dispatch.core.shanghai_time import in_shanghai, utc
from dispatch.core.working_days import Calendar, PublishedDay
from tests.dispatch.builders import MONDAY, TEN
from tests.dispatch.cases.stories import ACCEPTED, CALENDAR, EXTENDED, FILED, FRIDAY, PAUSED, event, review_of

RULES = ReviewRules(Limit(20), Limit(10))
FIRST = date(2026, 3, 2)
KINDS = [kind for kind in EventKind if kind is not EventKind.VOIDED]


def story(*events: EventFacts, rules: ReviewRules = RULES, calendar: Calendar = CALENDAR) -> ReviewStory:
    return ReviewStory.of(events, rules, calendar)


def workday(n: int) -> date:
    return CALENDAR.add_working_days(FIRST, n)


@st.composite
def possible_stories(draw: st.DrawFn) -> list[EventFacts]:
    """Events that can have happened so, on days or at moments: each drawn event that fits stays."""
    kept: list[EventFacts] = []
    day = 0
    for kind in draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=12)):
        day += draw(st.integers(0, 3))
        on = workday(day)
        at = utc(on, time(9, draw(st.integers(0, 59)))) if draw(st.booleans()) else None
        longer = {"until": workday(day + 5)} if kind in {EventKind.PAUSED, EventKind.GRANTED_ON_COMMITMENT} else {}
        told = {"notified_on": on} if kind is EventKind.EXTENDED else {}
        one = event(kind, on, at, **longer, **told)
        try:
            check_story(story(*kept, one))
        except DispatchError:
            continue
        kept.append(one)
    return kept


@given(possible_stories(), st.randoms(use_true_random=False), st.integers(0, 60))
@settings(max_examples=300, deadline=None)
def test_the_order_of_writing_down_changes_nothing(events, chance, days):
    shuffled = list(events)
    chance.shuffle(shuffled)
    today = workday(40) + timedelta(days=days)
    assert fold(story(*shuffled), today) == fold(story(*events), today)


@given(possible_stories(), st.integers(1, 40), st.integers(1, 20))
@settings(max_examples=200, deadline=None)
def test_the_promise_binds_no_longer_than_the_law_and_alone_where_there_is_none(events, statutory, committed):
    today = workday(60)
    both = fold(story(*events, rules=ReviewRules(Limit(statutory), Limit(committed))), today)
    alone = fold(story(*events, rules=ReviewRules(None, Limit(committed))), today)
    assert alone.legal_due_at is None
    if both.accepted_at is not None:
        assert both.committed_due_at <= both.legal_due_at
        assert (
            alone.committed_due_at
            == fold(story(*events, rules=ReviewRules(Limit(99), Limit(committed))), today).committed_due_at
        )


def written_down(rows: list[tuple[int, EventFacts, int | None]]) -> list[ReviewEvent]:
    return [
        ReviewEvent(
            id=n, review_id=1, kind=facts.kind, happened_on=facts.happened_on, corrects=corrects,
            document_no=facts.document_no, words=facts.words, rule="",
        )
        for n, facts, corrects in rows
    ]  # fmt: skip


def test_a_correction_of_a_correction_gives_the_first_again():
    granted, denied = event(EventKind.GRANTED), event(EventKind.DENIED)
    voided = EventFacts(kind=EventKind.VOIDED, happened_on=MONDAY)
    rows = written_down([(1, granted, None), (2, denied, 1)])
    assert [row.kind for row in standing_events(rows)] == [EventKind.DENIED]
    rows += written_down([(3, granted, 2)])
    assert [row.facts() for row in standing_events(rows)] == [rows[0].facts()]
    rows += written_down([(4, voided, 3)])
    assert standing_events(rows) == []


def test_the_limit_runs_from_the_day_of_the_paper_and_not_from_its_writing_down():
    written_in_the_evening = review_of((FILED,))
    written_in_the_evening.record(ACCEPTED, Recording(at=utc(MONDAY, time(19)), by="agent"), CALENDAR)
    in_time = review_of((FILED, ACCEPTED))
    assert written_in_the_evening.legal_due_at == in_time.legal_due_at
    assert in_shanghai(in_time.committed_due_at).date() == CALENDAR.add_working_days(FRIDAY, 10)
    assert in_time.events[-1].recorded_at > in_time.accepted_at


def test_an_extension_of_the_last_day_may_be_written_down_the_next_morning():
    last = CALENDAR.add_working_days(FRIDAY, 20)
    review = review_of((FILED, ACCEPTED))
    on_the_last_day = event(EventKind.EXTENDED, last)
    review.record(on_the_last_day, Recording(at=utc(last + timedelta(days=1), time(9)), by="agent"), CALENDAR)
    assert in_shanghai(review.legal_due_at).date() == CALENDAR.add_working_days(last, 10)
    too_late = event(EventKind.EXTENDED, CALENDAR.next_workday(last))
    with pytest.raises(Refused, match="run out"):
        review_of((FILED, ACCEPTED)).record(too_late, Recording(at=TEN, by="agent"), CALENDAR)
    told_late = event(EventKind.EXTENDED, last, notified_on=CALENDAR.next_workday(last))
    with pytest.raises(Refused, match="run out"):
        review_of((FILED, ACCEPTED)).record(told_late, Recording(at=TEN, by="agent"), CALENDAR)


def test_of_a_matter_without_events_nothing_is_known():
    assert fold(story(), MONDAY) == ReviewFacts()


def test_what_counts_is_the_last_filing_and_corrections_are_asked_only_until_it_came():
    asked = event(EventKind.SUPPLEMENT_ASKED, FRIDAY)
    again = event(EventKind.FILED, MONDAY, document_no="SL2")
    waiting, refiled = fold(story(FILED, asked), MONDAY), fold(story(FILED, asked, again), MONDAY)
    assert (waiting.state, waiting.correction_asked_at) == (ReviewState.SUPPLEMENT, story(asked).moment(asked))
    assert (refiled.state, refiled.correction_asked_at) == (ReviewState.SUBMITTED, None)
    assert (refiled.receipt_no, refiled.filed_at) == ("SL2", CALENDAR.opens_at(MONDAY))
    assert refiled.correction_words == waiting.correction_words == "缺总平面图"
    assert in_shanghai(refiled.correction_due_at).date() == CALENDAR.add_working_days(MONDAY, 5)


def test_an_acceptance_counts_from_its_own_moment_and_silence_from_the_close_of_the_day_of_filing():
    at = utc(MONDAY, time(10, 7))
    assert fold(story(FILED, event(EventKind.ACCEPTED, MONDAY, at)), MONDAY).accepted_at == at
    assert fold(story(FILED, silence(FILED)), MONDAY).accepted_at == CALENDAR.closes_at(FRIDAY)


def test_the_authority_is_in_time_until_the_very_moment_at_which_silence_accepts():
    silent = silence(FILED)
    at_the_moment = {"on": silent.happened_on, "at": silent.happened_at}
    just_after = {"on": silent.happened_on, "at": silent.happened_at + timedelta(seconds=1)}
    check_story(story(FILED, silent, event(EventKind.ACCEPTED, **at_the_moment)))
    check_story(story(FILED, event(EventKind.SUPPLEMENT_ASKED, **at_the_moment)))
    for late in (
        (FILED, silent, event(EventKind.ACCEPTED, **just_after)),
        (FILED, event(EventKind.SUPPLEMENT_ASKED, **just_after)),
    ):
        with pytest.raises((WrongStage, Refused)):
            check_story(story(*late))


def test_where_the_law_sets_no_limit_an_extension_comes_at_any_time():
    late = event(EventKind.EXTENDED, CALENDAR.add_working_days(FRIDAY, 60))
    check_story(story(FILED, ACCEPTED, late, rules=ReviewRules(None, Limit(10))))
    with pytest.raises(Refused, match="run out"):
        check_story(story(FILED, ACCEPTED, late))


def test_silence_is_counted_from_the_last_filing():
    asked = event(EventKind.SUPPLEMENT_ASKED, FRIDAY)
    again = event(EventKind.FILED, CALENDAR.add_working_days(FRIDAY, 3))
    accepted = event(EventKind.ACCEPTED, CALENDAR.add_working_days(FRIDAY, 7))
    check_story(story(FILED, asked, again, silence(again), accepted))
    facts = fold(story(FILED, asked, again, silence(again)), MONDAY)
    assert facts.accepted_at == CALENDAR.closes_at(again.happened_on)


def silence(filed: EventFacts) -> EventFacts:
    due = in_shanghai(story(filed).correction_due_at(filed))
    return event(EventKind.DEEMED_ACCEPTED, due.date(), due)


def test_what_the_authority_did_in_time_outranks_the_silence_that_was_presumed():
    silent = fold(story(FILED, silence(FILED)), MONDAY)
    assert (silent.state, silent.deemed_accepted) == (ReviewState.ACCEPTED, True)
    asked = event(EventKind.SUPPLEMENT_ASKED, CALENDAR.add_working_days(FRIDAY, 5))
    assert fold(story(FILED, silence(FILED), asked), MONDAY).state is ReviewState.SUPPLEMENT
    written = fold(story(FILED, silence(FILED), ACCEPTED), MONDAY)
    assert (written.deemed_accepted, written.acceptance_no) == (False, "受1")
    refused = event(EventKind.NOT_ACCEPTED, MONDAY)
    assert fold(story(FILED, silence(FILED), refused), MONDAY).state is ReviewState.NOT_ACCEPTED
    late = event(EventKind.ACCEPTED, CALENDAR.add_working_days(FRIDAY, 6))
    with pytest.raises(WrongStage, match="silence"):
        check_story(story(FILED, silence(FILED), late))


def test_silence_accepts_no_sooner_than_the_calendar_of_today_says():
    """A day off that is published later gives the authority its day back."""
    holiday = {on: on != CALENDAR.add_working_days(FRIDAY, 3) for on in _days_of(2026)}
    later = Calendar.of(_published(holiday))
    assert fold(story(FILED, silence(FILED)), MONDAY).state is ReviewState.ACCEPTED
    assert fold(story(FILED, silence(FILED), calendar=later), MONDAY).state is ReviewState.SUBMITTED


def _days_of(year: int) -> list[date]:
    return [date(year, 1, 1) + timedelta(days=n) for n in range(365)]


def _published(open_on: dict[date, bool]) -> list:
    days = [PublishedDay(on, CALENDAR.is_workday(on) and is_open) for on, is_open in open_on.items()]
    return days + [PublishedDay(on, CALENDAR.is_workday(on)) for on in _days_of(2027)]


def test_a_counter_that_closes_later_takes_in_what_others_count_for_tomorrow():
    late = SeasonHours(sessions=((time(9), time(18)),), centre="SC065")
    calendar = Calendar(
        workdays=CALENDAR.workdays, years=CALENDAR.years, hours=(*CALENDAR.hours, late), _lookup=CALENDAR._lookup
    )
    filed = event(EventKind.FILED, MONDAY, utc(MONDAY, time(17, 30)))
    due = [
        in_shanghai(
            fold(
                story(filed, rules=ReviewRules(Limit(20), Limit(10), False, centre), calendar=calendar), MONDAY
            ).correction_due_at
        )
        for centre in ("SC065", None)
    ]
    assert due[0].date() == CALENDAR.add_working_days(MONDAY, 5) and due[0].time() == time(18)
    assert due[1].date() == CALENDAR.add_working_days(MONDAY, 6) and due[1].time() == time(17)


def test_a_special_procedure_that_outlives_its_expected_end_moves_the_limit_day_by_day_up_to_its_maximum():
    paused = story(FILED, ACCEPTED, PAUSED)
    ends = [fold(paused, MONDAY + timedelta(days=n)).committed_due_at for n in (0, 9, 16, 60, 90)]
    assert ends[0] == ends[1] < ends[2] < ends[3] == ends[4]


IMPOSSIBLE = {
    "accepted before it was filed": (FILED, event(EventKind.ACCEPTED, FRIDAY - timedelta(days=1))),
    "accepted without the number of the notice": (FILED, event(EventKind.ACCEPTED, document_no=" ")),
    "accepted before it was filed again": (
        FILED, event(EventKind.SUPPLEMENT_ASKED, FRIDAY), event(EventKind.FILED, MONDAY + timedelta(days=1)),
        event(EventKind.ACCEPTED),
    ),
    "accepted twice": (FILED, ACCEPTED, event(EventKind.ACCEPTED)),
    "accepted and never filed": (ACCEPTED,),
    "accepted while corrections are awaited": (FILED, event(EventKind.SUPPLEMENT_ASKED), event(EventKind.ACCEPTED)),
    "corrections asked twice": (FILED, event(EventKind.SUPPLEMENT_ASKED), event(EventKind.SUPPLEMENT_ASKED)),
    "corrections without a word": (FILED, event(EventKind.SUPPLEMENT_ASKED, words=" ")),
    "corrections before the filing": (event(EventKind.FILED), event(EventKind.SUPPLEMENT_ASKED, FRIDAY)),
    "corrections after the five days": (
        FILED, event(EventKind.SUPPLEMENT_ASKED, CALENDAR.add_working_days(FRIDAY, 6)),
    ),
    "filed twice": (FILED, event(EventKind.FILED)),
    "filed again before corrections were asked": (
        FILED, event(EventKind.SUPPLEMENT_ASKED), event(EventKind.FILED, FRIDAY - timedelta(days=1)),
    ),
    "paused before the acceptance": (FILED, event(EventKind.ACCEPTED), PAUSED),
    "paused and never accepted": (FILED, PAUSED),
    "paused twice at once": (FILED, ACCEPTED, PAUSED, event(EventKind.PAUSED)),
    "paused without a notice": (FILED, ACCEPTED, event(EventKind.PAUSED, document_no="")),
    "resumed and never paused": (FILED, ACCEPTED, event(EventKind.RESUMED)),
    "extended twice": (FILED, ACCEPTED, EXTENDED, event(EventKind.EXTENDED)),
    "extended without a reason": (FILED, ACCEPTED, event(EventKind.EXTENDED, words="")),
    "told before it was approved": (FILED, ACCEPTED, event(EventKind.EXTENDED, notified_on=FRIDAY)),
    "decided twice": (FILED, ACCEPTED, event(EventKind.GRANTED), event(EventKind.DENIED)),
    "decided before the acceptance": (FILED, event(EventKind.ACCEPTED), event(EventKind.GRANTED, FRIDAY)),
    "decided while a special procedure stands": (FILED, ACCEPTED, PAUSED, event(EventKind.GRANTED)),
    "decided before a special procedure was over": (
        FILED, ACCEPTED, PAUSED, event(EventKind.RESUMED), event(EventKind.GRANTED, FRIDAY),
    ),
    "granted at once though no same-day matter": (FILED, event(EventKind.GRANTED)),
    "denied without reasons": (FILED, ACCEPTED, event(EventKind.DENIED, words="")),
    "not accepted without reasons": (FILED, event(EventKind.NOT_ACCEPTED, words="")),
    "not accepted after the acceptance": (FILED, ACCEPTED, event(EventKind.NOT_ACCEPTED)),
    "granted on a commitment that is verified at once": (
        FILED, event(EventKind.GRANTED_ON_COMMITMENT, until=MONDAY),
    ),
    "verified though granted without a commitment": (
        FILED, ACCEPTED, event(EventKind.GRANTED), event(EventKind.COMMITMENT_VERIFIED),
    ),
    "verified and never decided": (FILED, event(EventKind.COMMITMENT_VERIFIED)),
    "verified twice": (
        FILED, event(EventKind.GRANTED_ON_COMMITMENT), event(EventKind.COMMITMENT_VERIFIED),
        event(EventKind.DECISION_REVOKED),
    ),
    "verified before the decision": (
        FILED, event(EventKind.GRANTED_ON_COMMITMENT), event(EventKind.COMMITMENT_VERIFIED, FRIDAY),
    ),
    "withdrawn and decided": (FILED, ACCEPTED, event(EventKind.WITHDRAWN), event(EventKind.GRANTED)),
    "simulated after it was filed": (FILED, event(EventKind.SIMULATED)),
    "simulated twice": (event(EventKind.SIMULATED, FRIDAY), event(EventKind.SIMULATED)),
    "withdrawn twice": (FILED, event(EventKind.WITHDRAWN), event(EventKind.WITHDRAWN, words="再撤")),
    "extended by no days": (FILED, ACCEPTED, event(EventKind.EXTENDED, FRIDAY, working_days=None)),
    "extended by less than nothing": (FILED, ACCEPTED, event(EventKind.EXTENDED, FRIDAY, working_days=-1)),
    "paused without its kind": (FILED, ACCEPTED, event(EventKind.PAUSED, FRIDAY, pause_kind=None)),
    "paused without an end": (FILED, ACCEPTED, event(EventKind.PAUSED, FRIDAY, until=None)),
    "paused without a maximum": (FILED, ACCEPTED, event(EventKind.PAUSED, FRIDAY, maximum_wd=None)),
}  # fmt: skip


@pytest.mark.parametrize("events", IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_what_cannot_have_happened_is_refused(events):
    with pytest.raises((WrongStage, Refused)):
        check_story(story(*events))


@pytest.mark.parametrize("events", IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_what_cannot_have_happened_is_not_written_down(events):
    with pytest.raises((WrongStage, Refused)):
        review_of(events)
