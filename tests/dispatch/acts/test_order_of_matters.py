"""The path is the process: a matter is filed, and granted, after those that it waits for, or on a recorded relief."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from dispatch.acts.act import perform
from dispatch.acts.correcting import CorrectEvent
from dispatch.acts.correcting_matters import CorrectMatters
from dispatch.acts.relieving import RelieveOrder
from dispatch.cases.case import Case, CaseEvent, Way
from dispatch.cases.derived import differences
from dispatch.cases.lookups import reviews_of
from dispatch.cases.project_order import out_of_order_decisions
from dispatch.cases.review import Review
from dispatch.cases.review_event import EventKind
from dispatch.cases.review_state import ReviewState
from dispatch.cases.stages import Stage
from dispatch.core.actor import Actor
from dispatch.core.errors import Refused, WrongStage
from dispatch.path.edits import Relief
from dispatch.views.enterprise_case import case_page
from dispatch.views.team_case import case_page as team_case_page
from notifications.message import Message
from tests.dispatch import steps
from tests.dispatch.builders import MONDAY, TEN, County, a_prescreened_case, acting

DAY = timedelta(days=1)
FILING_FIRST = ("IND-101", "IND-107", "IND-108")


@pytest.fixture
def agent(county: County) -> Actor:
    return acting(county, county.agent_viewer())


def a_case(county: County, *matters: str) -> tuple[Case, Actor]:
    return a_prescreened_case(county, matters=matters, pickup_way=Way.ELECTRONIC)


def matter(county: County, case: Case, code: str) -> Review:
    return next(review for review in reviews_of(county.session, case) if review.matter.code == code)


def submit(county: County, case: Case, by: Actor, at: datetime = TEN, receipts: dict[int, str] | None = None) -> None:
    steps.submit(county.session, case, receipts=receipts or {}, by=by, at=at)


def grant(county: County, review: Review, by: Actor, at: datetime = TEN) -> None:
    if review.state is ReviewState.SUBMITTED:
        steps.accept(county.session, review, notice_no="受1号", by=by, at=at)
    steps.decide(county.session, review, outcome=ReviewState.GRANTED, decision_no="准1号", by=by, at=at)


def states(county: County, case: Case) -> dict[str, ReviewState]:
    return {review.matter.code: review.state for review in reviews_of(county.session, case)}


def nothing_out_of_order(county: County) -> None:
    county.session.flush()
    assert list(out_of_order_decisions(county.session, at=TEN)) == []
    assert [str(one) for one in differences(county.session, at=TEN)] == []


def test_what_waits_is_filed_once_what_it_waits_for_is_granted(county: County, agent: Actor) -> None:
    case, viewer = a_case(county, *FILING_FIRST)
    submit(county, case, agent)
    assert set(states(county, case).values()) == {ReviewState.SUBMITTED, ReviewState.PREPARED}
    assert case.stage is Stage.SUBMITTED
    with pytest.raises(Refused, match="IND-107 waits for") as refused:
        submit(county, case, agent)
    first = matter(county, case, "IND-101").matter.short_name
    assert first in str(refused.value.user_message)
    page = case_page(county.session, viewer, case.case_no, at=TEN)
    assert [first in str(row.note) for row in page.matters] == [False, True, True]
    line = team_case_page(county.session, agent, case.case_no, at=TEN).reviews[1]
    assert (line.first.to_file, line.first.to_decide) == ((first,), (first,))
    grant(county, matter(county, case, "IND-101"), agent)
    submit(county, case, agent, at=TEN + DAY)
    assert states(county, case)["IND-107"] is ReviewState.SUBMITTED
    told = county.session.scalars(select(Message.text_name).where(Message.case_id == case.id)).all()
    assert told.count("submitted") == 2
    for code in ("IND-107", "IND-108"):
        grant(county, matter(county, case, code), agent, at=TEN + DAY)
    assert case.stage is Stage.DECIDED
    with pytest.raises(WrongStage):
        submit(county, case, agent, at=TEN + DAY)
    nothing_out_of_order(county)


def test_a_receipt_for_what_still_waits_is_refused_by_name(county: County, agent: Actor) -> None:
    case, _ = a_case(county, *FILING_FIRST)
    with pytest.raises(Refused, match="IND-107 waits for"):
        submit(county, case, agent, receipts={matter(county, case, "IND-107").id: "收7号"})
    assert case.stage is Stage.PRESCREENED


def test_matters_of_one_form_are_filed_together_and_granted_in_their_order(county: County, agent: Actor) -> None:
    case, _ = a_case(county, "IND-201", "IND-202")
    submit(county, case, agent)
    assert set(states(county, case).values()) == {ReviewState.SUBMITTED}
    later = matter(county, case, "IND-202")
    steps.accept(county.session, later, notice_no="受2号", by=agent, at=TEN)
    with pytest.raises(Refused, match="IND-202 waits for") as refused:
        grant(county, later, agent)
    assert matter(county, case, "IND-201").matter.short_name in str(refused.value.user_message)
    grant(county, matter(county, case, "IND-201"), agent)
    grant(county, later, agent)
    nothing_out_of_order(county)


def test_a_paper_that_is_older_than_its_prerequisite_is_refused(county: County, agent: Actor) -> None:
    case, _ = a_case(county, "IND-201", "IND-202")
    submit(county, case, agent)
    grant(county, matter(county, case, "IND-201"), agent, at=TEN + DAY)
    later = matter(county, case, "IND-202")
    steps.accept(county.session, later, notice_no="受2号", by=agent, at=TEN)
    with pytest.raises(Refused, match="waits for"):
        grant(county, later, agent, at=TEN)


def relieve(county: County, review: Review, by: Actor, relief: Relief, days: int = 20) -> None:
    step = RelieveOrder(
        review=review.id, relief=relief, until=MONDAY + timedelta(days=days), words="部门同意先行", notice_no="容1号"  # type: ignore[arg-type]
    )  # fmt: skip
    perform(county.session, step, by, at=TEN)


def test_a_deferral_lets_it_be_filed_and_a_commitment_also_granted(county: County, agent: Actor) -> None:
    session = county.session
    case, _ = a_case(county, *FILING_FIRST)
    deferred, committed = matter(county, case, "IND-107"), matter(county, case, "IND-108")
    relieve(county, deferred, agent, Relief.DEFERRED)
    relieve(county, committed, agent, Relief.COMMITMENT)
    submit(county, case, agent)
    assert set(states(county, case).values()) == {ReviewState.SUBMITTED}
    steps.accept(session, deferred, notice_no="受2号", by=agent, at=TEN)
    with pytest.raises(Refused, match="IND-107 waits for"):
        grant(county, deferred, agent)
    grant(county, committed, agent)
    lines = session.scalars(select(CaseEvent.words).where(CaseEvent.kind == "order_relieved")).all()
    assert len(lines) == 2
    assert all("部门同意先行" in words for words in lines)
    nothing_out_of_order(county)


def test_a_relief_says_until_when_and_is_over_after_that_day(county: County, agent: Actor) -> None:
    case, _ = a_case(county, *FILING_FIRST)
    waiting = matter(county, case, "IND-107")
    with pytest.raises(Refused, match="until"):
        relieve(county, waiting, agent, Relief.COMMITMENT, days=0)
    county.session.expire_all()
    with pytest.raises(Refused, match="no order"):
        relieve(county, waiting, agent, Relief.SIMULATED)
    relieve(county, waiting, agent, Relief.COMMITMENT, days=1)
    submit(county, case, agent)
    steps.accept(county.session, waiting, notice_no="受2号", by=agent, at=TEN)
    with pytest.raises(Refused, match="IND-107 waits for"):
        grant(county, waiting, agent, at=TEN + 2 * DAY)
    event = next(e for e in waiting.events if e.kind is EventKind.ORDER_COMMITTED)
    assert (event.until, event.words, event.document_no, event.recorded_by) == (
        MONDAY + DAY, "部门同意先行", "容1号", agent.label,
    )  # fmt: skip


def test_a_denied_prerequisite_holds_what_waits_which_may_leave_the_case(county: County, agent: Actor) -> None:
    session = county.session
    case, _ = a_case(county, *FILING_FIRST)
    submit(county, case, agent)
    first = matter(county, case, "IND-101")
    steps.accept(session, first, notice_no="受1号", by=agent, at=TEN)
    steps.decide(session, first, outcome=ReviewState.DENIED, decision_no="不1号", by=agent, at=TEN, reason="选址不符")
    with pytest.raises(Refused, match="IND-107 waits for"):
        submit(county, case, agent)
    drop = CorrectMatters(case=case.case_no, drop=("IND-107", "IND-108"), reason="项目不再推进")  # type: ignore[arg-type]
    perform(session, drop, agent, at=TEN)
    assert (case.stage, codes(reviews_of(session, case))) == (Stage.DECIDED, ["IND-101"])
    nothing_out_of_order(county)


def codes(reviews: Iterable[Review]) -> list[str]:
    return [review.matter.code for review in reviews]


def test_a_prerequisite_that_turns_out_denied_is_named_by_the_check(county: County, agent: Actor) -> None:
    session = county.session
    case, _ = a_case(county, "IND-201", "IND-202")
    submit(county, case, agent)
    for code in ("IND-201", "IND-202"):
        grant(county, matter(county, case, code), agent)
    first, second = reviews_of(session, case)
    wrong = CorrectEvent(
        review=first.id, event=first.events[-1].id, turns_out_as=EventKind.DENIED, words="不符合", reason="看错"  # type: ignore[arg-type]
    )  # fmt: skip
    perform(session, wrong, agent, at=TEN)
    (found,) = out_of_order_decisions(session, at=TEN)
    assert (found.case_no, found.matter, found.first) == (
        case.case_no, second.matter.short_name, (first.matter.short_name,)
    )  # fmt: skip
    assert first.matter.short_name in str(found)
