"""What a courier's phone shows: today's runs, one stop a card, nothing about the project and never a code."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from db import now
from dispatch.acts.handover_lists import TO_DO, batch_at, incoming
from dispatch.cases.notify import day_of
from dispatch.core.actor import Actor
from dispatch.custody.handover import Holder
from dispatch.custody.parcel import INWARD, Leg, Parcel, ParcelState
from dispatch.custody.proofs import asked
from dispatch.views.coming import ComingWord, coming_at
from dispatch.views.courier_desk import ReportLine, my_reports
from dispatch.views.courier_words import WordLine, courier_words
from routing.day.courier_run import CourierRun
from routing.day.courier_stop import FAIL_LABEL, STOP_LABEL, CourierStop, StopAct, StopEvent
from routing.day.couriers import Courier, Shift, VehicleKind
from routing.day.day_plan import DayPlan, PlanState
from routing.day.order import window_of
from routing.travel.geocoding import MapLink, map_links


@dataclass(frozen=True, slots=True)
class StopParcel:
    """An envelope on a stop's card."""

    waybill: str
    last4: str
    leg: str
    contents: list[str]
    recipient: str | None
    needs_code: bool
    holder: str


@dataclass(frozen=True, slots=True)
class StopCard:
    """One stop as the courier's phone shows it. It never holds a code.

    ``release_s``: the second of the day at which what is brought is at the centre; 0 where it is there."""

    id: int
    position: int | None
    kind: str
    kind_words: str
    state: str
    to_do: bool
    version: int
    label: str
    address: str
    contact: str
    phone: str
    lon: float
    lat: float
    eta_s: int | None
    window: tuple[int, int] | None
    service_s: int
    pieces: int
    attempts: int
    act: str
    needs_code: bool
    needs_identity: bool
    needs_inspection: bool
    proofs: dict[str, str]
    maps: tuple[MapLink, ...]
    pin_proposed: bool
    ended_at: datetime | None
    failed_words: str | None
    coming: ComingWord | None
    release_s: int
    parcels: tuple[StopParcel, ...]


@dataclass(frozen=True, slots=True)
class CourierRunView:
    """One run of the day with its stops in order; ``changed`` says what a new plan made different."""

    id: int
    version: int
    state: str
    starts_s: int
    ends_s: int
    changed: str | None
    stops: tuple[StopCard, ...]


@dataclass(frozen=True, slots=True)
class CourierDayView:
    """Today's runs of one courier; ``ended_at_s``: from when the courier does not drive.

    ``hand_in_by``: the batch with which what is held for the centre is to be handed in."""

    on: date
    courier: str
    courier_id: int | None
    shift_ends_s: int | None
    ended_at_s: int | None
    reports: tuple[ReportLine, ...]
    words: tuple[WordLine, ...]
    hand_in_by: str | None
    runs: tuple[CourierRunView, ...]


def my_day(session: Session, viewer: Actor) -> CourierDayView:
    """Today's runs of this courier, in order. A courier never sees a code."""
    on = day_of(now(session))
    courier = session.get(Courier, viewer.courier_id) if viewer.courier_id else None
    runs = session.scalars(
        select(CourierRun)
        .join(DayPlan, DayPlan.id == CourierRun.plan_id)
        .where(CourierRun.courier_id == viewer.courier_id, CourierRun.on == on, DayPlan.state == PlanState.COMMITTED)
        .order_by(CourierRun.starts_s)
    ).all()
    stops = session.scalars(
        select(CourierStop)
        .where(CourierStop.run_id.in_([run.id for run in runs]))
        .order_by(CourierStop.run_id, CourierStop.position)
    ).all()
    ids = [s.id for s in stops]
    papers, ended, coming = _papers(session, ids), _outcomes(session, ids), coming_at(session, ids)
    by_van = _drives_van(courier)
    shift = session.scalar(select(Shift).where(Shift.courier_id == viewer.courier_id, Shift.on == on))
    return CourierDayView(
        on=on,
        courier="" if courier is None else courier.name,
        courier_id=viewer.courier_id,
        shift_ends_s=shift.ends_s if shift is not None else max((r.ends_s for r in runs), default=None),
        ended_at_s=None if shift is None else shift.out_from_s,
        reports=tuple(my_reports(session, viewer)),
        words=tuple(courier_words(session, viewer)),
        hand_in_by=_hand_in_by(session, viewer),
        runs=tuple(
            CourierRunView(
                run.id, run.version, run.state.value, run.starts_s, run.ends_s, _what_changed(session, run, stops),
                tuple(
                    _card(s, papers.get(s.id, []), ended.get(s.id), coming.get(s.id), by_van=by_van)
                    for s in stops
                    if s.run_id == run.id
                ),
            )
            for run in runs
        ),
    )  # fmt: skip


def _hand_in_by(session: Session, viewer: Actor) -> str | None:
    """By when what the courier holds for the centre is to be there (批次); None where there is nothing."""
    if viewer.courier_id is None or not incoming(session, viewer.courier_id):
        return None
    return batch_at(now(session))


