"""New parcel: an envelope of papers gets its waybill, its leg and its first holder."""

from datetime import datetime

from sqlalchemy.orm import Session

from agents.network import Division, centre_of
from dispatch.cases.case import Case
from dispatch.cases.lookups import next_number
from dispatch.custody.handover import Holder
from dispatch.custody.parcel import Leg, Parcel, ParcelState
from dispatch.custody.waybill import check_waybill, waybill_from


def new_parcel(session: Session, case: Case, *, leg: Leg, contents: list[str], holder: Holder, at: datetime) -> Parcel:
    division = session.get_one(Division, case.division_id)
    centre = centre_of(session, division)
    serial = next_number(session, "waybill", width=8).rsplit("-", 1)[1]
    parcel = Parcel(
        waybill=check_waybill(waybill_from(int(serial))),
        case_id=case.id,
        leg=leg,
        contents=contents,
        pieces=1,
        grams=200 + 50 * len(contents),
        holder=holder,
        centre_id=None if centre is None else centre.id,
        created_at=at,
    )
    if leg is Leg.DELIVERY:
        parcel.state = ParcelState.AT_CENTRE
    session.add(parcel)
    session.flush()
    return parcel
