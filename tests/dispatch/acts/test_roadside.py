"""Whoever drops out: what is on board is listed with its next hands; custody passes by the word of both couriers."""

import uuid
from datetime import time, timedelta

import pytest
from sqlalchemy import select

import db
from dispatch.acts.act import perform
from dispatch.acts.plan_steps import CommitPlan, ReportShift, ShiftChange
from dispatch.acts.roadside import CallOffPass, PassEnvelopes, Side
from dispatch.acts.run_ends import EndMyRun, EndReason
from dispatch.cases.courier_report import CourierReport, ReportKind
from dispatch.core.errors import NotFound, WrongStage
from dispatch.core.ids import CourierId, PlanId, RoadsidePassId
from dispatch.core.shanghai_time import utc
from dispatch.custody import verification
from dispatch.custody.handover import Holder
from dispatch.custody.roadside_pass import RoadsidePass
from dispatch.views.courier_day import my_day
from dispatch.views.roadside import colleagues, held_by, open_passes
from routing.day.courier_run import CourierRun
from routing.day.courier_stop import CourierStop, StopKind, StopState
from routing.day.couriers import Shift
from routing.day.day_plan import DayPlan, PlanState
from routing.day.hours import Cutoff
from routing.day.stops import Address, request_stop
from tests.dispatch.builders import TEN
from tests.dispatch.road import TUESDAY, on_the_road
from web.wiring import database_schema

database_schema.load_rooms()  # the line that an act leaves names an account of web's

HALF_PAST_TEN = utc(TUESDAY, time(10, 30))


@pytest.fixture
def out(county):
    """Half past ten: courier one is on the road with a delivery on board, courier two works today too."""
    made = on_the_road(county)
    db.set_clock(made.session, HALF_PAST_TEN)
    ids = [made.one.courier_id, made.two.courier_id]
    for shift in made.session.scalars(select(Shift).where(Shift.courier_id.in_(ids), Shift.on == TUESDAY)):
        made.session.delete(shift)
    made.session.flush()
    made.session.add_all(Shift(courier_id=n, on=TUESDAY, starts_s=8 * 3600, ends_s=18 * 3600) for n in ids)
    made.session.flush()
    return made


def ends(out, **more):
    return perform(out.session, EndMyRun(event_id=uuid.uuid4(), why=EndReason.VEHICLE, **more), out.one)


def says(out, who, side, **more):
    return perform(out.session, PassEnvelopes(event_id=uuid.uuid4(), side=side, **more), who)


def passes(out, who):
    return [line for group in open_passes(out.session, who) for line in group.lines]


def holder(out):
    return out.home.holder, out.home.holder_ref


def with_courier(who):
    return Holder.COURIER, f"courier:{who.courier_id}"


def reports(out, kind):
    return out.session.scalars(select(CourierReport).where(CourierReport.kind == kind)).all()


def an_ordinary_delivery(out):
    """A delivery of other counters' mail, last on courier one's run."""
    address = Address(119.96, 31.72, "延政中路7号", "钱会计", "13812345670", "常州某某公司")
    stop = request_stop(
        out.session, division_id=out.county.division.id, on=TUESDAY, kind=StopKind.DELIVERY, address=address,
        windows=[(8 * 3600, 17 * 3600)], at=TEN,
    )  # fmt: skip
    stop.move_to(StopState.PLANNED)
    stop.run_id, stop.position = out.stops[0].run_id, 3
    out.session.flush()
    return stop


def a_plan_in_which_two_meets_one(out, stop):
    """A preview that replaces the day's plan: courier two fetches the delivery where courier one stands, at eleven."""
    visit = {"stop_id": stop.id, "start_s": 11 * 3600 + 1200, "frozen": False}
    handover = {"stop_id": stop.id, "from_courier_id": out.one.courier_id, "from_courier": "一", "start_s": 11 * 3600}
    route = {
        "courier_id": out.two.courier_id, "courier": out.two.name, "start_s": 10 * 3600, "end_s": 12 * 3600,
        "cost": {"travel": 600}, "visits": [visit], "handovers": [handover],
    }  # fmt: skip
    left = {"stop_id": out.stops[0].id, "reason": "no room", "candidates": []}
    plan = DayPlan(
        division_id=out.county.division.id, on=TUESDAY, cutoff=Cutoff.AM, state=PlanState.PREVIEW, requested_at=TEN,
        replaces_id=out.plan.id, result={"routes": [route], "unserved": [left]},
        stop_versions={str(one.id): one.version for one in out.stops},
    )  # fmt: skip
    out.session.add(plan)
    out.session.flush()
    return plan


# ---------------------------------------------------------------- my run ends here


