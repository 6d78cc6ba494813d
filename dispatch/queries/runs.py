"""What leads see of a courier day: areas and batches, a plan before and after its commit, the day on the map."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, literal, select
from sqlalchemy.orm import Session

from agents.network import Division, Level, ServiceCentre, division_with, subtree_condition
from db import SHANGHAI
from dispatch.case import Case
from dispatch.custody import Parcel, ParcelState
from dispatch.errors import NotFound
from dispatch.queries.plan_costs import Carried, CostTable, WhatIf, carried, cost_table, what_if
from dispatch.reach import visible_cases, visible_couriers, visible_plans, visible_stops, within
from dispatch.scope import Viewer
from routing.day import changed_stops
from routing.runs import (
    FAIL_LABEL,
    STOP_LABEL,
    STOP_STATE_LABEL,
    VEHICLE_LABEL,
    Courier,
    Cutoff,
    Plan,
    PlanState,
    Run,
    Shift,
    Stop,
    StopAct,
    StopEvent,
    StopKind,
    StopState,
)

COLOURS = 8  # that colour-blind people tell apart; a ninth courier begins again, and the number says who
CUTOFF_LABEL = {Cutoff.AM: "上午班", Cutoff.PM: "下午班"}
LIVE = (PlanState.QUEUED, PlanState.RUNNING, PlanState.PREVIEW)

WHY_NOT = {
    "no vehicle": "当班没有可用的揽投员",
    "skill": "需要面包车，当班没有面包车",
    "depot": "当班揽投员不从这里的中心出发",
    "loaded": "该件已装在另一名揽投员车上，需本人带回或当面交接",
    "capacity": "件数或重量超过每辆车的装载量",
    "unreachable": "没有能开到的道路",
    "time": "约定时段太窄或太晚，单独派一趟也来不及",
    "no room": "时段内的揽投员都已排满",
}


# ---------------------------------------------------------------- the day, by area and batch


@dataclass(frozen=True, slots=True)
class Batch:
    """One run of the day in one area: what waits, what is planned, what is behind."""

    area_code: str
    area: str
    cutoff: Cutoff
    stops: dict[str, int]
    couriers: int
    committed: Plan | None
    pending: Plan | None

    @property
    def total(self) -> int:
        return sum(n for state, n in self.stops.items() if state not in {"released", "cancelled"})

    @property
    def words(self) -> str:
        return CUTOFF_LABEL[self.cutoff]


@dataclass(frozen=True, slots=True)
class CourierLine:
    """One courier of the day: shift, what is left, and what went wrong."""

    id: int
    courier_no: str
    name: str
    area: str
    vehicle: str
    starts_s: int
    ends_s: int
    left: int
    done: int
    out_from_s: int | None
    late_s: int


@dataclass(frozen=True, slots=True)
class RunsPage:
    """The courier day of everything that the viewer may see."""

    on: date
    batches: list[Batch]
    couriers: list[CourierLine]
    plans: list[tuple[Plan, str]]


def runs_page(session: Session, viewer: Viewer, on: date) -> RunsPage:
    """Areas with stops or couriers on ``on``, each with its two batches."""
    counted = session.execute(
        select(Division.code, Division.name, Stop.division_id, Stop.cutoff, Stop.state, func.count())
        .join(Division, Division.id == Stop.division_id)
        .where(Stop.on == on, visible_stops(viewer))
        .group_by(Division.code, Division.name, Stop.division_id, Stop.cutoff, Stop.state)
        .order_by(Division.code, Stop.cutoff)
    ).all()
    stops: dict[tuple[int, Cutoff], dict[str, int]] = {}
    names: dict[int, tuple[str, str]] = {}
    for code, name, area, cutoff, state, n in counted:
        names[area] = (code, name)
        stops.setdefault((area, cutoff), {})[state.value] = n
    plans = session.execute(
        select(Plan, Division.name)
        .join(Division, Division.id == Plan.division_id)
        .where(Plan.on == on, visible_plans(viewer))
        .order_by(Plan.id.desc())
        .limit(400)
    ).all()
    couriers = _couriers(session, viewer, on)
    working: dict[str, int] = {}
    for courier in couriers:
        working[courier.area] = working.get(courier.area, 0) + 1
    batches = []
    for (area, cutoff), states in sorted(stops.items(), key=lambda item: (names[item[0][0]][0], item[0][1])):
        of_batch = [p for p, _ in plans if p.division_id == area and p.cutoff == cutoff]
        batches.append(
            Batch(
                *names[area],
                cutoff,
                states,
                working.get(names[area][1], 0),
                next((p for p in of_batch if p.state is PlanState.COMMITTED), None),
                next((p for p in of_batch if p.state in LIVE), None),
            )
        )
    return RunsPage(on, batches, couriers, [(p, name) for p, name in plans[:20]])


def _couriers(session: Session, viewer: Viewer, on: date) -> list[CourierLine]:
    held = (
        select(
            Run.courier_id,
            func.count().filter(Stop.state.in_((StopState.PLANNED, StopState.ARRIVED))).label("ahead"),
            func.count().filter(Stop.state == StopState.DONE).label("behind"),
        )
        .join(Stop, Stop.run_id == Run.id)
        .where(Run.on == on)
        .group_by(Run.courier_id)
        .subquery()
    )
    rows = session.execute(
        select(Courier, Division.name.label("area"), Shift, held.c.ahead, held.c.behind)
        .join(Shift, Shift.courier_id == Courier.id)
        .join(Division, Division.id == Courier.division_id)
        .outerjoin(held, held.c.courier_id == Courier.id)
        .where(Shift.on == on, Courier.active, visible_couriers(viewer))
        .order_by(Courier.division_id, Courier.id)
        .limit(200)
    )
    return [
        CourierLine(
            row.Courier.id, row.Courier.courier_no, row.Courier.name, row.area, VEHICLE_LABEL[row.Courier.vehicle],
            row.Shift.starts_s, row.Shift.ends_s, row.ahead or 0, row.behind or 0, row.Shift.out_from_s,
            row.Shift.late_s,
        )
        for row in rows
    ]  # fmt: skip


def area_for(session: Session, viewer: Viewer, code: str) -> Division:
    """An area that the viewer may plan. Raises NotFound or UnknownDivision."""
    division = division_with(session, code)
    if not session.scalar(select(within(viewer, literal(division.id)))):
        raise NotFound(f"area {code} is not this viewer's")
    return division


def plan_for(session: Session, viewer: Viewer, plan_id: int) -> Plan:
    """The plan. Raises NotFound."""
    plan = session.scalar(select(Plan).where(Plan.id == plan_id, visible_plans(viewer)))
    if plan is None:
        raise NotFound(f"no plan {plan_id} for this viewer")
    return plan


def shift_for(session: Session, viewer: Viewer, courier_id: int, on: date) -> tuple[Courier, Shift]:
    """A courier's shift, locked. Raises NotFound."""
    row = session.execute(
        select(Courier, Shift)
        .join(Shift, Shift.courier_id == Courier.id)
        .where(Courier.id == courier_id, Shift.on == on, visible_couriers(viewer))
        .with_for_update(of=Shift)
    ).first()
    if row is None:
        raise NotFound(f"courier {courier_id} does not work on {on} for this viewer")
    return row[0], row[1]


