"""Nobody is told nothing: every announced, moved or cancelled visit has an SMS, or stands on the call list."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from dispatch.acts import announcing
from dispatch.acts.act import perform
from dispatch.acts.courier_run import LoadRun, UndoLoad
from dispatch.acts.visit_telling import RecordCall
from dispatch.cases.visit_word import VisitChange, VisitWord
from dispatch.core.actor import SYSTEM
from dispatch.core.errors import WrongStage
from dispatch.core.ids import RunId, VisitWordId
from dispatch.custody.handover import Holder
from dispatch.views.call_list import call_list
from notifications.message import Message, State
from routing.day.courier_run import CourierRun
from routing.day.courier_stop import CourierStop, StopKind, StopState
from routing.day.stops import Address, request_stop
from tests.dispatch.builders import TEN
from tests.dispatch.road import NOON, TUESDAY, on_the_road
from web.wiring import database_schema

database_schema.load_rooms()  # the line that an act leaves names an account of web's

MOBILE, LANDLINE = "13812345670", "0519-86310000"


@pytest.fixture
def out(county):
    return on_the_road(county)


def ordinary(out, phone):
    """A stop of the other counters: papers of no case."""
    address = Address(119.96, 31.72, "延政中路7号", "钱会计", phone, "常州某某公司")
    window = [(13 * 3600, 17 * 3600)]
    return request_stop(
        out.session, division_id=out.county.division.id, on=TUESDAY, kind=StopKind.DELIVERY, address=address,
        windows=window, at=TEN,
    )  # fmt: skip


def tell(out, stop, opens_s=13 * 3600):
    window = {"opens_s": opens_s, "closes_s": opens_s + 7200}
    announcing.announce(out.session, stop, courier_name="揽投员1", **window, by=SYSTEM, at=NOON)
    stop.announced_opens_s, stop.announced_closes_s = window["opens_s"], window["closes_s"]


def words(out, stop):
    query = select(VisitWord).where(VisitWord.stop_id == stop.id).order_by(VisitWord.id)
    return out.session.scalars(query).all()


def sms_of(out, stop):
    ids = [word.message_id for word in words(out, stop)]
    return [message.text_name for message in out.session.scalars(select(Message).where(Message.id.in_(ids)))]


def to_call(out, stop):
    return [line for line in call_list(out.session, out.lead).open if line.label == (stop.label or stop.address)]


def test_who_has_a_mobile_gets_an_sms_of_each_change_though_no_case_is_there(out):
    stop = ordinary(out, MOBILE)
    tell(out, stop)
    tell(out, stop, opens_s=15 * 3600)
    announcing.unplan(out.session, stop, by=SYSTEM, at=NOON)
    assert sorted(sms_of(out, stop)) == ["visit", "visit_cancelled", "visit_late"]
    assert [word.change for word in words(out, stop)] == [
        VisitChange.ANNOUNCED, VisitChange.LATE, VisitChange.CANCELLED,
    ]  # fmt: skip
    assert (to_call(out, stop), stop.announced_opens_s) == ([], None)


@pytest.mark.parametrize("phone", [LANDLINE, "", "转交门卫"])
def test_who_has_no_mobile_is_on_the_call_list_with_the_newest_word_alone_until_somebody_called(out, phone):
    stop = ordinary(out, phone)
    tell(out, stop)
    tell(out, stop, opens_s=15 * 3600)
    (line,) = to_call(out, stop)
    assert (line.phone, line.window, line.had_sms) == (phone, (15 * 3600, 17 * 3600), False)
    perform(out.session, RecordCall(word=VisitWordId(line.id), note="门卫转告"), out.lead)
    assert to_call(out, stop) == []
    (called,) = call_list(out.session, out.lead).called
    assert (called.called_by, called.note) == (out.lead.label, "门卫转告")
    with pytest.raises(WrongStage):
        perform(out.session, RecordCall(word=VisitWordId(line.id)), out.lead)


@pytest.mark.parametrize("state", [State.FAILED_PERMANENT, State.EXPIRED, State.SUPPRESSED, State.UNKNOWN])
def test_an_sms_that_did_not_arrive_is_a_call_to_make(out, state):
    stop = ordinary(out, MOBILE)
    tell(out, stop)
    message = out.session.get_one(Message, words(out, stop)[0].message_id)
    message.state = state
    out.session.flush()
    (line,) = to_call(out, stop)
    assert line.had_sms
    message.state = State.DELIVERED
    out.session.flush()
    assert to_call(out, stop) == []


def test_a_visit_of_a_case_that_is_cancelled_is_told_to_its_contact(out):
    pickup = out.stops[0]
    pickup.announced_opens_s, pickup.announced_closes_s = 9 * 3600, 11 * 3600
    announcing.unplan(out.session, pickup, by=SYSTEM, at=NOON)
    assert sms_of(out, pickup) == ["pickup", "window_cancelled"]
    assert words(out, pickup)[-1].change is VisitChange.CANCELLED


def test_a_visit_that_nobody_was_told_of_is_cancelled_without_a_word(out):
    stop = ordinary(out, MOBILE)
    announcing.unplan(out.session, stop, by=SYSTEM, at=NOON)
    assert words(out, stop) == []


def test_a_load_that_is_taken_back_takes_back_the_cancelled_visit_too(out):
    home = out.stops[1]
    home.announced_opens_s, home.announced_closes_s = 9 * 3600, 11 * 3600
    out.home.hand_over(to=Holder.CENTRE, ref="centre:1", scan_id="back", at=TEN + timedelta(hours=1), by="test")
    out.session.flush()
    run = out.session.scalars(select(CourierRun).where(CourierRun.plan_id == out.plan.id)).one()
    asked = perform(out.session, LoadRun(run_id=RunId(run.id)), out.one)
    left = tuple(envelope.waybill for envelope in asked.left)
    perform(out.session, LoadRun(run_id=RunId(run.id), left=left), out.one)
    assert (home.state, home.announced_opens_s) == (StopState.OPEN, None)
    assert sms_of(out, home)[-1] == "window_cancelled"
    perform(out.session, UndoLoad(run_id=RunId(run.id)), out.one)
    assert (home.state, home.announced_opens_s) == (StopState.PLANNED, 9 * 3600)
    cancelled = out.session.get_one(Message, words(out, home)[-1].message_id)
    assert cancelled.state is State.SUPPRESSED  # nobody can have heard it: it is not said at all
    assert call_list(out.session, out.lead).total == 0


def test_the_call_list_is_of_the_own_area_and_of_days_to_come(out):
    stop = ordinary(out, LANDLINE)
    tell(out, stop)
    assert call_list(out.session, out.one).total == 0
    words(out, stop)[0].on = TUESDAY - timedelta(days=1)
    out.session.flush()
    assert call_list(out.session, out.lead).total == 0
    assert out.session.get_one(CourierStop, stop.id).label
