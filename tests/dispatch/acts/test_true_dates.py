"""The dates on the papers: written down late or wrongly, moved by a calendar; everybody is told right."""

from dataclasses import replace
from datetime import date, time, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

import db
from dispatch.acts.act import perform
from dispatch.acts.correcting import CorrectEvent
from dispatch.acts.daily_rules import AcceptBySilence
from dispatch.acts.deciding import DenyReview
from dispatch.acts.deriving import DeriveLimits, DeriveObligations, ExtendRunningPauses
from dispatch.acts.importing import ImportCalendar
from dispatch.acts.pausing import PauseNotice
from dispatch.acts.recording import Happening
from dispatch.cases.case import CaseEvent, Outcome
from dispatch.cases.derived import differences
from dispatch.cases.duration_training import PromiseRecord
from dispatch.cases.lookups import reviews_of
from dispatch.cases.review_event import EventKind
from dispatch.cases.review_state import ReviewState
from dispatch.cases.stages import Stage
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.catalogue.imports import CALENDAR_FILE
from dispatch.core.actor import SYSTEM, Actor
from dispatch.core.errors import NotFound, Refused, Stale, WrongStage
from dispatch.core.limit import Limit
from dispatch.core.shanghai_time import in_shanghai, utc
from dispatch.core.special_procedure import PauseKind
from dispatch.path.edits import Relief
from notifications.message import Message, State
from notifications.outbox import TAKEN_BACK
from tests.dispatch import steps
from tests.dispatch.builders import MONDAY, TEN, a_prescreened_case, take_off
from web.wiring.accounts import Account

FRIDAY = MONDAY - timedelta(days=3)
THURSDAY = MONDAY - timedelta(days=4)


@pytest.fixture
def filed(county):
    """A case of one matter without originals to collect, filed on Friday morning."""
    case, _ = a_prescreened_case(county, matters=("IND-107",))
    case.stage = Stage.COLLECTED
    steps.submit(county.session, case, receipts={}, by=county.agent_viewer(), at=TEN, when=Happening(on=FRIDAY))
    return case


@pytest.fixture
def review(county, filed):
    return reviews_of(county.session, filed)[0]


def told(session, text: str) -> list[Message]:
    return list(session.scalars(select(Message).where(Message.text_name == text)))


def acting(county, actor: Actor) -> Actor:
    """The actor with an account to act by."""
    account = Account(role=actor.role, name=actor.name)
    county.session.add(account)
    county.session.flush()
    return replace(actor, account_id=account.id)


@pytest.fixture
def lead(county):
    return acting(county, county.lead)


@pytest.fixture
def agent(county):
    return acting(county, county.agent_viewer())


def workday(county, start: date, days: int) -> date:
    return calendar_of(county.session).add_working_days(start, days)


def test_what_is_written_down_later_counts_from_the_day_of_the_paper(county, review):
    steps.accept(county.session, review, notice_no="受1", by=county.agent_viewer(), at=TEN, when=Happening(on=FRIDAY))
    assert in_shanghai(review.committed_due_at).date() == workday(county, FRIDAY, review.committed_limit.days)
    (event,) = [e for e in review.events if e.kind is EventKind.ACCEPTED]
    assert (event.happened_on, event.recorded_at, event.recorded_by) == (FRIDAY, TEN, county.agent_viewer().label)


def test_a_paper_of_tomorrow_is_refused(county, review):
    tomorrow = Happening(on=MONDAY + timedelta(days=1))
    with pytest.raises(Refused, match="still to come"):
        steps.accept(county.session, review, notice_no="受1", by=county.agent_viewer(), at=TEN, when=tomorrow)
    later_today = Happening(on=MONDAY, second=11 * 3600)
    with pytest.raises(Refused, match="still to come"):
        steps.accept(county.session, review, notice_no="受1", by=county.agent_viewer(), at=TEN, when=later_today)