def _what_changed(session: Session, run: CourierRun, stops: Iterable[CourierStop]) -> str | None:
    """Who planned the run anew and what is different: stops added, stops gone, where to go next."""
    if run.changed_words is None:
        return None
    plan = session.get_one(DayPlan, run.plan_id)
    before = session.get(DayPlan, plan.replaces_id) if plan.replaces_id is not None else None
    if before is None:
        return run.changed_words
    was, now_is = _visited(before, run.courier_id), _visited(plan, run.courier_id)
    here = [stop for stop in stops if stop.run_id == run.id]
    done = {stop.id for stop in here if stop.state not in TO_DO}
    added, gone = [n for n in now_is if n not in set(was)], [n for n in was if n not in set(now_is) | done]
    words = [run.changed_words]
    words += [f"新增{len(added)}站"] * bool(added) + [f"减少{len(gone)}站"] * bool(gone)
    if not added and not gone:
        kept = [n for n in was if n not in done]
        words.append("站点不变，顺序有调整" if kept != [n for n in now_is if n not in done] else "站点和顺序不变")
    following = next((stop for stop in here if stop.state in TO_DO), None)
    return "，".join(words) + ("" if following is None else f"；下一站：{following.label or following.address}")


def _visited(plan: DayPlan, courier_id: int) -> list[int]:
    """The stops of one courier's route in a plan, in their order."""
    routes = (plan.result or {}).get("routes", [])
    return [visit["stop_id"] for route in routes if route["courier_id"] == courier_id for visit in route["visits"]]


def _drives_van(courier: Courier | None) -> bool:
    return courier is not None and courier.vehicle is VehicleKind.VAN


def my_stop(session: Session, viewer: Actor, stop: CourierStop) -> StopCard:
    """One stop's card. The viewer's right to see the stop is checked by whoever found it."""
    courier = session.get(Courier, viewer.courier_id) if viewer.courier_id else None
    papers, ended = _papers(session, [stop.id]).get(stop.id, []), _outcomes(session, [stop.id]).get(stop.id)
    coming = coming_at(session, [stop.id]).get(stop.id)
    return _card(stop, papers, ended, coming, by_van=_drives_van(courier))


@dataclass(frozen=True, slots=True)
class _Paper:
    """What a card needs of a parcel, and whether it has a code."""

    leg: Leg
    waybill: str
    contents: list[str]
    person: str | None
    holder: Holder
    needs_code: bool


def _papers(session: Session, stop_ids: Iterable[int]) -> dict[int, list[_Paper]]:
    """The parcels of these stops, with just what a card shows."""
    rows = session.execute(
        select(
            Parcel.stop_id, Parcel.leg, Parcel.waybill, Parcel.contents, Parcel.person, Parcel.holder,
            Parcel.code_hash.is_not(None),
        )
        .where(Parcel.stop_id.in_(list(stop_ids)), Parcel.state != ParcelState.CANCELLED)
        .order_by(Parcel.id)
    )  # fmt: skip
    found: dict[int, list[_Paper]] = {}
    for stop_id, *paper in rows:
        found.setdefault(stop_id, []).append(_Paper(*paper))
    return found


def _outcomes(session: Session, stop_ids: Iterable[int]) -> dict[int, StopEvent]:
    """The latest outcome of each of these stops that was not undone."""
    ids = list(stop_ids)
    undone = select(StopEvent.undoes_id).where(StopEvent.undoes_id.is_not(None), StopEvent.stop_id.in_(ids))
    events = session.scalars(
        select(StopEvent)
        .where(
            StopEvent.stop_id.in_(ids),
            StopEvent.act.in_((StopAct.COLLECTED, StopAct.DELIVERED, StopAct.FAILED)),
            StopEvent.id.not_in(undone),
        )
        .order_by(StopEvent.id)
    )
    return {event.stop_id: event for event in events}


def _card(
    stop: CourierStop, papers: list[_Paper], ended: StopEvent | None, coming: ComingWord | None, *, by_van: bool
) -> StopCard:
    inward = any(p.leg in INWARD for p in papers) if papers else stop.kind.value != "delivery"
    outward = any(p.leg not in INWARD for p in papers) if papers else stop.kind.value != "pickup"
    to_do = stop.state in TO_DO
    return StopCard(
        id=stop.id,
        position=stop.position,
        kind=stop.kind.value,
        kind_words=STOP_LABEL[stop.kind],
        state=stop.state.value,
        to_do=to_do,
        version=stop.version,
        label=stop.label,
        address=stop.address,
        contact=stop.contact_name,
        phone=stop.contact_phone,
        lon=stop.lon,
        lat=stop.lat,
        eta_s=stop.eta_s,
        window=window_of(stop),
        service_s=stop.service_s,
        pieces=stop.pieces,
        attempts=stop.attempts,
        act="collected" if inward else "delivered",
        needs_code=any(p.needs_code for p in papers),
        needs_identity=outward and any(p.needs_code for p in papers if p.leg not in INWARD),
        needs_inspection=any(p.leg in INWARD for p in papers),
        proofs={proof.value: level.name.lower() for proof, level in asked(p.leg for p in papers).items()},
        maps=map_links(stop.lon, stop.lat, stop.label, by_van=by_van),
        pin_proposed=stop.proposed_lon is not None,
        ended_at=None if ended is None or to_do else ended.at,
        failed_words=FAIL_LABEL[stop.fail_reason] if stop.fail_reason is not None and not to_do else None,
        coming=coming if to_do else None,
        release_s=stop.release_s if to_do and any(p.holder is not Holder.COURIER for p in papers) else 0,
        parcels=tuple(
            StopParcel(p.waybill, p.waybill[-6:-2], p.leg.value, p.contents, p.person, p.needs_code, p.holder.value)
            for p in papers
        ),
    )
