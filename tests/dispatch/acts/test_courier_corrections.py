"""What a courier takes back: parcels, stops and stages are what they were, and who was told wrongly is told right."""

from datetime import time, timedelta

import pytest
from sqlalchemy import select

from dispatch.cases.stages import Stage
from dispatch.core.errors import Refused
from dispatch.core.shanghai_time import utc
from dispatch.custody import verification
from dispatch.custody.handover import Holder
from dispatch.custody.parcel import ParcelState
from notifications.message import Message, State
from routing.day.courier_stop import CourierStop, FailReason, StopAct, StopState
from tests.dispatch import steps
from tests.dispatch.builders import TEN, a_prescreened_case, an_appointment
from tests.dispatch.door_steps import TUESDAY, collect, doorstep, plan_by_hand, texts_sent

AT = utc(TUESDAY, time(9, 30))
NOBODY_IN = {"reason": FailReason.NOBODY_IN}


@pytest.fixture
def visited(county):
    """A case whose pickup stands on today's run, with its parcel and its stop."""
    case, viewer = a_prescreened_case(county)
    parcel = steps.book_pickup(county.session, case, appointment=an_appointment(), by=viewer, at=TEN)
    return case, parcel, plan_by_hand(county.session, county, parcel)


def report(county, stop, act, *, after_s=0, **more):
    at = AT + timedelta(seconds=after_s)
    return steps.report_stop(county.session, stop, doorstep(act, **more), by=county.courier_viewer(), at=at)


def test_undoing_a_collection_gives_the_papers_back_by_a_compensating_link(county):
    session = county.session
    case, viewer = a_prescreened_case(county)
    parcel = steps.book_pickup(session, case, appointment=an_appointment(), by=viewer, at=TEN)
    at = utc(TUESDAY, time(9, 30))
    stop = collect(session, county, case, parcel, at=at)
    steps.report_stop(session, stop, doorstep(StopAct.UNDONE), by=county.courier_viewer(), at=at + timedelta(seconds=5))
    assert (case.stage, parcel.holder, parcel.state) == (Stage.PICKUP_PLANNED, Holder.ENTERPRISE, ParcelState.BOOKED)
    assert parcel.chain_length == 2
    assert list(verification.verify(session)) == []
    (right,) = session.scalars(select(Message).where(Message.text_name == "record_corrected"))
    assert (right.values["matter"], right.values["result"]) == ("原件揽收", "尚未完成")


def test_an_attempt_that_was_taken_back_and_fails_after_all_is_told_again(county):
    session = county.session
    case, viewer = a_prescreened_case(county)
    stop = plan_by_hand(
        session, county, steps.book_pickup(session, case, appointment=an_appointment(), by=viewer, at=TEN)
    )
    at = utc(TUESDAY, time(9, 30))
    failed = (StopAct.FAILED, {"reason": FailReason.NOBODY_IN})
    for n, (act, more) in enumerate([failed, (StopAct.UNDONE, {}), failed]):
        steps.report_stop(
            session, stop, doorstep(act, **more), by=county.courier_viewer(), at=at + n * timedelta(seconds=4)
        )
    assert texts_sent(session).count("attempt_failed") == 2


def test_an_attempt_that_was_taken_back_did_not_happen(county, visited):
    """The case is again on its way to the pickup, the visit of another day is off, and nobody hears of a failure."""
    case, parcel, stop = visited
    report(county, stop, StopAct.FAILED, **NOBODY_IN)
    again = county.session.get_one(CourierStop, parcel.stop_id)
    assert (case.stage, again.id != stop.id) == (Stage.PRESCREENED, True)
    report(county, stop, StopAct.UNDONE, after_s=5)
    assert (case.stage, parcel.stop_id, stop.attempts) == (Stage.PICKUP_PLANNED, stop.id, 0)
    assert (stop.state, again.state) == (StopState.PLANNED, StopState.RELEASED)
    (failed,) = county.session.scalars(select(Message).where(Message.text_name == "attempt_failed"))
    assert failed.state is State.SUPPRESSED
    assert "record_corrected" not in texts_sent(county.session)


