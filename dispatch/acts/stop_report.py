"""At the door: what a courier reports of a stop, checked and recorded once, whatever the plan says meanwhile."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from dispatch.acts.act import ActContext, act
from dispatch.acts.door_custody import hand_over, left_at_centre, note_found, schedule_retry, take_back
from dispatch.acts.door_report import DoorReport, FactTime, fact_time, not_before
from dispatch.cases.case import Case
from dispatch.cases.courier_report import CourierReport, ReportKind
from dispatch.cases.notify import add_timeline_event
from dispatch.core.actor import Actor, Role
from dispatch.core.errors import CountedFailure, Refused
from dispatch.core.ids import StopId
from dispatch.core.localized_text import LocalizedText
from dispatch.custody.handover import Holder
from dispatch.custody.parcel import INWARD, MOST_CODE_TRIES, Parcel, ParcelState, RetiredCode
from dispatch.custody.proofs import MISSING, Proof, first_missing
from dispatch.custody.waybill import check_waybill
from routing.day.courier_run import CourierRun
from routing.day.courier_stop import CourierStop, FailReason, StopAct, StopEvent, StopState
from routing.day.stop_events import ReportedEvent, event_with, record


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


class RetiredCodeGiven(WrongCode):
    """The code that a wrong number was told: nothing is handed over, and no try is lost."""

    user_message = RetiredCode.user_message


class NotAtThisStop(Refused):
    """A waybill that is not of this stop was scanned or typed."""

    user_message = "该邮件不属于这一站"


class MissingProof(Refused):
    """A proof that this handover requires was not given."""


class NotOnBoard(Refused):
    """An envelope that no scan put into this courier's hands is to be handed over: a link would be invented."""

    user_message = "这件没有装车扫描。在您手上的，请勾选“在我手上，装车时没扫”"


@dataclass(frozen=True, slots=True)
class StopEventResult:
    """What a report became; ``at``: when it happened by the phone's corrected clock."""

    event_id: uuid.UUID
    stop_id: int
    state: StopState
    at: datetime


@act(by={Role.COURIER, Role.LEAD}, counts_failures=True)
@dataclass(frozen=True, slots=True, kw_only=True)
class ReportStop(DoorReport):
    """What happened at a stop that is on the courier's run now; what does not fit the record is refused."""

    stop: StopId

    def perform(self, context: ActContext) -> StopEventResult:
        stop = context.row(CourierStop, self.stop)
        when = fact_time(self.device_at, self.sent_at, at=context.at, real=context.real_at())
        event = report_stop(context.session, stop, self, by=context.actor, at=context.at, when=when)
        return StopEventResult(event.event_id, stop.id, stop.state, event.at)


def report_stop(
    session: Session, stop: CourierStop, report: DoorReport, *, by: Actor, at: datetime, when: FactTime | None = None,
    settled_for: int | None = None,
) -> StopEvent:  # fmt: skip
    """One act at a stop, once. The stop's cases, parcels and the stop itself are locked by the caller.

    ``at``: when this is recorded; ``when``: when it happened, by its clocks. ``settled_for``: a dispatcher takes the
    fact of this courier upon the evidence, so that no code and no proof is asked for.
    Raises WrongCode, MissingProof, NotOnBoard, NotAtThisStop, Refused, or routing's WrongStop."""
    if earlier := event_with(session, report.event_id):
        if earlier.stop_id != stop.id:
            raise Refused(f"event {report.event_id} belongs to another stop", user_message="重复的操作编号")
        return earlier
    courier_id = settled_for or by.courier_id or _courier_of(session, stop)
    parcels, left_out, unscanned = _parcels(session, stop, report, f"courier:{courier_id}")
    when = not_before(when or FactTime(at, at, report.device_at), [parcel.moved_at for parcel in parcels])
    proofs = [*report.proofs]
    if report.act in {StopAct.COLLECTED, StopAct.DELIVERED}:
        _check_exceptions(stop, report, parcels, left_out, unscanned)
        proofs += _proofs(parcels, report, is_settled=settled_for is not None)
    event = record(
        session, stop,
        ReportedEvent(
            event_id=report.event_id, act=report.act, device_at=when.device_at, drift_s=when.drift_s,
            reason=_reason_of(report) if left_out or report.act is StopAct.FAILED else None, note=report.note,
            waybills=tuple(p.waybill for p in parcels), left_behind=_left_behind(report, left_out, unscanned),
            proofs=tuple(sorted(proofs)),
        ),
        courier_id=settled_for or by.courier_id, at=when.at, recorded_at=when.recorded_at,
    )  # fmt: skip
    match report.act:
        case StopAct.COLLECTED | StopAct.DELIVERED:
            found = note_found(session, stop, parcels, report, courier_id=courier_id, by=by, when=when)
            hand_over(session, parcels, report, courier_id=courier_id, proofs=proofs, by=by, when=when)
            if left_out:
                stop.attempts += 1  # for what stays behind this visit was an attempt that failed
                schedule_retry(session, stop, left_out, report, by=by, when=when)
            left_at_centre(session, stop, [p for p in unscanned if p not in found], by=by, when=when)
        case StopAct.FAILED:
            schedule_retry(session, stop, parcels, report, by=by, when=when)
        case StopAct.UNDONE:
            take_back(session, stop, event, by=by, at=when.at)
        case StopAct.PROBLEM:
            _pass_on(session, stop, report, parcels, courier_id=courier_id, by=by, when=when)
        case StopAct.ARRIVED:
            pass
    return event


