"""What a phone recorded is never lost: it is in the record, or on the dispatcher's desk, and the answer comes back."""

import uuid
from datetime import date, time, timedelta

import pytest
from sqlalchemy import func, select

import db
from dispatch.acts import announcing
from dispatch.acts.act import perform
from dispatch.acts.courier_desk import Decision, SeeAnswer, SettleCourierReport, TellDispatcher, Topic
from dispatch.acts.courier_phones import ReportPhone
from dispatch.acts.courier_run import ProposeEntrance
from dispatch.acts.door_facts import RecordFact
from dispatch.acts.door_report import fact_time
from dispatch.cases.case import Case
from dispatch.cases.courier_report import CourierPhone, CourierReport, ReportKind, ReportState, WhyHeld
from dispatch.cases.stages import Stage
from dispatch.core.actor import SYSTEM, Actor, Role
from dispatch.core.errors import NotFound, Refused, WrongStage
from dispatch.core.ids import CourierReportId, StopId
from dispatch.core.shanghai_time import utc
from dispatch.custody import verification
from dispatch.custody.handover import Handover, Holder
from dispatch.custody.parcel import Parcel, ParcelState
from dispatch.custody.waybill import waybill_from
from notifications.message import Message
from routing.day.courier_run import CourierRun
from routing.day.courier_stop import CourierStop, FailReason, StopAct, StopEvent, StopState
from routing.day.stops import MAX_ATTEMPTS
from tests.dispatch import steps
from tests.dispatch.builders import TEN, a_prescreened_case, an_appointment
from tests.dispatch.road import NOON, TUESDAY, a_plan, on_the_road
from web.wiring import database_schema

database_schema.load_rooms()  # the line that an act leaves names an account of web's


@pytest.fixture
def out(county):
    return on_the_road(county)


def delivered(out, **more):
    said = {"code": out.home.code, "identity_checked": True, **more}
    return RecordFact(stop=out.stops[1].id, event_id=uuid.uuid4(), act=StopAct.DELIVERED, **said)


def collected(out, **more):
    said = {"code": out.pickup.code, "inspected": True, **more}
    return RecordFact(stop=out.stops[0].id, event_id=uuid.uuid4(), act=StopAct.COLLECTED, **said)


def reports(out, *conditions):
    return out.session.scalars(select(CourierReport).where(*conditions).order_by(CourierReport.id)).all()


def settle(out, report, decision, words="已核实", by=None):
    command = SettleCourierReport(report=CourierReportId(report.id), decision=decision, words=words)
    return perform(out.session, command, by or out.lead)


# ---------------------------------------------------------------- a proven fact outranks the plan


@pytest.mark.parametrize("now_with", [1, None], ids=["another courier", "nobody"])
def test_a_proven_delivery_stands_though_the_plan_moved_while_she_had_no_signal(out, now_with):
    happened = NOON - timedelta(minutes=90)
    if now_with is None:
        for stop in out.stops:
            stop.move_to(StopState.OPEN)
            stop.run_id = stop.position = stop.eta_s = None
            announcing.unplan(out.session, stop, by=SYSTEM, at=NOON - timedelta(minutes=30))
    else:
        a_plan(
            out.session, out.county, out.stops, courier=1, at=NOON - timedelta(minutes=30), replaces=out.plan
        )  # fmt: skip
    said = delivered(out, device_at=happened_on_phone(out, happened), sent_at=db.real_now(out.session))
    done = perform(out.session, said, out.one)
    assert done.taken and abs(done.at - happened) < timedelta(seconds=5)
    assert (out.stops[1].state, out.home.holder) == (StopState.DONE, Holder.ENTERPRISE)
    event = out.session.scalars(select(StopEvent)).one()
    assert event.courier_id == out.one.courier_id
    assert abs(event.recorded_at - NOON) < timedelta(seconds=30)
    assert perform(out.session, collected(out), out.one).taken
    assert list(verification.verify(out.session)) == []
    assert reports(out) == []
    if now_with is not None:
        losing = out.session.scalars(select(CourierRun).where(CourierRun.courier_id == out.two.courier_id)).one()
        assert "不必再去" in (losing.changed_words or "")


