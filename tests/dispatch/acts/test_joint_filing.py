"""Joint filing: one form, one number, one day, one place for several matters; the group's cap limits each of them."""

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from dispatch.acts.act import perform
from dispatch.acts.answering_facts import AnswerFacts
from dispatch.acts.correcting import CorrectEvent
from dispatch.acts.joint_filing import FileJointly, JointFilingResult
from dispatch.acts.pausing import PauseNotice
from dispatch.cases.case import Case, CaseEvent, Way
from dispatch.cases.derived import differences
from dispatch.cases.lookups import reviews_of
from dispatch.cases.project_path import project_path
from dispatch.cases.review import Review
from dispatch.cases.review_event import EventKind
from dispatch.cases.review_state import ReviewState
from dispatch.cases.stages import Stage
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.core.actor import Actor
from dispatch.core.errors import Refused, Stale, WrongStage
from dispatch.core.limit import Limit
from dispatch.core.shanghai_time import in_shanghai
from dispatch.core.special_procedure import PauseKind
from dispatch.views.case_resource import case_detail
from dispatch.views.enterprise_case import case_page
from dispatch.views.team_case import case_page as team_case_page
from dispatch.views.team_projects import project_page
from notifications.message import Message
from tests.dispatch import steps
from tests.dispatch.builders import MONDAY, TEN, County, a_prescreened_case, acting

DAY = timedelta(days=1)
FRIDAY = MONDAY - 3 * DAY
DRAWINGS = ("IND-301", "IND-302", "IND-303")


@pytest.fixture
def agent(county: County) -> Actor:
    return acting(county, county.agent_viewer())


def a_case(county: County, *matters: str) -> tuple[Case, Actor]:
    return a_prescreened_case(county, matters=matters, pickup_way=Way.ELECTRONIC)


def file(county: County, case: Case, by: Actor, *matters: str, group: str = "DRAW", **more: Any) -> JointFilingResult:
    command = FileJointly(
        project=case.project.project_no, group=group, matters=matters, **{"form_number": "联2026-7", **more}
    )
    return perform(county.session, command, by, at=TEN)


def matter(county: County, case: Case, code: str) -> Review:
    return next(review for review in reviews_of(county.session, case) if review.matter.code == code)


def workday(county: County, start: date, days: int) -> date:
    """So many working days later, counted one at a time."""
    calendar, on = calendar_of(county.session), start
    while days:
        on += DAY
        days -= calendar.is_workday(on)
    return on


def due(review: Review) -> date:
    assert review.committed_due_at is not None
    return in_shanghai(review.committed_due_at).date()


def kept_is_derived(county: County) -> None:
    county.session.flush()
    assert [str(one) for one in differences(county.session, at=TEN + 9 * DAY)] == []


def test_one_form_is_one_number_one_day_and_one_place(county: County, agent: Actor) -> None:
    case, viewer = a_case(county, *DRAWINGS)
    done = file(county, case, agent, *DRAWINGS, on=FRIDAY, place="武进区政务服务中心联审窗口")
    reviews = reviews_of(county.session, case)
    assert {review.state for review in reviews} == {ReviewState.SUBMITTED}
    events = [review.events[-1] for review in reviews]
    assert {(e.document_no, e.happened_on, e.words, e.joint_group) for e in events} == {
        ("联2026-7", FRIDAY, "武进区政务服务中心联审窗口", "DRAW")
    }
    assert {(review.joint_group, review.joint_no) for review in reviews} == {("DRAW", "联2026-7")}
    assert (done.filed_on, done.due_on, done.matters) == (FRIDAY, workday(county, FRIDAY, 7), DRAWINGS)
    assert case.stage is Stage.SUBMITTED
    lines = county.session.scalars(select(CaseEvent.words).where(CaseEvent.case_id == case.id)).all()
    assert any("多图联审一表报送（表号联2026-7" in words for words in lines)
    sent = county.session.scalars(select(Message.text_name).where(Message.case_id == case.id)).all()
    assert sent.count("submitted") == 1
    for page in (
        case_page(county.session, viewer, case.case_no, at=TEN).matters[0].joint,
        team_case_page(county.session, agent, case.case_no, at=TEN).reviews[0].joint,
    ):
        assert "多图联审一表报送，表号联2026-7，全组承诺" in page
    shown = case_detail(county.session, agent, case.case_no).reviews
    assert [(one.joint_group, one.joint_no) for one in shown] == [("DRAW", "联2026-7")] * 3
    kept_is_derived(county)


