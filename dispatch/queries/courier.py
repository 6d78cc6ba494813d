"""What a courier's phone shows: today's runs, one stop a card, nothing about the project."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from db import now
from dispatch.custody import Parcel, ParcelState
from dispatch.scope import Viewer
from dispatch.telling import day_of
from routing.runs import Courier, Plan, PlanState, Run, Stop


def my_day(session: Session, viewer: Viewer) -> dict[str, Any]:
    """Today's runs of this courier, in order. A courier never sees a code."""
    on = day_of(now(session))
    courier = session.get(Courier, viewer.courier_id) if viewer.courier_id else None
    runs = session.scalars(
        select(Run)
        .join(Plan, Plan.id == Run.plan_id)
        .where(Run.courier_id == viewer.courier_id, Run.on == on, Plan.state == PlanState.COMMITTED)
        .order_by(Run.starts_s)
    ).all()
    stops = session.scalars(
        select(Stop).where(Stop.run_id.in_([run.id for run in runs])).order_by(Stop.run_id, Stop.position)
    ).all()
    papers: dict[int, list[Parcel]] = {}
    here = select(Parcel).where(Parcel.stop_id.in_([s.id for s in stops]), Parcel.state != ParcelState.CANCELLED)
    for parcel in session.scalars(here.order_by(Parcel.id)):
        papers.setdefault(parcel.stop_id or 0, []).append(parcel)
    return {
        "on": on,
        "courier": "" if courier is None else courier.name,
        "runs": [
            {
                "id": run.id, "version": run.version, "state": run.state.value, "starts_s": run.starts_s,
                "ends_s": run.ends_s, "changed": run.changed_words,
                "stops": [_card(stop, papers.get(stop.id, [])) for stop in stops if stop.run_id == run.id],
            }
            for run in runs
        ],
    }  # fmt: skip


def _card(stop: Stop, papers: list[Parcel]) -> dict[str, Any]:
    return {
        "id": stop.id, "position": stop.position, "kind": stop.kind.value, "state": stop.state.value,
        "version": stop.version, "label": stop.label, "address": stop.address, "contact": stop.contact_name,
        "phone": stop.contact_phone, "lon": stop.lon, "lat": stop.lat, "eta_s": stop.eta_s,
        "window": [stop.announced_opens_s, stop.announced_closes_s] if stop.announced_opens_s is not None
        else list(stop.windows[0]) if stop.windows else None,
        "service_s": stop.service_s, "pieces": stop.pieces,
        "parcels": [
            {"waybill": p.waybill, "last4": p.waybill[-6:-2], "leg": p.leg.value, "contents": p.contents,
             "recipient": p.person, "needs_code": p.code_hash is not None, "holder": p.holder.value}
            for p in papers
        ],
    }  # fmt: skip