def happened_on_phone(out, moment):
    """What the phone's clock said: in a demo the program's clock is moved, the phone's is not."""
    return moment - (db.now(out.session) - db.real_now(out.session))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"code": "000000"}, WhyHeld.WRONG_CODE),
        ({"code": None}, WhyHeld.MISSING_PROOF),
        ({"identity_checked": False}, WhyHeld.MISSING_PROOF),
        ({"waybills": ("EA123456785CN",)}, WhyHeld.UNKNOWN_WAYBILL),
    ],
)
def test_what_cannot_be_taken_lies_on_the_desk_with_its_proofs_and_without_its_code(out, change, why):
    if change.get("code") == out.home.code:
        change = {"code": "111111"}
    said = delivered(out, signature="ab" * 32, photos=("cd" * 32,), **change)
    held = perform(out.session, said, out.one)
    assert (held.taken, held.why) == (False, why) and held.words
    (report,) = reports(out)
    assert (report.kind, report.hold_reason, report.act) == (ReportKind.FACT, why, StopAct.DELIVERED)
    assert report.proofs == sorted(["ab" * 32, "cd" * 32])
    assert out.home.code not in report.said and '"code"' not in report.said
    assert (out.stops[1].state, out.home.holder) == (StopState.PLANNED, Holder.COURIER)
    assert perform(out.session, said, out.one).taken is False
    assert len(reports(out)) == 1, "the same act twice is one row"


def test_a_wrong_code_counts_and_the_right_one_later_closes_the_row(out):
    perform(out.session, delivered(out, code="000000"), out.one)
    assert out.session.scalar(select(Parcel.code_tries).where(Parcel.id == out.home.id)) == 1
    out.session.expire(out.home, ["code_tries"])
    assert perform(out.session, delivered(out), out.one).taken
    assert [report.state for report in reports(out)] == [ReportState.OVERTAKEN]


def test_a_failed_attempt_at_a_stop_that_moved_changes_nothing_and_has_a_reader(out):
    a_plan(out.session, out.county, out.stops, courier=1, at=NOON - timedelta(minutes=30), replaces=out.plan)
    failed = RecordFact(stop=out.stops[0].id, event_id=uuid.uuid4(), act=StopAct.FAILED, reason=FailReason.NOBODY_IN)
    assert perform(out.session, failed, out.one).why is WhyHeld.STOP_MOVED
    assert out.stops[0].state is StopState.PLANNED
    assert [report.stop_id for report in reports(out)] == [out.stops[0].id]


def test_a_stop_that_was_never_hers_tells_nothing_and_changes_nothing(out):
    held = perform(out.session, delivered(out), out.two)
    unknown = perform(out.session, RecordFact(stop=999_999, event_id=uuid.uuid4(), act=StopAct.ARRIVED), out.two)
    assert (held.why, unknown.why) == (WhyHeld.UNKNOWN_STOP, WhyHeld.UNKNOWN_STOP)
    assert held.words == unknown.words
    assert [report.stop_id for report in reports(out)] == [None, None]
    assert out.stops[1].state is StopState.PLANNED


def test_the_event_of_another_courier_is_not_answered_for(out):
    said = delivered(out)
    perform(out.session, said, out.one)
    with pytest.raises(Refused):
        perform(out.session, said, out.two)


# ---------------------------------------------------------------- the desk


def test_the_dispatcher_takes_a_fact_and_the_courier_reads_the_answer(out):
    happened = NOON - timedelta(minutes=20)
    said = delivered(
        out, code="000000", device_at=happened_on_phone(out, happened), sent_at=db.real_now(out.session)
    )  # fmt: skip
    perform(out.session, said, out.one)
    (report,) = reports(out)
    settle(out, report, Decision.TAKE)
    assert (report.state, out.home.holder) == (ReportState.TAKEN, Holder.ENTERPRISE)
    link = out.session.scalars(select(Handover).where(Handover.action == "deliver")).one()
    assert abs(link.at - happened) < timedelta(seconds=5)
    assert list(verification.verify(out.session)) == []
    perform(out.session, SeeAnswer(report=CourierReportId(report.id)), out.one)
    assert report.seen_at is not None
    with pytest.raises(WrongStage):
        settle(out, report, Decision.DECLINE)
    assert perform(out.session, said, out.one).taken


