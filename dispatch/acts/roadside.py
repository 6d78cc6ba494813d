"""Roadside: what a courier who cannot go on carries, whom to give it to, and each side's word, envelope by envelope."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID, uuid4

from annotated_types import MaxLen
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from agents.network import ServiceCentre
from dispatch.acts.act import LEADS, ActContext, act
from dispatch.acts.act_fields import Why
from dispatch.acts.door_report import FactTime, fact_time, not_before
from dispatch.cases.access_control import lock_parcels
from dispatch.cases.courier_report import CourierReport, ReportKind
from dispatch.cases.courier_word import CourierWord
from dispatch.cases.lookups import actor_ref
from dispatch.cases.notify import day_of
from dispatch.core.actor import Actor, Role
from dispatch.core.errors import NotFound, Refused
from dispatch.core.ids import RoadsidePassId
from dispatch.custody.handover import Holder
from dispatch.custody.parcel import Parcel
from dispatch.custody.roadside_pass import RoadsidePass, still_to_pass
from dispatch.custody.waybill import check_waybill
from routing.day.courier_run import CourierRun, RunState
from routing.day.courier_stop import CourierStop, StopKind, StopState
from routing.day.couriers import Courier, Shift
from routing.day.day_plan import DayPlan, PlanState
from routing.day.hours import DAY_S, seconds_of_day

TO_DO = (StopState.PLANNED, StopState.ARRIVED)
BEHIND = (StopState.DONE, StopState.FAILED, StopState.ARRIVED)


class Side(StrEnum):
    """Who says it: GIVE 交出方, TAKE 接收方."""

    GIVE = "give"
    TAKE = "take"


@dataclass(frozen=True, slots=True)
class PassResult:
    """What became of a courier's word; ``taken``: all of it stands in the record. ``passed``: what changed hands."""

    event_id: UUID
    taken: bool
    passed: tuple[str, ...] = ()
    words: str = ""


@act(by={Role.COURIER})
@dataclass(frozen=True, slots=True, kw_only=True)
class PassEnvelopes:
    """One courier gives to another on the road, or takes: envelope by envelope, by each side's own word.

    ``passes``: what was arranged; ``waybills``: what goes to or comes from ``colleague`` beside that. Custody passes
    once both have said it, whichever phone had signal first. What does not fit is on the dispatcher's desk."""

    event_id: UUID
    side: Side
    passes: Annotated[tuple[int, ...], MaxLen(200)] = ()
    colleague: int | None = None
    waybills: Annotated[tuple[str, ...], MaxLen(200)] = ()
    device_at: datetime | None = None
    sent_at: datetime | None = None

    def perform(self, context: ActContext) -> PassResult:
        session = context.session
        mine = session.get(Courier, context.actor.courier_id)
        if mine is None:
            raise NotFound("an account without a courier")
        if session.scalar(select(CourierReport.id).where(CourierReport.event_id == self.event_id)) is not None:
            return _with_odd(self.event_id, ())
        when = fact_time(self.device_at, self.sent_at, at=context.at, real=context.real_at())
        rows, odd = _rows(session, self, mine, when)
        passed: list[str] = []
        for row in rows:
            if self.side is Side.GIVE:
                row.given_at = row.given_at or when.at
            else:
                row.taken_at = row.taken_at or when.at
            if row.done_at is None and _is_said(row) and not _settle(session, row, passed, by=context.actor, when=when):
                odd.append(session.get_one(Parcel, row.parcel_id).waybill)
        if odd:
            session.add(_odd_report(self, mine, odd, when))
            return _with_odd(self.event_id, tuple(passed))
        return PassResult(self.event_id, True, tuple(passed))


def _with_odd(event_id: UUID, passed: tuple[str, ...]) -> PassResult:
    return PassResult(event_id, False, passed, words="有邮件与记录不符，已交调度核对")


def _is_said(row: RoadsidePass) -> bool:
    """Whether all who have to say it said it; ordinary mail that goes to the centre is the giver's word alone."""
    if row.receiver_id is None:
        return row.parcel_id is None and row.given_at is not None
    return row.given_at is not None and row.taken_at is not None