def test_a_run_that_ends_is_told_lists_what_is_on_board_and_plans_the_rest_anew(out):
    done = ends(out, note="在延政路口")
    shift = out.session.scalars(select(Shift).where(Shift.courier_id == out.one.courier_id, Shift.on == TUESDAY)).one()
    assert abs(shift.out_from_s - (10 * 3600 + 1800)) < 60
    (report,) = reports(out, ReportKind.RUN)
    assert "车辆故障" in report.note and "在延政路口" in report.note
    assert [line.waybill for line in passes(out, out.one)] == [out.home.waybill]
    (group,) = open_passes(out.session, out.lead)
    assert (group.giver_id, group.receiver, group.receiver_phone) == (out.one.courier_id, "", "")
    assert group.place and done.carried == 1
    assert [out.session.get_one(DayPlan, n).state for n in done.plans] == [PlanState.QUEUED]
    assert out.session.get_one(DayPlan, done.plans[0]).replaces_id == out.plan.id


def test_the_same_end_twice_is_one_and_one_of_yesterday_is_told_alone(out):
    said = EndMyRun(event_id=uuid.uuid4(), why=EndReason.ILL)
    first = perform(out.session, said, out.one)
    assert perform(out.session, said, out.one).plans == ()
    assert (len(first.plans), len(reports(out, ReportKind.RUN)), len(passes(out, out.one))) == (1, 1, 1)
    phone = db.real_now(out.session)
    late = ends(out, device_at=phone - timedelta(days=1), sent_at=phone)
    assert (late.plans, len(reports(out, ReportKind.RUN))) == ((), 2)


def test_ordinary_mail_on_board_is_listed_and_is_back_by_the_courier_s_word(out):
    stop = an_ordinary_delivery(out)
    ends(out)
    (line,) = [one for one in passes(out, out.one) if not one.waybill]
    assert (line.label, line.pieces) == (stop.label, 1)
    assert says(out, out.one, Side.GIVE, passes=(line.id,)).taken
    assert [one for one in passes(out, out.one) if not one.waybill] == []


def test_what_the_committed_plan_gives_to_another_names_whom_to_meet_where_and_when(out):
    ends(out)
    plan = a_plan_in_which_two_meets_one(out, out.stops[1])
    perform(out.session, CommitPlan(plan=PlanId(plan.id)), out.lead)
    for who in (out.one, out.two, out.lead):
        (group,) = open_passes(out.session, who)
        assert (group.giver_id, group.receiver_id, group.meet_s) == (out.one.courier_id, out.two.courier_id, 39_600)
        assert group.place and group.receiver_phone


def test_a_courier_who_is_back_keeps_what_is_on_board(out):
    ends(out)
    perform(out.session, ReportShift(courier=CourierId(out.one.courier_id), what=ShiftChange.BACK), out.lead)
    assert passes(out, out.one) == []
    assert holder(out) == with_courier(out.one)


def test_what_is_handed_in_at_the_centre_is_to_be_passed_no_more(out):
    ends(out)
    out.home.hand_over(to=Holder.CENTRE, ref="centre:1", scan_id="back", at=HALF_PAST_TEN, by="test")
    out.session.flush()
    assert passes(out, out.one) == []


# ---------------------------------------------------------------- from hand to hand


@pytest.mark.parametrize("order", [(Side.GIVE, Side.TAKE), (Side.TAKE, Side.GIVE)], ids=["give first", "take first"])
def test_custody_passes_once_both_have_said_it_whichever_phone_had_signal_first(out, order):
    phone = db.real_now(out.session)
    said = {
        Side.GIVE: {"colleague": out.two.courier_id, "device_at": phone - timedelta(minutes=9), "sent_at": phone},
        Side.TAKE: {"colleague": out.one.courier_id, "device_at": phone - timedelta(minutes=7), "sent_at": phone},
    }
    who = {Side.GIVE: out.one, Side.TAKE: out.two}
    first = says(out, who[order[0]], order[0], waybills=(out.home.waybill,), **said[order[0]])
    assert (first.taken, first.passed, holder(out)) == (True, (), with_courier(out.one))
    for each in (out.one, out.two, out.lead):
        assert len(passes(out, each)) == 1
    second = says(out, who[order[1]], order[1], waybills=(out.home.waybill,), **said[order[1]])
    assert (second.taken, second.passed, holder(out)) == (True, (out.home.waybill,), with_courier(out.two))
    link = out.home.handovers[-1]
    assert link.action == "pass" and abs(link.at - (HALF_PAST_TEN - timedelta(minutes=7))) < timedelta(minutes=1)
    assert list(verification.verify(out.session)) == []
    assert passes(out, out.lead) == [] and reports(out, ReportKind.CUSTODY) == []


def test_what_was_arranged_is_ticked_by_its_number_and_the_stop_goes_along(out):
    ends(out)
    perform(out.session, CommitPlan(plan=PlanId(a_plan_in_which_two_meets_one(out, out.stops[1]).id)), out.lead)
    (line,) = passes(out, out.two)
    assert says(out, out.two, Side.TAKE, passes=(line.id,)).passed == ()
    assert says(out, out.one, Side.GIVE, passes=(line.id,)).passed == (out.home.waybill,)
    stop = out.session.get_one(CourierStop, out.stops[1].id)
    assert out.session.get_one(CourierRun, stop.run_id).courier_id == out.two.courier_id