# ---------------------------------------------------------------- one plan


@dataclass(frozen=True, slots=True)
class StopLine:
    """One numbered stop of a run, as planned and as driven."""

    number: int
    stop_id: int
    kind: str
    label: str
    address: str
    lon: float
    lat: float
    asked: tuple[int, int] | None
    told: tuple[int, int] | None
    eta_s: int
    service_s: int
    pieces: int
    state: str
    words: str
    done_s: int | None = None
    is_kept: bool = True
    was: str = ""
    is_frozen: bool = False
    papers: tuple[str, ...] = ()
    """Cases whose papers change hands here."""


@dataclass(frozen=True, slots=True)
class RunCard:
    """One courier's run of a plan; ``colour`` counts from 1."""

    colour: int
    courier_id: int
    courier: str
    vehicle: str
    starts_s: int
    ends_s: int
    travel_s: int
    pieces: int
    stops: list[StopLine]
    depot: tuple[float, float] | None = None
    carried: Carried | None = None

    @property
    def done(self) -> int:
        return sum(1 for stop in self.stops if stop.state == StopState.DONE)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A stop that the plan does not serve, and why, in words."""

    stop_id: int
    kind: str
    label: str
    address: str
    asked: tuple[int, int] | None
    was_told: bool
    why: str


@dataclass(frozen=True, slots=True)
class Effect:
    """What a commit would do to what people were told: counted before anybody presses."""

    kept: int = 0
    moved: int = 0
    first_told: int = 0
    taken_back: int = 0
    other_courier: int = 0
    notices: int = 0
    """Messages that a commit sends: to stops with papers of a case. Other counters' customers are told by EMS."""