def _rows(session: Session, said: PassEnvelopes, mine: Courier, when: FactTime) -> tuple[list[RoadsidePass], list[str]]:
    """The passes that a courier speaks of, locked, those that nobody arranged made now; and what fits nothing."""
    waybills, odd = _waybills(said.waybills)
    named = select(RoadsidePass.parcel_id).where(RoadsidePass.id.in_(said.passes), RoadsidePass.parcel_id.is_not(None))
    spoken = select(Parcel.id).where(Parcel.waybill.in_(waybills))
    lock_parcels(session, select(Parcel.id).where(Parcel.id.in_(named) | Parcel.id.in_(spoken)))
    side = RoadsidePass.giver_id if said.side is Side.GIVE else RoadsidePass.receiver_id
    arranged = (
        select(RoadsidePass)
        .where(RoadsidePass.id.in_(said.passes), side == mine.id, RoadsidePass.called_off_at.is_(None))
        .order_by(RoadsidePass.id)
        .with_for_update()
    )
    rows = list(session.scalars(arranged))
    odd += [f"#{n}" for n in said.passes if n not in {row.id for row in rows}]
    other = session.get(Courier, said.colleague) if said.colleague is not None else None
    if waybills and (other is None or other.id == mine.id or other.division_id != mine.division_id):
        return rows, [*odd, *waybills]
    if other is not None:
        giver, receiver = (mine, other) if said.side is Side.GIVE else (other, mine)
        for waybill in waybills:
            row = _row_for(session, waybill, giver, receiver, when)
            if row is None:
                odd.append(waybill)
            else:
                rows.append(row)
    return rows, odd


def _waybills(typed: Sequence[str]) -> tuple[list[str], list[str]]:
    good: list[str] = []
    odd: list[str] = []
    for waybill in typed:
        try:
            good.append(check_waybill(waybill))
        except Refused:
            odd.append(waybill[:40])
    return list(dict.fromkeys(good)), odd


def _row_for(session: Session, waybill: str, giver: Courier, receiver: Courier, when: FactTime) -> RoadsidePass | None:
    """The pass of this envelope between these two, arranged, said by the other, or new; None where it is not there."""
    parcel = session.scalar(select(Parcel).where(Parcel.waybill == waybill))
    if parcel is None:
        return None
    here = select(RoadsidePass).where(
        RoadsidePass.parcel_id == parcel.id, RoadsidePass.giver_id == giver.id, RoadsidePass.called_off_at.is_(None)
    )
    both = here.where(RoadsidePass.receiver_id == receiver.id).order_by(RoadsidePass.id.desc()).limit(1)
    found = session.scalar(both.with_for_update())
    if found is not None:
        return found
    if (parcel.holder, parcel.holder_ref) != (Holder.COURIER, f"courier:{giver.id}"):
        return None
    unsaid = here.where(
        RoadsidePass.given_at.is_(None), RoadsidePass.taken_at.is_(None), RoadsidePass.done_at.is_(None)
    )
    found = session.scalar(unsaid.with_for_update())
    if found is not None:  # arranged otherwise: what happened outranks the arrangement
        found.receiver_id = receiver.id
        return found
    made = RoadsidePass(
        division_id=giver.division_id, on=day_of(when.at), giver_id=giver.id, receiver_id=receiver.id,
        stop_id=parcel.stop_id, parcel_id=parcel.id, made_at=when.at,
    )  # fmt: skip
    session.add(made)
    return made


def _settle(session: Session, row: RoadsidePass, passed: list[str], *, by: Actor, when: FactTime) -> bool:
    """Both have said it: custody passes, and the stop goes along. False where the envelope is with somebody else."""
    said_at = max(moment for moment in (row.given_at, row.taken_at) if moment is not None)
    if row.parcel_id is not None:
        parcel, receiver = session.get_one(Parcel, row.parcel_id), f"courier:{row.receiver_id}"
        if (parcel.holder, parcel.holder_ref) == (Holder.COURIER, f"courier:{row.giver_id}"):
            at = not_before(FactTime(said_at, when.recorded_at), [parcel.moved_at]).at
            parcel.hand_over(
                to=Holder.COURIER, ref=receiver, scan_id=f"pass:{row.id}:{parcel.waybill}", at=at,
                device_at=when.device_at, by=actor_ref(by), action="pass",
            )  # fmt: skip
        elif (parcel.holder, parcel.holder_ref) != (Holder.COURIER, receiver):
            return False
        passed.append(parcel.waybill)
    row.done_at = said_at
    session.flush()
    if row.receiver_id is not None and row.stop_id is not None:
        _follow(session, row, by)
    return True


