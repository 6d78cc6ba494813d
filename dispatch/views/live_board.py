"""The live board: a committed day by courier, what one move by hand would do, and what can be taken back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from agents.network import Division
from db import now
from dispatch.cases.access_control import plan_for, stop_for, the_one, visible_couriers
from dispatch.cases.notify import day_of
from dispatch.cases.visit_word import takes_sms
from dispatch.core.actor import Actor
from dispatch.core.errors import Refused
from dispatch.views.stop_lines import COLOURS
from routing.day.courier_run import CourierRun
from routing.day.courier_stop import STOP_LABEL, CourierStop, StopState
from routing.day.couriers import VEHICLE_LABEL, Courier, Shift
from routing.day.day_plan import PlanState
from routing.day.hours import Cutoff, seconds_into, seconds_of_day
from routing.day.moving import RunSide, over_limits, think_through
from routing.day.order import LEFT, window_of
from routing.day.plan_commit import window_around
from routing.travel.places import TravelTimes


@dataclass(frozen=True, slots=True)
class BoardStop:
    """One stop of a run; ``place`` counts what is still to do there, and is None where it is behind."""

    stop_id: int
    version: int
    number: int
    place: int | None
    label: str
    kind: str
    eta_s: int
    service_s: int
    window: tuple[int, int] | None
    state: str
    is_locked: bool
    done_s: int | None

    @property
    def is_late(self) -> bool:
        """Whether the courier comes after the window closes."""
        return self.place is not None and self.window is not None and self.eta_s > self.window[1]


@dataclass(frozen=True, slots=True)
class BoardRow:
    """One courier who drives that day, with or without a run yet; ``left``: how many stops are still to do."""

    colour: int
    courier_id: int
    courier: str
    vehicle: str
    starts_s: int
    ends_s: int
    stops: tuple[BoardStop, ...]
    left: int


@dataclass(frozen=True, slots=True)
class BoardPage:
    """A committed plan as its rows are now; ``last_move``: the stop, who moved it and when."""

    plan_id: int
    version: int
    area: str
    area_code: str
    on: date
    cutoff: Cutoff
    is_live: bool
    rows: tuple[BoardRow, ...]
    last_move: tuple[str, str, datetime] | None


@dataclass(frozen=True, slots=True)
class RunEffect:
    """What a move does to one run; seconds and metres are more, or less where negative."""

    courier: str
    stops: int
    more_s: int
    more_m: int
    ends_s: int
    too_many: bool
    too_far: bool
    after_shift: bool


@dataclass(frozen=True, slots=True)
class StopEffect:
    """A stop that a move makes late, or whose people are told another time; ``by_phone``: no SMS reaches them."""

    stop_id: int
    label: str
    eta_s: int
    window: tuple[int, int]
    by_phone: bool = False


@dataclass(frozen=True, slots=True)
class MoveEffect:
    """What one move would do, before anybody makes it."""

    plan_id: int
    version: int
    stop_id: int
    label: str
    courier_id: int
    courier: str
    place: int
    runs: tuple[RunEffect, ...]
    late: tuple[StopEffect, ...]
    told: tuple[StopEffect, ...]

    @property
    def more_s(self) -> int:
        """Seconds on duty more in all."""
        return sum(run.more_s for run in self.runs)

    @property
    def more_m(self) -> int:
        """Metres more in all."""
        return sum(run.more_m for run in self.runs)


def board_page(session: Session, viewer: Actor, plan_id: int) -> BoardPage:
    """The plan's runs as they are now, and who else drives that day. Raises NotFound."""
    plan = plan_for(session, viewer, plan_id)
    area = session.get_one(Division, plan.division_id)
    drivers = session.execute(
        select(Courier, Shift, CourierRun)
        .join(Shift, Shift.courier_id == Courier.id)
        .outerjoin(CourierRun, (CourierRun.courier_id == Courier.id) & (CourierRun.plan_id == plan.id))
        .where(Courier.division_id == plan.division_id, Courier.active, Shift.on == plan.on)
        .where(Shift.out_from_s.is_(None))
        .order_by(Courier.id)
    ).all()
    ids = [run.id for _, _, run in drivers if run is not None]
    query = select(CourierStop).where(CourierStop.run_id.in_(ids)).order_by(CourierStop.position, CourierStop.id)
    stops = session.scalars(query).all()
    rows = tuple(
        _row(
            n % COLOURS + 1, courier, shift, run, [stop for stop in stops if run is not None and stop.run_id == run.id]
        )
        for n, (courier, shift, run) in enumerate(drivers)
    )
    names = {stop.id: stop.label or stop.address for stop in stops}
    moves = (plan.result or {}).get("moves", [])
    last = moves[-1] if moves else None
    return BoardPage(
        plan.id, plan.version, area.name, area.code, plan.on, plan.cutoff,
        plan.state is PlanState.COMMITTED and plan.on >= day_of(now(session)), rows,
        last and (names.get(last["stop_id"], ""), last["by"], datetime.fromisoformat(last["at"])),
    )  # fmt: skip