def test_who_has_heard_of_the_failure_hears_that_the_courier_comes_as_planned(county, visited):
    _, _, stop = visited
    report(county, stop, StopAct.FAILED, **NOBODY_IN)
    (failed,) = county.session.scalars(select(Message).where(Message.text_name == "attempt_failed"))
    failed.state, failed.attempts = State.SENT, 1
    report(county, stop, StopAct.UNDONE, after_s=5)
    (right,) = county.session.scalars(select(Message).where(Message.text_name == "record_corrected"))
    assert (right.values["matter"], right.values["result"]) == ("原件揽收", "照原定时段上门")


def test_a_last_attempt_that_was_taken_back_books_its_leg_again(county, visited):
    case, parcel, stop = visited
    stop.attempts = 1
    report(county, stop, StopAct.FAILED, **NOBODY_IN)
    assert (parcel.state, parcel.stop_id, stop.attempts) == (ParcelState.CANCELLED, None, 2)
    report(county, stop, StopAct.UNDONE, after_s=5)
    assert (parcel.state, parcel.stop_id, stop.attempts) == (ParcelState.BOOKED, stop.id, 1)
    report(county, stop, StopAct.COLLECTED, after_s=9, code=parcel.code, inspected=True)
    assert (case.stage, parcel.holder) == (Stage.COLLECTED, Holder.COURIER)


def test_what_was_booked_anew_since_keeps_the_failed_attempt(county, visited):
    case, _, stop = visited
    stop.attempts = 1
    report(county, stop, StopAct.FAILED, **NOBODY_IN)
    steps.book_pickup(
        county.session, case, appointment=an_appointment(TUESDAY + timedelta(days=1)), by=county.lead, at=AT
    )
    with pytest.raises(Refused, match="another visit"):
        report(county, stop, StopAct.UNDONE, after_s=5)


def test_a_visit_that_stands_on_another_run_by_now_keeps_the_failed_attempt(county, visited):
    _, parcel, stop = visited
    report(county, stop, StopAct.FAILED, **NOBODY_IN)
    plan_by_hand(county.session, county, parcel, courier=1)
    with pytest.raises(Refused, match="another visit"):
        report(county, stop, StopAct.UNDONE, after_s=5)


def test_what_was_left_behind_is_of_the_visit_again_when_that_is_taken_back(county, visited):
    case, parcel, stop = visited
    other, viewer = a_prescreened_case(county, phone="+8613812345699", name="常州量具有限公司")
    left = steps.book_pickup(county.session, other, appointment=an_appointment(), by=viewer, at=TEN)
    left.stop_id = stop.id
    left.code = left.code_hash = None
    left.set_code(parcel.code)
    other.move_to(Stage.PICKUP_PLANNED, at=TEN)
    report(
        county, stop, StopAct.COLLECTED, code=parcel.code, inspected=True, exceptions=(left.waybill,),
        reasons={left.waybill: FailReason.PAPERS_NOT_READY},
    )  # fmt: skip
    assert (case.stage, other.stage, stop.attempts) == (Stage.COLLECTED, Stage.PRESCREENED, 1)
    report(county, stop, StopAct.UNDONE, after_s=5)
    assert (case.stage, other.stage, stop.attempts) == (Stage.PICKUP_PLANNED, Stage.PICKUP_PLANNED, 0)
    assert {parcel.stop_id, left.stop_id} == {stop.id}


def test_a_second_pickup_that_was_taken_back_leaves_the_case_where_the_first_brought_it(county, visited):
    case, parcel, stop = visited
    report(county, stop, StopAct.COLLECTED, code=parcel.code, inspected=True)
    case.originals[0].name = "补充原件"
    second = steps.book_pickup(county.session, case, appointment=an_appointment(TUESDAY, 14, 16), by=county.lead, at=AT)
    later = plan_by_hand(county.session, county, second)
    report(county, later, StopAct.COLLECTED, after_s=600, code=second.code, inspected=True)
    report(county, later, StopAct.UNDONE, after_s=605)
    assert (case.stage, second.state) == (Stage.COLLECTED, ParcelState.BOOKED)
    assert parcel.holder is Holder.COURIER