def test_a_paper_of_more_than_a_working_day_ago_needs_a_reason(county, review):
    at = utc(workday(county, MONDAY, 1), time(10))
    with pytest.raises(Refused, match="without a reason"):
        steps.accept(
            county.session, review, notice_no="受1", by=county.agent_viewer(), at=at, when=Happening(on=FRIDAY)
        )
    why = Happening(on=FRIDAY, late_reason="通知书周一才收到")
    steps.accept(county.session, review, notice_no="受1", by=county.agent_viewer(), at=at, when=why)
    assert review.events[-1].late_reason == "通知书周一才收到"


def accepted(county, review, by: Actor | None = None) -> None:
    steps.accept(
        county.session, review, notice_no="受1", by=by or county.agent_viewer(), at=TEN, when=Happening(on=FRIDAY)
    )


def denied_by_mistake(county, review) -> int:
    accepted(county, review)
    steps.decide(
        county.session, review, outcome=ReviewState.DENIED, decision_no="不1", reason="录入错误",
        by=county.agent_viewer(), at=TEN,
    )  # fmt: skip
    return review.events[-1].id


def heard(session) -> None:
    """Whatever waited has gone out."""
    for message in session.scalars(select(Message).where(Message.state == State.QUEUED)):
        message.become(State.SENT)
    session.flush()


def test_a_denial_written_down_by_mistake_leaves_no_trace_of_a_denial(county, filed, review, lead):
    event_id = denied_by_mistake(county, review)
    heard(county.session)
    assert (filed.stage, filed.outcome) == (Stage.DECIDED, Outcome.DENIED)
    right = CorrectEvent(
        review=review.id, event=event_id, reason="看错了事项", turns_out_as=EventKind.GRANTED, notice_no="准1"
    )
    perform(county.session, right, lead)
    assert (review.state, review.decision_no, filed.outcome) == (ReviewState.GRANTED, "准1", Outcome.GRANTED)
    (notice,) = told(county.session, "record_corrected")
    assert notice.values["result"] == "准予许可"
    line = county.session.scalars(select(CaseEvent).where(CaseEvent.kind == "record_corrected")).one()
    assert "看错了事项" in line.words and not line.internal


@pytest.mark.parametrize("turns_out_as", [EventKind.GRANTED, None])
def test_a_wrong_denial_that_nobody_has_heard_is_never_told(county, review, lead, turns_out_as):
    event_id = denied_by_mistake(county, review)
    right = CorrectEvent(
        review=review.id, event=event_id, reason="看错了事项", turns_out_as=turns_out_as, never_was=turns_out_as is None
    )
    perform(county.session, right, lead)
    (denial,) = told(county.session, "denied")
    assert (denial.state, denial.reason) == (State.SUPPRESSED, TAKEN_BACK)
    assert told(county.session, "record_corrected") == []
    assert [m.state for m in told(county.session, "decided")] == ([State.QUEUED] if turns_out_as else [])


@pytest.mark.parametrize("is_heard", [True, False])
def test_a_denial_that_comes_after_all_is_told_again(county, review, lead, is_heard):
    event_id = denied_by_mistake(county, review)
    if is_heard:
        heard(county.session)
    perform(county.session, CorrectEvent(review=review.id, event=event_id, reason="没有这份文书", never_was=True), lead)
    steps.decide(
        county.session, review, outcome=ReviewState.DENIED, decision_no="不2", reason="不符合规划",
        by=county.agent_viewer(), at=TEN,
    )  # fmt: skip
    first, second = told(county.session, "denied")
    assert first.state is (State.SENT if is_heard else State.SUPPRESSED)
    assert second.state is State.QUEUED


