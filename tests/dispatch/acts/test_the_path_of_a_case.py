"""The path of a case through flow.py: each step changes the stage, writes the timeline and puts one notice out."""

from datetime import date, time, timedelta

import pytest
from sqlalchemy import select

from agents.network import ServiceCentre
from dispatch.acts.act import perform
from dispatch.acts.daily_rules import AcceptBySilence, CloseUnrated
from dispatch.acts.stop_report import NotOnBoard, WrongCode
from dispatch.assignment import staffing
from dispatch.cases import lookups
from dispatch.cases.case import MaterialState, Outcome, Way
from dispatch.cases.evaluation import Grade, Rectification
from dispatch.cases.project import Project, ProjectState
from dispatch.cases.review_state import ReviewState
from dispatch.cases.stages import Stage
from dispatch.core.actor import SYSTEM
from dispatch.core.errors import AlreadyHeld, NoCapacity, NotFound, Refused, WrongStage
from dispatch.core.shanghai_time import utc
from dispatch.custody import verification
from dispatch.custody.handover import Holder
from dispatch.custody.parcel import Leg, ParcelState
from dispatch.path.edits import Relief
from notifications.message import Message
from routing.day.courier_stop import CourierStop, FailReason, StopAct, StopState
from tests.dispatch import steps
from tests.dispatch.builders import (
    MONDAY,
    TEN,
    a_prescreened_case,
    a_request,
    an_appointment,
    an_assigned_case,
)
from tests.dispatch.door_steps import TUESDAY, collect, doorstep, loaded, plan_by_hand, texts_sent


def test_a_request_opens_a_project_and_tells_the_number_and_the_query_code(county):
    case, _ = a_request(county)
    assert case.stage is Stage.REQUESTED
    assert case.case_no == "320412-20261123-00001"
    message = county.session.scalars(select(Message)).one()
    assert message.text_name == "requested"
    assert message.values["query_code"] == case.query_code
    assert case.query_code.isalnum() and not set(case.query_code) & set("01OI")


def test_a_state_secret_is_refused_at_the_door(county):
    with pytest.raises(Refused, match="secret"):
        a_request(county, is_state_secret=True)


def test_an_unknown_matter_is_named(county):
    with pytest.raises(Refused, match="IND-999"):
        a_request(county, matters=("IND-101", "IND-999"))


def test_assigning_takes_a_slot_and_tells_both(county):
    case, _ = a_request(county)
    project = county.session.get_one(Project, case.project_id)
    staffing.assign(county.session, project, agent_id=county.agents[0].id, by=SYSTEM, at=TEN)
    assert case.stage is Stage.ASSIGNED
    assert county.agents[0].held == 1
    assert sorted(texts_sent(county.session)) == ["assigned", "project_for_agent", "requested"]


def test_a_full_agent_is_refused_and_nothing_is_changed(county):
    case, _ = a_request(county)
    project = county.session.get_one(Project, case.project_id)
    county.agents[0].capacity = 0
    county.session.flush()
    with pytest.raises(NoCapacity):
        staffing.assign(county.session, project, agent_id=county.agents[0].id, by=SYSTEM, at=TEN)
    assert case.stage is Stage.REQUESTED
    assert project.state is ProjectState.WAITING


def test_changing_the_agent_moves_the_slot_and_tells_the_enterprise_once(county):
    case, _ = an_assigned_case(county)
    project = county.session.get_one(Project, case.project_id)
    staffing.assign(county.session, project, agent_id=county.agents[1].id, by=county.lead, at=TEN)
    county.session.flush()
    assert (county.agents[0].held, county.agents[1].held) == (0, 1)
    assert project.lead.agent_id == county.agents[1].id
    assert texts_sent(county.session).count("agent_changed") == 1