@dataclass(frozen=True, slots=True)
class PlanPage:
    """A plan: its job, its runs, who is left out, and what a commit would change."""

    plan: Plan
    area: str
    area_code: str
    runs: list[RunCard] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    effect: Effect = field(default_factory=Effect)
    changed: list[StopLine] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)
    fresh: int = 0
    costs: CostTable | None = None
    what_if: WhatIf | None = None

    @property
    def served(self) -> int:
        return sum(len(run.stops) for run in self.runs)


def plan_page(session: Session, viewer: Viewer, plan_id: int) -> PlanPage:
    """One plan. Raises NotFound."""
    plan = plan_for(session, viewer, plan_id)
    area = session.get_one(Division, plan.division_id)
    if plan.result is None:
        return PlanPage(plan, area.name, area.code)
    ids = {v["stop_id"] for route in plan.result["routes"] for v in route["visits"]}
    ids |= {left["stop_id"] for left in plan.result["unserved"]}
    stops = _stops(session, ids)
    before = _holders(session, ids) if plan.state is PlanState.PREVIEW else {}
    ended = _ended(session, ids)
    couriers = _drivers(session, [route["courier_id"] for route in plan.result["routes"]])
    with_papers = _with_papers(session, viewer, ids)
    runs = [
        _run_card(n, route, stops, couriers, ended, before, with_papers)
        for n, route in enumerate((r for r in plan.result["routes"] if r["visits"]), start=1)
    ]
    gone = _dropped_out(session, plan)
    left_out = [_left_out(left, stops, before, gone) for left in plan.result["unserved"] if left["stop_id"] in stops]
    changed = [line for run in runs for line in run.stops if line.was]
    return PlanPage(
        plan, area.name, area.code, runs, left_out,
        _effect(runs, left_out, before, stops, with_papers.keys()), changed, *_difference(session, plan, stops),
        cost_table(plan), what_if(plan, stops),
    )  # fmt: skip


def _stops(session: Session, ids: Iterable[int]) -> dict[int, Stop]:
    return {stop.id: stop for stop in session.scalars(select(Stop).where(Stop.id.in_(ids)))}


def _with_papers(session: Session, viewer: Viewer, ids: Iterable[int]) -> dict[int, tuple[str, ...]]:
    """The stops at which papers of a case change hands, with the numbers of those cases that the viewer may see."""
    here = (
        select(Parcel.stop_id, Case.case_no, visible_cases(viewer).label("is_visible"))
        .join(Case, Case.id == Parcel.case_id)
        .where(Parcel.stop_id.in_(ids), Parcel.state != ParcelState.CANCELLED)
        .order_by(Case.case_no)
    )
    found: dict[int, tuple[str, ...]] = {}
    for stop_id, case_no, is_visible in session.execute(here):
        if stop_id is None:
            continue
        known = found.setdefault(stop_id, ())
        if is_visible and case_no not in known:
            found[stop_id] = (*known, case_no)
    return found


