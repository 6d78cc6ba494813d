"""A delivery, a signature or a revocation that never was is void, and all is as if nobody had written it down."""

from datetime import time, timedelta

import pytest
from sqlalchemy import select

from agents.roster import Agent
from dispatch.acts.act import perform
from dispatch.acts.asking import RevokeDelegation, SignDelegation
from dispatch.acts.closing import EvaluateCase, GradeGiven
from dispatch.acts.correcting_facts import CorrectedFact, CorrectFact
from dispatch.acts.delegation import AuthorisedPerson
from dispatch.acts.delivery import RecordDelivered
from dispatch.acts.handover_lists import incoming
from dispatch.cases import lookups
from dispatch.cases.case import Case, CaseEvent, Outcome, Way
from dispatch.cases.derived import differences
from dispatch.cases.fact_event import FactEvent, FactKind
from dispatch.cases.obligations.keeping import settle
from dispatch.cases.obligations.obligation import Obligation, ObligationKind
from dispatch.cases.project import Delegation, Power, Project, ProjectState
from dispatch.cases.review_state import ReviewState
from dispatch.cases.stages import Stage
from dispatch.core.actor import Actor, Role
from dispatch.core.errors import WrongStage
from dispatch.core.ids import CaseNo, FactEventId, ProjectNo
from dispatch.core.shanghai_time import utc
from dispatch.custody import verification
from dispatch.custody.handover import Holder
from dispatch.custody.parcel import Leg, Parcel, ParcelState
from notifications.message import Message, State
from routing.day.courier_stop import CourierStop, StopAct, StopState
from tests.dispatch import steps
from tests.dispatch.builders import (
    MONDAY,
    TEN,
    a_prescreened_case,
    a_request,
    acting,
    an_appointment,
    an_assigned_case,
)
from tests.dispatch.door_steps import doorstep, loaded, plan_by_hand

LATER = TEN + timedelta(hours=3)


@pytest.fixture
def lead(county) -> Actor:
    return acting(county, county.lead)


@pytest.fixture
def decided(county) -> Case:
    """A case with its papers at the centre, decided."""
    session = county.session
    case, _ = an_assigned_case(county)
    agent = county.agent_viewer()
    steps.prescreen(session, case, by=agent, at=TEN)
    steps.hand_in(session, case, by=agent, at=TEN, scan_id="counter")
    reviews = lookups.reviews_of(session, case)
    steps.submit(session, case, receipts={review.id: f"SL{review.id}" for review in reviews}, by=agent, at=TEN)
    for review in reviews:
        steps.accept(session, review, notice_no="受1号", by=agent, at=TEN)
        steps.decide(session, review, outcome=ReviewState.GRANTED, decision_no="准1号", by=agent, at=TEN)
    assert case.stage is Stage.DECIDED
    return case


def void(session, event: FactEvent, lead: Actor, at=LATER) -> CorrectedFact:
    step = CorrectFact(fact=FactEventId(event.id), reason="登在别的件上", never_was=True)
    return perform(session, step, lead, at=at)


def told(session, text: str) -> list[Message]:
    return list(session.scalars(select(Message).where(Message.text_name == text).order_by(Message.id)))


def all_follows(session) -> None:
    settle(session)
    assert [str(one) for one in differences(session, at=LATER)] == []
    assert list(verification.verify(session)) == []


def test_a_delivery_that_never_was_leaves_papers_at_the_centre_and_the_case_decided(county, decided, lead) -> None:
    session = county.session
    before = {p.id: (p.holder, p.holder_ref, p.state) for p in session.scalars(select(Parcel))}
    perform(session, RecordDelivered(case=CaseNo(decided.case_no), who="王经理"), lead, at=TEN)
    assert {p.holder for p in session.scalars(select(Parcel))} == {Holder.ENTERPRISE}
    for message in told(session, "delivered"):
        message.state = State.DELIVERED
    session.flush()
    done = void(session, decided.facts[-1], lead)
    assert done.state == Stage.DECIDED.value
    assert (decided.stage, decided.delivered_at, decided.close_by) == (Stage.DECIDED, None, None)
    assert {p.id: (p.holder, p.holder_ref, p.state) for p in session.scalars(select(Parcel))} == before
    assert [event.kind for event in decided.facts] == [FactKind.RESULT_DELIVERED, FactKind.VOIDED]
    assert [m.values["result"] for m in told(session, "record_corrected")] == ["尚未送达"]
    settle(session)
    owed = session.scalars(select(Obligation).where(Obligation.case_id == decided.id, Obligation.closed_at.is_(None)))
    kinds = {one.kind for one in owed}
    assert ObligationKind.GRADE not in kinds and ObligationKind.DELIVERY in kinds
    all_follows(session)
    decided = session.get_one(Case, decided.id)
    perform(session, RecordDelivered(case=CaseNo(decided.case_no), who="王经理"), lead, at=LATER)
    assert decided.stage is Stage.DELIVERED
    assert {p.state for p in session.scalars(select(Parcel))} == {ParcelState.HANDED_OVER}
    all_follows(session)


