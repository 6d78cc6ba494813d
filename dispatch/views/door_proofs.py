"""Photos and signatures that were kept at a door, of one case."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from dispatch.cases.case import Case
from dispatch.custody.handover import HOLDER_LABEL, Handover
from dispatch.custody.parcel import Parcel
from routing.day.courier_stop import FAIL_LABEL, CourierStop, StopAct, StopEvent


@dataclass(frozen=True, slots=True)
class DoorProof:
    """Something that was kept at a door: when, at which handover or failed visit, of which envelope, its digest."""

    at: datetime
    words: str
    waybill: str
    digest: str


def door_proofs(session: Session, case: Case) -> list[DoorProof]:
    """Photos and signatures of this case's envelopes, and the digests of checked codes beside them. Oldest first."""
    links = session.execute(
        select(Parcel.waybill, Handover)
        .outerjoin(Handover, and_(Handover.parcel_id == Parcel.id, func.jsonb_array_length(Handover.proofs) > 0))
        .where(Parcel.case_id == case.id)
    ).all()
    found = [
        DoorProof(link.at, f"{HOLDER_LABEL[link.from_holder]}交{HOLDER_LABEL[link.to_holder]}", waybill, digest)
        for waybill, link in links
        if link is not None
        for digest in link.proofs
    ]
    stops = select(Parcel.stop_id).where(Parcel.case_id == case.id, Parcel.stop_id.is_not(None))
    before = select(CourierStop.retry_of_id).where(CourierStop.id.in_(stops), CourierStop.retry_of_id.is_not(None))
    of_case = {waybill for waybill, _ in links}
    failed = session.scalars(
        select(StopEvent).where(
            or_(StopEvent.stop_id.in_(stops), StopEvent.stop_id.in_(before)), StopEvent.act == StopAct.FAILED
        )
    )
    found += [
        DoorProof(event.at, FAIL_LABEL[event.reason] if event.reason else "未办成", waybill, digest)
        for event in failed
        for waybill in event.waybills
        if waybill in of_case
        for digest in event.proofs
    ]
    return sorted(found, key=lambda proof: (proof.at, proof.digest))