def test_declining_needs_words_and_changes_nothing(out):
    perform(out.session, delivered(out, code="000000"), out.one)
    (report,) = reports(out)
    with pytest.raises(Refused):
        settle(out, report, Decision.DECLINE, words=" ")
    settle(out, report, Decision.DECLINE, words="请补验证码")
    assert (report.state, report.answer, out.stops[1].state) == (ReportState.DECLINED, "请补验证码", StopState.PLANNED)


def test_a_corrected_entrance_is_read_and_moves_the_point(out):
    stop = out.stops[0]
    lon, lat = stop.lon + 0.001, stop.lat + 0.001
    perform(out.session, ProposeEntrance(stop=StopId(stop.id), lon=lon, lat=lat), out.one)
    (report,) = reports(out)
    settle(out, report, Decision.TAKE)
    assert (stop.lon, stop.lat) == (pytest.approx(lon), pytest.approx(lat))
    assert stop.proposed_lon is None


def test_every_word_has_a_reader(out):
    problem = RecordFact(stop=out.stops[0].id, event_id=uuid.uuid4(), act=StopAct.PROBLEM, note="门卫不让进")
    assert perform(out.session, problem, out.one).taken
    said = TellDispatcher(event_id=uuid.uuid4(), topic=Topic.RUN, note="车坏在路上")
    for _ in range(2):
        perform(out.session, said, out.one)
    assert [(report.kind, report.note) for report in reports(out)] == [
        (ReportKind.PROBLEM, "门卫不让进"),
        (ReportKind.RUN, "车坏在路上"),
    ]
    assert out.session.scalar(select(func.count(StopEvent.id))) == 1


def test_a_report_of_another_county_is_not_there(out):
    perform(out.session, delivered(out, code="000000"), out.one)
    (report,) = reports(out)
    elsewhere = Actor(Role.LEAD, name="别处", division_path="320000000000.320500000000")
    with pytest.raises(NotFound):
        settle(out, report, Decision.TAKE, by=elsewhere)
    with pytest.raises(NotFound):
        perform(out.session, SeeAnswer(report=CourierReportId(report.id)), out.two)


# ---------------------------------------------------------------- custody invents nothing


def test_an_envelope_that_nobody_scanned_is_not_handed_over_unless_it_was_found_in_hand(out):
    centre = f"centre:{out.county.couriers[0].centre_id}"
    out.home.hand_over(to=Holder.CENTRE, ref=centre, scan_id="back", at=TEN, by="test", action="receive")
    assert perform(out.session, delivered(out), out.one).why is WhyHeld.NOT_ON_BOARD
    assert out.home.holder is Holder.CENTRE
    assert perform(out.session, delivered(out, found=(out.home.waybill,)), out.one).taken
    actions = [link.action for link in out.session.scalars(select(Handover).order_by(Handover.seq))][-2:]
    assert actions == ["found", "deliver"]
    assert [report.kind for report in reports(out, CourierReport.state == ReportState.OPEN)] == [ReportKind.CUSTODY]


def another_envelope(out, *, on_board=False):
    """One more envelope of the same delivery: it lies at the centre, or was loaded too."""
    home, courier = out.home, f"courier:{out.county.couriers[0].id}"
    other = Parcel(
        waybill=waybill_from(90_000_000 + on_board), case_id=home.case_id, leg=home.leg, stop_id=home.stop_id,
        centre_id=home.centre_id, state=ParcelState.ON_THE_WAY if on_board else ParcelState.AT_CENTRE,
        holder=Holder.COURIER if on_board else Holder.CENTRE,
        holder_ref=courier if on_board else f"centre:{home.centre_id}", created_at=TEN,
    )  # fmt: skip
    out.session.add(other)
    out.session.flush()
    return other


