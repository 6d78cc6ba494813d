"""Parcels: handovers at centres and counters, and the chain of custody."""

from typing import Any

from apiflask import APIBlueprint

from dispatch.acts.scanning import CustodyResult, ScanParcel
from dispatch.custody.waybill import check_waybill
from dispatch.views import custody_resource
from web.wiring.act_door import command_from, offers, schema_of, take
from web.wiring.api_schema import Strict, problems
from web.wiring.auth import current_actor, signed_in
from web.wiring.resource_json import as_json
from web.wiring.transactions import transaction

bp = APIBlueprint("api_parcels", __name__, url_prefix="/api/v1", tag="parcels")


@bp.post("/parcels/<waybill>/handovers")
@offers(ScanParcel)
@bp.input(schema_of(ScanParcel, path=("waybill",)), arg_name="body")
@bp.output({}, status_code=201)
@bp.doc(responses=problems(404, 409, 422), security="bearer")
def hand_over(waybill: str, body: Strict) -> tuple[CustodyResult, int]:
    """A centre or a counter scans a parcel."""
    return take(command_from(ScanParcel, body, waybill=check_waybill(waybill))), 201


@bp.get("/parcels/<waybill>/custody")
@signed_in
@bp.output({})
@bp.doc(responses=problems(404), security="bearer")
def custody(waybill: str) -> dict[str, Any]:
    """Everyone who held the parcel."""
    with transaction() as session:
        return as_json(custody_resource.custody_of(session, current_actor(), waybill))