def _row(colour: int, courier: Courier, shift: Shift, run: CourierRun | None, stops: Sequence[CourierStop]) -> BoardRow:
    left = [stop.id for stop in stops if stop.state in LEFT]
    starts_s, ends_s = (shift.starts_s, shift.ends_s) if run is None else (run.starts_s, run.ends_s)
    lines = tuple(
        BoardStop(
            stop.id, stop.version, stop.position or 0,
            left.index(stop.id) + 1 if stop.state is StopState.PLANNED else None, stop.label or stop.address,
            STOP_LABEL[stop.kind], stop.eta_s or 0, stop.door_s, window_of(stop), stop.state.value,
            stop.locked_to_id == courier.id, None if stop.done_at is None else seconds_of_day(stop.done_at),
        )
        for stop in stops
    )  # fmt: skip
    return BoardRow(
        colour, courier.id, courier.name, VEHICLE_LABEL[courier.vehicle], starts_s, ends_s, lines, len(left)
    )  # fmt: skip


def move_effect(
    session: Session, viewer: Actor, plan_id: int, stop_id: int, courier_id: int, place: int, *, travel: TravelTimes
) -> MoveEffect:
    """What becomes of both runs and of what people were told. Raises NotFound, Refused, WrongStop, PlanConflict."""
    plan = plan_for(session, viewer, plan_id)
    if not stop_id or not courier_id:
        raise Refused("a move needs a stop and a courier", user_message="填写有误，请核对后再提交")
    stop = stop_for(session, viewer, stop_id)
    here = select(Courier).where(
        Courier.id == courier_id, Courier.division_id == plan.division_id, visible_couriers(viewer)
    )
    courier = the_one(session, here, f"courier {courier_id}")
    at = now(session)
    at_s = seconds_into(plan.on, at) if plan.on == day_of(at) else 0
    move = think_through(session, plan, stop, courier, place, at_s=at_s, travel=travel)
    etas = {n: eta_s for side in move.sides for n, eta_s in side.after.etas.items()}
    told = tuple(
        StopEffect(
            each.id, each.label or each.address, etas[each.id],
            window_around(etas[each.id], [(int(o), int(c)) for o, c in each.windows]),
            not takes_sms(each.contact_phone),
        )
        for each, _ in move.told_anew()
    )  # fmt: skip
    late = tuple(
        StopEffect(each.id, each.label or each.address, etas[each.id], window_of(each) or (0, 0))
        for each in move.late()
    )
    return MoveEffect(
        plan.id, plan.version, stop.id, stop.label or stop.address, courier.id, courier.name, move.place,
        tuple(_effect(side) for side in move.sides), late, told,
    )  # fmt: skip


def _effect(side: RunSide) -> RunEffect:
    too_many, too_far = over_limits(side)
    return RunEffect(
        side.courier.name, len(side.becomes), side.after.duty_s - side.before.duty_s,
        side.after.metres - side.before.metres, side.after.ends_s, too_many, too_far,
        side.after.ends_s > max(side.shift.ends_s, side.before.ends_s),
    )  # fmt: skip
