"""Live moves: a lead moves one stop of a committed day by hand, keeps it with its courier, and takes the move back."""

from dataclasses import dataclass, field
from typing import Annotated, Any

from annotated_types import Ge, Le
from sqlalchemy import func, select

from dispatch.acts.act import LEADS, ActContext, act
from dispatch.acts.announcing import announce
from dispatch.cases.access_control import lock_parcels
from dispatch.cases.notify import day_of
from dispatch.cases.visit_word import VisitWord, needs_call
from dispatch.core.errors import NotFound, Refused, Stale
from dispatch.core.ids import CourierId, PlanId, StopId
from dispatch.core.localized_text import LocalizedText
from dispatch.custody.handover import Holder
from dispatch.custody.parcel import INWARD, Parcel, ParcelState
from routing.day.courier_run import CourierRun
from routing.day.courier_stop import CourierStop, StopState, WrongStop
from routing.day.couriers import Courier
from routing.day.day_plan import DayPlan
from routing.day.hours import seconds_into
from routing.day.moving import StopMove, make, think_through
from routing.day.plan_commit import WindowNotice, settle_announcement, window_around
from routing.travel.places import TravelTimes

MOST_PLACES = 1000
MOVES = "moves"
"""Of a plan's result: what was moved by hand, the last one last."""


@dataclass(frozen=True, slots=True)
class MoveResult:
    """A committed plan after a stop was moved; ``told``: how many have a new window, ``to_call``: by telephone."""

    plan_id: int
    version: int
    stop_id: int
    told: int
    to_call: int


@dataclass(frozen=True, slots=True)
class LockResult:
    """Whether a stop stays with its courier when the day is planned anew."""

    stop_id: int
    is_locked: bool


@act(by=LEADS)
@dataclass(frozen=True, slots=True, kw_only=True)
class MoveStop:
    """A stop goes to another courier, or to another place of its run: the ``place``-th of what is still to do there.

    It stays with that courier when the day is planned anew. Whoever was told another window is told."""

    plan: PlanId
    version: int | None = None
    stop: StopId
    courier: CourierId
    place: Annotated[int, Ge(1), Le(MOST_PLACES)] = 1
    travel: TravelTimes = field(repr=False)

    def perform(self, context: ActContext) -> MoveResult:
        plan, stop = _locked(context, self.plan, self.version), context.row(CourierStop, self.stop)
        courier = context.row(Courier, self.courier)
        move = _thought(context, plan, stop, courier, self.place, self.travel)
        before = {
            "stop_id": stop.id, "courier_id": move.from_courier_id, "place": move.from_place,
            "locked_to": stop.locked_to_id, "by": context.actor.label, "at": context.at.isoformat(),
        }  # fmt: skip
        stop.locked_to_id = courier.id
        done = _made(context, move)
        plan.result = {**(plan.result or {}), MOVES: [*(plan.result or {}).get(MOVES, []), before]}
        return done


@act(by=LEADS)
@dataclass(frozen=True, slots=True, kw_only=True)
class UndoMove:
    """The last move by hand is taken back: the stop is where it was before it."""

    plan: PlanId
    version: int | None = None
    travel: TravelTimes = field(repr=False)

    def perform(self, context: ActContext) -> MoveResult:
        plan = _locked(context, self.plan, self.version)
        moves: list[dict[str, Any]] = (plan.result or {}).get(MOVES, [])
        if not moves:
            raise Refused(f"plan {plan.id} has no moves", user_message="没有可以撤销的调整")
        last = moves[-1]
        stop = context.session.get_one(CourierStop, last["stop_id"])
        courier = context.session.get_one(Courier, last["courier_id"])
        move = _thought(context, plan, stop, courier, last["place"], self.travel)
        stop.locked_to_id = last["locked_to"]
        done = _made(context, move)
        plan.result = {**(plan.result or {}), MOVES: moves[:-1]}
        return done