def test_a_decision_that_never_was_opens_the_case_again(county, filed, review, lead):
    event_id = denied_by_mistake(county, review)
    perform(
        county.session,
        CorrectEvent(review=review.id, event=event_id, reason="没有这份文书", never_was=True),
        county.lead,
    )
    assert (review.state, review.decided_at, review.decision_reason) == (ReviewState.ACCEPTED, None, None)
    assert (filed.stage, filed.outcome, filed.decided_at) == (Stage.UNDER_REVIEW, None, None)
    steps.decide(
        county.session, review, outcome=ReviewState.GRANTED, decision_no="准1", by=county.agent_viewer(), at=TEN
    )
    assert (filed.stage, filed.outcome) == (Stage.DECIDED, Outcome.GRANTED)


def test_a_case_that_is_open_again_teaches_no_duration(county, filed, review, lead):
    event_id = denied_by_mistake(county, review)
    judged = select(PromiseRecord.took_wd).where(PromiseRecord.case_id == filed.id, PromiseRecord.took_wd.is_not(None))
    assert county.session.scalars(judged).all() != []
    never = CorrectEvent(review=review.id, event=event_id, reason="没有这份文书", never_was=True)
    perform(county.session, never, lead)
    assert county.session.scalars(judged).all() == []


def test_a_relief_goes_with_the_event_that_brought_it(county, lead):
    case, _ = a_prescreened_case(county, matters=("IND-108",))
    review = reviews_of(county.session, case)[0]
    steps.simulate_review(county.session, review, by=county.agent_viewer(), at=TEN)
    assert review.relief is Relief.SIMULATED
    never = CorrectEvent(review=review.id, event=review.events[-1].id, reason="没有模拟审批", never_was=True)
    perform(county.session, never, lead)
    assert (review.state, review.relief) == (ReviewState.PREPARED, None)


def test_a_correction_is_corrected_back_to_what_was_first(county, review, lead):
    accepted(county, review)
    first, due = review.events[-1], review.legal_due_at
    wrong = CorrectEvent(review=review.id, event=first.id, reason="日期看错", on=MONDAY)
    perform(county.session, wrong, lead)
    assert review.legal_due_at > due
    back = CorrectEvent(review=review.id, event=review.events[-1].id, reason="原来是对的", on=FRIDAY)
    perform(county.session, back, lead)
    assert (review.legal_due_at, len(review.standing_events())) == (due, 2)
    with pytest.raises(WrongStage, match="already"):
        perform(county.session, wrong, lead)


def test_a_correction_moves_no_event_before_what_it_follows(county, review, lead):
    accepted(county, review)
    before_filing = CorrectEvent(review=review.id, event=review.events[-1].id, reason="日期看错", on=THURSDAY)
    with pytest.raises(Refused, match="comes before"):
        perform(county.session, before_filing, lead)
    nothing = CorrectEvent(review=review.id, event=review.events[-1].id, reason="看错")
    with pytest.raises(Refused, match="nothing is corrected"):
        perform(county.session, nothing, lead)


def test_an_agent_corrects_what_the_agent_wrote_down_today_and_nothing_else(county, review, lead, agent):
    accepted(county, review, agent)
    right = CorrectEvent(review=review.id, event=review.events[-1].id, reason="号码看错", notice_no="受2")
    perform(county.session, right, agent)
    assert review.acceptance_no == "受2"
    db.set_clock(county.session, TEN + timedelta(days=1))
    again = CorrectEvent(review=review.id, event=review.events[-1].id, reason="号码看错", notice_no="受3")
    with pytest.raises(Refused, match="lead"):
        perform(county.session, again, agent)
    perform(county.session, again, lead)


def test_an_event_of_another_review_is_not_there(county, review, lead):
    accepted(county, review)
    other, _ = a_prescreened_case(county, matters=("IND-104",), phone="+8613812345679", name="别的有限公司")
    elsewhere = reviews_of(county.session, other)[0]
    with pytest.raises(NotFound):
        perform(
            county.session,
            CorrectEvent(review=elsewhere.id, event=review.events[-1].id, reason="试一试", never_was=True),
            lead,
        )


