"""Deliveries and letters have their own time: written down late, put right, and what follows follows."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from dispatch.acts.act import perform
from dispatch.acts.asking import RevokeDelegation
from dispatch.acts.correcting_facts import CorrectFact
from dispatch.acts.delivery import RecordDelivered
from dispatch.cases.case import Case, CaseEvent, Way
from dispatch.cases.derived import differences
from dispatch.cases.due_moments import grade_due
from dispatch.cases.fact_event import Fact, FactKind
from dispatch.cases.fact_fold import check_delivery
from dispatch.cases.project import Delegation, Project
from dispatch.cases.stages import Stage
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.core.actor import Actor
from dispatch.core.errors import Refused, WrongStage
from notifications.message import Message
from tests.dispatch import steps
from tests.dispatch.builders import MONDAY, TEN, acting, an_assigned_case

FRIDAY = MONDAY - timedelta(days=3)


@pytest.fixture
def lead(county) -> Actor:
    return acting(county, county.lead)


@pytest.fixture
def decided(county) -> Case:
    """A case whose results are all electronic."""
    case, _ = an_assigned_case(county)
    case.stage, case.delivery_way = Stage.DECIDED, Way.ELECTRONIC
    county.session.flush()
    return case


def letter_of(county, case: Case) -> Delegation:
    return county.session.get_one(Project, case.project_id).delegations[0]


def test_a_delivery_of_friday_counts_from_friday(county, decided, lead) -> None:
    session, case = county.session, decided.case_no
    for on, match in ((FRIDAY - timedelta(days=1), "without a reason"), (MONDAY + timedelta(days=1), "still to come")):
        with pytest.raises(Refused, match=match), session.begin_nested():
            perform(session, RecordDelivered(case=case, on=on), lead, at=TEN)
    perform(session, RecordDelivered(case=case, on=FRIDAY, second=15 * 3600), lead, at=TEN)
    [event] = decided.facts
    assert (event.kind, event.happened_on, event.recorded_at) == (FactKind.RESULT_DELIVERED, FRIDAY, TEN)
    assert decided.delivered_at == event.happened_at
    assert decided.close_by == grade_due(calendar_of(session), event.happened_at)


def test_a_wrong_day_of_delivery_is_put_right_and_told_once(county, decided, lead) -> None:
    session = county.session
    perform(session, RecordDelivered(case=decided.case_no), lead, at=TEN)
    [event] = decided.facts
    was = decided.close_by
    perform(session, CorrectFact(fact=event.id, reason="周五已领", on=FRIDAY, second=15 * 3600), lead)
    assert decided.close_by < was
    assert decided.close_by == grade_due(calendar_of(session), decided.delivered_at)
    told = session.scalars(select(Message).where(Message.text_name == "record_corrected")).all()
    assert [message.values["result"] for message in told] == [f"{FRIDAY.month}月{FRIDAY.day}日"]
    lines = session.scalars(select(CaseEvent).where(CaseEvent.kind == "record_corrected")).all()
    assert len(lines) == 1
    with pytest.raises(WrongStage):
        perform(session, CorrectFact(fact=event.id, reason="再改", on=MONDAY), lead)


def test_a_letter_says_when_it_was_signed_and_revoked_and_both_can_be_put_right(county, lead) -> None:
    session = county.session
    case, viewer = an_assigned_case(county)
    letter = letter_of(county, case)
    [signed] = letter.facts
    assert (signed.kind, signed.happened_at) == (FactKind.DELEGATION_SIGNED, letter.signed_at)
    later = TEN + timedelta(hours=3)
    steps.take(session, RevokeDelegation(project=letter.project.project_no, reason="换人"), viewer, later)
    revoked = letter.facts[-1]
    assert (letter.revoked_at, letter.revocation_reason) == (later, "换人")
    with pytest.raises(Refused, match="a letter was"):
        perform(session, CorrectFact(fact=revoked.id, reason="早了", on=FRIDAY), lead, at=later)
    session.refresh(letter)
    perform(session, CorrectFact(fact=signed.id, reason="纸质委托书为周五签", on=FRIDAY), lead, at=later)
    assert letter.signed_at.date() < TEN.date()
    session.flush()
    assert [str(one) for one in differences(session, at=later) if "letter" in str(one)] == []


def test_the_same_letter_is_revoked_once(county) -> None:
    session = county.session
    case, viewer = an_assigned_case(county)
    letter = letter_of(county, case)
    step = RevokeDelegation(project=letter.project.project_no, reason="换人")
    steps.take(session, step, viewer, TEN)
    with pytest.raises(WrongStage, match="no letter"):
        steps.take(session, step, viewer, TEN)
    assert [event.kind for event in letter.facts] == [FactKind.DELEGATION_SIGNED, FactKind.DELEGATION_REVOKED]


def test_results_do_not_come_home_before_they_are_decided() -> None:
    fact = Fact(kind=FactKind.RESULT_DELIVERED, happened_on=FRIDAY)
    check_delivery(fact, decided_at=None)
    check_delivery(fact, decided_at=TEN - timedelta(days=3))
    with pytest.raises(Refused, match="delivered on"):
        check_delivery(fact, decided_at=TEN)