def test_a_delivery_that_nobody_had_heard_of_is_not_spoken_of(county, decided, lead) -> None:
    session = county.session
    perform(session, RecordDelivered(case=CaseNo(decided.case_no), who="王经理"), lead, at=TEN)
    void(session, decided.facts[-1], lead)
    assert [m.state for m in told(session, "delivered")] == [State.SUPPRESSED]
    assert told(session, "record_corrected") == []
    words = session.scalars(select(CaseEvent.words).where(CaseEvent.kind == "record_corrected")).all()
    assert len(words) == 1 and "没有发生" in words[0]


def test_a_delivery_that_was_dated_anew_can_still_be_void(county, decided, lead) -> None:
    session = county.session
    perform(session, RecordDelivered(case=CaseNo(decided.case_no), who="王经理"), lead, at=TEN)
    step = CorrectFact(fact=FactEventId(decided.facts[-1].id), reason="早些", on=MONDAY, second=10 * 3600 + 600)
    perform(session, step, lead, at=LATER)
    void(session, decided.facts[-1], lead, at=LATER)
    assert {p.holder for p in session.scalars(select(Parcel))} == {Holder.CENTRE}
    all_follows(session)


def test_a_grade_stands_in_the_way_of_taking_a_delivery_back(county, decided, lead) -> None:
    session = county.session
    perform(session, RecordDelivered(case=CaseNo(decided.case_no), who="王经理"), lead, at=TEN)
    viewer = Actor(
        lead.role.ENTERPRISE, account_id=lead.account_id, name="王经理", enterprise_id=decided.project.enterprise_id
    )
    grades = tuple(GradeGiven(review.id, 5, "") for review in lookups.reviews_of(session, decided))
    perform(session, EvaluateCase(case=CaseNo(decided.case_no), grades=grades), viewer, at=TEN)
    with pytest.raises(WrongStage) as refused:
        void(session, decided.facts[-1], lead)
    assert "已评价" in str(refused.value.user_message)


def test_a_later_handover_stands_in_the_way_and_is_named(county, decided, lead) -> None:
    session = county.session
    perform(session, RecordDelivered(case=CaseNo(decided.case_no), who="王经理"), lead, at=TEN)
    parcel = session.scalars(select(Parcel)).first()
    parcel.hand_over(to=Holder.CENTRE, ref=parcel.handovers[-1].from_ref, scan_id="again", at=LATER, by="test")
    session.flush()
    with pytest.raises(WrongStage) as refused:
        void(session, decided.facts[-1], lead)
    assert parcel.waybill in str(refused.value.user_message)


def test_what_a_courier_never_handed_over_is_with_the_courier_again_and_can_be_brought(county, decided, lead) -> None:
    session, at = county.session, utc(MONDAY + timedelta(days=1), time(9, 30))
    home = steps.book_delivery(session, decided, appointment=an_appointment(), by=county.lead, at=TEN)
    stop = plan_by_hand(session, county, home)
    for paper in lookups.parcels_at(session, stop.id):
        loaded(session, county, paper)
    said = doorstep(StopAct.DELIVERED, code=home.code, identity_checked=True)
    steps.report_stop(session, stop, said, by=county.courier_viewer(), at=at)
    assert decided.stage is Stage.DELIVERED
    void(session, decided.facts[-1], lead, at=at + timedelta(days=1))
    assert (decided.stage, decided.delivered_at, decided.close_by) == (Stage.DECIDED, None, None)
    assert (home.holder, home.holder_ref) == (Holder.COURIER, f"courier:{county.couriers[0].id}")
    assert home in incoming(session, county.couriers[0].id)
    settle(session)
    assert [str(one) for one in differences(session, at=at + timedelta(days=1))] == []
    assert list(verification.verify(session)) == []
    owed = select(Obligation).where(Obligation.kind == ObligationKind.DELIVERY, Obligation.closed_at.is_(None))
    assert session.scalars(owed).first() is not None