def test_every_defect_is_told_once_and_together(county):
    case, viewer = an_assigned_case(county)
    given = [m for m in case.materials if m.state is MaterialState.GIVEN]
    steps.prescreen(
        county.session, case, by=county.agent_viewer(), at=TEN, defects={m.id: "公章不清" for m in given[:2]}
    )
    assert case.stage is Stage.CORRECTION
    assert [m.values["count"] for m in county.session.scalars(select(Message)) if m.text_name == "correction"] == ["2"]
    with pytest.raises(Refused):
        steps.correct(county.session, case, by=viewer, at=TEN)
    for material in given[:2]:
        steps.give_material(
            county.session, case, material, sha256="1" * 64, media_type="application/pdf", filename="b.pdf",
            by=viewer, at=TEN,
        )  # fmt: skip
    steps.correct(county.session, case, by=viewer, at=TEN)
    assert case.stage is Stage.ASSIGNED
    passed = next(m for m in case.materials if m.state is MaterialState.ACCEPTED)
    with pytest.raises(Refused, match="passed before"):
        steps.prescreen(county.session, case, by=county.agent_viewer(), at=TEN, defects={passed.id: "再补"})


def test_without_a_delegation_nothing_passes_the_prescreen(county):
    case, _ = an_assigned_case(county)
    project = county.session.get_one(Project, case.project_id)
    letter = project.delegations[0]
    letter.valid_from, letter.valid_to = MONDAY - timedelta(days=9), MONDAY - timedelta(days=1)
    with pytest.raises(Refused, match="delegation"):
        steps.prescreen(county.session, case, by=county.agent_viewer(), at=TEN)


def test_the_whole_path_from_request_to_evaluation(county):
    session = county.session
    case, viewer = a_prescreened_case(county)
    agent = county.agent_viewer()
    assert case.pickup_way is Way.COURIER
    parcel = steps.book_pickup(session, case, appointment=an_appointment(), by=viewer, at=TEN)
    assert case.stage is Stage.PRESCREENED
    at = utc(TUESDAY, time(9, 30))
    stop = collect(session, county, case, parcel, at=at)
    assert (case.stage, parcel.state, stop.state) == (Stage.COLLECTED, ParcelState.ON_THE_WAY, StopState.DONE)
    with pytest.raises(Refused, match="still with the courier"):
        steps.submit(session, case, receipts={}, by=agent, at=at)
    steps.scan(session, parcel, to=Holder.CENTRE, scan_id="s1", by=agent, at=at)
    steps.submit(
        session, case, receipts={r.id: f"SL{r.id}" for r in lookups.reviews_of(session, case)}, by=agent, at=at
    )
    assert case.stage is Stage.SUBMITTED
    for review in lookups.reviews_of(session, case):
        steps.accept(session, review, notice_no=f"受{review.id}", by=agent, at=at)
    assert case.stage is Stage.UNDER_REVIEW
    assert case.committed_due_on is not None and case.committed_due_on <= case.legal_due_on
    decided_at = utc(date(2026, 11, 27), time(15))
    for review in lookups.reviews_of(session, case):
        steps.decide(session, review, outcome=ReviewState.GRANTED, decision_no="准1", by=agent, at=decided_at)
    assert (case.stage, case.outcome) == (Stage.DECIDED, Outcome.GRANTED)
    home = steps.book_delivery(session, case, appointment=an_appointment(date(2026, 11, 30)), by=viewer, at=decided_at)
    there = plan_by_hand(session, county, home, at=decided_at)
    assert case.stage is Stage.DELIVERY_PLANNED
    delivered_at = utc(date(2026, 11, 30), time(10))
    with pytest.raises(NotOnBoard):
        steps.report_stop(
            session, there, doorstep(StopAct.DELIVERED, code=home.code, identity_checked=True),
            by=county.courier_viewer(), at=delivered_at,
        )  # fmt: skip
    for paper in lookups.parcels_at(session, there.id):
        loaded(session, county, paper, at=decided_at)
    wrong = "000000" if home.code != "000000" else "111111"
    with pytest.raises(WrongCode):
        steps.report_stop(
            session, there, doorstep(StopAct.DELIVERED, code=wrong, identity_checked=True),
            by=county.courier_viewer(), at=delivered_at,
        )  # fmt: skip
    with pytest.raises(Refused, match="identity"):
        steps.report_stop(
            session, there, doorstep(StopAct.DELIVERED, code=home.code), by=county.courier_viewer(), at=delivered_at
        )
    steps.report_stop(
        session, there, doorstep(StopAct.DELIVERED, code=home.code, identity_checked=True),
        by=county.courier_viewer(), at=delivered_at,
    )  # fmt: skip
    assert (case.stage, home.holder, home.code) == (Stage.DELIVERED, Holder.ENTERPRISE, None)
    grades = {r.id: (Grade.SATISFIED, "") for r in lookups.reviews_of(session, case)}
    first = min(grades)
    grades[first] = (Grade.DISSATISFIED, "等了太久")
    steps.evaluate(session, case, grades=grades, by=viewer, at=delivered_at)
    assert case.stage is Stage.EVALUATED
    assert session.scalars(select(Rectification)).one().evaluation.review_id == first
    project = session.get_one(Project, case.project_id)
    assert project.state is ProjectState.CLOSED
    session.flush()
    assert county.agents[0].held == 0
    assert list(verification.verify(session)) == []
    assert {
        "requested", "assigned", "project_for_agent", "prescreened", "pickup", "collected", "submitted", "accepted",
        "decided", "delivery", "delivered", "bad_grade", "closed",
    } <= set(texts_sent(session))  # fmt: skip