@act(by=LEADS)
@dataclass(frozen=True, slots=True, kw_only=True)
class LockStop:
    """A stop stays with its courier when the day is planned anew; with ``lets_go`` it may go to another one again."""

    stop: StopId
    version: int | None = None
    lets_go: bool = False

    def perform(self, context: ActContext) -> LockResult:
        stop = context.row(CourierStop, self.stop)
        courier_id = context.session.scalar(select(CourierRun.courier_id).where(CourierRun.id == stop.run_id))
        if not self.lets_go and (courier_id is None or stop.state is not StopState.PLANNED):
            raise WrongStop(f"stop {stop.id} is on no run", user_message="这一站不在待办的线路上，不能锁定")
        stop.locked_to_id = None if self.lets_go else courier_id
        stop.version += 1
        return LockResult(stop.id, not self.lets_go)


def _locked(context: ActContext, plan_id: PlanId, version: int | None) -> DayPlan:
    """The plan, which nobody else moves anything of now. Raises Stale: somebody was quicker, by name."""
    seen = context.row(DayPlan, plan_id)
    on_plan = select(CourierRun.id).where(CourierRun.plan_id == seen.id)
    stops = select(CourierStop.id).where(CourierStop.run_id.in_(on_plan))
    lock_parcels(context.session, select(Parcel.id).where(Parcel.stop_id.in_(stops)))
    rows = select(CourierStop).where(CourierStop.run_id.in_(on_plan)).order_by(CourierStop.id).with_for_update()
    context.session.scalars(rows.execution_options(populate_existing=True)).all()
    plan = context.session.get_one(DayPlan, seen.id, with_for_update=True, populate_existing=True)
    if version is not None and plan.version != version:
        raise Stale(
            f"plan {plan.id} is at version {plan.version}, not {version}",
            user_message=LocalizedText("刚刚由%(name)s修改过，请刷新后再试", name=plan.changed_by),
        )
    return plan


def _thought(
    context: ActContext, plan: DayPlan, stop: CourierStop, courier: Courier, place: int, travel: TravelTimes
) -> StopMove:
    if courier.division_id != plan.division_id:
        raise NotFound(f"courier {courier.id} does not drive in the plan's area")
    giver = context.session.scalar(select(CourierRun.courier_id).where(CourierRun.id == stop.run_id))
    carried = select(Parcel.leg).where(
        Parcel.stop_id == stop.id, Parcel.state != ParcelState.CANCELLED, Parcel.holder == Holder.COURIER
    )
    if giver != courier.id and any(leg not in INWARD for leg in context.session.scalars(carried)):
        raise Refused(f"stop {stop.id}: its papers are on board", user_message="件已在原揽投员车上，请先安排当面交接")
    at_s = seconds_into(plan.on, context.at) if plan.on == day_of(context.at) else 0
    return think_through(context.session, plan, stop, courier, place, at_s=at_s, travel=travel)


def _made(context: ActContext, move: StopMove) -> MoveResult:
    session, told = context.session, move.told_anew()
    make(session, move)
    for run in session.scalars(select(CourierRun).where(CourierRun.plan_id == move.plan.id)):
        if run.courier_id in {side.courier.id for side in move.sides}:
            run.changed_words = f"{context.actor.label}手工调整了路线：{move.stop.label or move.stop.address}"
    for stop, side in told:
        opens_s, closes_s = window_around(side.after.etas[stop.id], [(int(o), int(c)) for o, c in stop.windows])
        announce(
            session, stop, courier_name=side.courier.name, opens_s=opens_s, closes_s=closes_s, by=context.actor,
            at=context.at,
        )  # fmt: skip
        settle_announcement(stop, WindowNotice(stop.id, side.courier.name, opens_s, closes_s))
    session.flush()
    said = select(func.count(VisitWord.id)).where(VisitWord.division_id == move.plan.division_id)
    to_call = session.scalar(said.where(VisitWord.said_at == context.at, needs_call())) or 0
    return MoveResult(move.plan.id, move.plan.version, move.stop.id, len(told), to_call)
