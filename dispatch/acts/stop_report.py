"""At the door: what a courier reports of a stop, and what it does to parcels, custody and cases."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated

from annotated_types import MaxLen
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from db import SHANGHAI, real_now
from dispatch.acts.act import ActContext, act
from dispatch.acts.act_fields import MOST_PHOTOS, Digest, Name, Reason
from dispatch.acts.collection import collected
from dispatch.acts.delivery import delivered
from dispatch.cases.case import Case
from dispatch.cases.lookups import actor_ref
from dispatch.cases.notify import add_timeline_event, day_of, queue_notice
from dispatch.cases.stages import Stage
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.core.actor import Actor, Role
from dispatch.core.errors import CountedFailure, Refused
from dispatch.core.ids import StopId
from dispatch.core.localized_text import DayText, LocalizedText
from dispatch.custody.handover import Handover, Holder
from dispatch.custody.parcel import MOST_CODE_TRIES, Leg, Parcel, ParcelState
from dispatch.custody.proofs import MISSING, Proof, first_missing
from dispatch.custody.waybill import check_waybill
from notifications import outbox
from routing.day.courier_run import CourierRun
from routing.day.courier_stop import FAIL_LABEL, CourierStop, FailReason, StopAct, StopEvent, StopState
from routing.day.stop_events import ReportedEvent, event_with, record
from routing.day.stops import release, request_retry, retry_of

INWARD = frozenset({Leg.PICKUP, Leg.EXCHANGE, Leg.TRANSFER})


class WrongCode(CountedFailure):
    """The code does not fit: nothing is handed over, and the try counts for every envelope at this address."""

    user_message = "验证码不对，请核对后再输"

    def __init__(self, message: str, *, parcels: Sequence[int], user_message: str, **facts: object) -> None:
        super().__init__(message, user_message=user_message, **facts)
        self.parcels = tuple(parcels)

    def count(self, session: Session) -> None:
        """One try more for each parcel that may still be tried."""
        session.execute(
            update(Parcel)
            .where(Parcel.id.in_(self.parcels), Parcel.code_tries < MOST_CODE_TRIES)
            .values(code_tries=Parcel.code_tries + 1)
        )


class NotAtThisStop(Refused):
    """A waybill that is not of this stop was scanned or typed."""

    user_message = "该邮件不属于这一站"


@dataclass(frozen=True, slots=True)
class StopEventResult:
    """What a report became."""

    event_id: uuid.UUID
    stop_id: int
    state: StopState
    at: datetime


@act(by={Role.COURIER, Role.LEAD}, counts_failures=True)
@dataclass(frozen=True, slots=True, kw_only=True)
class ReportStop:
    """What happened at a stop, as the phone recorded it; the same ``event_id`` twice is one event.

    ``sent_at``: the phone's clock when it sent this, which shows its drift. Photos and signature by their SHA-256."""

    stop: StopId
    event_id: uuid.UUID
    act: StopAct
    device_at: datetime | None = None
    sent_at: datetime | None = None
    reason: FailReason | None = None
    note: Reason | None = None
    waybills: Annotated[tuple[str, ...], MaxLen(200)] = ()
    exceptions: Annotated[tuple[str, ...], MaxLen(200)] = ()
    code: Annotated[str, MaxLen(12)] | None = None
    identity_checked: bool = False
    inspected: bool = False
    seal_no: Name | None = None
    photos: Annotated[tuple[Digest, ...], MaxLen(MOST_PHOTOS)] = ()
    signature: Digest | None = None

    def perform(self, context: ActContext) -> StopEventResult:
        stop, real = context.row(CourierStop, self.stop), real_now(context.session)
        sent_at, device_at = _aware(self.sent_at), _aware(self.device_at)
        if device_at is not None:
            device_at += context.at - real  # in a demo whose clock was moved, both clocks of an event tell the same day
        drift_s = None if sent_at is None else (real - sent_at).total_seconds()
        report = replace(self, device_at=device_at)
        event = report_stop(context.session, stop, report, drift_s=drift_s, by=context.actor, at=context.at)
        return StopEventResult(event.event_id, stop.id, stop.state, event.at)


def _aware(moment: datetime | None) -> datetime | None:
    """A phone that sends no offset means Jiangsu's time."""
    if moment is None or moment.tzinfo is not None:
        return moment
    return moment.replace(tzinfo=SHANGHAI)


