"""A courier day: an area's stops become a question, a job plans it, a preview is committed, the rest re-planned."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session, sessionmaker

from db import now, real_now
from routing.problem import (
    Announced,
    Break,
    Done,
    InvalidProblem,
    Kind,
    Load,
    Objective,
    Prefix,
    Primary,
    Problem,
    Profile,
    Request,
    Window,
)
from routing.problem import Stop as Place
from routing.problem import Vehicle as Van
from routing.runs import (
    Courier,
    Cutoff,
    Plan,
    PlanConflict,
    PlanState,
    Run,
    RunState,
    Shift,
    Stop,
    StopEvent,
    StopKind,
    StopState,
)
from routing.solve import solve
from routing.travel.places import Place as Point
from routing.travel.places import TravelTimes

SHANGHAI = ZoneInfo("Asia/Shanghai")
HALF_S = 12 * 3600 + 1800  # the morning's runs end and the afternoon's begin
SILENT_S = 60  # a running job whose heartbeat is older is taken over
WINDOW_S = 2 * 3600  # what is announced: two hours around the planned arrival, inside the asked-for window
BEFORE_S = 1800
MOVED_COST_PER_MIN = 60
UNSERVED_COST = 100_000  # a stop left out costs as much as 28 hours on the road, times its priority
VEHICLE_COST = 1800
KIND = {StopKind.PICKUP: Kind.PICKUP, StopKind.DELIVERY: Kind.DELIVERY, StopKind.EXCHANGE: Kind.EXCHANGE}


@dataclass(frozen=True, slots=True)
class Told:
    """A stop that a committed plan gave a window: whoever waits there is to be told."""

    stop_id: int
    courier_name: str
    opens_s: int
    closes_s: int


@dataclass(frozen=True, slots=True)
class Question:
    """The problem, and the rows it was read from."""

    problem: Problem
    stops: dict[str, Stop]
    couriers: dict[str, Courier]
    frozen: frozenset[str] = frozenset()


# ---------------------------------------------------------------- asking


def open_stops(session: Session, division_id: int, on: date, cutoff: Cutoff) -> list[Stop]:
    """The stops that wait for a plan of this area, day and cut-off."""
    query = select(Stop).where(
        Stop.division_id == division_id, Stop.on == on, Stop.cutoff == cutoff, Stop.state == StopState.OPEN
    )
    return list(session.scalars(query.order_by(Stop.id)))


def shifts_on(session: Session, division_id: int, on: date) -> list[tuple[Courier, Shift]]:
    """Who drives in the area that day."""
    rows = session.execute(
        select(Courier, Shift)
        .join(Shift, Shift.courier_id == Courier.id)
        .where(Courier.division_id == division_id, Courier.active, Shift.on == on)
        .order_by(Courier.id)
    )
    return [(courier, shift) for courier, shift in rows]


def half_of(shift: Shift, cutoff: Cutoff) -> tuple[int, int] | None:
    """The part of a shift that belongs to a cut-off's run; None when there is none."""
    opens, closes = (
        (shift.starts_s, min(shift.ends_s, HALF_S))
        if cutoff is Cutoff.AM
        else (max(shift.starts_s, HALF_S), shift.ends_s)
    )
    return (opens, closes) if closes - opens >= 1800 else None


def half_is_ahead(cutoff: Cutoff, now_s: int) -> bool:
    """Whether any part of a cut-off's run still lies ahead at that second of the day."""
    return cutoff is Cutoff.PM or now_s < HALF_S


def depots(session: Session, couriers: Sequence[Courier]) -> dict[int, tuple[float, float]]:
    """Where the couriers' centres stand. The centre's table is another room's: it is read by its name."""
    rows = session.execute(
        text("SELECT id, lon, lat FROM service_centre WHERE id = ANY(:ids)"), {"ids": [c.centre_id for c in couriers]}
    )
    return {row.id: (row.lon, row.lat) for row in rows}