def test_an_envelope_that_was_not_loaded_goes_with_the_next_visit_and_who_waits_is_told(out):
    other, case = another_envelope(out), out.session.get_one(Case, out.home.case_id)
    case.stage = Stage.DELIVERY_PLANNED
    assert perform(out.session, delivered(out), out.one).taken
    again = out.session.get_one(CourierStop, other.stop_id)
    assert (again.retry_of_id, again.on, again.state) == (out.stops[1].id, TUESDAY + timedelta(days=1), StopState.OPEN)
    assert case.stage is Stage.DELIVERY_PLANNED, "the stage follows the last delivery"
    (notice,) = out.session.scalars(select(Message).where(Message.text_name == "attempt_failed"))
    assert "没有装车" in notice.values["reason"]


def test_an_envelope_without_a_further_visit_waits_for_another_appointment(out):
    other, case = another_envelope(out), out.session.get_one(Case, out.home.case_id)
    case.stage, out.stops[1].attempts = Stage.DELIVERY_PLANNED, MAX_ATTEMPTS
    assert perform(out.session, delivered(out), out.one).taken
    assert (other.stop_id, case.stage) == (None, Stage.DECIDED)


def test_one_visit_takes_all_that_stayed_behind(out):
    not_loaded = another_envelope(out)
    left_out = another_envelope(out, on_board=True)
    reasons = {left_out.waybill: FailReason.SEAL_BROKEN}
    assert perform(out.session, delivered(out, exceptions=(left_out.waybill,), reasons=reasons), out.one).taken
    assert not_loaded.stop_id == left_out.stop_id != out.stops[1].id


def test_each_envelope_left_behind_has_its_own_reason(out):
    """Two envelopes at one door, both left out in words of their own: the stop failed for one and for the other."""
    case, viewer = a_prescreened_case(out.county)
    second = steps.book_pickup(out.session, case, appointment=an_appointment(), by=viewer, at=TEN)
    second.stop_id = out.stops[0].id
    out.session.flush()
    said = collected(out, exceptions=(second.waybill,), reasons={second.waybill: FailReason.SEAL_BROKEN})
    assert perform(out.session, said, out.one).taken
    event = out.session.scalars(select(StopEvent)).one()
    assert (event.reason, event.waybills) == (FailReason.SEAL_BROKEN, [out.pickup.waybill])


# ---------------------------------------------------------------- clocks and phones


@pytest.mark.parametrize("skew_min", [-45, 0, 45])
def test_a_fact_has_the_corrected_time_whatever_the_phones_clock_says(skew_min):
    skew = timedelta(minutes=skew_min)
    acted = NOON - timedelta(minutes=30)
    when = fact_time(acted + skew, NOON + skew, at=NOON, real=NOON)
    assert (when.at, when.recorded_at) == (acted, NOON)
    assert when.drift_s == pytest.approx(-skew.total_seconds())


def test_a_clock_that_cannot_be_right_is_not_believed():
    ahead = fact_time(NOON + timedelta(hours=5), None, at=NOON, real=NOON)
    long_ago = fact_time(utc(date(2019, 1, 1), time(1)), NOON, at=NOON, real=NOON)
    assert (ahead.at, long_ago.at) == (NOON, NOON)


def test_a_phone_says_what_waits_on_it_and_how_far_its_clock_is_off(out):
    device = uuid.uuid4()
    real = db.real_now(out.session)
    for waiting in (3, 1):
        perform(
            out.session,
            ReportPhone(device=device, waiting=waiting, stuck=1, sent_at=real + timedelta(minutes=45)),
            out.one,
        )
    phone = out.session.scalars(select(CourierPhone)).one()
    assert (phone.waiting, phone.stuck) == (1, 1)
    assert phone.skew_s == pytest.approx(2700, abs=5)