def test_the_cap_runs_from_the_form_and_binds_where_it_ends_first(county: County, agent: Actor) -> None:
    case, _ = a_case(county, *DRAWINGS)
    file(county, case, agent, *DRAWINGS, on=FRIDAY)
    first, fire = matter(county, case, "IND-301"), matter(county, case, "IND-302")
    for review in (first, fire):
        steps.accept(county.session, review, notice_no="受1号", by=agent, at=TEN)
    assert first.committed_limit == first.joint_cap == Limit(7)
    assert due(first) == workday(county, FRIDAY, 7) < workday(county, MONDAY, 7)
    # The first review is capped; the decision on fire safety follows within its own limit.
    assert due(fire) == workday(county, MONDAY, 10)
    assert fire.joint_due_at is None
    mine = project_path(county.session, case.project, at=TEN)
    assert mine is not None and mine.progress["IND-301"].due_on == due(first)
    assert case.committed_due_on == due(fire)
    told = county.session.scalars(
        select(CaseEvent.words).where(CaseEvent.case_id == case.id, CaseEvent.kind == "accepted")
    ).all()
    day = due(first)
    assert any(f"{day.month}月{day.day}日" in words for words in told)
    kept_is_derived(county)


def test_a_filing_by_itself_has_no_cap(county: County, agent: Actor) -> None:
    case, _ = a_case(county, *DRAWINGS)
    steps.submit(county.session, case, receipts={}, by=agent, at=TEN)
    review = matter(county, case, "IND-301")
    assert (review.joint_cap, review.joint_group, review.joint_due_at) == (Limit(7), None, None)


def test_an_especially_complex_work_has_ten_days_also_when_it_is_said_later(county: County, agent: Actor) -> None:
    case, _ = a_case(county, *DRAWINGS)
    file(county, case, agent, *DRAWINGS)
    review = matter(county, case, "IND-301")
    steps.accept(county.session, review, notice_no="受1号", by=agent, at=TEN + DAY)
    assert due(review) == workday(county, MONDAY, 7)
    answer = AnswerFacts(project=case.project.project_no, facts={"complex_works": True})
    perform(county.session, answer, acting(county, county.lead), at=TEN + DAY)
    assert review.joint_cap == Limit(10)
    assert due(review) == workday(county, MONDAY, 10)
    kept_is_derived(county)


def test_evaluations_stand_under_forty_days_for_the_whole(county: County, agent: Actor) -> None:
    codes = ("IND-107", "IND-108")
    case, _ = a_case(county, *codes)
    done = file(county, case, agent, *codes, group="EVAL")
    assert done.due_on == workday(county, MONDAY, 40)
    water = matter(county, case, "IND-108")
    steps.accept(county.session, water, notice_no="受1号", by=agent, at=TEN)
    assert due(water) == workday(county, MONDAY, water.committed_limit.days)  # type: ignore[union-attr]


def test_a_special_procedure_moves_the_cap_of_its_matter_alone(county: County, agent: Actor) -> None:
    codes = ("IND-107", "IND-108")
    case, _ = a_case(county, *codes)
    file(county, case, agent, *codes, group="EVAL")
    reviews = [matter(county, case, code) for code in codes]
    for review in reviews:
        steps.accept(county.session, review, notice_no="受1号", by=agent, at=TEN)
    was = [review.joint_due_at for review in reviews]
    notice = PauseNotice(kind=PauseKind.EXPERT_REVIEW, until=MONDAY + 7 * DAY, notice_no="特1号", maximum_wd=20)
    steps.pause(county.session, reviews[0], notice, by=agent, at=TEN + DAY)
    assert reviews[0].joint_due_at > was[0]  # type: ignore[operator]
    assert reviews[1].joint_due_at == was[1]
    kept_is_derived(county)


