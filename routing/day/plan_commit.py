"""Commit: a preview becomes the day's runs, and each stop gets the window to announce."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from routing.day.courier_run import CourierRun, RunState
from routing.day.courier_stop import CourierStop, StopState
from routing.day.day_plan import DayPlan, PlanConflict, PlanState
from routing.day.day_rows import TOUCHED, open_stops
from routing.day.hours import Cutoff, is_open_in

WINDOW_S = 2 * 3600  # what is announced: two hours around the planned arrival, inside the window that was wanted
BEFORE_S = 1800
UNHEARD = "it gave no answer"
"""What stands in the place of objections where the model of record was not heard."""


@dataclass(frozen=True, slots=True)
class WindowNotice:
    """The window that a committed plan gives a stop; it is to be announced to the contact there."""

    stop_id: int
    courier_name: str
    opens_s: int
    closes_s: int


def commit(session: Session, plan: DayPlan, *, by: str, at: datetime) -> list[WindowNotice]:
    """The preview becomes the day's runs. Raises PlanConflict with the difference when its stops changed meanwhile."""
    plan = session.get_one(DayPlan, plan.id, with_for_update=True, populate_existing=True)
    if plan.state is not PlanState.PREVIEW or plan.result is None:
        plan.move_to(PlanState.COMMITTED)  # raises, and names the state
    _check_objections(plan)
    ids = [int(stop_id) for stop_id in plan.stop_versions]
    stops = {
        stop.id: stop
        for stop in session.scalars(
            select(CourierStop)
            .where(CourierStop.id.in_(ids))
            .order_by(CourierStop.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    }
    changed = changed_stops(session, plan, stops)
    fresh = [stop.id for stop in open_stops(session, plan.division_id, plan.on, plan.cutoff) if stop.id not in stops]
    if changed:
        raise PlanConflict(
            f"plan {plan.id}: stops {changed} changed since the preview",
            user_message="预览之后有站点变化，请重新计算",
            difference={"changed": changed, "new": fresh},
        )
    standing = session.scalar(
        select(DayPlan)
        .where(
            DayPlan.division_id == plan.division_id,
            DayPlan.on == plan.on,
            DayPlan.cutoff == plan.cutoff,
            DayPlan.state == PlanState.COMMITTED,
        )
        .with_for_update()
    )
    if standing is not None and standing.id != plan.replaces_id:
        raise PlanConflict(
            f"plan {standing.id} is committed for this area and cut-off",
            user_message="该片区该批次已有下发的路线，请基于它重新计算",
            difference={"committed": standing.id},
        )
    if standing is not None:
        standing.move_to(PlanState.SUPERSEDED)
        session.flush()
    plan.move_to(PlanState.COMMITTED)
    plan.committed_at, plan.committed_by = at, by
    session.flush()
    assert plan.result is not None
    notices = _make_runs(session, plan, stops, standing, words=by)
    _leave_out(plan, stops)
    session.flush()
    return notices


def _check_objections(plan: DayPlan) -> None:
    """Raises PlanConflict where the model of record disagrees, or did not answer."""
    objections = (plan.result or {}).get("objections")
    if objections == [UNHEARD]:
        raise PlanConflict(
            f"plan {plan.id}: the model of record was not heard",
            user_message="独立核对（OR-Tools）没有应答，不能下发，请重新计算",
            difference={"objections": objections},
        )
    if objections:
        raise PlanConflict(
            f"plan {plan.id}: the model of record disagrees: {objections[0]}",
            user_message="独立核对（OR-Tools）与本次结果不一致，不能下发，请重新计算",
            difference={"objections": objections},
        )


def changed_stops(session: Session, plan: DayPlan, stops: Mapping[int, CourierStop]) -> list[int]:
    """Stops that are no longer as the preview saw them. What the courier of the plan's own run did since is no change.

    Without that, a day under way could never be planned anew: somebody ticks a stop off every half minute.
    """
    courier = {v["stop_id"]: r["courier_id"] for r in (plan.result or {})["routes"] for v in r["visits"]}
    moved = [
        n for n in map(int, plan.stop_versions) if n not in stops or stops[n].version != plan.stop_versions[str(n)]
    ]
    holders = dict(
        session.execute(
            select(CourierStop.id, CourierRun.courier_id)
            .join(CourierRun, CourierRun.id == CourierStop.run_id)
            .where(CourierStop.id.in_(moved))
        ).all()
    )
    return [
        n
        for n in moved
        if n not in stops or stops[n].state not in TOUCHED or n not in courier or holders.get(n) != courier[n]
    ]


def _make_runs(
    session: Session, plan: DayPlan, stops: dict[int, CourierStop], standing: DayPlan | None, *, words: str
) -> list[WindowNotice]:
    assert plan.result is not None
    earlier = {}
    if standing is not None:
        earlier = {
            run.courier_id: run for run in session.scalars(select(CourierRun).where(CourierRun.plan_id == standing.id))
        }
    notices: list[WindowNotice] = []
    for route in plan.result["routes"]:
        before = earlier.get(route["courier_id"])
        run = CourierRun(
            plan_id=plan.id,
            courier_id=route["courier_id"],
            on=plan.on,
            state=before.state if before is not None else RunState.READY,
            starts_s=route["start_s"],
            ends_s=route["end_s"],
            travel_s=route["cost"]["travel"],
            metres=route.get("metres", 0),
            cost_terms=route["cost"],
            changed_words=_changed_words(route, words) if before is not None or route.get("handovers") else None,
        )
        session.add(run)
        session.flush()
        for position, visit in enumerate(route["visits"], start=1):
            stop = stops[visit["stop_id"]]
            stop.run_id, stop.position, stop.eta_s, stop.unserved_reason = run.id, position, visit["start_s"], None
            stop.cutoff = plan.cutoff
            if visit.get("frozen") or stop.state in TOUCHED:
                continue
            if stop.state is StopState.OPEN:
                stop.move_to(StopState.PLANNED)
            notices.extend(_announce(stop, route["courier"], visit["start_s"]))
    return notices


def _changed_words(route: Mapping[str, Any], by: str) -> str:
    """What the courier reads above the new order: who made it, and which couriers hand papers over first."""
    words = f"{by}重新安排了路线"
    givers: dict[str, list[int]] = {}
    for handover in route.get("handovers", ()):
        givers.setdefault(handover["from_courier"], []).append(handover["start_s"])
    for giver, starts in givers.items():
        words += f"；约{starts[0] // 3600:02d}:{starts[0] // 60 % 60:02d}先向{giver}当面交接 {len(starts)} 件"
    return words


def _announce(stop: CourierStop, courier: str, start_s: int) -> list[WindowNotice]:
    """The window to announce, unless the one announced before still holds."""
    if (
        stop.announced_opens_s is not None
        and stop.announced_closes_s is not None
        and stop.announced_opens_s <= start_s <= stop.announced_closes_s
    ):
        return []
    opens, closes = window_around(start_s, [(int(o), int(c)) for o, c in stop.windows])
    return [WindowNotice(stop.id, courier, opens, closes)]


def window_around(start_s: int, wanted: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Two hours that hold the planned start, on half hours where the wanted window allows it."""
    opens = max(0, (start_s - BEFORE_S) // 1800 * 1800)
    closes = opens + WINDOW_S
    for low, high in wanted:
        if low <= start_s <= high:
            return max(opens, low), min(closes, high)
    return opens, closes


def settle_announcement(stop: CourierStop, notice: WindowNotice) -> None:
    """The window is on its way to the customer: from now on moving it costs."""
    stop.announced_opens_s, stop.announced_closes_s = notice.opens_s, notice.closes_s


def _leave_out(plan: DayPlan, stops: dict[int, CourierStop]) -> None:
    assert plan.result is not None
    for left in plan.result["unserved"]:
        stop = stops[left["stop_id"]]
        if stop.state is StopState.PLANNED:
            stop.move_to(StopState.OPEN)
            stop.run_id = stop.position = stop.eta_s = None
        stop.unserved_reason = {"reason": left["reason"], "candidates": left["candidates"]}
        if plan.cutoff is Cutoff.AM and is_open_in(stop.windows, Cutoff.PM):
            stop.cutoff = Cutoff.PM  # the afternoon has a window of it too
