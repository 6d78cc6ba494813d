"""The expected date of a case in the database: said, kept, said anew, judged, learned from."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from dispatch.acts.pausing import PauseNotice
from dispatch.cases import duration_training, expected_dates, lookups
from dispatch.cases.case import CaseEvent, Way
from dispatch.cases.duration_training import FittedDurations, PromiseRecord
from dispatch.cases.project import Project
from dispatch.cases.review_state import ReviewState
from dispatch.cases.stages import Stage
from dispatch.core.special_procedure import PauseKind
from dispatch.views import inbox_page
from notifications.message import Message
from tests.dispatch import steps
from tests.dispatch.builders import TEN, a_prescreened_case, a_request

DAY = timedelta(days=1)


def under_review(county, **more):
    """A case whose matters were all accepted on Monday at ten."""
    case, viewer = a_prescreened_case(county, pickup_way=Way.ELECTRONIC, **more)
    steps.submit(county.session, case, receipts={}, by=county.agent_viewer(), at=TEN)
    for review in lookups.reviews_of(county.session, case):
        steps.accept(county.session, review, notice_no=f"受{review.id}", by=county.agent_viewer(), at=TEN)
    county.session.flush()
    return case, viewer


def promises(session, case):
    session.flush()
    return session.scalars(
        select(PromiseRecord).where(PromiseRecord.case_id == case.id).order_by(PromiseRecord.id)
    ).all()


def late_notices(session):
    session.flush()
    return session.scalars(select(Message).where(Message.text_name == "late")).all()


def test_a_case_under_review_has_a_date_with_its_probability_and_a_risk(county):
    case, _ = under_review(county)
    assert case.expected_on > TEN.date()
    assert 0.85 <= case.expected_share <= 1
    assert 0 < case.miss_probability <= 0.15
    assert case.advice
    assert case.advised_probability < case.miss_probability
    first, *_ = promises(county.session, case)
    assert first.is_yardstick
    assert first.kept == sorted(first.kept)
    assert not first.is_from_cases


def test_a_look_that_moves_nothing_says_nothing(county):
    case, _ = under_review(county)
    said = len(promises(county.session, case))
    assert expected_dates.renew(county.session, case, at=TEN) is None
    assert len(promises(county.session, case)) == said
    assert not late_notices(county.session)


def test_time_that_passes_without_a_decision_moves_the_date_and_the_enterprise_is_told_once(county):
    case, _ = under_review(county)
    was, risk = case.expected_on, case.miss_probability
    told = len(late_notices(county.session))
    later = TEN + 14 * DAY
    said = expected_dates.renew(county.session, case, at=later)
    assert said.expected_on > was
    assert case.expected_on == said.expected_on
    assert case.miss_probability > risk  # still measured by what was first said
    assert not said.is_yardstick
    assert expected_dates.renew(county.session, case, at=later) is None
    assert len(late_notices(county.session)) == told + 1
    line = county.session.scalars(select(CaseEvent).where(CaseEvent.kind == "promise")).all()[-1]
    assert "预计办结由" in line.words


def test_a_special_procedure_moves_the_date_and_what_the_case_is_measured_by(county):
    case, _ = under_review(county)
    was, told = case.expected_on, len(late_notices(county.session))
    review = lookups.reviews_of(county.session, case)[-1]
    pause = PauseNotice(PauseKind.EXPERT_REVIEW, "评1", date(2026, 12, 22), maximum_wd=30)
    steps.pause(county.session, review, pause, by=county.agent_viewer(), at=TEN)
    assert case.expected_on > was
    assert promises(county.session, case)[-1].is_yardstick
    assert case.miss_probability <= 0.2
    assert len(late_notices(county.session)) == told  # the notice of the pause said it


def test_a_decided_case_is_judged_and_bears_no_risk(county):
    case, _ = under_review(county)
    for review in lookups.reviews_of(county.session, case):
        steps.decide(
            county.session, review, outcome=ReviewState.GRANTED, decision_no="准1", by=county.agent_viewer(),
            at=TEN + 3 * DAY,
        )  # fmt: skip
    assert case.stage is Stage.DECIDED
    assert case.miss_probability is None
    judged = [p for p in promises(county.session, case) if p.took_wd is not None]
    assert [(p.took_wd, p.is_yardstick) for p in judged] == [(3, True)]


def test_what_was_decided_teaches_and_the_next_promise_cites_it(county):
    case, _ = under_review(county)
    for review in lookups.reviews_of(county.session, case):
        steps.decide(
            county.session, review, outcome=ReviewState.GRANTED, decision_no="准1", by=county.agent_viewer(),
            at=TEN + DAY,
        )  # fmt: skip
    county.session.flush()
    before = duration_training.trained_forecast(county.session).durations
    lesson = duration_training.fit_durations(county.session, at=TEN + 2 * DAY)
    assert lesson.matters == 2
    assert lesson.promises == 1
    after = duration_training.trained_forecast(county.session).durations
    node = duration_training.all_matters(county.session)["IND-104"]
    authority = lookups.reviews_of(county.session, case)[0].authority
    assert after.of(node, authority, "320400000000").cases == 1
    assert after.of(node, authority).mu < before.of(node, authority).mu
    assert duration_training.fitted_today(county.session, at=TEN + 2 * DAY)
    assert not duration_training.fitted_today(county.session, at=TEN + 3 * DAY)


def test_old_lessons_are_forgotten(county):
    for _ in range(duration_training.KEPT_LESSONS + 2):
        duration_training.fit_durations(county.session, at=TEN)
    assert len(county.session.scalars(select(FittedDurations)).all()) == duration_training.KEPT_LESSONS


def test_each_open_case_is_due_once_a_day(county):
    case, _ = a_request(county)
    county.session.flush()
    assert expected_dates.due(county.session, at=TEN, limit=10) == [case.id]
    assert expected_dates.renew_many(county.session, [case.id], at=TEN) == 1
    county.session.flush()
    assert expected_dates.due(county.session, at=TEN, limit=10) == []
    assert expected_dates.due(county.session, at=TEN + DAY, limit=10) == [case.id]
    assert case.expected_on is not None


def test_the_inbox_puts_the_likeliest_to_be_missed_first_and_says_what_to_do(county):
    case, _ = under_review(county)
    expected_dates.renew(county.session, case, at=TEN + 14 * DAY)
    project = county.session.get_one(Project, case.project_id)
    calm = steps.open_case(county.session, project, matters=("IND-301",), by=county.lead, at=TEN + 14 * DAY)
    expected_dates.renew(county.session, calm, at=TEN + 14 * DAY)
    county.session.flush()
    assert case.miss_probability > calm.miss_probability
    lines = inbox_page.inbox(county.session, county.lead, at=TEN + 14 * DAY).lines
    assert [line.case_no for line in lines] == [case.case_no, calm.case_no]
    assert lines[0].risk == pytest.approx(case.miss_probability)
    assert lines[0].advice == (case.advice or "")
