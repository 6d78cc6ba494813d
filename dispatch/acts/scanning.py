"""Scanning: an envelope is taken in at a centre, given to an authority, or sent on to another centre."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from annotated_types import MaxLen, MinLen
from sqlalchemy import select

from agents.network import ServiceCentre
from dispatch.acts import handover_lists
from dispatch.acts.act import STAFF, ActContext, act
from dispatch.acts.collection import send_on
from dispatch.cases.access_control import the_one, visible_centres
from dispatch.cases.case import Case
from dispatch.core.errors import Refused
from dispatch.core.ids import CentreId, Waybill
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

    ``ref``: such as centre:12; the parcel's own centre by default."""

    waybill: Waybill
    to: Holder
    ref: Annotated[str, MaxLen(60)] = ""
    scan_id: Annotated[str, MinLen(1), MaxLen(100)] | None = None
    device_at: datetime | None = None

    def perform(self, context: ActContext) -> CustodyResult:
        parcel = context.row(Parcel, self.waybill)
        if self.to is Holder.COURIER:
            raise Refused("couriers take parcels on a handover list", user_message="交给揽投员请使用交接清单")
        if self.to is Holder.TRUNK:
            raise Refused("to which centre? SendOn names it", user_message="请选择另一个政务服务中心")
        ref = self.ref or (f"centre:{parcel.centre_id}" if self.to is Holder.CENTRE else self.to.value)
        named = ref.removeprefix("centre:")
        if self.to is Holder.CENTRE and self.ref and named.isdecimal():
            known = select(ServiceCentre).where(ServiceCentre.id == int(named), visible_centres(context.actor))
            the_one(context.session, known, ref)
        handover_lists.scan(
            context.session, parcel, to=self.to, ref=ref, scan_id=self.scan_id or _page_scan(parcel), by=context.actor,
            at=context.at, device_at=self.device_at,
        )  # fmt: skip
        return _custody(parcel)


@act(by=STAFF)
@dataclass(frozen=True, slots=True, kw_only=True)
class SendOn:
    """The envelope goes by the EMS trunk to another centre, up or down the levels (中心间流转)."""

    waybill: Waybill
    to_centre_id: CentreId
    scan_id: Annotated[str, MinLen(1), MaxLen(100)] | None = None

    def perform(self, context: ActContext) -> CustodyResult:
        parcel, centre = context.row(Parcel, self.waybill), context.row(ServiceCentre, self.to_centre_id)
        send_on(
            context.session, context.session.get_one(Case, parcel.case_id), parcel, centre=centre,
            scan_id=self.scan_id or _page_scan(parcel), by=context.actor, at=context.at,
        )  # fmt: skip
        return _custody(parcel)


def _page_scan(parcel: Parcel) -> str:
    """The id of a handover that somebody writes down without a scanner."""
    return f"page:{parcel.waybill}:{parcel.chain_length + 1}"


def _custody(parcel: Parcel) -> CustodyResult:
    return CustodyResult(parcel.waybill, parcel.holder, parcel.chain_length)