def test_a_delivery_that_changes_hands_is_on_the_other_s_run(out):
    plan = out.plan
    run = CourierRun(plan_id=plan.id, courier_id=out.two.courier_id, on=TUESDAY, starts_s=8 * 3600, ends_s=18 * 3600)
    out.session.add(run)
    out.session.flush()
    says(out, out.one, Side.GIVE, colleague=out.two.courier_id, waybills=(out.home.waybill,))
    assert out.session.get_one(CourierStop, out.stops[1].id).run_id != run.id
    says(out, out.two, Side.TAKE, colleague=out.one.courier_id, waybills=(out.home.waybill,))
    assert out.session.get_one(CourierStop, out.stops[1].id).run_id == run.id


def goes_to_two(out):
    says(out, out.one, Side.GIVE, colleague=out.two.courier_id, waybills=(out.home.waybill,))
    says(out, out.two, Side.TAKE, colleague=out.one.courier_id, waybills=(out.home.waybill,))
    return out.session.get_one(CourierStop, out.stops[1].id)


def test_a_receiver_without_a_run_gets_one_in_the_plan_that_the_stop_was_in(out):
    stop = goes_to_two(out)
    run = out.session.get_one(CourierRun, stop.run_id)
    assert (run.courier_id, run.plan_id, run.starts_s, run.ends_s) == (
        out.two.courier_id, out.plan.id, 10 * 3600 + 1800, 18 * 3600,
    )  # fmt: skip
    (shown,) = my_day(out.session, out.two).runs
    assert [card.id for card in shown.stops] == [stop.id]
    assert stop.id not in [card.id for card in my_day(out.session, out.one).runs[0].stops]


def test_where_no_plan_can_hold_it_the_dispatcher_reads_who_has_the_papers(out):
    stop = out.stops[1]
    out.plan.state, stop.run_id = PlanState.SUPERSEDED, None
    stop.state = StopState.OPEN
    out.session.flush()
    goes_to_two(out)
    (report,) = reports(out, ReportKind.CUSTODY)
    assert (report.stop_id, report.courier_id, report.state.value) == (stop.id, out.two.courier_id, "open")


def test_a_word_said_twice_is_said_once(out):
    said = PassEnvelopes(
        event_id=uuid.uuid4(), side=Side.GIVE, colleague=out.two.courier_id, waybills=(out.home.waybill,)
    )
    first = perform(out.session, said, out.one)
    again = perform(out.session, said, out.one)
    assert (first.taken, again.taken, len(passes(out, out.lead))) == (True, True, 1)


@pytest.mark.parametrize("what", ["mistyped", "not hers", "nobody", "herself", "no pass of hers"])
def test_what_does_not_fit_moves_nothing_and_is_on_the_dispatchers_desk(out, what):
    more = {
        "mistyped": {"colleague": out.two.courier_id, "waybills": ("EA000000000CN",)},
        "not hers": {"colleague": out.two.courier_id, "waybills": (out.pickup.waybill,)},
        "nobody": {"waybills": (out.home.waybill,)},
        "herself": {"colleague": out.one.courier_id, "waybills": (out.home.waybill,)},
        "no pass of hers": {"passes": (987_654,)},
    }[what]
    said = PassEnvelopes(event_id=uuid.uuid4(), side=Side.GIVE, **more)
    done = perform(out.session, said, out.one)
    assert (done.taken, done.passed, holder(out)) == (False, (), with_courier(out.one))
    assert done.words
    (report,) = reports(out, ReportKind.CUSTODY)
    assert report.waybills and not perform(out.session, said, out.one).taken
    assert len(reports(out, ReportKind.CUSTODY)) == 1 and passes(out, out.lead) == []


def test_a_pass_of_others_is_nobody_else_s_to_say(out):
    ends(out)
    (line,) = passes(out, out.one)
    assert not says(out, out.two, Side.TAKE, passes=(line.id,)).taken
    assert out.session.get_one(RoadsidePass, line.id).taken_at is None


def test_a_dispatcher_calls_a_pass_off_with_a_reason(out):
    ends(out)
    (line,) = passes(out, out.one)
    with pytest.raises(NotFound):
        perform(out.session, CallOffPass(roadside_pass=RoadsidePassId(line.id), why="不用了"), out.one)
    perform(out.session, CallOffPass(roadside_pass=RoadsidePassId(line.id), why="她自己送"), out.lead)
    assert passes(out, out.one) == []
    assert [word.words for word in my_day(out.session, out.one).words] == [f"{line.waybill}不用当面交接了：她自己送"]
    with pytest.raises(WrongStage):
        perform(out.session, CallOffPass(roadside_pass=RoadsidePassId(line.id), why="再来"), out.lead)


def test_the_phone_offers_who_works_today_and_what_is_on_board(out):
    assert [one.id for one in colleagues(out.session, out.one)] == [out.two.courier_id]
    assert [one.waybill for one in held_by(out.session, out.one, [])] == [out.home.waybill]
    ends(out)
    arranged = open_passes(out.session, out.one)
    assert held_by(out.session, out.one, arranged) == []