def _follow(session: Session, row: RoadsidePass, by: Actor) -> None:
    """A stop whose papers have all changed hands is the receiver's, at the end of the run, where it was the giver's."""
    stop = session.get_one(CourierStop, row.stop_id, with_for_update=True, populate_existing=True)
    run = session.get(CourierRun, stop.run_id) if stop.run_id is not None else None
    still = select(Parcel.id).where(
        Parcel.stop_id == stop.id, Parcel.holder == Holder.COURIER, Parcel.holder_ref == f"courier:{row.giver_id}"
    )
    if session.scalar(still.limit(1)) is not None or stop.kind is not StopKind.DELIVERY:
        return
    if stop.state not in {StopState.OPEN, *TO_DO} or (run is not None and run.courier_id != row.giver_id):
        return
    taker = session.scalar(
        select(CourierRun)
        .join(DayPlan, DayPlan.id == CourierRun.plan_id)
        .where(CourierRun.courier_id == row.receiver_id, CourierRun.on == stop.on)
        .where(DayPlan.state == PlanState.COMMITTED)
        .order_by(CourierRun.ends_s.desc())
        .limit(1)
    )
    taker = taker or _new_run(session, row, stop, run)
    if taker is None:
        session.add(_without_run(row, stop))
        return
    last = session.scalars(select(CourierStop.position).where(CourierStop.run_id == taker.id)).all()
    if stop.state is StopState.OPEN:
        stop.move_to(StopState.PLANNED)
    stop.run_id, stop.position, stop.unserved_reason = taker.id, max((n or 0 for n in last), default=0) + 1, None
    stop.version += 1
    taker.version += 1
    taker.changed_words = f"已从同事处接过{stop.label or stop.address}的邮件"
    if run is not None:
        run.version += 1


def _new_run(session: Session, row: RoadsidePass, stop: CourierStop, giver: CourierRun | None) -> CourierRun | None:
    """A run for a receiver who has none today, in the plan that the stop was in; None where nothing is committed."""
    plan_id = giver.plan_id if giver is not None else None
    if plan_id is None:
        standing = select(DayPlan.id).where(
            DayPlan.division_id == stop.division_id, DayPlan.on == stop.on, DayPlan.cutoff == stop.cutoff,
            DayPlan.state == PlanState.COMMITTED,
        )  # fmt: skip
        plan_id = session.scalar(standing)
    if plan_id is None or row.receiver_id is None or row.done_at is None:
        return None
    ends_s = session.scalar(select(Shift.ends_s).where(Shift.courier_id == row.receiver_id, Shift.on == stop.on))
    starts_s = seconds_of_day(row.done_at)
    run = CourierRun(
        plan_id=plan_id, courier_id=row.receiver_id, on=stop.on, state=RunState.OUT, starts_s=starts_s,
        ends_s=max(starts_s, ends_s or DAY_S),
    )  # fmt: skip
    session.add(run)
    session.flush()
    return run


def _without_run(row: RoadsidePass, stop: CourierStop) -> CourierReport:
    """On the dispatcher's desk: a courier has the papers of a stop that no run of that day can hold."""
    return CourierReport(
        event_id=uuid4(), kind=ReportKind.CUSTODY, courier_id=row.receiver_id, division_id=row.division_id,
        stop_id=stop.id, note="已当面接过这一站的邮件，当天没有下发的线路，请安排投递", happened_at=row.done_at,
        recorded_at=row.done_at,
    )  # fmt: skip


def _odd_report(said: PassEnvelopes, mine: Courier, odd: list[str], when: FactTime) -> CourierReport:
    words = "当面交出，但记录不在本人手上或对方不符" if said.side is Side.GIVE else "当面接收，但记录不在对方手上"
    return CourierReport(
        event_id=said.event_id, kind=ReportKind.CUSTODY, courier_id=mine.id, division_id=mine.division_id, note=words,
        waybills=odd, happened_at=when.at, recorded_at=when.recorded_at, drift_s=when.drift_s,
    )  # fmt: skip


# ---------------------------------------------------------------- what a run that ends early leaves


def arrange_leftovers(session: Session, courier: Courier, *, on: date, from_s: int, at: datetime) -> int:
    """All that a courier carries who drops out, to be brought back to the centre until a plan says whom to meet."""
    known = select(RoadsidePass.parcel_id).where(still_to_pass(), RoadsidePass.parcel_id.is_not(None))
    held = select(Parcel).where(Parcel.holder == Holder.COURIER, Parcel.holder_ref == f"courier:{courier.id}")
    parcels = session.scalars(held.where(Parcel.id.not_in(known)).order_by(Parcel.id)).all()
    place, lon, lat = _stands(session, courier, on)
    where = {"place": place, "lon": lon, "lat": lat}
    one = {"division_id": courier.division_id, "on": on, "giver_id": courier.id, "made_at": at, **where}
    for parcel in parcels:
        session.add(RoadsidePass(parcel_id=parcel.id, stop_id=parcel.stop_id, **one))
    for stop in _ordinary_on_board(session, courier, on, from_s):
        session.add(RoadsidePass(stop_id=stop.id, **one))
    session.flush()
    return len(parcels)


