"""Collection: papers come in, by courier or at the counter, and go on to another centre."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from annotated_types import MaxLen
from sqlalchemy.orm import Session

from agents.network import ServiceCentre
from dispatch.acts.act import STAFF, ActContext, act
from dispatch.acts.case_result import LegResult, leg_result
from dispatch.acts.new_parcel import new_parcel
from dispatch.cases.case import Case
from dispatch.cases.lookups import actor_ref
from dispatch.cases.notify import add_timeline_event, queue_notice, queue_stage_notice
from dispatch.cases.project import Project
from dispatch.cases.stages import Stage
from dispatch.core.actor import Actor
from dispatch.core.errors import Refused
from dispatch.core.ids import CaseNo
from dispatch.core.localized_text import LocalizedText
from dispatch.custody.handover import Holder
from dispatch.custody.parcel import Leg, Parcel


def _hand_in(session: Session, case: Case, *, by: Actor, at: datetime, scan_id: str) -> Parcel:
    """The enterprise brought its papers to the counter itself."""
    case.must_be(Stage.PRESCREENED)
    contents = [m.name for m in case.originals] or ["材料原件"]
    parcel = new_parcel(session, case, leg=Leg.COUNTER, contents=contents, holder=Holder.ENTERPRISE, at=at)
    parcel.holder_ref = f"enterprise:{session.get_one(Project, case.project_id).enterprise_id}"
    parcel.hand_over(to=Holder.CENTRE, ref=f"centre:{parcel.centre_id}", scan_id=scan_id, at=at, by=actor_ref(by))
    case.move_to(Stage.COLLECTED, at=at, by=by.label)
    _tell_collected(session, case, parcel, at=at, by=by)
    return parcel


def collected(session: Session, case: Case, parcel: Parcel, *, by: Actor, at: datetime) -> None:
    """A courier has the papers: the stage follows the first pickup, later ones are parcels with a notice."""
    if case.stage in {Stage.PICKUP_PLANNED, Stage.PRESCREENED}:
        case.move_to(Stage.COLLECTED, at=at, by=by.label)
        _tell_collected(session, case, parcel, at=at, by=by)
    else:
        add_timeline_event(
            session,
            case,
            kind="collected",
            by=by,
            at=at,
            words=LocalizedText("已揽收 %(waybill)s", waybill=parcel.waybill),
            waybill=parcel.waybill,
        )
        queue_notice(
            session, case, "collected", at=at, key=f"{parcel.waybill}:{parcel.chain_length}",
            values=_collected_values(session, parcel),
        )  # fmt: skip


def _tell_collected(session: Session, case: Case, parcel: Parcel, *, at: datetime, by: Actor) -> None:
    queue_stage_notice(
        session,
        case,
        at=at,
        by=by,
        words=LocalizedText("已揽收%(n)s份原件", n=len(parcel.contents)),
        **_collected_values(session, parcel),
    )


def _collected_values(session: Session, parcel: Parcel) -> dict[str, str]:
    centre = session.get(ServiceCentre, parcel.centre_id) if parcel.centre_id else None
    return {"count": str(len(parcel.contents)), "centre": (centre.name if centre else "代办中心")}


def send_on(
    session: Session, case: Case, parcel: Parcel, *, centre: ServiceCentre, scan_id: str, by: Actor, at: datetime
) -> None:
    """From this centre to another by the EMS trunk (中心间流转): the other centre's scan ends the leg."""
    if centre.id == parcel.centre_id:
        raise Refused(f"centre {centre.centre_no} is no other centre", user_message="请选择另一个政务服务中心")
    if any(link.scan_id == scan_id for link in parcel.handovers):
        return
    parcel.hand_over(
        to=Holder.TRUNK, ref=f"trunk:{centre.centre_no}", scan_id=scan_id, at=at, by=actor_ref(by), action="transfer"
    )
    parcel.leg, parcel.to_centre_id = Leg.TRANSFER, centre.id
    add_timeline_event(
        session,
        case,
        kind="transfer",
        by=by,
        at=at,
        words=LocalizedText("原件流转至%(name)s", name=centre.name),
        waybill=parcel.waybill,
    )


@act(by=STAFF)
@dataclass(frozen=True, slots=True, kw_only=True)
class HandIn:
    """The enterprise brought its originals to the counter; who takes them in writes it down."""

    case: CaseNo
    version: int | None = None
    scan_id: Annotated[str, MaxLen(100)] | None = None

    def perform(self, context: ActContext) -> LegResult:
        case = context.row(Case, self.case)
        scan_id = self.scan_id or f"counter:{case.case_no}:{case.version}"
        return leg_result(_hand_in(context.session, case, by=context.actor, at=context.at, scan_id=scan_id))
