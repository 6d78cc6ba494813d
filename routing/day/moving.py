"""Moving a stop of a committed day by hand: to another place of its run or to another courier's, and what that does."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from routing.day.courier_run import CourierRun, RunState
from routing.day.courier_stop import CourierStop, StopKind, StopState, WrongStop
from routing.day.couriers import Courier, Shift, VehicleKind
from routing.day.day_plan import DayPlan, PlanConflict, PlanState
from routing.day.day_rows import depots
from routing.day.order import LEFT, window_of
from routing.day.routing_input import TRAFFIC_HOUR, longest_run_m
from routing.travel.places import Point, TravelTimes


@dataclass(frozen=True, slots=True)
class DrivenRun:
    """The rest of a run in one order: when the courier is at each door, back at the centre, and how far it is."""

    etas: dict[int, int]
    leaves_s: int
    ends_s: int
    metres: int
    travel_s: int

    @property
    def duty_s(self) -> int:
        """From leaving to being back; who has not left yet leaves just in time."""
        return self.ends_s - self.leaves_s


@dataclass(frozen=True, slots=True)
class RunSide:
    """One run before and after a move: the rest of it in either order."""

    courier: Courier
    run: CourierRun | None
    behind: tuple[CourierStop, ...]
    was: tuple[CourierStop, ...]
    becomes: tuple[CourierStop, ...]
    before: DrivenRun
    after: DrivenRun
    shift: Shift


@dataclass(frozen=True, slots=True)
class StopMove:
    """A move that is thought through and not made yet."""

    plan: DayPlan
    stop: CourierStop
    place: int
    """Of the target's stops still to do, counted from 1."""
    from_courier_id: int
    from_place: int
    sides: tuple[RunSide, ...] = field(default=())

    @property
    def target(self) -> RunSide:
        """The run that has the stop afterwards."""
        return self.sides[-1]

    def late(self) -> list[CourierStop]:
        """Stops whose window closes before the courier is there, and had not before."""
        late = []
        for side in self.sides:
            for stop in side.becomes:
                window, was = window_of(stop), self._eta_before(stop)
                if window is not None and was <= window[1] < side.after.etas[stop.id]:
                    late.append(stop)
        return late

    def told_anew(self) -> list[tuple[CourierStop, RunSide]]:
        """Stops whose announced window does not hold any more."""
        found = []
        for side in self.sides:
            for stop in side.becomes:
                opens, closes = stop.announced_opens_s, stop.announced_closes_s
                if opens is None or closes is None or not opens <= side.after.etas[stop.id] <= closes:
                    found.append((stop, side))
        return found

    def _eta_before(self, stop: CourierStop) -> int:
        return next(side.before.etas[stop.id] for side in self.sides if stop.id in side.before.etas)


_Line = tuple[Courier, CourierRun | None, list[CourierStop], list[CourierStop], list[CourierStop]]
"""A courier, the run, what is behind, and what is still to do before and after a move."""


