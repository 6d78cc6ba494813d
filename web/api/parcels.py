"""Parcels: handovers at centres and counters, and the chain of custody."""

from datetime import datetime
from typing import Any

from apiflask import APIBlueprint
from pydantic import Field

import db
from dispatch.acts import collection, handover_lists
from dispatch.cases.access_control import parcel_for
from dispatch.cases.case import Case
from dispatch.core.actor import Role
from dispatch.core.errors import Refused
from dispatch.custody.handover import Holder
from dispatch.custody.waybill import check_waybill
from dispatch.views import custody_resource
from web.wiring.api_schema import Strict, problems
from web.wiring.auth import current_actor, roles, signed_in
from web.wiring.resource_json import as_json
from web.wiring.transactions import transaction

bp = APIBlueprint("api_parcels", __name__, url_prefix="/api/v1", tag="parcels")


class HandoverIn(Strict):
    """One scan: who has the parcel now. The same scan_id twice is one handover."""

    to: Holder
    ref: str = Field(
        default="",
        max_length=60,
        description="Such as centre:12; the parcel's own centre by default, the centre it goes on to for trunk",
    )
    scan_id: str = Field(min_length=1, max_length=100)
    device_at: datetime | None = None


@bp.post("/parcels/<waybill>/handovers")
@roles(Role.AGENT, Role.LEAD, Role.OPERATOR)
@bp.input(HandoverIn, arg_name="body")
@bp.output({}, status_code=201)
@bp.doc(responses=problems(404, 409, 422), security="bearer")
def hand_over(waybill: str, body: HandoverIn) -> tuple[dict[str, Any], int]:
    """A centre or a counter scans a parcel."""
    viewer = current_actor()
    if body.to is Holder.COURIER:
        raise Refused("couriers take parcels on a handover list", user_message="交给揽投员请使用交接清单")
    with transaction() as session:
        parcel = parcel_for(session, viewer, check_waybill(waybill), lock=True)
        if body.to is Holder.TRUNK:
            to_centre = body.ref.removeprefix("centre:")
            case = session.get_one(Case, parcel.case_id)
            centre_id = int(to_centre) if to_centre.isdecimal() else 0
            collection.send_on(
                session, case, parcel, to_centre_id=centre_id, scan_id=body.scan_id, by=viewer, at=db.now(session)
            )
            return {"waybill": parcel.waybill, "holder": parcel.holder.value, "length": parcel.chain_length}, 201
        ref = body.ref or (f"centre:{parcel.centre_id}" if body.to is Holder.CENTRE else body.to.value)
        handover_lists.scan(
            session, parcel, to=body.to, ref=ref, scan_id=body.scan_id, by=viewer, at=db.now(session),
            device_at=body.device_at,
        )  # fmt: skip
        return {"waybill": parcel.waybill, "holder": parcel.holder.value, "length": parcel.chain_length}, 201


@bp.get("/parcels/<waybill>/custody")
@signed_in
@bp.output({})
@bp.doc(responses=problems(404), security="bearer")
def custody(waybill: str) -> dict[str, Any]:
    """Everyone who held the parcel."""
    with transaction() as session:
        return as_json(custody_resource.custody_of(session, current_actor(), waybill))