def _drivers(session: Session, ids: Sequence[int]) -> dict[int, tuple[Courier, ServiceCentre]]:
    rows = session.execute(
        select(Courier, ServiceCentre)
        .join(ServiceCentre, ServiceCentre.id == Courier.centre_id)
        .where(Courier.id.in_(ids))
    )
    return {courier.id: (courier, centre) for courier, centre in rows}


def _holders(session: Session, ids: Iterable[int]) -> dict[int, tuple[int, str, int | None]]:
    """Who was to come to each stop so far, and when."""
    rows = session.execute(
        select(Stop.id, Courier.id, Courier.name, Stop.eta_s)
        .join(Run, Run.id == Stop.run_id)
        .join(Courier, Courier.id == Run.courier_id)
        .where(Stop.id.in_(ids))
    )
    return {stop_id: (courier_id, name, eta_s) for stop_id, courier_id, name, eta_s in rows}


def _ended(session: Session, ids: Iterable[int]) -> dict[int, datetime]:
    """When each stop was ticked off or failed, by its latest event."""
    acts = (StopAct.COLLECTED, StopAct.DELIVERED, StopAct.FAILED)
    rows = session.execute(
        select(StopEvent.stop_id, func.max(StopEvent.at))
        .where(StopEvent.stop_id.in_(ids), StopEvent.act.in_(acts))
        .group_by(StopEvent.stop_id)
    )
    return dict(rows.all())


def _run_card(
    colour: int,
    route: dict[str, Any],
    stops: dict[int, Stop],
    couriers: dict[int, tuple[Courier, ServiceCentre]],
    ended: dict[int, datetime],
    before: dict[int, tuple[int, str, int | None]],
    papers: Mapping[int, tuple[str, ...]],
) -> RunCard:
    courier, centre = couriers[route["courier_id"]]
    lines = [
        replace(
            stop_line(
                n, stops[visit["stop_id"]], visit["start_s"], ended, before.get(visit["stop_id"]), courier, visit
            ),
            papers=papers.get(visit["stop_id"], ()),
        )
        for n, visit in enumerate(route["visits"], start=1)
        if visit["stop_id"] in stops
    ]
    return RunCard(
        (colour - 1) % COLOURS + 1, courier.id, courier.name, VEHICLE_LABEL[courier.vehicle], route["start_s"],
        route["end_s"], route["cost"]["travel"], sum(line.pieces for line in lines), lines, (centre.lon, centre.lat),
        carried(route, stops),
    )  # fmt: skip


def stop_line(
    number: int,
    stop: Stop,
    eta_s: int,
    ended: dict[int, datetime],
    before: tuple[int, str, int | None] | None,
    courier: Courier,
    visit: dict[str, Any],
) -> StopLine:
    """One stop with what was asked for, what was told, and whether this plan keeps it."""
    told = _told(stop)
    frozen = bool(visit.get("frozen"))
    was = ""
    if before is not None and not frozen and before[0] != courier.id:
        was = before[1]
    settled = stop.state in {StopState.DONE, StopState.FAILED}
    at = ended.get(stop.id) if settled else None
    return StopLine(
        number=number,
        stop_id=stop.id,
        kind=STOP_LABEL[stop.kind],
        label=stop.label or stop.contact_name,
        address=stop.address,
        lon=stop.lon,
        lat=stop.lat,
        asked=_asked(stop),
        told=told,
        eta_s=eta_s,
        service_s=stop.service_s,
        pieces=stop.pieces,
        state=stop.state.value,
        words=FAIL_LABEL[stop.fail_reason]
        if stop.state is StopState.FAILED and stop.fail_reason
        else STOP_STATE_LABEL[stop.state],
        done_s=None if at is None else _seconds(at),
        is_kept=frozen or told is None or told[0] <= eta_s <= told[1],
        was=was,
        is_frozen=frozen,
    )