def think_through(
    session: Session, plan: DayPlan, stop: CourierStop, courier: Courier, place: int, *, at_s: int, travel: TravelTimes
) -> StopMove:
    """What becomes of the runs where the stop goes to this place of this courier's; nothing is changed.

    Raises PlanConflict, WrongStop."""
    if plan.state is not PlanState.COMMITTED:
        raise PlanConflict(f"plan {plan.id} is {plan.state}", user_message="只有已下发的路线可以手工调整")
    runs = {run.courier_id: run for run in session.scalars(select(CourierRun).where(CourierRun.plan_id == plan.id))}
    giver = next((run for run in runs.values() if run.id == stop.run_id), None)
    if giver is None or stop.state is not StopState.PLANNED:
        raise WrongStop(f"stop {stop.id} is not to do on plan {plan.id}", user_message="这一站已办理或不在这个计划里")
    if stop.needs_van and courier.vehicle is not VehicleKind.VAN:
        raise WrongStop(f"stop {stop.id} needs a van", user_message="这一站需要面包车")
    receiver = runs.get(courier.id)
    if receiver is not giver:
        _check_papers_may_come(stop, receiver, at_s)
    held = _stops_of(session, [giver, receiver])
    behind, ahead = held[giver.id]
    rest = [each for each in ahead if each is not stop]
    there = rest if receiver is giver else [] if receiver is None else held[receiver.id][1]
    moved = [*there[: place - 1], stop, *there[place - 1 :]]
    lines: dict[int, _Line] = {giver.courier_id: (giver.courier, giver, behind, ahead, rest)}
    if receiver is giver:
        lines[courier.id] = (courier, giver, behind, ahead, moved)
    else:
        lines[courier.id] = (courier, receiver, [] if receiver is None else held[receiver.id][0], there, moved)
    shifts = {
        shift.courier_id: shift
        for shift in session.scalars(select(Shift).where(Shift.on == plan.on, Shift.courier_id.in_(lines)))
    }
    homes = depots(session, [each[0] for each in lines.values()])
    found = []
    for driver, run, done, was, becomes in lines.values():
        shift = shifts.get(driver.id)
        if shift is None or shift.out_from_s is not None:
            raise WrongStop(f"courier {driver.id} does not drive on {plan.on}", user_message="该揽投员当天不出车")
        lon, lat = homes[driver.centre_id]
        starts_s = shift.starts_s if run is None else run.starts_s
        way = _Way(Point(lat, lon), done, max(at_s, starts_s), TRAFFIC_HOUR[plan.cutoff], travel)
        found.append(
            RunSide(driver, run, tuple(done), tuple(was), tuple(becomes), way.driven(was), way.driven(becomes), shift)
        )
    return StopMove(plan, stop, moved.index(stop) + 1, giver.courier_id, ahead.index(stop) + 1, tuple(found))


def _check_papers_may_come(stop: CourierStop, receiver: CourierRun | None, at_s: int) -> None:
    """What lies at the centre goes along with nobody who has left it. Raises WrongStop."""
    has_left = receiver is not None and (receiver.state is not RunState.READY or at_s > receiver.starts_s)
    if stop.kind is not StopKind.PICKUP and has_left:
        raise WrongStop(
            f"stop {stop.id}: the other courier has left the centre", user_message="该揽投员已从中心出发，带不上这一件"
        )


def _stops_of(
    session: Session, runs: Sequence[CourierRun | None]
) -> dict[int, tuple[list[CourierStop], list[CourierStop]]]:
    """By run, the stops behind and those still to do, in order."""
    ids = sorted({run.id for run in runs if run is not None})
    query = select(CourierStop).where(CourierStop.run_id.in_(ids)).order_by(CourierStop.position, CourierStop.id)
    stops = session.scalars(query).all()
    return {
        run_id: (
            [stop for stop in stops if stop.run_id == run_id and stop.state not in LEFT],
            [stop for stop in stops if stop.run_id == run_id and stop.state in LEFT],
        )
        for run_id in ids
    }


@dataclass(frozen=True, slots=True)
class _Way:
    """From where and when the rest of a run is driven, and where it ends."""

    home: Point
    behind: Sequence[CourierStop]
    from_s: int
    hour: int
    travel: TravelTimes

    def driven(self, stops: Sequence[CourierStop]) -> DrivenRun:
        """The rest of the run in this order; who has nothing left and nothing behind stays at the centre."""
        if not stops:
            return DrivenRun({}, self.from_s, self.from_s, 0, 0)
        last = max((s for s in self.behind if s.done_at is not None), key=lambda s: (s.done_at, s.id), default=None)
        here = self.home if last is None else Point(last.lat, last.lon)
        points = [here, *(Point(stop.lat, stop.lon) for stop in stops), self.home]
        table = self.travel.matrix(points, hour=self.hour)
        at_s, metres, travel_s, etas, leaves_s = self.from_s, 0, 0, dict[int, int](), self.from_s
        for n, stop in enumerate(stops):
            leg_s = int(table.seconds[n][n + 1])
            leg_s += stop.setup_s if leg_s else 0
            window = window_of(stop)
            at_s, travel_s, metres = at_s + leg_s, travel_s + leg_s, metres + int(table.metres[n][n + 1])
            at_s = at_s if window is None else max(at_s, window[0])
            if n == 0 and last is None:
                leaves_s = at_s - leg_s
            etas[stop.id] = at_s
            at_s += stop.door_s
        back_s = int(table.seconds[len(stops)][len(stops) + 1])
        metres += int(table.metres[len(stops)][len(stops) + 1])
        return DrivenRun(etas, leaves_s, at_s + back_s, metres, travel_s + back_s)


