"""Announcing: what a committed plan means for those who wait at a stop, and what its cancelling means."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.cases.case import Case
from dispatch.cases.lookups import moment
from dispatch.cases.notify import add_timeline_event, queue_notice, six_digits
from dispatch.cases.stages import Stage
from dispatch.core.actor import Actor
from dispatch.core.localized_text import DayText, LocalizedText, WindowText
from dispatch.custody.parcel import Leg, Parcel
from routing.day.courier_stop import CourierStop


def announce(
    session: Session, stop: CourierStop, *, courier_name: str, opens_s: int, closes_s: int, by: Actor, at: datetime
) -> None:
    """A committed plan gives a stop its window: codes are made, stages follow, the people there are told."""
    values = {"day": DayText(stop.on), "window": WindowText(opens_s, closes_s)}
    expires_at = moment(stop.on, closes_s)
    by_case: dict[int, list[Parcel]] = {}
    for parcel in session.scalars(select(Parcel).where(Parcel.stop_id == stop.id).order_by(Parcel.id)):
        by_case.setdefault(parcel.case_id, []).append(parcel)
    for case_id, parcels in by_case.items():
        case, first = session.get_one(Case, case_id), parcels[0]
        key = f"{first.waybill}:{stop.id}:{stop.on}:{opens_s}:{closes_s}"
        if stop.announced_opens_s is not None and first.code_hash is not None:
            words = LocalizedText("上门时段改为%(day)s%(window)s", **values)
            add_timeline_event(session, case, kind="window_changed", by=by, at=at, words=words)
            queue_notice(session, case, "window_changed", at=at, key=key, values=values, expires_at=expires_at)
            continue
        code = six_digits()
        for parcel in parcels:
            parcel.set_code(code)
        inward = first.leg in {Leg.PICKUP, Leg.EXCHANGE}
        if inward and case.stage is Stage.PRESCREENED:
            case.move_to(Stage.PICKUP_PLANNED, at=at, by=by.label)
        elif not inward and case.stage is Stage.DECIDED:
            case.move_to(Stage.DELIVERY_PLANNED, at=at, by=by.label)
        person = {"courier": courier_name[:20]} if inward else {"recipient": (first.person or "")[:20]}
        words = LocalizedText("%(day)s%(window)s上门揽收" if inward else "%(day)s%(window)s投递", **values)
        add_timeline_event(session, case, kind="window", by=by, at=at, words=words, waybill=first.waybill)
        queue_notice(
            session,
            case,
            "pickup" if inward else "delivery",
            at=at,
            key=key,
            values={**values, **person, "code": code},
            expires_at=expires_at,
        )


def unplan(session: Session, stop: CourierStop, *, by: Actor, at: datetime) -> None:
    """A stop fell out of its run: the stage goes back to waiting for a plan."""
    for parcel in session.scalars(select(Parcel).where(Parcel.stop_id == stop.id).order_by(Parcel.id)):
        case = session.get_one(Case, parcel.case_id)
        back = {Stage.PICKUP_PLANNED: Stage.PRESCREENED, Stage.DELIVERY_PLANNED: Stage.DECIDED}.get(case.stage)
        if back is not None:
            case.move_to(back, at=at, by=by.label)
            add_timeline_event(session, case, kind="unplanned", by=by, at=at, words="原定上门时段取消，将重新安排")
