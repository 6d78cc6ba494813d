"""Limits that a calendar moves follow in portions: each as its own fold says it, and everybody told as if alone."""

import random
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import event, func, select

from agents.roster import Duty, DutyKind
from dispatch.acts.act import perform
from dispatch.acts.deriving import TOGETHER, DeriveLimits, DeriveObligations
from dispatch.cases.case import Case, CaseEvent
from dispatch.cases.derived import dates_of
from dispatch.cases.lookups import lead_agent, lead_agents, reviews_of
from dispatch.cases.notify import day_of
from dispatch.cases.review import DERIVED, Review
from dispatch.cases.review_fold import fold
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.core.actor import SYSTEM
from notifications.message import Message
from tests.dispatch.builders import MONDAY, TEN, a_request, an_assigned_case, take_off
from tests.dispatch.cases.generated_projects import draw, make_projects

REVIEWS = TOGETHER + 20  # more than one portion


@pytest.fixture
def many(county) -> None:
    """Open reviews in every state, derived once."""
    session, chance = county.session, random.Random(7)
    like, _ = a_request(county, matters=("IND-104",))
    session.flush()
    calendar = calendar_of(session)
    make_projects(session, like, [draw(chance, calendar) for _ in range(REVIEWS)])
    derive(county)
    session.execute(Message.__table__.delete())
    session.execute(CaseEvent.__table__.delete())


def workday(county, days: int) -> date:
    return calendar_of(county.session).add_working_days(MONDAY, days)


def derive(county) -> list:
    moved, after = [], 0
    while after is not None:
        portion = perform(county.session, DeriveLimits(after=after), SYSTEM, at=TEN)
        moved.extend(portion.moved)
        after = portion.last
    return moved


@pytest.mark.usefixtures("many")
def test_every_review_is_what_its_own_fold_says_and_whoever_waits_longer_is_told(county, tmp_path: Path) -> None:
    session = county.session
    was = {review.id: review.committed_due_at for review in session.scalars(select(Review))}
    take_off(session, tmp_path, *(workday(county, 7 * week) for week in range(20)))
    calendar = calendar_of(session)
    stories = {one.id: fold(one.story(calendar), MONDAY) for one in session.scalars(select(Review))}
    moved = derive(county)
    session.expire_all()

    later, rows = set(), session.scalars(select(Review)).all()
    for review in rows:
        assert {name: getattr(review, name) for name in DERIVED} == {
            name: getattr(stories[review.id], name) for name in DERIVED
        }
        due = review.committed_due_at
        case_is_over = review.case.decided_at is not None
        if due is not None and due > was[review.id] and not case_is_over:
            later.add(f"{review.case.case_no}:late:limit:{review.id}:{day_of(due)}")
    assert later and len(rows) == REVIEWS + 1
    assert {one.review_id for one in moved} == {one.id for one in rows if one.committed_due_at != was[one.id]}
    assert set(session.scalars(select(Message.event_key).where(Message.text_name == "late"))) == later
    told = session.scalar(select(func.count(CaseEvent.id)).where(CaseEvent.kind == "limit_moved"))
    assert told == sum(one.was is not None and one.now is not None for one in moved)
    for case in session.scalars(select(Case)):
        assert (case.legal_due_on, case.committed_due_on) == dates_of(reviews_of(session, case))
    perform(session, DeriveObligations(), SYSTEM, at=TEN)


@pytest.mark.usefixtures("many")
def test_a_portion_asks_as_often_for_fifty_reviews_as_for_five(county, tmp_path: Path) -> None:
    take_off(county.session, tmp_path, workday(county, 3))
    counts = []
    for after in (0, sorted(county.session.scalars(select(Review.id)))[-6]):
        sent: list[str] = []
        connection = county.session.connection()
        event.listen(connection, "before_cursor_execute", listener := lambda *given, sent=sent: sent.append(given[2]))
        perform(county.session, DeriveLimits(after=after), SYSTEM, at=TEN)
        event.remove(connection, "before_cursor_execute", listener)
        counts.append(len(sent))
    assert counts[0] < 30, counts
    derive(county)


def test_who_acts_for_many_cases_is_who_acts_for_each(county) -> None:
    session = county.session
    cases = [an_assigned_case(county, phone=f"+861381234567{n}", name=f"第{n}有限公司")[0] for n in range(3)]
    waiting, _ = a_request(county, phone="+8613812345600", name="等待有限公司")
    acting = [lead_agent(session, case, TEN) for case in cases]
    session.add(Duty(agent_id=acting[0].id, kind=DutyKind.LEAVE, starts_on=MONDAY, ends_on=MONDAY))
    session.flush()
    together = lead_agents(session, [*cases, waiting], TEN)
    assert together == {case.id: lead_agent(session, case, TEN) for case in cases}
