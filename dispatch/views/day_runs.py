"""What leads see of a courier day: its areas and batches, who drives, and which plans there are."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from agents.network import Division
from dispatch.cases.access_control import visible_couriers, visible_plans, visible_stops
from dispatch.core.actor import Actor
from routing.day.courier_run import CourierRun
from routing.day.courier_stop import CourierStop, StopState
from routing.day.couriers import VEHICLE_LABEL, Courier, Shift
from routing.day.day_plan import DayPlan, PlanState
from routing.day.hours import Cutoff

CUTOFF_LABEL = {Cutoff.AM: "上午班", Cutoff.PM: "下午班"}
LIVE = (PlanState.QUEUED, PlanState.RUNNING, PlanState.PREVIEW)


@dataclass(frozen=True, slots=True)
class Batch:
    """One run of the day in one area: what waits, what is planned, what is behind."""

    area_code: str
    area: str
    cutoff: Cutoff
    stops: dict[str, int]
    couriers: int
    committed: DayPlan | None
    pending: DayPlan | None

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
    plans: list[tuple[DayPlan, str]]


def runs_page(session: Session, viewer: Actor, on: date) -> RunsPage:
    """Areas with stops or couriers on ``on``, each with its two batches."""
    counted = session.execute(
        select(
            Division.code, Division.name, CourierStop.division_id, CourierStop.cutoff, CourierStop.state, func.count()
        )
        .join(Division, Division.id == CourierStop.division_id)
        .where(CourierStop.on == on, visible_stops(viewer))
        .group_by(Division.code, Division.name, CourierStop.division_id, CourierStop.cutoff, CourierStop.state)
        .order_by(Division.code, CourierStop.cutoff)
    ).all()
    stops: dict[tuple[int, Cutoff], dict[str, int]] = {}
    names: dict[int, tuple[str, str]] = {}
    for code, name, area, cutoff, state, n in counted:
        names[area] = (code, name)
        stops.setdefault((area, cutoff), {})[state.value] = n
    plans = session.execute(
        select(DayPlan, Division.name)
        .join(Division, Division.id == DayPlan.division_id)
        .where(DayPlan.on == on, visible_plans(viewer))
        .order_by(DayPlan.id.desc())
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


def _couriers(session: Session, viewer: Actor, on: date) -> list[CourierLine]:
    held = (
        select(
            CourierRun.courier_id,
            func.count().filter(CourierStop.state.in_((StopState.PLANNED, StopState.ARRIVED))).label("ahead"),
            func.count().filter(CourierStop.state == StopState.DONE).label("behind"),
        )
        .join(CourierStop, CourierStop.run_id == CourierRun.id)
        .where(CourierRun.on == on)
        .group_by(CourierRun.courier_id)
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