def test_results_in_the_account_are_void_without_a_parcel(county, lead) -> None:
    session = county.session
    case, _ = an_assigned_case(county)
    case.stage, case.delivery_way = Stage.DECIDED, Way.ELECTRONIC
    session.flush()
    perform(session, RecordDelivered(case=CaseNo(case.case_no)), lead, at=TEN)
    void(session, case.facts[-1], lead)
    assert (case.stage, case.delivered_at) == (Stage.DECIDED, None)


# ---------------------------------------------------------------- letters


def signed(county) -> tuple[Case, Delegation, Actor]:
    case, viewer = a_request(county)
    project = county.session.get_one(Project, case.project_id)
    sign(county, project, viewer)
    return case, project.delegations[0], viewer


def sign(county, project: Project, viewer: Actor, at=TEN) -> None:
    letter = SignDelegation(
        project=ProjectNo(project.project_no), legal_representative="张法人", powers=tuple(Power),
        people=(AuthorisedPerson("王经理", "+8613812345678"),), valid_to=MONDAY + timedelta(days=200),
    )  # fmt: skip
    steps.take(county.session, letter, viewer, at)


def test_a_letter_that_was_never_signed_allows_nothing_and_another_can_be_signed(county, lead) -> None:
    session = county.session
    _, letter, viewer = signed(county)
    done = void(session, letter.facts[0], lead)
    assert (done.state, letter.signed_at) == ("void", None)
    assert letter.project.delegation_on(MONDAY) is None
    assert [m.values["result"] for m in told(session, "record_corrected")] == ["登记作废"]
    project = letter.project
    sign(county, project, viewer, at=LATER)
    assert project.delegation_on(MONDAY) is not letter
    assert project.delegation_on(MONDAY) is not None
    all_follows(session)


def test_a_case_that_passed_by_the_letter_stands_in_the_way_and_is_named(county, lead) -> None:
    session = county.session
    case, _ = an_assigned_case(county)
    steps.prescreen(session, case, by=county.agent_viewer(), at=TEN + timedelta(minutes=5))
    letter = case.project.delegations[0]
    with pytest.raises(WrongStage) as refused:
        void(session, letter.facts[0], lead)
    assert case.case_no in str(refused.value.user_message)
    assert letter.is_in_force(MONDAY)


def test_a_revocation_stands_in_the_way_of_the_signature_and_goes_first(county, lead) -> None:
    session = county.session
    case, letter, viewer = signed(county)
    case.stage, case.outcome = Stage.DECIDED, Outcome.GRANTED  # what is decided is not withdrawn by it
    session.flush()
    steps.take(session, RevokeDelegation(project=ProjectNo(letter.project.project_no), reason="换人"), viewer, TEN)
    assert not letter.is_in_force(MONDAY)
    with pytest.raises(WrongStage) as refused:
        void(session, letter.facts[0], lead)
    assert "撤销" in str(refused.value.user_message)
    session.refresh(letter)
    done = void(session, letter.facts[-1], lead)
    assert (done.state, letter.revoked_at, letter.revocation_reason) == ("signed", None, None)
    assert letter.is_in_force(MONDAY)
    assert [m.values["result"] for m in told(session, "record_corrected")] == ["委托书仍然有效"]


def revoked(county, letter: Delegation, at=TEN) -> None:
    step = RevokeDelegation(project=ProjectNo(letter.project.project_no), reason="换人")
    enterprise = Actor(Role.ENTERPRISE, name="王经理", enterprise_id=letter.project.enterprise_id)
    steps.take(county.session, step, enterprise, at)


