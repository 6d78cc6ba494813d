"""Parcels: handovers at centres and counters, and the chain of custody."""

from typing import Any

from apiflask import APIBlueprint
from pydantic import Field

from dispatch.acts.scanning import CustodyResult, ScanParcel, SendOn
from dispatch.custody.parcel import ParcelState
from dispatch.custody.waybill import check_waybill
from dispatch.views import custody_receipt, custody_resource, resource_lists
from dispatch.views.custody_receipt import CustodyReceipt
from dispatch.views.custody_resource import CustodyChain
from dispatch.views.resource_lists import ListedParcel, ListPart
from web.wiring import cursors
from web.wiring.act_door import command_from, offers, schema_of, take
from web.wiring.api_answers import answers, page_model
from web.wiring.api_schema import PageQuery, Strict, problems
from web.wiring.auth import current_actor, signed_in
from web.wiring.resource_json import as_json
from web.wiring.transactions import transaction

bp = APIBlueprint("api_parcels", __name__, url_prefix="/api/v1", tag="parcels")


class ParcelsQuery(PageQuery):
    """Which envelopes."""

    state: ParcelState | None = None
    case_no: str = Field(default="", max_length=40)


@bp.get("/parcels")
@signed_in
@bp.input(ParcelsQuery, location="query", arg_name="asked")
@answers(page_model(ListedParcel, ("id",)))
@bp.doc(responses=problems(422), security="bearer")
def listed(asked: ParcelsQuery) -> dict[str, Any]:
    """The envelopes that I may see, newest first, and who holds each."""
    after = cursors.decode(asked.cursor, int)
    part = ListPart(None if after is None else after[0], asked.limit)
    with transaction() as session:
        rows = resource_lists.parcel_lines(session, current_actor(), part, state=asked.state, case_no=asked.case_no)
    items, following = cursors.page(rows, asked.limit, lambda row: (row.id,))
    return {"items": [as_json(row, but=("id",)) for row in items], "next_cursor": following}


@bp.post("/parcels/<waybill>/handovers")
@offers(ScanParcel)
@bp.input(schema_of(ScanParcel, path=("waybill",)), arg_name="body")
@answers(CustodyResult, 201)
@bp.doc(responses=problems(404, 409, 422), security="bearer")
def hand_over(waybill: str, body: Strict) -> tuple[CustodyResult, int]:
    """A centre or a counter scans a parcel."""
    return take(command_from(ScanParcel, body, waybill=check_waybill(waybill))), 201


@bp.post("/parcels/<waybill>/transfer")
@offers(SendOn)
@bp.input(schema_of(SendOn, path=("waybill",)), arg_name="body")
@answers(CustodyResult, 201)
@bp.doc(responses=problems(404, 409, 422), security="bearer")
def send_on(waybill: str, body: Strict) -> tuple[CustodyResult, int]:
    """A centre sends a parcel on to another centre, whose scan ends the leg."""
    return take(command_from(SendOn, body, waybill=check_waybill(waybill))), 201


@bp.get("/parcels/<waybill>/receipt")
@signed_in
@answers(CustodyReceipt)
@bp.doc(responses=problems(404, 422), security="bearer")
def receipt(waybill: str) -> CustodyReceipt:
    """Every handover with its proof under a signed checkpoint: what anybody can check without us."""
    with transaction() as session:
        return custody_receipt.parcel_receipt(session, current_actor(), waybill)


@bp.get("/parcels/<waybill>/custody")
@signed_in
@answers(CustodyChain)
@bp.doc(responses=problems(404), security="bearer")
def custody(waybill: str) -> CustodyChain:
    """Everyone who held the parcel."""
    with transaction() as session:
        return custody_resource.custody_of(session, current_actor(), waybill)