def test_who_saw_an_older_state_is_refused(county, review, lead):
    seen = review.version
    accepted(county, review)
    with pytest.raises(Stale):
        perform(county.session, DenyReview(review=review.id, version=seen, words="理由"), lead)


def test_a_holiday_that_is_published_later_moves_every_open_limit_and_tells_whom_it_makes_wait(
    county, filed, review, tmp_path: Path
):
    accepted(county, review)
    was, off = review.committed_due_at, workday(county, MONDAY, 1)
    take_off(county.session, tmp_path, off)
    portion = perform(county.session, DeriveLimits(), SYSTEM)
    assert [(moved.case_no, moved.was) for moved in portion.moved] == [(filed.case_no, was)]
    assert in_shanghai(review.committed_due_at).date() == workday(county, in_shanghai(was).date(), 1)
    assert filed.committed_due_on == in_shanghai(review.committed_due_at).date()
    assert [notice.values["reason"] for notice in told(county.session, "late")][-1] == "工作日历或作息时间调整"
    perform(county.session, ImportCalendar(CALENDAR_FILE), SYSTEM)
    perform(county.session, DeriveLimits(), SYSTEM)
    perform(county.session, DeriveObligations(), SYSTEM)
    assert review.committed_due_at == was


def test_a_holiday_that_moves_the_limit_by_law_alone_moves_the_case_too(county, filed, review, tmp_path: Path):
    review.statutory_limit = Limit(30)
    accepted(county, review)
    committed, legal = review.committed_due_at, review.legal_due_at
    take_off(county.session, tmp_path, in_shanghai(legal).date())
    perform(county.session, DeriveLimits(), SYSTEM)
    perform(county.session, DeriveObligations(), SYSTEM)
    assert review.committed_due_at == committed
    assert filed.legal_due_on == in_shanghai(review.legal_due_at).date() > in_shanghai(legal).date()


def test_silence_accepts_no_sooner_than_the_published_calendar_says(county, review, tmp_path: Path):
    """The limit that is kept is of the calendar before; nobody has folded it anew yet."""
    due = in_shanghai(review.correction_due_at).date()
    take_off(county.session, tmp_path, due)
    db.set_clock(county.session, utc(due, time(20)))
    assert perform(county.session, AcceptBySilence(), SYSTEM) == 0
    assert review.state is ReviewState.SUBMITTED
    db.set_clock(county.session, utc(workday(county, due, 1), time(20)))
    assert perform(county.session, AcceptBySilence(), SYSTEM) == 1
    assert review.deemed_accepted
    perform(county.session, DeriveObligations(), SYSTEM)


def test_a_special_procedure_that_runs_over_moves_the_promise_each_day(county, filed, review):
    accepted(county, review)
    notice = PauseNotice(PauseKind.EXPERT_REVIEW, "评1", workday(county, MONDAY, 2), maximum_wd=5)
    steps.pause(county.session, review, notice, by=county.agent_viewer(), at=TEN)
    ends = []
    for days in (2, 3, 4, 5, 6):
        db.set_clock(county.session, utc(workday(county, MONDAY, days), time(9)))
        perform(county.session, ExtendRunningPauses(), SYSTEM)
        ends.append(in_shanghai(review.committed_due_at).date())
    assert ends[0] < ends[1] < ends[2] == ends[3] == ends[4]  # five days at most, then the authority counts again
    assert filed.committed_due_on == ends[-1]


def test_what_is_kept_otherwise_than_the_events_say_is_named(county, filed, review):
    accepted(county, review)
    right = review.legal_due_at
    review.legal_due_at = right + timedelta(days=1)
    county.session.flush()
    found = [str(difference) for difference in differences(county.session, at=TEN)]
    assert [line for line in found if filed.case_no in line and "legal_due_at" in line]
    row = reviews_of(county.session, county.session.merge(filed))[0]
    row.legal_due_at = right
    county.session.flush()