def test_the_same_report_twice_is_one_event(county):
    session = county.session
    case, viewer = a_prescreened_case(county)
    parcel = steps.book_pickup(session, case, appointment=an_appointment(), by=viewer, at=TEN)
    stop = plan_by_hand(session, county, parcel)
    said = doorstep(StopAct.COLLECTED, code=parcel.code, inspected=True)
    first = steps.report_stop(session, stop, said, by=county.courier_viewer(), at=TEN)
    again = steps.report_stop(session, stop, said, by=county.courier_viewer(), at=TEN + timedelta(minutes=5))
    assert first == again
    assert parcel.chain_length == 1


def test_a_failed_attempt_asks_for_the_next_working_day_and_tells(county):
    session = county.session
    case, viewer = a_prescreened_case(county)
    parcel = steps.book_pickup(session, case, appointment=an_appointment(), by=viewer, at=TEN)
    stop = plan_by_hand(session, county, parcel)
    assert case.stage is Stage.PICKUP_PLANNED
    said = doorstep(StopAct.FAILED, reason=FailReason.NOBODY_IN)
    steps.report_stop(session, stop, said, by=county.courier_viewer(), at=utc(TUESDAY, time(9, 30)))
    assert case.stage is Stage.PRESCREENED
    again = session.get_one(CourierStop, parcel.stop_id)
    assert (again.id != stop.id, again.state, again.on) == (True, StopState.OPEN, TUESDAY + timedelta(days=1))
    assert "attempt_failed" in texts_sent(session)


def test_scanning_where_the_papers_already_are_is_refused_by_name(county):
    session = county.session
    case, _ = a_prescreened_case(county)
    parcel = steps.hand_in(session, case, by=county.agent_viewer(), at=TEN, scan_id="counter-1")
    with pytest.raises(AlreadyHeld, match=parcel.waybill):
        steps.scan(
            session, parcel, to=Holder.CENTRE, scan_id="again", by=county.agent_viewer(), at=TEN,
        )  # fmt: skip


def test_a_withdrawal_brings_the_papers_home(county):
    session = county.session
    case, viewer = a_prescreened_case(county)
    parcel = steps.hand_in(session, case, by=county.agent_viewer(), at=TEN, scan_id="counter-1")
    steps.withdraw(session, case, reason="计划变更", by=viewer, at=TEN)
    assert case.stage is Stage.WITHDRAWN
    stop = session.get_one(CourierStop, parcel.stop_id)
    assert (stop.state, stop.on) == (StopState.OPEN, TUESDAY)
    assert session.get_one(Project, case.project_id).state is ProjectState.CLOSED