def test_a_case_that_the_revocation_ended_goes_on_where_it_stood(county, decided, lead) -> None:
    """Papers at the centre, a matter under review, an agent: all as if nobody had revoked."""
    session, project = county.session, decided.project
    second, _ = steps_to_review(county)
    letter, agent_id = second.project.delegations[0], second.project.lead.agent_id
    review, parcel = lookups.reviews_of(session, second)[0], lookups.parcels_of(session, second)[0]
    due, held = review.committed_due_at, session.get_one(Agent, agent_id).held
    revoked(county, letter)
    assert (second.stage, review.state, second.project.state) == (
        Stage.WITHDRAWN, ReviewState.WITHDRAWN, ProjectState.CLOSED,
    )  # fmt: skip
    going = session.get_one(CourierStop, parcel.stop_id)
    done = void(session, letter.facts[-1], lead)
    assert (done.state, letter.is_in_force(MONDAY)) == ("signed", True)
    assert (second.stage, second.ended_at, second.ending_reason) == (Stage.UNDER_REVIEW, None, None)
    assert (review.state, review.committed_due_at) == (ReviewState.ACCEPTED, due)
    assert (parcel.leg, parcel.stop_id, parcel.state) == (Leg.COUNTER, None, ParcelState.AT_CENTRE)
    assert going.state is StopState.RELEASED
    assert (second.project.state, second.project.lead.agent_id) == (ProjectState.ACTIVE, agent_id)
    assert session.get_one(Agent, agent_id).held == held
    assert {m.state for m in told(session, "withdrawn")} == {State.SUPPRESSED}
    assert [m.values["result"] for m in told(session, "record_corrected")] == ["委托书仍然有效"]
    assert (decided.stage, project.state) == (Stage.DECIDED, ProjectState.ACTIVE)
    all_follows(session)
    steps.decide(
        session, review, outcome=ReviewState.GRANTED, decision_no="准2号", by=county.agent_viewer(), at=LATER
    )  # fmt: skip
    all_follows(session)


def steps_to_review(county) -> tuple[Case, Actor]:
    session, agent = county.session, county.agent_viewer()
    case, viewer = an_assigned_case(county, phone="+8613812345679", name="第二有限公司", matters=("IND-104",))
    steps.prescreen(session, case, by=agent, at=TEN)
    steps.hand_in(session, case, by=agent, at=TEN, scan_id="second")
    reviews = lookups.reviews_of(session, case)
    steps.submit(session, case, receipts={review.id: f"SL{review.id}" for review in reviews}, by=agent, at=TEN)
    for review in reviews:
        steps.accept(session, review, notice_no="受2号", by=agent, at=TEN)
    for parcel in lookups.parcels_of(session, case):
        if parcel.state is ParcelState.WITH_AUTHORITY:
            parcel.hand_over(to=Holder.CENTRE, ref="centre", scan_id="back", at=TEN, by="test")
    return case, viewer


@pytest.mark.parametrize("is_prescreened", [False, True])
def test_a_case_that_had_not_gone_far_waits_again_and_a_visit_is_booked_anew(county, lead, *, is_prescreened) -> None:
    session = county.session
    case, viewer = a_prescreened_case(county) if is_prescreened else signed(county)[::2]
    if is_prescreened:
        steps.book_pickup(session, case, appointment=an_appointment(), by=viewer, at=TEN)
    was, letter = case.stage, case.project.delegations[0]
    revoked(county, letter)
    void(session, letter.facts[-1], lead)
    assert case.stage is was
    assert [parcel.state for parcel in lookups.parcels_of(session, case)] == [ParcelState.CANCELLED] * is_prescreened
    all_follows(session)
    if is_prescreened:
        steps.book_pickup(session, case, appointment=an_appointment(), by=viewer, at=LATER)
        all_follows(session)


def test_papers_that_went_home_by_the_revocation_stand_in_the_way_and_are_named(county, lead) -> None:
    session = county.session
    case, _ = steps_to_review(county)
    letter, parcel = case.project.delegations[0], lookups.parcels_of(session, case)[0]
    revoked(county, letter)
    parcel.hand_over(
        to=Holder.COURIER, ref=f"courier:{county.couriers[0].id}", scan_id="load", at=LATER, by="test", action="load"
    )
    session.flush()
    with pytest.raises(WrongStage) as refused:
        void(session, letter.facts[-1], lead, at=LATER + timedelta(hours=1))
    assert parcel.waybill in str(refused.value.user_message)


def test_an_agent_without_a_slot_leaves_the_project_waiting(county, lead) -> None:
    session = county.session
    case, _ = an_assigned_case(county)
    letter, agent = case.project.delegations[0], session.get_one(Agent, case.project.lead.agent_id)
    revoked(county, letter)
    agent.capacity = agent.held
    session.flush()
    void(session, letter.facts[-1], lead)
    assert (case.project.state, case.project.lead, case.stage) == (ProjectState.WAITING, None, Stage.ASSIGNED)
    all_follows(session)


def test_a_letter_that_was_signed_since_stands_in_the_way_of_the_old_one(county, lead) -> None:
    session = county.session
    case, letter, viewer = signed(county)
    case.stage = Stage.DECIDED
    session.flush()
    steps.take(session, RevokeDelegation(project=ProjectNo(letter.project.project_no), reason="换人"), viewer, TEN)
    sign(county, letter.project, viewer, at=LATER)
    with pytest.raises(WrongStage, match="signed since"):
        void(session, letter.facts[-1], lead)