def report_stop(
    session: Session, stop: CourierStop, said: ReportStop, *, by: Actor, at: datetime, drift_s: float | None = None
) -> StopEvent:
    """One act at a stop, once. The stop's cases, parcels and the stop itself are locked by the caller.

    Raises WrongCode, Refused (proof missing, unknown waybill), or routing's WrongStop."""
    if earlier := event_with(session, said.event_id):
        if earlier.stop_id != stop.id:
            raise Refused(f"event {said.event_id} belongs to another stop", user_message="重复的操作编号")
        return earlier
    parcels, left_out = _parcels(session, stop, said)
    proofs = [*said.photos, *([said.signature] if said.signature else [])]
    if said.act in {StopAct.COLLECTED, StopAct.DELIVERED}:
        if left_out and not parcels:
            raise Refused(f"stop {stop.id}: every parcel is left out", user_message="全部除外的，请改记“没办成”")
        if left_out and said.reason is None:
            raise Refused(f"stop {stop.id}: an exception needs its reason", user_message="请选择除外的原因")
        proofs += _proofs(parcels, said)
    event = record(
        session, stop,
        ReportedEvent(
            event_id=said.event_id, act=said.act, device_at=said.device_at, drift_s=drift_s,
            reason=said.reason if left_out or said.act is StopAct.FAILED else None, note=said.note,
            waybills=tuple(p.waybill for p in parcels), proofs=tuple(sorted(proofs)),
        ),
        courier_id=by.courier_id, at=at,
    )  # fmt: skip
    match said.act:
        case StopAct.COLLECTED | StopAct.DELIVERED:
            _hand_over(session, stop, parcels, said, proofs=proofs, by=by, at=at)
            if left_out:
                stop.attempts += 1  # for what stays behind this visit was an attempt that failed
                _schedule_retry(session, stop, left_out, said, by=by, at=at)
        case StopAct.FAILED:
            _schedule_retry(session, stop, parcels, said, by=by, at=at)
        case StopAct.UNDONE:
            _undone(session, stop, event, by=by, at=at)
        case StopAct.PROBLEM:
            for parcel in parcels:
                case = session.get_one(Case, parcel.case_id)
                add_timeline_event(
                    session,
                    case,
                    kind="problem",
                    by=by,
                    at=at,
                    words=LocalizedText("揽投员反映：%(note)s", note=said.note or LocalizedText("异常")),
                    internal=True,
                )
        case StopAct.ARRIVED:
            pass
    return event


def _parcels(session: Session, stop: CourierStop, said: ReportStop) -> tuple[list[Parcel], list[Parcel]]:
    """What the stop is about, all its papers in one confirmation; and what was ticked as an exception."""
    here = session.scalars(
        select(Parcel).where(Parcel.stop_id == stop.id, Parcel.state != ParcelState.CANCELLED).order_by(Parcel.id)
    ).all()
    named = {check_waybill(w) for w in said.waybills} | {check_waybill(w) for w in said.exceptions}
    if unknown := named - {p.waybill for p in here}:
        raise NotAtThisStop(f"waybills {sorted(unknown)} are not at stop {stop.id}")
    left_out = {check_waybill(w) for w in said.exceptions}
    chosen = {check_waybill(w) for w in said.waybills} or {p.waybill for p in here}
    return [p for p in here if p.waybill in chosen - left_out], [p for p in here if p.waybill in left_out]


def _proofs(parcels: list[Parcel], said: ReportStop) -> list[str]:
    """Every required proof is asked for, and the code checked, before anything moves."""
    digests: list[str] = []
    coded = [parcel for parcel in parcels if parcel.code_hash is not None]
    given = {
        Proof.CODE: bool(said.code) or not coded,
        Proof.IDENTITY: said.identity_checked or not coded,
        Proof.INSPECTION: said.inspected,
        Proof.SIGNATURE: said.signature is not None,
        Proof.PHOTO: bool(said.photos),
    }
    missing = first_missing((p.leg for p in parcels), {proof for proof, is_given in given.items() if is_given})
    if missing is not None:
        raise Refused(f"a handover at the door needs its {missing}", user_message=MISSING[missing])
    codes = {parcel.waybill: parcel for parcel in coded}
    if codes and said.code:
        # One address, one confirmation: the code of any of its parcels opens them all.
        for parcel in codes.values():
            try:
                digests.append(parcel.check_code(said.code))
                break
            except Refused as error:
                refused = error
        else:
            tried = [parcel.id for parcel in codes.values()]
            raise WrongCode(str(refused), parcels=tried, user_message=refused.user_message, **refused.facts)
        for parcel in codes.values():
            parcel.code_tries = 0
    return digests