def test_matters_of_two_cases_stand_on_one_form(county: County, agent: Actor) -> None:
    case, _ = a_case(county, "IND-301")
    other = steps.open_case(county.session, case.project, matters=("IND-302",), by=agent, at=TEN)
    other.pickup_way = Way.ELECTRONIC
    other.stage = Stage.PRESCREENED
    file(county, case, agent, "IND-301", "IND-302")
    assert case.stage is other.stage is Stage.SUBMITTED
    (group,) = project_page(county.session, county.lead, case.project.project_no, at=TEN).joint_groups
    assert [(line.case_no, line.form_no) for line in group.matters] == [
        (case.case_no, "联2026-7"), (other.case_no, "联2026-7"),
    ]  # fmt: skip
    event = matter(county, case, "IND-301").events[-1]
    right = CorrectEvent(
        review=event.review_id,
        event=event.id,
        on=FRIDAY,
        reason="看错日期",
        late_reason="看错日期",  # type: ignore[arg-type]
    )
    perform(county.session, right, agent, at=TEN)
    told = county.session.scalars(select(Message.case_id).where(Message.text_name == "record_corrected")).all()
    assert sorted(told) == [case.id, other.id]
    kept_is_derived(county)


def test_what_may_be_filed_together_is_offered_with_its_cap(county: County, agent: Actor) -> None:
    case, _ = a_case(county, "IND-101", "IND-107", "IND-108", *DRAWINGS)
    number = case.project.project_no
    page = project_page(county.session, county.lead, number, at=TEN)
    assert [(group.key, group.may_file) for group in page.joint_groups] == [("EVAL", False), ("DRAW", False)]
    evaluations = page.joint_groups[0]
    first = matter(county, case, "IND-101").matter.short_name
    assert [line.first for line in evaluations.matters] == [(first,), (first,)]
    assert "40个工作日" in evaluations.cap
    with pytest.raises(Refused, match="IND-107 waits for") as refused:
        file(county, case, agent, "IND-107", "IND-108", group="EVAL")
    assert first in str(refused.value.user_message)
    steps.submit(county.session, case, receipts={}, by=agent, at=TEN)
    steps.decide(
        county.session, matter(county, case, "IND-101"), outcome=ReviewState.GRANTED, decision_no="备1号", by=agent,
        at=TEN,
    )  # fmt: skip
    page = project_page(county.session, county.lead, number, at=TEN)
    assert page.joint_groups[0].may_file
    file(county, case, agent, "IND-107", "IND-108", group="EVAL")


def test_refused_by_name(county: County, agent: Actor) -> None:
    case, _ = a_case(county, *DRAWINGS, "IND-107", "IND-108")
    with pytest.raises(Refused, match="not of DRAW") as refused:
        file(county, case, agent, "IND-301", "IND-107")
    assert matter(county, case, "IND-107").matter.short_name in str(refused.value.user_message)
    with pytest.raises(Refused, match="in no case") as refused:
        file(county, case, agent, "IND-301", "IND-106")
    with pytest.raises(Refused, match="by itself"):
        file(county, case, agent, "IND-301", "IND-301")
    for chain in ("REGISTRATION", "NONE"):
        with pytest.raises(Refused, match="no joint group"):
            file(county, case, agent, "IND-301", "IND-302", group=chain)
    with pytest.raises(Refused, match="number"):
        file(county, case, agent, "IND-301", "IND-302", form_number="  ")
    with pytest.raises(Stale):
        file(county, case, agent, "IND-301", "IND-302", version=case.project.version + 1)
    assert case.stage is Stage.PRESCREENED
    file(county, case, agent, "IND-301", "IND-302")
    with pytest.raises(WrongStage, match="filed already") as filed:
        file(county, case, agent, "IND-302", "IND-303", form_number="联2026-8")
    assert matter(county, case, "IND-302").matter.short_name in str(filed.value.user_message)
    with pytest.raises(WrongStage):
        file(county, case, agent, "IND-301", "IND-302", form_number="联2026-8")