def over_limits(side: RunSide) -> tuple[bool, bool]:
    """Whether the run then has more stops than its shift allows, and goes farther than shift or vehicle do."""
    stops = len(side.behind) + len(side.becomes)
    longest_m = longest_run_m(side.courier, side.shift)
    return (
        side.shift.most_stops is not None and stops > side.shift.most_stops,
        longest_m is not None and side.after.metres > longest_m and side.after.metres > side.before.metres,
    )


def make(session: Session, move: StopMove) -> None:
    """The stop goes where it was thought to go: runs, numbers, times and the plan's own record of them."""
    for side in move.sides:
        run = side.run or _run_for(session, move.plan, side)
        first = max((stop.position or 0 for stop in side.behind), default=0) + 1
        for position, stop in enumerate(side.becomes, start=first):
            stop.run_id, stop.position, stop.eta_s = run.id, position, side.after.etas[stop.id]
            stop.unserved_reason = None
        run.ends_s, run.version = side.after.ends_s, run.version + 1
        run.metres = max(0, run.metres + side.after.metres - side.before.metres)
        run.travel_s = max(0, run.travel_s + side.after.travel_s - side.before.travel_s)
    move.stop.version += 1
    move.plan.result = _rewritten(move)
    move.plan.version += 1
    session.flush()


def _run_for(session: Session, plan: DayPlan, side: RunSide) -> CourierRun:
    run = CourierRun(
        plan_id=plan.id, courier_id=side.courier.id, on=plan.on, starts_s=side.after.leaves_s, ends_s=side.after.ends_s
    )
    session.add(run)
    session.flush()
    return run


def _rewritten(move: StopMove) -> dict[str, Any]:
    """The plan's result with both runs as they are now."""
    result = dict(move.plan.result or {})
    routes = [dict(route) for route in result["routes"]]
    visits = {visit["stop_id"]: visit for route in routes for visit in route["visits"]}
    for side in move.sides:
        route = next((each for each in routes if each["courier_id"] == side.courier.id), None)
        if route is None:
            route = _empty_route(side, routes)
            routes.append(route)
        done = [visits[stop.id] for stop in side.behind if stop.id in visits]
        route["visits"] = [*done, *(_at(visits[stop.id], side.after.etas[stop.id], stop) for stop in side.becomes)]
        route["end_s"] = side.after.ends_s
        route["metres"] = max(0, route.get("metres", 0) + side.after.metres - side.before.metres)
        cost = dict(route["cost"])
        cost["travel"] = max(0, cost["travel"] + side.after.travel_s - side.before.travel_s)
        route["cost"] = cost
    return {**result, "routes": routes}


def _at(visit: dict[str, Any], start_s: int, stop: CourierStop) -> dict[str, Any]:
    return {**visit, "arrival_s": start_s, "start_s": start_s, "departure_s": start_s + stop.door_s}


def _empty_route(side: RunSide, routes: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {
        "vehicle": f"courier:{side.courier.id}", "courier_id": side.courier.id, "courier": side.courier.name,
        "start_s": side.after.leaves_s, "end_s": side.after.ends_s, "break_s": None, "handovers": [], "visits": [],
        "start_load": {"pieces": 0, "grams": 0}, "cost": dict.fromkeys(routes[0]["cost"], 0), "metres": 0,
    }  # fmt: skip