def _stands(session: Session, courier: Courier, on: date) -> tuple[str, float, float]:
    """Where the courier is: at the last stop that was ticked off today, else at the centre."""
    last = session.scalar(
        select(CourierStop)
        .join(CourierRun, CourierRun.id == CourierStop.run_id)
        .where(CourierRun.courier_id == courier.id, CourierRun.on == on, CourierStop.state.in_(BEHIND))
        .order_by(CourierStop.done_at.desc().nulls_last(), CourierStop.position.desc())
        .limit(1)
    )
    if last is not None:
        return f"{last.label} {last.address}".strip(), last.lon, last.lat
    centre = session.get_one(ServiceCentre, courier.centre_id)
    return centre.name, centre.lon, centre.lat


def _ordinary_on_board(session: Session, courier: Courier, on: date, from_s: int) -> list[CourierStop]:
    """The deliveries of ordinary mail on the run of a courier who has set out: no chain of custody tells of them."""
    papers = select(Parcel.id).where(Parcel.stop_id == CourierStop.id).exists()
    known = select(RoadsidePass.stop_id).where(still_to_pass(), RoadsidePass.stop_id.is_not(None))
    query = (
        select(CourierStop)
        .join(CourierRun, CourierRun.id == CourierStop.run_id)
        .join(DayPlan, DayPlan.id == CourierRun.plan_id)
        .where(CourierRun.courier_id == courier.id, CourierRun.on == on, DayPlan.state == PlanState.COMMITTED)
        .where(
            or_(CourierRun.state != RunState.READY, CourierRun.starts_s <= from_s), CourierStop.kind != StopKind.PICKUP
        )
        .where(CourierStop.state.in_(TO_DO), ~papers, CourierStop.id.not_in(known))
        .order_by(CourierStop.position)
    )
    return list(session.scalars(query))


def arrange_meetings(session: Session, plan: DayPlan) -> None:
    """Whom a courier who dropped out meets, by the plan that was committed; what it gives to nobody goes back."""
    open_ = session.scalars(
        select(RoadsidePass)
        .where(still_to_pass(), RoadsidePass.division_id == plan.division_id, RoadsidePass.on == plan.on)
        .where(RoadsidePass.given_at.is_(None), RoadsidePass.taken_at.is_(None))
        .order_by(RoadsidePass.id)
        .with_for_update()
    ).all()
    met = {
        handover["stop_id"]: (route["courier_id"], handover["start_s"])
        for route in (plan.result or {}).get("routes", ())
        for handover in route.get("handovers", ())
    }
    for row in open_:
        receiver, meet_s = met.get(row.stop_id, (None, None))
        row.receiver_id, row.meet_s, row.plan_id = receiver, meet_s, plan.id
        row.version += 1


def call_off(session: Session, courier: Courier, *, on: date, by: Actor, at: datetime) -> None:
    """The courier is back: what nobody has passed on yet stays where it is."""
    unsaid = select(RoadsidePass).where(
        RoadsidePass.giver_id == courier.id, RoadsidePass.on == on, RoadsidePass.done_at.is_(None),
        RoadsidePass.given_at.is_(None), RoadsidePass.taken_at.is_(None), RoadsidePass.called_off_at.is_(None),
    )  # fmt: skip
    for row in session.scalars(unsaid.order_by(RoadsidePass.id).with_for_update()):
        row.call_off(by=by.label, at=at)


@dataclass(frozen=True, slots=True)
class CallOffResult:
    """A pass that does not take place."""

    pass_id: int


@act(by=LEADS)
@dataclass(frozen=True, slots=True, kw_only=True)
class CallOffPass:
    """A dispatcher says that an envelope is not to be passed on; who has it keeps it, and reads why."""

    roadside_pass: RoadsidePassId
    version: int | None = None
    why: Why

    def perform(self, context: ActContext) -> CallOffResult:
        row = context.row(RoadsidePass, self.roadside_pass)
        row.call_off(by=context.actor.label, at=context.at)
        what = "一站普通邮件" if row.parcel_id is None else context.session.get_one(Parcel, row.parcel_id).waybill
        for courier_id in filter(None, (row.giver_id, row.receiver_id)):
            context.session.add(
                CourierWord(
                    courier_id=courier_id, division_id=row.division_id, words=f"{what}不用当面交接了：{self.why}",
                    said_at=context.at, said_by=context.actor.label,
                )
            )  # fmt: skip
        return CallOffResult(row.id)
