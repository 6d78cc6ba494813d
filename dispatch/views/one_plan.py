"""What leads see of one plan before and after its commit: its runs, who is left out, and what it does to promises."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from agents.network import Division, ServiceCentre
from dispatch.cases.access_control import plan_for, visible_cases
from dispatch.cases.case import Case
from dispatch.cases.visit_word import takes_sms
from dispatch.core.actor import Actor
from dispatch.core.localized_text import ListText, LocalizedText
from dispatch.custody.parcel import Parcel, ParcelState
from dispatch.views.plan_costs import CostTable, WhatIf, carried, cost_table, what_if
from dispatch.views.plan_proof import proof_words
from dispatch.views.stop_lines import COLOURS, WHY_NOT, RunCard, StopLine, asked_for, ended_at, stop_line, told_for
from routing.day.courier_run import CourierRun
from routing.day.courier_stop import STOP_LABEL, STOP_STATE_LABEL, CourierStop, StopKind, StopState
from routing.day.couriers import VEHICLE_LABEL, Courier, Shift
from routing.day.day_plan import DayPlan, PlanState
from routing.day.day_rows import open_stops
from routing.day.hours import Cutoff, is_open_in
from routing.day.plan_commit import changed_stops
from routing.day.routing_input import longest_run_m


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
    calls: int = 0
    """``notices``: messages that a commit sends; ``calls``: contacts at a number that takes no SMS."""


@dataclass(frozen=True, slots=True)
class PlanPage:
    """A plan: its job, its runs, who is left out, and what a commit would change."""

    plan: DayPlan
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
    proof: LocalizedText | None = None
    """How much less any plan might cost at most, or why that is not known."""
    one_more_proof: LocalizedText | None = None
    """The same of the day with one courier more."""

    @property
    def served(self) -> int:
        return sum(len(run.stops) for run in self.runs)


def plan_page(session: Session, viewer: Actor, plan_id: int) -> PlanPage:
    """One plan. Raises NotFound."""
    plan = plan_for(session, viewer, plan_id)
    area = session.get_one(Division, plan.division_id)
    if plan.result is None:
        return PlanPage(plan, area.name, area.code)
    ids = {v["stop_id"] for route in plan.result["routes"] for v in route["visits"]}
    ids |= {left["stop_id"] for left in plan.result["unserved"]}
    stops = _stops(session, ids)
    before = _holders(session, ids) if plan.state is PlanState.PREVIEW else {}
    ended = ended_at(session, ids)
    couriers = _drivers(session, plan.on, [route["courier_id"] for route in plan.result["routes"]])
    with_papers = _with_papers(session, viewer, ids)
    runs = [
        _run_card(n, route, stops, couriers, ended, before, with_papers)
        for n, route in enumerate((r for r in plan.result["routes"] if r["visits"]), start=1)
    ]
    gone = _dropped_out(session, plan)
    far = {f"courier:{courier_id}" for courier_id, driver in couriers.items() if driver.longest_m is not None}
    left_out = [
        _left_out(left, stops, before, gone, far, plan.cutoff)
        for left in plan.result["unserved"]
        if left["stop_id"] in stops
    ]
    changed = [line for run in runs for line in run.stops if line.was]
    return PlanPage(
        plan, area.name, area.code, runs, left_out,
        _effect(runs, left_out, before, stops, with_papers.keys()), changed, *_difference(session, plan, stops),
        None if plan.result.get("moves") else cost_table(plan), what_if(plan, stops), proof_words(plan.result),
        proof_words(plan.result.get("one_more")),
    )  # fmt: skip


def _stops(session: Session, ids: Iterable[int]) -> dict[int, CourierStop]:
    return {stop.id: stop for stop in session.scalars(select(CourierStop).where(CourierStop.id.in_(ids)))}


def _with_papers(session: Session, viewer: Actor, ids: Iterable[int]) -> dict[int, tuple[str, ...]]:
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


@dataclass(frozen=True, slots=True)
class _Driver:
    """A courier of the plan, the centre, and what the shift and the vehicle allow a run."""

    courier: Courier
    centre: ServiceCentre
    most_stops: int | None
    longest_m: int | None


def _drivers(session: Session, on: date, ids: Sequence[int]) -> dict[int, _Driver]:
    rows = session.execute(
        select(Courier, ServiceCentre, Shift)
        .join(ServiceCentre, ServiceCentre.id == Courier.centre_id)
        .outerjoin(Shift, and_(Shift.courier_id == Courier.id, Shift.on == on))
        .where(Courier.id.in_(ids))
    )
    return {
        courier.id: _Driver(
            courier, centre, shift.most_stops if shift else None,
            longest_run_m(courier, shift) if shift else courier.range_m,
        )
        for courier, centre, shift in rows
    }  # fmt: skip


def _holders(session: Session, ids: Iterable[int]) -> dict[int, tuple[int, str, int | None]]:
    """Who was to come to each stop so far, and when."""
    rows = session.execute(
        select(CourierStop.id, Courier.id, Courier.name, CourierStop.eta_s)
        .join(CourierRun, CourierRun.id == CourierStop.run_id)
        .join(Courier, Courier.id == CourierRun.courier_id)
        .where(CourierStop.id.in_(ids))
    )
    return {stop_id: (courier_id, name, eta_s) for stop_id, courier_id, name, eta_s in rows}


def _run_card(
    colour: int,
    route: dict[str, Any],
    stops: dict[int, CourierStop],
    drivers: dict[int, _Driver],
    ended: dict[int, datetime],
    before: dict[int, tuple[int, str, int | None]],
    papers: Mapping[int, tuple[str, ...]],
) -> RunCard:
    driver = drivers[route["courier_id"]]
    courier, centre = driver.courier, driver.centre
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
        carried(route, stops), route.get("metres", 0), driver.most_stops, driver.longest_m,
    )  # fmt: skip


def _dropped_out(session: Session, plan: DayPlan) -> set[int]:
    """The couriers who dropped out of the plan's day."""
    out = select(Shift.courier_id).where(Shift.on == plan.on, Shift.out_from_s.is_not(None))
    return set(session.scalars(out))