def question(
    session: Session, *, division_id: int, on: date, cutoff: Cutoff, travel: TravelTimes, replacing: Plan | None = None,
    at_s: int = 0,
) -> Question:  # fmt: skip
    """What is to be planned. ``replacing``: a committed plan whose driven parts stay as they are; ``at_s``: now."""
    stops = open_stops(session, division_id, on, cutoff)
    runs: dict[int, Run] = {}
    if replacing is not None:
        runs = {run.courier_id: run for run in session.scalars(select(Run).where(Run.plan_id == replacing.id))}
        held = select(Stop).where(
            Stop.run_id.in_([run.id for run in runs.values()]),
            Stop.state.in_((StopState.PLANNED, StopState.ARRIVED, StopState.DONE, StopState.FAILED)),
        )
        stops = [*stops, *session.scalars(held.order_by(Stop.run_id, Stop.position))]
    drivers = [
        (courier, shift, half)
        for courier, shift in shifts_on(session, division_id, on)
        if (half := half_of(shift, cutoff)) is not None and (shift.out_from_s is None or courier.id in runs)
    ]
    homes = depots(session, [courier for courier, _, _ in drivers])
    points = list(dict.fromkeys(homes.values())) + [(stop.lon, stop.lat) for stop in stops]
    place = {point: n for n, point in enumerate(dict.fromkeys(homes.values()))}
    first_stop = len(place)
    hour = 9 if cutoff is Cutoff.AM else 15
    table = travel.matrix([Point(lat, lon) for lon, lat in points], hour=hour) if points else None
    requests = [_request(stop, first_stop + n) for n, stop in enumerate(stops)]
    vehicles: list[Van] = []
    for courier, shift, (opens, closes) in drivers:
        home = place[homes[courier.centre_id]]
        run = runs.get(courier.id)
        prefix = None if run is None else _prefix(session, run, shift, at_s)
        if shift.out_from_s is not None:
            closes = max(opens, min(closes, shift.out_from_s))
        rest = None
        rests = shift.break_opens_s is not None and shift.break_closes_s is not None and shift.break_s > 0
        if rests and opens <= shift.break_opens_s and shift.break_closes_s <= closes:  # type: ignore[operator]
            rest = Break(Window(shift.break_opens_s, shift.break_closes_s), shift.break_s)  # type: ignore[arg-type]
        vehicles.append(
            Van(
                id=f"courier:{courier.id}",
                start=home,
                end=home,
                shift=Window(opens, closes),
                capacity=Load(courier.pieces_capacity, courier.grams_capacity),
                skills=frozenset({courier.vehicle.value}),
                rest=rest,
                fixed_cost=VEHICLE_COST,
                prefix=prefix,
            )
        )
    problem = Problem(
        profiles=(Profile([[0]]) if table is None else Profile(table.seconds, table.metres),),
        requests=tuple(requests),
        vehicles=tuple(vehicles),
        objective=Objective(primary=Primary.DISTANCE, travel_per_s=1, waiting_per_s=0),
        points=tuple(points) if points else ((0.0, 0.0),),
    )
    return Question(
        problem,
        {f"stop:{stop.id}": stop for stop in stops},
        {f"courier:{courier.id}": courier for courier, _, _ in drivers},
        frozenset(done.request for van in vehicles if van.prefix for done in van.prefix.done),
    )


def _request(stop: Stop, location: int) -> Request:
    load = Load(stop.pieces, stop.grams)
    nothing = Load()
    announced = None
    if stop.announced_opens_s is not None and stop.announced_closes_s is not None:
        announced = Announced(Window(stop.announced_opens_s, stop.announced_closes_s), MOVED_COST_PER_MIN)
    return Request(
        id=f"stop:{stop.id}",
        kind=KIND[stop.kind],
        stops=(
            Place(
                location=location,
                windows=tuple(Window(int(opens), int(closes)) for opens, closes in stop.windows),
                service_s=stop.service_s,
                delivers=nothing if stop.kind is StopKind.PICKUP else load,
                collects=nothing if stop.kind is StopKind.DELIVERY else load,
                skills=frozenset({"van"}) if stop.needs_van else frozenset(),
                announced=announced,
            ),
        ),
        penalty=UNSERVED_COST * max(1, stop.priority),
    )


