"""Scanning: an envelope is taken in at a centre, given to an authority, or sent on to another centre."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from annotated_types import MaxLen, MinLen

from dispatch.acts import handover_lists
from dispatch.acts.act import STAFF, ActContext, act
from dispatch.acts.collection import send_on
from dispatch.cases.case import Case
from dispatch.core.errors import Refused
from dispatch.core.ids import Waybill
from dispatch.custody.handover import Holder
from dispatch.custody.parcel import Parcel


@dataclass(frozen=True, slots=True)
class CustodyResult:
    """Who holds a parcel after a scan, and how long its chain is."""

    waybill: str
    holder: Holder
    length: int


@act(by=STAFF)
@dataclass(frozen=True, slots=True, kw_only=True)
class ScanParcel:
    """One scan: who has the parcel now. The same ``scan_id`` twice is one handover.

    ``ref``: such as centre:12; the parcel's own centre by default, the centre that it goes on to for the trunk."""

    waybill: Waybill
    to: Holder
    ref: Annotated[str, MaxLen(60)] = ""
    scan_id: Annotated[str, MinLen(1), MaxLen(100)] | None = None
    device_at: datetime | None = None

    def perform(self, context: ActContext) -> CustodyResult:
        parcel = context.row(Parcel, self.waybill)
        if self.to is Holder.COURIER:
            raise Refused("couriers take parcels on a handover list", user_message="交给揽投员请使用交接清单")
        scan_id = self.scan_id or f"page:{parcel.waybill}:{parcel.chain_length + 1}"
        if self.to is Holder.TRUNK:
            to_centre = self.ref.removeprefix("centre:")
            send_on(
                context.session, context.session.get_one(Case, parcel.case_id), parcel,
                to_centre_id=int(to_centre) if to_centre.isdecimal() else 0, scan_id=scan_id, by=context.actor,
                at=context.at,
            )  # fmt: skip
        else:
            ref = self.ref or (f"centre:{parcel.centre_id}" if self.to is Holder.CENTRE else self.to.value)
            handover_lists.scan(
                context.session, parcel, to=self.to, ref=ref, scan_id=scan_id, by=context.actor, at=context.at,
                device_at=self.device_at,
            )  # fmt: skip
        return CustodyResult(parcel.waybill, parcel.holder, parcel.chain_length)
