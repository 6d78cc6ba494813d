"""Moving a stop by hand: what is said of it before is what it does, and what nobody can do is refused by name."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from routing.day.courier_run import CourierRun, RunState
from routing.day.courier_stop import CourierStop, StopKind, StopState, WrongStop
from routing.day.couriers import Courier
from routing.day.day_plan import DayPlan, PlanConflict
from routing.day.day_rows import depots
from routing.day.moving import StopMove, make, over_limits, think_through
from routing.day.order import window_of
from routing.travel.places import Point
from tests.routing.day.monday import TRAVEL, a_stop, committed, planned

FROM_S = 7 * 3600 + 1800


def by_hand(session: Session, courier: Courier, stops: list[CourierStop], from_s: int) -> tuple[list[int], int, int]:
    """When a courier is at each door and home, and how far it is: leg by leg, from the centre."""
    ((lon, lat),) = depots(session, [courier]).values()
    home = Point(lat, lon)
    here, at_s, metres, etas = home, from_s, 0, []
    for there, stop in [*((Point(stop.lat, stop.lon), stop) for stop in stops), (home, None)]:
        leg = TRAVEL.between([here], [there], hour=9)
        seconds = int(leg.seconds[0][0])
        at_s, metres, here = at_s + seconds, metres + int(leg.metres[0][0]), there
        if stop is None:
            break
        at_s += stop.setup_s if seconds else 0
        window = window_of(stop)
        etas.append(at_s if window is None else max(at_s, window[0]))
        at_s = etas[-1] + stop.door_s
    return etas, at_s, metres


def runs_of(session: Session, plan_id: int) -> list[CourierRun]:
    runs = session.scalars(select(CourierRun).where(CourierRun.plan_id == plan_id).order_by(CourierRun.id)).all()
    return sorted(runs, key=lambda run: -len(run.stops))


def a_move(session: Session, plan_id: int, courier: Courier | None = None, place: int = 1) -> StopMove:
    """The last pickup of the longest run goes to another courier."""
    plan, run = session.get_one(DayPlan, plan_id), runs_of(session, plan_id)[0]
    stop = [stop for stop in run.stops if stop.kind is StopKind.PICKUP][-1]
    other = select(Courier).where(Courier.id != run.courier_id, Courier.division_id == plan.division_id)
    to = courier or session.scalars(other.order_by(Courier.id)).first()
    assert to is not None
    return think_through(session, plan, stop, to, place, at_s=FROM_S, travel=TRAVEL)


def test_what_a_move_would_do_is_what_it_does(sessions: sessionmaker[Session], area: int) -> None:
    plan_id = committed(sessions, area)
    with sessions.begin() as session:
        move = a_move(session, plan_id)
        for side in move.sides:
            starts_s = side.shift.starts_s if side.run is None else side.run.starts_s
            for stops, drive in ((side.was, side.before), (side.becomes, side.after)):
                if stops:
                    etas, ends_s, metres = by_hand(session, side.courier, list(stops), starts_s)
                    assert (list(drive.etas.values()), drive.ends_s, drive.metres) == (etas, ends_s, metres)
        assert move.stop.state is StopState.PLANNED and move.stop.run_id != getattr(move.target.run, "id", None)
        told = {stop.id for stop, _ in move.told_anew()}
        make(session, move)
        moved = move.stop
    with sessions() as session:
        stop = session.get_one(CourierStop, moved.id)
        run = session.get_one(CourierRun, stop.run_id)
        assert run.courier_id == move.target.courier.id and stop.position == 1
        plan = session.get_one(DayPlan, plan_id)
        assert plan.result is not None
        for route in plan.result["routes"]:
            mine = next(each for each in runs_of(session, plan_id) if each.courier_id == route["courier_id"])
            assert [visit["stop_id"] for visit in route["visits"]] == [each.id for each in mine.stops]
            assert [visit["start_s"] for visit in route["visits"]] == [each.eta_s for each in mine.stops]
        for each in session.scalars(select(CourierStop).where(CourierStop.state == StopState.PLANNED)):
            holds = each.announced_opens_s <= each.eta_s <= each.announced_closes_s  # type: ignore[operator]
            assert holds or each.id in told


def test_within_a_run_only_the_order_changes(sessions: sessionmaker[Session], area: int) -> None:
    plan_id = committed(sessions, area)
    with sessions.begin() as session:
        run = runs_of(session, plan_id)[0]
        before = [stop.id for stop in run.stops]
        move = a_move(session, plan_id, run.courier)
        assert len(move.sides) == 1
        make(session, move)
        session.expire(run)
        after = [stop.id for stop in run.stops]
        assert after == [move.stop.id, *(n for n in before if n != move.stop.id)]


def test_a_stop_that_comes_after_its_window_is_named(sessions: sessionmaker[Session], area: int) -> None:
    plan_id = committed(sessions, area)
    with sessions.begin() as session:
        run = runs_of(session, plan_id)[0]
        first = run.stops[0]
        first.windows = [[first.windows[0][0], (first.eta_s or 0) + 300]]
        first.announced_opens_s = first.announced_closes_s = None
        first.kind = StopKind.PICKUP
        plan = session.get_one(DayPlan, plan_id)
        move = think_through(session, plan, first, run.courier, len(run.stops), at_s=FROM_S, travel=TRAVEL)
        assert [stop.id for stop in move.late()] == [first.id]


def test_a_locked_stop_stays_when_the_day_is_planned_anew(sessions: sessionmaker[Session], area: int) -> None:
    """Far from the other's way, it would go back at once."""
    plan_id = committed(sessions, area)
    with sessions.begin() as session:
        move = a_move(session, plan_id)
        make(session, move)
        move.stop.locked_to_id = move.target.courier.id
        stop_id, courier_id = move.stop.id, move.target.courier.id
    again = planned(sessions, area, replaces=plan_id)
    with sessions() as session:
        result = session.get_one(DayPlan, again).result
        assert result is not None
        holder = {v["stop_id"]: route["courier_id"] for route in result["routes"] for v in route["visits"]}
        assert holder[stop_id] == courier_id