def _hand_over(
    session: Session,
    stop: CourierStop,
    parcels: list[Parcel],
    said: ReportStop,
    *,
    proofs: list[str],
    by: Actor,
    at: datetime,
) -> None:
    courier_id = by.courier_id or session.scalar(select(CourierRun.courier_id).where(CourierRun.id == stop.run_id))
    courier = f"courier:{courier_id}"
    home: dict[int, Parcel] = {}
    for parcel in parcels:
        case = session.get_one(Case, parcel.case_id)
        scan_id = f"{said.event_id}:{parcel.waybill}"
        if parcel.leg in INWARD:
            parcel.seal_no, parcel.inspected = said.seal_no or parcel.seal_no, True
            parcel.hand_over(
                to=Holder.COURIER, ref=courier, scan_id=scan_id, at=at, device_at=said.device_at,
                by=actor_ref(by), action="collect", proofs=proofs,
            )  # fmt: skip
            collected(session, case, parcel, by=by, at=at)
        else:
            if parcel.holder is Holder.CENTRE:
                # The load scan was skipped: the courier took it over at the latest here.
                parcel.hand_over(
                    to=Holder.COURIER, ref=courier, scan_id=f"{scan_id}:load", at=at, by=actor_ref(by), action="load"
                )
            parcel.hand_over(
                to=Holder.ENTERPRISE, ref=f"enterprise:{case.project.enterprise_id}", scan_id=scan_id, at=at,
                device_at=said.device_at, by=actor_ref(by), action="deliver", proofs=proofs,
            )  # fmt: skip
            home[parcel.case_id] = parcel
        parcel.erase_code()
    for case_id, parcel in home.items():  # said once, though the originals came home beside the results
        delivered(session, session.get_one(Case, case_id), parcel, by=by, at=at)
    for case_id in sorted({parcel.case_id for parcel in parcels}):
        outbox.forget_codes(session, case_id=case_id, texts_named=("pickup", "delivery"))


def _schedule_retry(
    session: Session, stop: CourierStop, parcels: list[Parcel], said: ReportStop, *, by: Actor, at: datetime
) -> None:
    """An attempt failed (揽收未成, 未妥投): one more on the next working day, then the papers stay at the centre."""
    assert said.reason is not None
    again = request_retry(session, stop, on=calendar_of(session).next_workday(day_of(at)), at=at)
    for parcel in parcels:
        case = session.get_one(Case, parcel.case_id)
        parcel.stop_id = None if again is None else again.id
        back = {Stage.PICKUP_PLANNED: Stage.PRESCREENED, Stage.DELIVERY_PLANNED: Stage.DECIDED}.get(case.stage)
        if back is not None:
            case.move_to(back, at=at, by=by.label)
        nothing_moved = parcel.state is ParcelState.BOOKED
        if again is None and nothing_moved:
            parcel.cancel()
        following = (
            LocalizedText("请与代办员另行约定")
            if again is None
            else LocalizedText("%(day)s再次上门", day=DayText(again.on))
        )
        words = LocalizedText(
            "揽收未成：%(reason)s，%(following)s" if parcel.leg in INWARD else "未妥投：%(reason)s，%(following)s",
            reason=LocalizedText(FAIL_LABEL[said.reason]), following=following,
        )  # fmt: skip
        add_timeline_event(session, case, kind="attempt_failed", by=by, at=at, words=words, waybill=parcel.waybill)
        if said.note:
            add_timeline_event(
                session,
                case,
                kind="attempt_note",
                by=by,
                at=at,
                words=LocalizedText("揽投员说明：%(note)s", note=said.note),
                internal=True,
            )
        queue_notice(
            session, case, "attempt_failed", at=at, key=str(stop.id),  # once, however many envelopes
            values={"reason": FAIL_LABEL[said.reason], "next": following},
        )  # fmt: skip


def _undone(session: Session, stop: CourierStop, event: StopEvent, *, by: Actor, at: datetime) -> None:
    """A correction: compensating links in custody, never a delete; the stages go back where they may."""
    undone = session.get_one(StopEvent, event.undoes_id)
    if (again := retry_of(session, stop)) is not None:
        for parcel in session.scalars(select(Parcel).where(Parcel.stop_id == again.id)):
            parcel.stop_id = stop.id
        release(again)
        stop.attempts -= 1  # the attempt that failed did not happen
    for waybill in undone.waybills:
        parcel = session.scalars(select(Parcel).where(Parcel.waybill == waybill).with_for_update()).one()
        case = session.get_one(Case, parcel.case_id)
        link = session.scalar(
            select(Handover).where(Handover.parcel_id == parcel.id, Handover.scan_id == f"{undone.event_id}:{waybill}")
        )
        if link is not None:
            if case.stage not in {Stage.COLLECTED, Stage.DELIVERED, Stage.PICKUP_PLANNED, Stage.DELIVERY_PLANNED}:
                raise Refused(
                    f"case {case.case_no} has moved on", user_message="办件已进入下一环节，不能撤销，请联系代办员"
                )
            parcel.undo(link, scan_id=f"{event.event_id}:{waybill}", at=at, by=actor_ref(by))
        back = {Stage.COLLECTED: Stage.PICKUP_PLANNED, Stage.DELIVERED: Stage.DELIVERY_PLANNED}.get(case.stage)
        if back is not None and link is not None:
            case.step_back(back, at=at, by=by.label)
            case.delivered_at = case.close_by = None
        add_timeline_event(session, case, kind="undone", by=by, at=at, words="揽投员更正了本次交接", waybill=waybill)