def _prefix(session: Session, run: Run, shift: Shift, at_s: int) -> Prefix | None:
    """What the courier has behind him: done and failed stops as they were, deliveries still on board."""
    if at_s < run.starts_s and run.state is RunState.READY:
        return None
    settled = [stop for stop in run.stops if stop.state in {StopState.DONE, StopState.FAILED}]
    ended = dict(
        session.execute(
            select(StopEvent.stop_id, func.max(StopEvent.at))
            .where(StopEvent.stop_id.in_([stop.id for stop in settled]))
            .group_by(StopEvent.stop_id)
        ).all()
    )
    left = run.starts_s
    done: list[Done] = []
    for stop in sorted(settled, key=lambda s: (ended.get(s.id, s.created_at), s.position or 0)):
        at = ended.get(stop.id)
        departure = max(left, seconds_of_day(at) if at is not None else left)
        arrival = max(left, departure - stop.service_s)
        done.append(Done(request=f"stop:{stop.id}", side=0, arrival_s=arrival, start_s=arrival, departure_s=departure))
        left = departure
    on_board = frozenset(
        f"stop:{stop.id}"
        for stop in run.stops
        if stop.kind is not StopKind.PICKUP and stop.state in {StopState.PLANNED, StopState.ARRIVED}
    )
    return Prefix(
        started_s=run.starts_s, free_from_s=max(left, at_s + shift.late_s), done=tuple(done), on_board=on_board
    )


def seconds_of_day(moment: datetime) -> int:
    """Seconds from 00:00 in Shanghai."""
    local = moment.astimezone(SHANGHAI)
    return local.hour * 3600 + local.minute * 60 + local.second


# ---------------------------------------------------------------- the job


def queue_plan(
    session: Session,
    *,
    division_id: int,
    on: date,
    cutoff: Cutoff,
    limit_s: int,
    by: str,
    at: datetime,
    seed: int = 0,
    replaces: Plan | None = None,
) -> Plan:
    """A row that a worker will take. Nothing is computed here."""
    plan = Plan(
        division_id=division_id,
        on=on,
        cutoff=cutoff,
        limit_s=limit_s,
        seed=seed,
        requested_by=by,
        requested_at=at,
        replaces_id=None if replaces is None else replaces.id,
    )
    session.add(plan)
    session.flush()
    return plan


def take(session: Session, plan_id: int) -> Plan | None:
    """Claim a job: queued, or running but silent for a minute. None when it is somebody else's, or over."""
    plan = session.get(Plan, plan_id, with_for_update=True, populate_existing=True)
    if plan is None:
        return None
    moment = real_now(session)
    silent = plan.heartbeat_at is None or moment - plan.heartbeat_at > timedelta(seconds=SILENT_S)
    if plan.state is PlanState.QUEUED or (plan.state is PlanState.RUNNING and silent):
        plan.move_to(PlanState.RUNNING)
        plan.started_at = plan.heartbeat_at = moment
        plan.progress, plan.cost_curve = 0.0, []
        return plan
    return None


def silent_plans(session: Session) -> list[int]:
    """Jobs that nobody works on: queued for a minute, or running without a heartbeat."""
    old = real_now(session) - timedelta(seconds=SILENT_S)
    waiting = select(Plan.id).where(Plan.state == PlanState.QUEUED)
    lost = select(Plan.id).where(Plan.state == PlanState.RUNNING, Plan.heartbeat_at < old)
    return [*session.scalars(waiting.order_by(Plan.id)), *session.scalars(lost.order_by(Plan.id))]


