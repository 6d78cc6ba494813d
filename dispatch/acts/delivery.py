"""Delivery: results and originals are home, by courier, electronically, or fetched at the counter."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from dispatch.acts.act import STAFF, ActContext, act
from dispatch.acts.act_fields import CalendarDate, Name, Reason, SecondOfDay
from dispatch.acts.case_result import CaseResult, case_result
from dispatch.acts.recording import JUST_NOW, Happening, record_fact
from dispatch.cases.case import Case, Way
from dispatch.cases.due_moments import grade_due
from dispatch.cases.fact_event import Fact, FactKind
from dispatch.cases.lookups import actor_ref, parcels_of
from dispatch.cases.notify import add_timeline_event, day_of, queue_notice, queue_stage_notice
from dispatch.cases.stages import Stage
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.core.actor import Actor
from dispatch.core.errors import Refused
from dispatch.core.ids import CaseNo
from dispatch.core.localized_text import DayText, LocalizedText
from dispatch.custody.handover import Holder
from dispatch.custody.parcel import Leg, Parcel, ParcelState


def delivered(session: Session, case: Case, parcel: Parcel, *, by: Actor, at: datetime) -> None:
    """Papers are home. The stage follows the last delivery; earlier ones are parcels with a notice."""
    others = [
        p
        for p in parcels_of(session, case)
        if p.id != parcel.id
        and p.leg is Leg.DELIVERY
        and p.holder is not Holder.ENTERPRISE
        and p.state is not ParcelState.CANCELLED
    ]
    values = {"recipient": (parcel.person or ""), "day": DayText(day_of(at))}
    if case.stage in {Stage.DECIDED, Stage.DELIVERY_PLANNED} and not others:
        _arrive(
            session, case, by=by, at=at, words=LocalizedText("已妥投 %(waybill)s", waybill=parcel.waybill),
            when=JUST_NOW, **values,
        )  # fmt: skip
    else:
        add_timeline_event(
            session,
            case,
            kind="delivered",
            by=by,
            at=at,
            words=LocalizedText("已妥投 %(waybill)s", waybill=parcel.waybill),
            waybill=parcel.waybill,
        )
        queue_notice(session, case, "delivered", at=at, key=f"{parcel.waybill}:{parcel.chain_length}", values=values)


def _deliver_electronically(session: Session, case: Case, *, by: Actor, at: datetime, when: Happening) -> None:
    """Nothing on paper: the results lie in the enterprise's account."""
    case.must_be(Stage.DECIDED)
    day = DayText(when.on or day_of(at))
    _arrive(session, case, by=by, at=at, words="电子结果已送达", when=when, recipient="企业账户", day=day)


def _fetched(session: Session, case: Case, *, who: str, by: Actor, at: datetime, when: Happening) -> None:
    """An authorised person fetched the results at the counter, identity checked."""
    case.must_be(Stage.DECIDED)
    if not who.strip():
        raise Refused("who fetched the results?", user_message="请填写领取人姓名")
    for parcel in parcels_at_centre(session, case):
        parcel.hand_over(
            to=Holder.ENTERPRISE,
            ref=f"enterprise:{case.project.enterprise_id}",
            scan_id=f"fetched:{parcel.waybill}:{parcel.chain_length + 1}",
            at=at,
            by=actor_ref(by),
            action="fetch",
        )
    day = DayText(when.on or day_of(at))
    _arrive(session, case, by=by, at=at, words="已在窗口领取", when=when, recipient=who, day=day)


def parcels_at_centre(session: Session, case: Case) -> list[Parcel]:
    """Papers of the case that came in and lie at the centre now."""
    return [
        p
        for p in parcels_of(session, case)
        if p.chain_length > 0 and p.holder is Holder.CENTRE and p.state is ParcelState.AT_CENTRE
    ]


def _arrive(
    session: Session, case: Case, *, by: Actor, at: datetime, words: str, when: Happening, **values: str
) -> None:
    case.move_to(Stage.DELIVERED, at=at, by=by.label)
    record_fact(session, case, Fact(kind=FactKind.RESULT_DELIVERED), when, by=by, at=at)
    refresh_close(session, case)
    queue_stage_notice(session, case, at=at, by=by, words=words, **values)


def refresh_close(session: Session, case: Case) -> None:
    """A case is closed without a grade some working days after its results came home."""
    case.close_by = None if case.delivered_at is None else grade_due(calendar_of(session), case.delivered_at)


@act(by=STAFF)
@dataclass(frozen=True, slots=True, kw_only=True)
class RecordDelivered:
    """The results are with the enterprise: in its account, or fetched at the counter by ``who``, identity checked.

    ``on``, ``second``: when that was, as the counter's book says."""

    case: CaseNo
    version: int | None = None
    who: Name = ""
    on: CalendarDate | None = None
    second: SecondOfDay | None = None
    late_reason: Reason = ""

    def perform(self, context: ActContext) -> CaseResult:
        case = context.row(Case, self.case)
        when = Happening(on=self.on, second=self.second, late_reason=self.late_reason)
        if case.delivery_way is Way.ELECTRONIC:
            _deliver_electronically(context.session, case, by=context.actor, at=context.at, when=when)
        else:
            _fetched(context.session, case, who=self.who, by=context.actor, at=context.at, when=when)
        return case_result(case)