def _courier_of(session: Session, stop: CourierStop) -> int | None:
    return session.scalar(select(CourierRun.courier_id).where(CourierRun.id == stop.run_id))


def _left_behind(report: DoorReport, left_out: Sequence[Parcel], unscanned: Sequence[Parcel]) -> tuple[str, ...]:
    return tuple(p.waybill for p in (*left_out, *unscanned) if p.waybill not in report.found)


def _reason_of(report: DoorReport) -> FailReason | None:
    return report.reason or next(iter(report.reasons.values()), None)


def _parcels(
    session: Session, stop: CourierStop, report: DoorReport, courier: str
) -> tuple[list[Parcel], list[Parcel], list[Parcel]]:
    """What the report is about, what was ticked as an exception, and what nobody scanned on board.

    One confirmation covers all papers there that are collected, or that were loaded; an envelope that was not is
    covered only when the courier says that it was found in hand."""
    here = session.scalars(
        select(Parcel).where(Parcel.stop_id == stop.id, Parcel.state != ParcelState.CANCELLED).order_by(Parcel.id)
    ).all()
    left_out, found, named = (
        {check_waybill(w) for w in some} for some in (report.exceptions, report.found, report.waybills)
    )
    if unknown := (named | left_out | found) - {p.waybill for p in here}:
        raise NotAtThisStop(f"waybills {sorted(unknown)} are not at stop {stop.id}")
    chosen = (named or {p.waybill for p in here}) - left_out
    on_board = {p.waybill for p in here if p.leg in INWARD or (p.holder, p.holder_ref) == (Holder.COURIER, courier)}
    unscanned = [p for p in here if p.holder is not Holder.ENTERPRISE and p.waybill not in on_board | found | left_out]
    if report.act not in {StopAct.COLLECTED, StopAct.DELIVERED}:
        unscanned = []
    if any(p.waybill in named for p in unscanned):
        raise NotOnBoard(f"stop {stop.id}: {sorted(named)} were not loaded")
    about = [p for p in here if p.waybill in chosen and p not in unscanned]
    return about, [p for p in here if p.waybill in left_out], unscanned


def _check_exceptions(
    stop: CourierStop, report: DoorReport, parcels: list[Parcel], left_out: list[Parcel], unscanned: list[Parcel]
) -> None:
    if unscanned and not parcels and not left_out:
        raise NotOnBoard(f"stop {stop.id}: nothing that was loaded is handed over")
    if left_out and not parcels:
        raise Refused(f"stop {stop.id}: every parcel is left out", user_message="全部除外的，请改记“没办成”")
    if any(report.reason is None and parcel.waybill not in report.reasons for parcel in left_out):
        raise Refused(f"stop {stop.id}: an exception needs its reason", user_message="请选择除外的原因")


def _proofs(parcels: list[Parcel], report: DoorReport, *, is_settled: bool) -> list[str]:
    """Every required proof is asked for, and the code checked, before anything moves."""
    coded = [parcel for parcel in parcels if parcel.code_hash is not None]
    given = {
        Proof.CODE: bool(report.code) or not coded,
        Proof.IDENTITY: report.identity_checked or not coded,
        Proof.INSPECTION: report.inspected,
        Proof.SIGNATURE: report.signature is not None,
        Proof.PHOTO: bool(report.photos),
    }
    missing = first_missing((p.leg for p in parcels), {proof for proof, is_given in given.items() if is_given})
    if is_settled:
        return []
    if missing is not None:
        raise MissingProof(f"a handover at the door needs its {missing}", user_message=MISSING[missing])
    if not coded or not report.code:
        return []
    # One address, one confirmation: the code of any of its parcels opens them all.
    refused: list[Refused] = []
    for parcel in coded:
        try:
            digest = parcel.check_code(report.code)
            break
        except Refused as error:
            refused.append(error)
    else:
        _refuse_code(coded, refused)
    for parcel in coded:
        parcel.code_tries = 0
    return [digest]


def _refuse_code(coded: Sequence[Parcel], refused: Sequence[Refused]) -> NoReturn:
    for error in refused:
        if isinstance(error, RetiredCode):
            raise RetiredCodeGiven(str(error), parcels=(), user_message=error.user_message)
    last = refused[-1]
    tried = [parcel.id for parcel in coded]
    raise WrongCode(str(last), parcels=tried, user_message=last.user_message, **last.facts)


def _pass_on(
    session: Session, stop: CourierStop, report: DoorReport, parcels: list[Parcel], *, courier_id: int | None,
    by: Actor, when: FactTime,
) -> None:  # fmt: skip
    """A problem at a stop: on the dispatcher's desk, and on the timeline of each case whose papers are there."""
    for case_id in sorted({parcel.case_id for parcel in parcels}):
        words = LocalizedText("揽投员反映：%(note)s", note=report.note or LocalizedText("异常"))
        case = session.get_one(Case, case_id)
        add_timeline_event(session, case, kind="problem", by=by, at=when.at, words=words, internal=True)
    if courier_id is not None:
        session.add(
            CourierReport(
                event_id=report.event_id, kind=ReportKind.PROBLEM, act=report.act, courier_id=courier_id,
                division_id=stop.division_id, stop_id=stop.id, note=report.note, proofs=sorted(report.proofs),
                waybills=[parcel.waybill for parcel in parcels], happened_at=when.at, recorded_at=when.recorded_at,
                drift_s=when.drift_s,
            )
        )  # fmt: skip