def test_a_number_stands_on_one_form(county: County, agent: Actor) -> None:
    codes = ("IND-107", "IND-108", "IND-109", "IND-114")
    case, _ = a_case(county, *codes)
    file(county, case, agent, *codes[:2], group="EVAL")
    with pytest.raises(Refused, match="is filed already"):
        file(county, case, agent, *codes[2:], group="EVAL")


def test_a_case_whose_papers_are_not_in_is_not_filed(county: County, agent: Actor) -> None:
    case, _ = a_prescreened_case(county, matters=DRAWINGS)
    case.pickup_way = Way.COURIER
    with pytest.raises(WrongStage, match="originals are not in"):
        file(county, case, agent, *DRAWINGS)


def test_the_day_of_the_form_is_corrected_for_all_and_the_cap_follows(county: County, agent: Actor) -> None:
    case, _ = a_case(county, *DRAWINGS)
    file(county, case, agent, *DRAWINGS)
    first, others = matter(county, case, "IND-301"), [matter(county, case, code) for code in DRAWINGS[1:]]
    steps.accept(county.session, first, notice_no="受1号", by=agent, at=TEN)
    assert due(first) == workday(county, MONDAY, 7)
    wrong = others[0].events[-1]
    right = CorrectEvent(
        review=wrong.review_id,
        event=wrong.id,
        on=FRIDAY,
        notice_no="联2026-9",
        reason="表上是上周五",  # type: ignore[arg-type]
    )
    perform(county.session, right, agent, at=TEN)
    for review in (first, *others):
        assert (review.joint_no, in_shanghai(review.filed_at).date()) == ("联2026-9", FRIDAY)  # type: ignore[arg-type]
    assert due(first) == workday(county, FRIDAY, 7)
    told = county.session.scalars(select(Message).where(Message.text_name == "record_corrected")).all()
    assert len(told) == 1
    kept_is_derived(county)


def test_a_day_that_does_not_fit_one_of_them_is_refused_with_its_name(county: County, agent: Actor) -> None:
    case, _ = a_case(county, *DRAWINGS)
    file(county, case, agent, *DRAWINGS, on=FRIDAY)
    accepted = matter(county, case, "IND-303")
    steps.accept(county.session, accepted, notice_no="受1号", by=agent, at=TEN - 3 * DAY)
    wrong = matter(county, case, "IND-301").events[-1]
    later = CorrectEvent(review=wrong.review_id, event=wrong.id, on=MONDAY, reason="看错日期")  # type: ignore[arg-type]
    with pytest.raises(Refused, match="IND-303") as refused:
        perform(county.session, later, agent, at=TEN)
    assert accepted.matter.short_name in str(refused.value.user_message)


def test_a_matter_that_was_not_on_the_form_is_taken_off_alone(county: County, agent: Actor) -> None:
    case, _ = a_case(county, *DRAWINGS)
    file(county, case, agent, *DRAWINGS)
    wrong = matter(county, case, "IND-303").events[-1]
    off = CorrectEvent(review=wrong.review_id, event=wrong.id, never_was=True, reason="表上没有这项")  # type: ignore[arg-type]
    perform(county.session, off, agent, at=TEN)
    taken_off, kept = matter(county, case, "IND-303"), matter(county, case, "IND-302")
    assert (taken_off.state, taken_off.joint_group, taken_off.joint_due_at) == (ReviewState.PREPARED, None, None)
    assert (kept.state, kept.joint_no) == (ReviewState.SUBMITTED, "联2026-7")
    assert [event.kind for event in kept.events] == [EventKind.FILED]
    kept_is_derived(county)


def test_corrections_are_filed_again_on_the_same_form(county: County, agent: Actor) -> None:
    case, _ = a_case(county, *DRAWINGS)
    file(county, case, agent, *DRAWINGS)
    review = matter(county, case, "IND-301")
    steps.ask_supplement(county.session, review, words="补图", by=agent, at=TEN + DAY)
    steps.refile(county.session, review, receipt_no="收2号", by=agent, at=TEN + 2 * DAY)
    assert review.joint_no == "联2026-7"
    assert review.joint_due_at is not None
    assert in_shanghai(review.joint_due_at).date() == workday(county, MONDAY + 2 * DAY, 7)
    kept_is_derived(county)