def test_a_revoked_delegation_stops_the_work(county):
    session = county.session
    case, viewer = an_assigned_case(county)
    project = session.get_one(Project, case.project_id)
    steps.revoke(session, project, reason="不再委托", by=viewer, at=TEN)
    assert case.stage is Stage.WITHDRAWN
    assert "delegation_revoked" in texts_sent(session)


def test_silence_of_five_working_days_counts_as_acceptance(county):
    session = county.session
    case, _ = a_prescreened_case(county)
    agent = county.agent_viewer()
    steps.hand_in(session, case, by=agent, at=TEN, scan_id="c")
    steps.submit(session, case, receipts={}, by=agent, at=TEN)
    assert perform(session, AcceptBySilence(), SYSTEM, at=utc(date(2026, 11, 30), time(16))) == 0
    reviews = lookups.reviews_of(session, case)
    assert perform(session, AcceptBySilence(), SYSTEM, at=utc(date(2026, 12, 1), time(9))) == len(reviews)
    assert {r.state for r in reviews} == {ReviewState.ACCEPTED}
    assert case.stage is Stage.UNDER_REVIEW


def test_an_unrated_case_closes_after_fifteen_working_days(county):
    session = county.session
    case, _ = a_prescreened_case(county, matters=("IND-101",))
    agent = county.agent_viewer()
    assert case.pickup_way is Way.ELECTRONIC
    steps.submit(session, case, receipts={}, by=agent, at=TEN)
    review = lookups.reviews_of(session, case)[0]
    steps.accept(session, review, notice_no="受1", by=agent, at=TEN)
    steps.decide(session, review, outcome=ReviewState.GRANTED, decision_no="备1", by=agent, at=TEN)
    steps.deliver(session, case, by=agent, at=TEN)
    assert perform(session, CloseUnrated(), SYSTEM, at=TEN + timedelta(days=14)) == 0
    assert perform(session, CloseUnrated(), SYSTEM, at=TEN + timedelta(days=22)) == 1
    assert case.stage is Stage.CLOSED


def test_a_denial_needs_reasons_and_never_reads_as_success(county):
    session = county.session
    case, _ = a_prescreened_case(county, matters=("IND-101",))
    agent = county.agent_viewer()
    steps.submit(session, case, receipts={}, by=agent, at=TEN)
    review = lookups.reviews_of(session, case)[0]
    steps.accept(session, review, notice_no="受1", by=agent, at=TEN)
    with pytest.raises(Refused, match="reasons"):
        steps.decide(session, review, outcome=ReviewState.DENIED, decision_no="不1", by=agent, at=TEN)
    steps.decide(
        session, review, outcome=ReviewState.DENIED, decision_no="不1", reason="产业政策禁止类", by=agent, at=TEN
    )
    assert case.outcome is Outcome.DENIED


def test_a_step_out_of_order_is_refused(county):
    case, viewer = a_request(county)
    with pytest.raises(WrongStage):
        steps.submit(county.session, case, receipts={}, by=county.lead, at=TEN)
    with pytest.raises(WrongStage):
        steps.book_pickup(county.session, case, appointment=an_appointment(), by=viewer, at=TEN)
    with pytest.raises(NotFound):
        staffing.assign(
            county.session, county.session.get_one(Project, case.project_id), agent_id=999_999, by=SYSTEM, at=TEN
        )