def _seconds(moment: datetime) -> int:
    local = moment.astimezone(SHANGHAI)
    return local.hour * 3600 + local.minute * 60 + local.second


def _asked(stop: Stop) -> tuple[int, int] | None:
    return (int(stop.windows[0][0]), int(stop.windows[-1][1])) if stop.windows else None


def _told(stop: Stop) -> tuple[int, int] | None:
    if stop.announced_opens_s is None or stop.announced_closes_s is None:
        return None
    return stop.announced_opens_s, stop.announced_closes_s


def _dropped_out(session: Session, plan: Plan) -> set[int]:
    """The couriers who dropped out of the plan's day."""
    out = select(Shift.courier_id).where(Shift.on == plan.on, Shift.out_from_s.is_not(None))
    return set(session.scalars(out))


def _left_out(
    left: dict[str, Any], stops: dict[int, Stop], before: dict[int, tuple[int, str, int | None]], gone: set[int]
) -> LeftOut:
    stop = stops[left["stop_id"]]
    why = WHY_NOT.get(left["reason"], "排不进当班路线")
    tried = left.get("candidates") or []
    holder = before.get(stop.id)
    if holder is not None and holder[0] in gone and stop.kind is not StopKind.PICKUP:
        why = f"件在已退出的{holder[1]}车上，请先安排当面交接或带回中心，再改派"
    elif holder is not None and tried == [f"courier:{holder[0]}"]:
        why = f"件已在{holder[1]}车上，其余下时间排不下"
    elif tried:
        why += f"（已试 {len(tried)} 名揽投员）"
    return LeftOut(
        stop.id, STOP_LABEL[stop.kind], stop.label or stop.contact_name, stop.address, _asked(stop),
        _told(stop) is not None, why,
    )  # fmt: skip


def _effect(
    runs: list[RunCard],
    left_out: list[LeftOut],
    before: dict[int, tuple[int, str, int | None]],
    stops: dict[int, Stop],
    with_papers: Collection[int],
) -> Effect:
    lines = [line for run in runs for line in run.stops if not line.is_frozen]
    told = {line.stop_id for line in lines if line.told is None or not line.is_kept}
    told |= {left.stop_id for left in left_out if left.was_told and stops[left.stop_id].state is StopState.PLANNED}
    return Effect(
        kept=sum(1 for line in lines if line.told is not None and line.is_kept),
        moved=sum(1 for line in lines if line.told is not None and not line.is_kept),
        first_told=sum(1 for line in lines if line.told is None),
        taken_back=sum(1 for left in left_out if left.was_told and stops[left.stop_id].state is StopState.PLANNED),
        other_courier=sum(1 for line in lines if line.was),
        notices=len(told.intersection(with_papers)),
    )


def _difference(session: Session, plan: Plan, stops: dict[int, Stop]) -> tuple[list[str], int]:
    """What changed since a preview was made: stops by name, and how many came in after it."""
    if plan.state is not PlanState.PREVIEW:
        return [], 0
    stale = [
        f"{stop.label or stop.contact_name}（现为{STOP_STATE_LABEL[stop.state]}）"
        for n in changed_stops(session, plan, stops)
        if (stop := stops.get(n)) is not None
    ]
    fresh = session.scalar(
        select(func.count()).select_from(Stop).where(
            Stop.division_id == plan.division_id, Stop.on == plan.on, Stop.cutoff == plan.cutoff,
            Stop.state == StopState.OPEN, Stop.id.not_in([int(n) for n in plan.stop_versions]),
        )
    )  # fmt: skip
    return stale, fresh or 0


# ---------------------------------------------------------------- the day on the map


@dataclass(frozen=True, slots=True)
class MapDay:
    """An area's day: centres, runs, what waits, and how long the day is."""

    area: str
    area_code: str
    lon: float
    lat: float
    on: date
    cutoff: Cutoff
    runs: list[RunCard]
    waiting: list[StopLine]
    centres: list[tuple[str, float, float]]
    plan_id: int | None