def work_on(
    sessions: sessionmaker[Session],
    plan_id: int,
    *,
    travel: TravelTimes,
    verify: Callable[[Problem, Any], Any] | None = None,
    max_iterations: int | None = None,
) -> PlanState | None:
    """Plan one area. May run twice: the second finds nothing to do. Returns the state it left, None if not its own."""
    with sessions.begin() as session:
        plan = take(session, plan_id)
        if plan is None:
            return None
        replacing = None if plan.replaces_id is None else session.get(Plan, plan.replaces_id)
        at_s = seconds_of_day(now(session)) if replacing is not None else 0
        try:
            asked = question(
                session, division_id=plan.division_id, on=plan.on, cutoff=plan.cutoff, travel=travel,
                replacing=replacing, at_s=at_s,
            )  # fmt: skip
        except InvalidProblem as error:
            plan.move_to(PlanState.FAILED)
            plan.why_failed = str(error)
            return plan.state
        plan.fingerprint = asked.problem.fingerprint()
        plan.stop_versions = {str(stop.id): stop.version for stop in asked.stops.values()}
        limit_s, seed = plan.limit_s, plan.seed
    beat = _Heartbeat(sessions, plan_id, limit_s)
    answer = solve(
        asked.problem,
        limit_s=limit_s,
        max_iterations=max_iterations,
        seed=seed,
        on_progress=beat.progress,
        should_stop=beat.should_stop,
    )
    problems = verify(asked.problem, answer) if verify is not None else None
    with sessions.begin() as session:
        plan = session.get_one(Plan, plan_id, with_for_update=True, populate_existing=True)
        if plan.state is not PlanState.RUNNING:
            return plan.state
        plan.finished_at = real_now(session)
        plan.progress = 1.0
        plan.cost = float(answer.cost.total)
        plan.cost_curve = beat.curve
        if problems:
            plan.move_to(PlanState.FAILED)
            plan.why_failed = f"the plan did not pass its check: {problems}"
            return plan.state
        plan.result = _result(answer, asked)
        plan.move_to(PlanState.PREVIEW)
        return plan.state


class _Heartbeat:
    """Writes progress about once a second, and learns of a cancellation on the way."""

    def __init__(self, sessions: sessionmaker[Session], plan_id: int, limit_s: float) -> None:
        self.sessions, self.plan_id, self.limit_s = sessions, plan_id, limit_s
        self.curve: list[list[float]] = []
        self.written_s = -1.0
        self.cancelled = False

    def progress(self, state: Any) -> None:
        elapsed, cost = float(state.seconds), float(state.cost)
        if elapsed - self.written_s < 1.0:
            return
        self.written_s = elapsed
        self.curve.append([round(elapsed, 1), cost])
        with self.sessions.begin() as session:
            plan = session.get_one(Plan, self.plan_id, with_for_update=True)
            self.cancelled = plan.state is not PlanState.RUNNING
            if not self.cancelled:
                plan.heartbeat_at = real_now(session)
                plan.progress = min(0.99, elapsed / max(self.limit_s, 0.1))
                plan.cost, plan.cost_curve = cost, list(self.curve)

    def should_stop(self) -> bool:
        return self.cancelled


def _result(answer: Any, asked: Question) -> dict[str, Any]:
    plain = answer.as_dict()
    for route in plain["routes"]:
        courier = asked.couriers[route["vehicle"]]
        route["courier_id"], route["courier"] = courier.id, courier.name
        for visit in route["visits"]:
            visit["stop_id"] = int(visit["request"].removeprefix("stop:"))
            visit["frozen"] = visit["request"] in asked.frozen
    for left in plain["unserved"]:
        left["stop_id"] = int(left["request"].removeprefix("stop:"))
    return dict(plain)


def cancel(session: Session, plan: Plan) -> None:
    """Give a job or a preview up; a running worker stops at its next heartbeat."""
    plan.move_to(PlanState.CANCELLED)


# ---------------------------------------------------------------- preview and commit