def test_results_and_old_originals_change_hands_at_one_stop(county):
    session = county.session
    case, viewer = a_prescreened_case(county)
    agent = county.agent_viewer()
    steps.hand_in(session, case, by=agent, at=TEN, scan_id="c")
    steps.submit(session, case, receipts={}, by=agent, at=TEN)
    for review in lookups.reviews_of(session, case):
        steps.accept(session, review, notice_no="受", by=agent, at=TEN)
        steps.decide(session, review, outcome=ReviewState.GRANTED, decision_no="准", by=agent, at=TEN)
    old = steps.book_exchange(session, case, appointment=an_appointment(), by=viewer, at=TEN)
    stop = plan_by_hand(session, county, old)
    papers = lookups.parcels_at(session, stop.id)
    assert {p.leg for p in papers} == {Leg.DELIVERY, Leg.EXCHANGE}
    assert len({p.code for p in papers}) == 1
    assert texts_sent(session).count("delivery") == 1
    for paper in papers:
        if paper.leg is Leg.DELIVERY:
            loaded(session, county, paper)
    said = doorstep(StopAct.DELIVERED, code=old.code, identity_checked=True, inspected=True)
    steps.report_stop(session, stop, said, by=county.courier_viewer(), at=utc(TUESDAY, time(9, 30)))
    assert case.stage is Stage.DELIVERED
    assert old.holder is Holder.COURIER
    assert {p.holder for p in papers if p.leg is Leg.DELIVERY} == {Holder.ENTERPRISE}
    assert list(verification.verify(session)) == []


def test_papers_go_on_to_another_centre_and_arrive_there(county):
    session = county.session
    case, _ = a_prescreened_case(county)
    agent = county.agent_viewer()
    parcel = steps.hand_in(session, case, by=agent, at=TEN, scan_id="c")
    city = session.scalars(select(ServiceCentre).where(ServiceCentre.centre_no == "SC005")).one()
    steps.send_on(session, parcel, centre_id=city.id, scan_id="t1", by=SYSTEM, at=TEN)
    assert (parcel.holder, parcel.leg) == (Holder.TRUNK, Leg.TRANSFER)
    steps.scan(
        session, parcel, to=Holder.CENTRE, ref=f"centre:{city.id}", scan_id="t2", by=SYSTEM, at=TEN + timedelta(hours=5)
    )
    assert (parcel.holder, parcel.centre_id) == (Holder.CENTRE, city.id)
    with pytest.raises(Refused, match="no other centre"):
        steps.send_on(session, parcel, centre_id=city.id, scan_id="t3", by=SYSTEM, at=TEN)


def granted_on_commitment(county):
    session = county.session
    case, _ = a_prescreened_case(county, matters=("IND-108",))
    agent = county.agent_viewer()
    steps.submit(session, case, receipts={}, by=agent, at=TEN)
    review = lookups.reviews_of(session, case)[0]
    steps.grant_on_commitment(
        session, review, decision_no="承诺1", verify_by=MONDAY + timedelta(days=30), by=agent, at=TEN
    )
    return case, review


def test_a_matter_on_commitment_is_decided_at_once_and_verified_afterwards(county):
    case, review = granted_on_commitment(county)
    assert (case.stage, review.state, review.relief) == (Stage.DECIDED, ReviewState.GRANTED, Relief.COMMITMENT)
    agent = county.agent_viewer()
    steps.verify_commitment(county.session, review, holds=True, reason="", by=agent, at=TEN + timedelta(days=9))
    assert review.verified_at is not None
    with pytest.raises(WrongStage):
        steps.verify_commitment(county.session, review, holds=False, reason="x", by=agent, at=TEN + timedelta(days=9))


def test_a_false_commitment_costs_the_decision_with_reasons_and_a_notice(county):
    _, review = granted_on_commitment(county)
    agent = county.agent_viewer()
    with pytest.raises(Refused, match="reasons"):
        steps.verify_commitment(county.session, review, holds=False, reason=" ", by=agent, at=TEN)
    steps.verify_commitment(county.session, review, holds=False, reason="现场与承诺不符", by=agent, at=TEN)
    assert review.revoked_at is not None
    assert "commitment_revoked" in texts_sent(county.session)


def test_only_matters_of_the_list_are_decided_on_commitment(county):
    session = county.session
    case, _ = a_prescreened_case(county, matters=("IND-101",))
    steps.submit(session, case, receipts={}, by=county.agent_viewer(), at=TEN)
    with pytest.raises(Refused, match="not decided on commitment"):
        steps.grant_on_commitment(
            session, lookups.reviews_of(session, case)[0], decision_no="承诺1", verify_by=MONDAY + timedelta(days=30),
            by=county.agent_viewer(), at=TEN,
        )  # fmt: skip