def areas(session: Session, viewer: Viewer, on: date) -> list[tuple[str, str, int]]:
    """The counties with stops that day: code, name, how many."""
    rows = session.execute(
        select(Division.code, Division.name, func.count())
        .join(Stop, Stop.division_id == Division.id)
        .where(Stop.on == on, visible_stops(viewer))
        .group_by(Division.code, Division.name)
        .order_by(func.count().desc())
        .limit(40)
    )
    return [(code, name, n) for code, name, n in rows]


def home_area(session: Session, viewer: Viewer) -> Division | None:
    """Where a viewer's map opens when there are no stops: its own division, else the first county."""
    if viewer.division_id is not None:
        return session.get(Division, viewer.division_id)
    return session.scalars(select(Division).where(Division.level == Level.COUNTY).order_by(Division.code)).first()


def map_day(session: Session, viewer: Viewer, area: Division, on: date, cutoff: Cutoff) -> MapDay:
    """The committed runs of an area's batch, planned and driven, and the stops that wait."""
    runs = session.execute(
        select(Run, Courier, ServiceCentre)
        .join(Plan, Plan.id == Run.plan_id)
        .join(Courier, Courier.id == Run.courier_id)
        .join(ServiceCentre, ServiceCentre.id == Courier.centre_id)
        .where(
            Plan.division_id == area.id, Plan.on == on, Plan.cutoff == cutoff, Plan.state == PlanState.COMMITTED,
            visible_plans(viewer),
        )
        .order_by(Courier.id)
    ).all()  # fmt: skip
    stops: dict[int, list[Stop]] = {}
    held = select(Stop).where(Stop.run_id.in_([run.id for run, _, _ in runs])).order_by(Stop.run_id, Stop.position)
    for stop in session.scalars(held):
        stops.setdefault(stop.run_id or 0, []).append(stop)
    ended = _ended(session, [stop.id for line in stops.values() for stop in line])
    with_stops = [row for row in runs if stops.get(row.Run.id)]
    cards = []
    for n, (run, courier, centre) in enumerate(with_stops):
        lines = [
            stop_line(stop.position or 0, stop, stop.eta_s or 0, ended, None, courier, {}) for stop in stops[run.id]
        ]
        cards.append(
            RunCard(
                n % COLOURS + 1, courier.id, courier.name, VEHICLE_LABEL[courier.vehicle], run.starts_s, run.ends_s,
                run.travel_s, sum(line.pieces for line in lines), lines, (centre.lon, centre.lat),
            )
        )  # fmt: skip
    waits = select(Stop).where(
        Stop.division_id == area.id, Stop.on == on, Stop.cutoff == cutoff, Stop.state == StopState.OPEN,
        visible_stops(viewer),
    )  # fmt: skip
    waiting = [_waiting(stop) for stop in session.scalars(waits.order_by(Stop.id).limit(400))]
    centres = session.execute(
        select(ServiceCentre.name, ServiceCentre.lon, ServiceCentre.lat)
        .join(Division, Division.id == ServiceCentre.division_id)
        .where(subtree_condition(area.path))
    )
    return MapDay(
        area.name, area.code, area.lon, area.lat, on, cutoff, cards, waiting,
        [(name, lon, lat) for name, lon, lat in centres], runs[0].Run.plan_id if runs else None,
    )  # fmt: skip


def _waiting(stop: Stop) -> StopLine:
    asked = _asked(stop)
    why = ""
    if stop.unserved_reason:
        why = WHY_NOT.get(stop.unserved_reason.get("reason", ""), "")
    return StopLine(
        0, stop.id, STOP_LABEL[stop.kind], stop.label or stop.contact_name, stop.address, stop.lon, stop.lat, asked,
        _told(stop), asked[0] if asked else 0, stop.service_s, stop.pieces, stop.state.value, why or "待排",
    )  # fmt: skip
