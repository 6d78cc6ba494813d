"""A courier's word from the road reaches who waits: by SMS, by her own call, by the dispatcher's, or it is told why."""

import uuid
from datetime import UTC, datetime, time, timedelta

import pytest
from sqlalchemy import select

import db
from dispatch.acts.act import perform
from dispatch.acts.coming import ComingReason, TellComing
from dispatch.cases.case import Case, CaseEvent
from dispatch.cases.courier_report import CourierReport, ReportState
from dispatch.cases.visit_word import VisitChange, VisitWord
from dispatch.core.errors import Refused
from dispatch.core.shanghai_time import utc
from dispatch.views.call_list import call_list
from dispatch.views.coming import said_today
from dispatch.views.courier_day import my_day
from dispatch.views.enterprise_papers import legs_of
from notifications.message import Message
from routing.day.courier_stop import StopState
from tests.dispatch.road import TUESDAY, on_the_road
from web.wiring import database_schema

database_schema.load_rooms()  # the line that an act leaves names an account of web's

TEN_O_CLOCK = utc(TUESDAY, time(10))
H = 3600


@pytest.fixture
def out(county):
    """Ten o'clock: both stops of courier one are announced for 9:00-11:00."""
    made = on_the_road(county)
    db.set_clock(made.session, TEN_O_CLOCK)
    for stop in made.stops:
        stop.announced_opens_s, stop.announced_closes_s = 9 * H, 11 * H
    made.session.flush()
    return made


def says(out, minutes, *, why=ComingReason.ON_WAY, stop=0, who=None, **more):
    more = {"event_id": uuid.uuid4(), **more}
    command = TellComing(stop=out.stops[stop].id, in_minutes=minutes, why=why, **more)
    return perform(out.session, command, who or out.one)


def words(out, stop=0):
    query = select(VisitWord).where(VisitWord.stop_id == out.stops[stop].id, VisitWord.why.is_not(None))
    return out.session.scalars(query.order_by(VisitWord.id)).all()


def texts(out):
    ids = [word.message_id for word in words(out)]
    return [message.text_name for message in out.session.scalars(select(Message).where(Message.id.in_(ids)))]


def on_the_desk(out):
    return out.session.scalars(select(CourierReport).where(CourierReport.state == ReportState.OPEN)).all()


def test_on_the_way_is_told_within_what_was_announced_and_moves_nothing(out):
    done = says(out, 22)
    assert (done.taken, done.window) == (True, (10 * H + 1500, 10 * H + 3300))
    assert (texts(out), words(out)[0].change) == (["courier_coming"], VisitChange.ON_WAY)
    assert (out.stops[0].announced_opens_s, out.stops[0].announced_closes_s) == (9 * H, 11 * H)


def test_what_is_told_ends_with_what_was_announced(out):
    assert says(out, 50).window == (10 * H + 3000, 11 * H)


def test_later_than_announced_is_late_moves_the_announcement_and_may_still_be_served(out):
    out.stops[0].windows = [[9 * H, 11 * H]]
    done = says(out, 90, why=ComingReason.EARLIER_STOP)
    assert done.window == (11 * H + 1800, 12 * H)
    assert (texts(out), words(out)[0].change) == (["courier_late"], VisitChange.LATE)
    assert (out.stops[0].announced_opens_s, out.stops[0].announced_closes_s) == done.window
    assert out.stops[0].windows == [[9 * H, 12 * H]]


def test_the_enterprise_the_dispatcher_and_the_card_show_it(out):
    says(out, 90, why=ComingReason.TRAFFIC)
    case = out.session.get_one(Case, out.pickup.case_id)
    ((_, leg),) = [one for one in legs_of(out.session, case) if one[0].id == out.pickup.id]
    assert (leg.coming.window, leg.coming.why) == ((11 * H + 1800, 12 * H), "路上拥堵")
    (line,) = said_today(out.session, out.lead)
    assert (line.courier, line.heard, line.change) == (out.one.name, "短信", "今天晚到")
    card = my_day(out.session, out.one).runs[0].stops[0]
    assert (card.coming.window, card.window) == ((11 * H + 1800, 12 * H), (11 * H + 1800, 12 * H))
    kinds = select(CaseEvent.kind).where(CaseEvent.case_id == case.id)
    assert "coming" in out.session.scalars(kinds).all()


def test_who_gets_no_sms_is_on_the_call_list_and_whom_she_called_is_not(out):
    ordinary = out.stops[0]
    out.pickup.stop_id, ordinary.contact_phone = None, "0519-86310000"
    out.session.flush()
    says(out, 20)
    assert [line.change for line in call_list(out.session, out.lead).open] == ["已在路上"]
    says(out, 30, called=True)
    listed = call_list(out.session, out.lead)
    assert (listed.open, [line.called_by for line in listed.called]) == ([], [out.one.label])
    assert [line.heard for line in said_today(out.session, out.lead)] == ["已打电话", "已有更新的告知"]


def test_her_own_call_sends_no_sms_though_a_case_waits_there(out):
    says(out, 20, called=True)
    assert (texts(out), [word.called_by for word in words(out)]) == ([], [out.one.label])


def test_minutes_count_from_when_it_was_said_and_the_same_word_twice_is_one(out):
    said = {"event_id": uuid.uuid4(), "device_at": datetime.now(UTC) - timedelta(minutes=40)}
    first = says(out, 60, **said)
    assert first.window == (10 * H + 1200, 10 * H + 3000)
    assert says(out, 60, **said) == first
    assert len(words(out)) == 1
    with pytest.raises(Refused):
        says(out, 60, who=out.two, **said)


def too_late(out):
    return says(out, 10, device_at=datetime.now(UTC) - timedelta(minutes=50))


def too_early(out):
    for stop in out.stops:
        stop.announced_opens_s, stop.announced_closes_s = 14 * H, 16 * H
    return says(out, 10)


def of_another(out):
    return says(out, 10, who=out.two)


def over(out):
    out.stops[0].state = StopState.DONE
    return says(out, 10)


@pytest.mark.parametrize("what", [too_late, too_early, of_another, over])
def test_what_nobody_can_be_told_any_more_is_on_the_dispatchers_desk(out, what):
    done = what(out)
    assert (done.taken, bool(done.words), words(out)) == (False, True, [])
    assert [report.event_id for report in on_the_desk(out)] == [done.event_id]


def test_she_may_come_earlier_when_she_has_called(out):
    for stop in out.stops:
        stop.announced_opens_s, stop.announced_closes_s = 14 * H, 16 * H
    assert says(out, 10, called=True).taken