def _left_out(
    left: dict[str, Any],
    stops: dict[int, CourierStop],
    before: dict[int, tuple[int, str, int | None]],
    gone: set[int],
    far: set[str],
    cutoff: Cutoff,
) -> LeftOut:
    stop = stops[left["stop_id"]]
    why = WHY_NOT.get(left["reason"], "排不进当班路线")
    tried = left.get("candidates") or []
    holder = before.get(stop.id)
    if holder is not None and holder[0] in gone and stop.kind is not StopKind.PICKUP:
        why = LocalizedText("件在已退出的%(name)s车上，请先安排当面交接或带回中心，再改派", name=holder[1])
    elif holder is not None and tried == [f"courier:{holder[0]}"]:
        why = LocalizedText("件已在%(name)s车上，其余下时间排不下", name=holder[1])
    elif cutoff is Cutoff.AM and is_open_in(stop.windows, Cutoff.PM):
        why = LocalizedText("上午班排不下，下发后转入下午班")
    elif nearest := left.get("nearest"):
        lacks = ListText(
            [LocalizedText("%(n)s 件", n=nearest["pieces"])] * bool(nearest["pieces"])
            + [LocalizedText("%(n)s 克", n=nearest["grams"])] * bool(nearest["grams"])
        )
        why = LocalizedText(
            "%(why)s：最接近的是%(name)s的车，还差%(lacks)s", why=why, name=nearest["courier"], lacks=lacks
        )
    elif left["reason"] == "no room" and any(n in far for n in tried):
        why = LocalizedText("时段内的揽投员都已排满，或再去就超过里程上限（已试 %(n)s 名揽投员）", n=len(tried))
    elif tried:
        why = LocalizedText("%(why)s（已试 %(n)s 名揽投员）", why=why, n=len(tried))
    return LeftOut(
        stop.id, STOP_LABEL[stop.kind], stop.label or stop.contact_name, stop.address, asked_for(stop),
        told_for(stop) is not None, why,
    )  # fmt: skip


def _effect(
    runs: list[RunCard],
    left_out: list[LeftOut],
    before: dict[int, tuple[int, str, int | None]],
    stops: dict[int, CourierStop],
    with_papers: Collection[int],
) -> Effect:
    lines = [line for run in runs for line in run.stops if not line.is_frozen]
    told = {line.stop_id for line in lines if line.told is None or not line.is_kept}
    told |= {left.stop_id for left in left_out if left.was_told and stops[left.stop_id].state is StopState.PLANNED}
    called = {n for n in told.difference(with_papers) if not takes_sms(stops[n].contact_phone)}
    return Effect(
        kept=sum(1 for line in lines if line.told is not None and line.is_kept),
        moved=sum(1 for line in lines if line.told is not None and not line.is_kept),
        first_told=sum(1 for line in lines if line.told is None),
        taken_back=sum(1 for left in left_out if left.was_told and stops[left.stop_id].state is StopState.PLANNED),
        other_courier=sum(1 for line in lines if line.was),
        notices=len(told) - len(called),
        calls=len(called),
    )


def _difference(session: Session, plan: DayPlan, stops: dict[int, CourierStop]) -> tuple[list[str], int]:
    """What changed since a preview was made: stops by name, and how many came in after it."""
    if plan.state is not PlanState.PREVIEW:
        return [], 0
    stale = [
        f"{stop.label or stop.contact_name}（现为{STOP_STATE_LABEL[stop.state]}）"
        for n in changed_stops(session, plan, stops)
        if (stop := stops.get(n)) is not None
    ]
    waiting = open_stops(session, plan.division_id, plan.on, plan.cutoff)
    return stale, sum(1 for stop in waiting if str(stop.id) not in plan.stop_versions)