def test_what_nobody_can_do_is_refused(sessions: sessionmaker[Session], area: int) -> None:
    plan_id = committed(sessions, area)
    with sessions.begin() as session:
        preview = session.get_one(DayPlan, planned(sessions, area, replaces=plan_id))
        move = a_move(session, plan_id)
        with pytest.raises(PlanConflict):
            think_through(session, preview, move.stop, move.target.courier, 1, at_s=FROM_S, travel=TRAVEL)
        move.stop.needs_van = True
        with pytest.raises(WrongStop):
            a_move(session, plan_id, session.scalars(select(Courier).where(Courier.vehicle == "ebike")).first())
        move.stop.needs_van = False
        make(session, move)
        other = next(run for run in runs_of(session, plan_id) if run.courier_id == move.target.courier.id)
        other.state = RunState.OUT
        there = [run for run in runs_of(session, plan_id) if run.id != other.id]
        brings = next(stop for run in there for stop in run.stops if stop.kind is StopKind.DELIVERY)
        with pytest.raises(WrongStop):
            think_through(
                session, session.get_one(DayPlan, plan_id), brings, other.courier, 1, at_s=FROM_S, travel=TRAVEL
            )
        waiting = a_stop(session, area, 40)
        with pytest.raises(WrongStop):
            think_through(
                session, session.get_one(DayPlan, plan_id), waiting, other.courier, 1, at_s=FROM_S, travel=TRAVEL
            )
        move.target.shift.most_stops = len(move.target.becomes)
        assert not over_limits(move.target)[0]
        move.target.shift.most_stops -= 1
        assert over_limits(move.target)[0]