def commit(session: Session, plan: Plan, *, by: str, at: datetime) -> list[Told]:
    """The preview becomes the day's runs. Raises PlanConflict with the difference when its stops changed meanwhile."""
    plan = session.get_one(Plan, plan.id, with_for_update=True, populate_existing=True)
    if plan.state is not PlanState.PREVIEW or plan.result is None:
        plan.move_to(PlanState.COMMITTED)  # raises, and names the state
    ids = [int(stop_id) for stop_id in plan.stop_versions]
    stops = {
        stop.id: stop
        for stop in session.scalars(
            select(Stop)
            .where(Stop.id.in_(ids))
            .order_by(Stop.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    }
    changed = [n for n in ids if n not in stops or stops[n].version != plan.stop_versions[str(n)]]
    fresh = [stop.id for stop in open_stops(session, plan.division_id, plan.on, plan.cutoff) if stop.id not in stops]
    if changed:
        raise PlanConflict(
            f"plan {plan.id}: stops {changed} changed since the preview",
            words="预览之后有站点变化,请重新计算",
            difference={"changed": changed, "new": fresh},
        )
    standing = session.scalar(
        select(Plan)
        .where(
            Plan.division_id == plan.division_id,
            Plan.on == plan.on,
            Plan.cutoff == plan.cutoff,
            Plan.state == PlanState.COMMITTED,
        )
        .with_for_update()
    )
    if standing is not None and standing.id != plan.replaces_id:
        raise PlanConflict(
            f"plan {standing.id} is committed for this area and cut-off",
            words="该片区该批次已有下发的路线,请基于它重新计算",
            difference={"committed": standing.id},
        )
    if standing is not None:
        standing.move_to(PlanState.SUPERSEDED)
        session.flush()
    plan.move_to(PlanState.COMMITTED)
    plan.committed_at, plan.committed_by = at, by
    session.flush()
    assert plan.result is not None
    told = _make_runs(session, plan, stops, standing, words=by)
    _leave_out(plan, stops)
    session.flush()
    return told


def _make_runs(
    session: Session, plan: Plan, stops: dict[int, Stop], standing: Plan | None, *, words: str
) -> list[Told]:
    assert plan.result is not None
    earlier = {}
    if standing is not None:
        earlier = {run.courier_id: run for run in session.scalars(select(Run).where(Run.plan_id == standing.id))}
    told: list[Told] = []
    for route in plan.result["routes"]:
        before = earlier.get(route["courier_id"])
        run = Run(
            plan_id=plan.id,
            courier_id=route["courier_id"],
            on=plan.on,
            state=before.state if before is not None else RunState.READY,
            starts_s=route["start_s"],
            ends_s=route["end_s"],
            travel_s=route["cost"]["travel"],
            cost_terms=route["cost"],
            changed_words=f"{words}重新安排了路线" if before is not None else None,
        )
        session.add(run)
        session.flush()
        for position, visit in enumerate(route["visits"], start=1):
            stop = stops[visit["stop_id"]]
            stop.run_id, stop.position, stop.eta_s, stop.unserved_reason = run.id, position, visit["start_s"], None
            if visit.get("frozen"):
                continue
            if stop.state is StopState.OPEN:
                stop.move_to(StopState.PLANNED)
            told.extend(_announce(stop, route["courier"], visit["start_s"]))
    return told


def _announce(stop: Stop, courier: str, start_s: int) -> list[Told]:
    """The window to tell, unless the one that was told still holds."""
    if (
        stop.announced_opens_s is not None
        and stop.announced_closes_s is not None
        and stop.announced_opens_s <= start_s <= stop.announced_closes_s
    ):
        return []
    opens, closes = window_around(start_s, [(int(o), int(c)) for o, c in stop.windows])
    told = Told(stop.id, courier, opens, closes)
    return [told]


def window_around(start_s: int, asked: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Two hours that hold the planned start, on half hours where the asked-for window allows it."""
    opens = max(0, (start_s - BEFORE_S) // 1800 * 1800)
    closes = opens + WINDOW_S
    for low, high in asked:
        if low <= start_s <= high:
            return max(opens, low), min(closes, high)
    return opens, closes


def settle_announcement(stop: Stop, told: Told) -> None:
    """The window is on its way to the customer: from now on moving it costs."""
    stop.announced_opens_s, stop.announced_closes_s = told.opens_s, told.closes_s


def _leave_out(plan: Plan, stops: dict[int, Stop]) -> None:
    assert plan.result is not None
    for left in plan.result["unserved"]:
        stop = stops[left["stop_id"]]
        if stop.state is StopState.PLANNED:
            stop.move_to(StopState.OPEN)
            stop.run_id = stop.position = stop.eta_s = None
        stop.unserved_reason = {"reason": left["reason"], "candidates": left["candidates"]}
