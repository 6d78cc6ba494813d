"""Custody at the door: what a report does to parcels and cases, and how a correction takes it back."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID, uuid5

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.acts.announcing import replan
from dispatch.acts.collection import collected
from dispatch.acts.delivery import delivered
from dispatch.acts.door_report import DoorReport, FactTime
from dispatch.acts.recording import JUST_NOW, recording_of
from dispatch.cases.case import Case
from dispatch.cases.courier_report import CourierReport, ReportKind
from dispatch.cases.lookups import actor_ref, lead_agent
from dispatch.cases.notify import add_timeline_event, day_of, queue_notice, withdraw_notice
from dispatch.cases.noun_record import add_event
from dispatch.cases.recorded_event import standing_events
from dispatch.cases.stages import Stage
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.core.actor import Actor
from dispatch.core.errors import Refused
from dispatch.core.localized_text import DayText, LocalizedText
from dispatch.custody.handover import HOLDER_LABEL, Handover, Holder
from dispatch.custody.parcel import INWARD, Parcel, ParcelState
from notifications import outbox
from routing.day.courier_stop import FAIL_LABEL, CourierStop, FailReason, StopAct, StopEvent
from routing.day.stops import release, request_retry, retry_of

CUSTODY_REPORTS = UUID("6f5b1f9e-8f0f-4a53-9d3e-0d6d3f0c6a11")
"""The name space of reports that the program itself derives from a phone's event."""


def note_found(
    session: Session, stop: CourierStop, parcels: Sequence[Parcel], report: DoorReport, *, courier_id: int | None,
    by: Actor, when: FactTime,
) -> list[Parcel]:  # fmt: skip
    """Envelopes in hand that no scan put there: the courier answers for the link, and a dispatcher is told of each."""
    courier = f"courier:{courier_id}"
    found = [p for p in parcels if p.leg not in INWARD and (p.holder, p.holder_ref) != (Holder.COURIER, courier)]
    for parcel in found:
        was = HOLDER_LABEL[parcel.holder]
        parcel.hand_over(
            to=Holder.COURIER, ref=courier, scan_id=f"{report.event_id}:{parcel.waybill}:found", at=when.at,
            device_at=when.device_at, by=actor_ref(by), action="found",
        )  # fmt: skip
        _tell_dispatcher(
            session, stop, parcel, f"{parcel.waybill} 记录在{was}处，实际在揽投员手上，装车时没有扫描",
            courier_id=courier_id, when=when, name=f"{report.event_id}:{parcel.waybill}:found",
        )  # fmt: skip
    return found


def hand_over(
    session: Session, parcels: Sequence[Parcel], report: DoorReport, *, courier_id: int | None, proofs: list[str],
    by: Actor, when: FactTime,
) -> None:  # fmt: skip
    """The papers change hands: in to the courier, or out to the enterprise."""
    home: dict[int, Parcel] = {}
    for parcel in parcels:
        case = session.get_one(Case, parcel.case_id)
        inward = parcel.leg in INWARD
        if inward:
            parcel.seal_no, parcel.inspected = report.seal_no or parcel.seal_no, report.inspected
        parcel.hand_over(
            to=Holder.COURIER if inward else Holder.ENTERPRISE,
            ref=f"courier:{courier_id}" if inward else f"enterprise:{case.project.enterprise_id}",
            scan_id=f"{report.event_id}:{parcel.waybill}", at=when.at, device_at=when.device_at, by=actor_ref(by),
            action="collect" if inward else "deliver", proofs=proofs,
        )  # fmt: skip
        if inward:
            collected(session, case, parcel, by=by, at=when.at)
        else:
            home[parcel.case_id] = parcel
        parcel.erase_code()
    for case_id, parcel in home.items():  # said once, though the originals came home beside the results
        delivered(session, session.get_one(Case, case_id), parcel, by=by, at=when.at)
    for case_id in sorted({parcel.case_id for parcel in parcels}):
        outbox.forget_codes(session, case_id=case_id, texts_named=("pickup", "delivery"))


def left_at_centre(
    session: Session, stop: CourierStop, parcels: Sequence[Parcel], *, by: Actor, when: FactTime
) -> None:
    """What was never loaded stays where it is and goes with the next visit; who waits for it is told.

    Where no further visit is due the case waits for another appointment, so that no paper lies without a way home."""
    if not parcels:
        return
    again = retry_of(session, stop) or _next_visit(session, stop, when)
    following = _following(again)
    for parcel in parcels:
        parcel.stop_id = None if again is None else again.id
        case = session.get_one(Case, parcel.case_id)
        if again is None and case.stage is Stage.DELIVERY_PLANNED:
            case.move_to(Stage.DECIDED, at=when.at, by=by.label)
        words = LocalizedText("邮件没有装车，%(following)s", following=following)
        add_timeline_event(session, case, kind="not_loaded", by=by, at=when.at, words=words, waybill=parcel.waybill)
        queue_notice(
            session, case, "attempt_failed", at=when.at, key=_attempt(stop, when.at),
            values={"reason": LocalizedText("部分邮件没有装车"), "next": following},
        )  # fmt: skip


def _next_visit(session: Session, stop: CourierStop, when: FactTime) -> CourierStop | None:
    on = calendar_of(session).next_workday(day_of(when.recorded_at))
    return request_retry(session, stop, on=on, at=when.recorded_at)


def _attempt(stop: CourierStop, at: datetime) -> str:
    """Tells one visit's failure from that of another time: one that was taken back may fail again."""
    return f"{stop.id}:{at.timestamp():.0f}"


def _following(again: CourierStop | None) -> LocalizedText:
    if again is None:
        return LocalizedText("请与代办员另行约定")
    return LocalizedText("%(day)s再次上门", day=DayText(again.on))


def schedule_retry(
    session: Session, stop: CourierStop, parcels: Sequence[Parcel], report: DoorReport, *, by: Actor, when: FactTime
) -> None:
    """An attempt failed (揽收未成, 未妥投): one more on the next working day, then the papers stay at the centre."""
    again = _next_visit(session, stop, when)
    following = _following(again)
    for parcel in parcels:
        reason = report.reasons.get(parcel.waybill) or report.reason or FailReason.OTHER
        case = session.get_one(Case, parcel.case_id)
        parcel.stop_id = None if again is None else again.id
        back = {Stage.PICKUP_PLANNED: Stage.PRESCREENED, Stage.DELIVERY_PLANNED: Stage.DECIDED}.get(case.stage)
        if back is not None:
            case.move_to(back, at=when.at, by=by.label)
        nothing_moved = parcel.state is ParcelState.BOOKED
        if again is None and nothing_moved:
            parcel.cancel()
        words = LocalizedText(
            "揽收未成：%(reason)s，%(following)s" if parcel.leg in INWARD else "未妥投：%(reason)s，%(following)s",
            reason=LocalizedText(FAIL_LABEL[reason]), following=following,
        )  # fmt: skip
        add_timeline_event(session, case, kind="attempt_failed", by=by, at=when.at, words=words, waybill=parcel.waybill)
        if report.note:
            note = LocalizedText("揽投员说明：%(note)s", note=report.note)
            add_timeline_event(
                session, case, kind="attempt_note", by=by, at=when.at, words=note, internal=True
            )  # fmt: skip
        queue_notice(
            session, case, "attempt_failed", at=when.at, key=_attempt(stop, when.at),  # once, however many envelopes
            values={"reason": FAIL_LABEL[reason], "next": following},
        )  # fmt: skip


def take_back(session: Session, stop: CourierStop, event: StopEvent, *, by: Actor, at: datetime) -> None:
    """A correction: compensating links in custody, never a delete; parcels, stop and stages are what they were.

    Raises Refused where what followed stands in the way."""
    undone = session.get_one(StopEvent, event.undoes_id)
    if undone.reason is not None:
        stop.attempts -= 1  # the attempt that failed did not happen
    again = retry_of(session, stop)
    left = undone.waybills if undone.act is StopAct.FAILED else undone.left_behind
    waiting = {parcel.case_id: parcel for parcel in (_parcel(session, waybill) for waybill in left)}
    for waybill in left:
        _put_back(session, stop, _parcel(session, waybill), again, by=by, at=at)
    for case_id, parcel in waiting.items():
        case = session.get_one(Case, case_id)
        if not withdraw_notice(session, case, "attempt_failed", key=_attempt(stop, undone.at)):
            _tell_undone(session, case, parcel, event, LocalizedText("照原定时段上门"), at=at)
    if again is not None:
        release(again)
    if undone.act is not StopAct.FAILED:
        for waybill in undone.waybills:
            _give_back(session, _parcel(session, waybill), undone, event, by=by, at=at)
    replan(session, stop, by=by, at=at)


def _parcel(session: Session, waybill: str) -> Parcel:
    return session.scalars(select(Parcel).where(Parcel.waybill == waybill).with_for_update()).one()


def _put_back(
    session: Session, stop: CourierStop, parcel: Parcel, again: CourierStop | None, *, by: Actor, at: datetime
) -> None:
    """What stayed behind is of this visit again. Raises Refused where somebody is on the way for it by now."""
    case = session.get_one(Case, parcel.case_id)
    if parcel.stop_id not in {None, stop.id, None if again is None else again.id} or _is_booked_anew(session, parcel):
        raise Refused(
            f"parcel {parcel.waybill} is of another visit", user_message="该件已另行安排上门，不能更正，请联系代办员"
        )
    parcel.stop_id = stop.id
    if parcel.state is ParcelState.CANCELLED:
        parcel.book_again()
    add_timeline_event(
        session, case, kind="undone", by=by, at=at, words="揽投员更正了本次上门的记录", waybill=parcel.waybill
    )


def _is_booked_anew(session: Session, parcel: Parcel) -> bool:
    """Whether the enterprise has asked for another courier since this leg was cancelled."""
    if parcel.state is not ParcelState.CANCELLED:
        return False
    newer = (Parcel.case_id == parcel.case_id, Parcel.id > parcel.id, Parcel.leg == parcel.leg)
    query = select(Parcel.id).where(*newer, Parcel.state != ParcelState.CANCELLED).limit(1)
    return session.scalar(query) is not None


def _give_back(
    session: Session, parcel: Parcel, undone: StopEvent, event: StopEvent, *, by: Actor, at: datetime
) -> None:
    """A handover that was none: the papers are with who had them, and the case where it was if this had moved it."""
    case = session.get_one(Case, parcel.case_id)
    scan_id = f"{undone.event_id}:{parcel.waybill}"
    link = session.scalar(select(Handover).where(Handover.parcel_id == parcel.id, Handover.scan_id == scan_id))
    if link is not None:
        if case.stage not in {Stage.COLLECTED, Stage.DELIVERED, Stage.PICKUP_PLANNED, Stage.DELIVERY_PLANNED}:
            raise Refused(
                f"case {case.case_no} has moved on", user_message="办件已进入下一环节，不能撤销，请联系代办员"
            )
        parcel.undo(link, scan_id=f"{event.event_id}:{parcel.waybill}", at=at, by=actor_ref(by))
        back = {Stage.COLLECTED: Stage.PICKUP_PLANNED, Stage.DELIVERED: Stage.DELIVERY_PLANNED}.get(case.stage)
        if back is not None and case.stage_at == undone.at:  # else an earlier visit moved it
            case.step_back(back, at=at, by=by.label)
            _not_delivered(case, by=by, at=at)
    add_timeline_event(session, case, kind="undone", by=by, at=at, words="揽投员更正了本次交接", waybill=parcel.waybill)
    if link is not None:
        _tell_undone(session, case, parcel, event, LocalizedText("尚未完成"), at=at)


def _not_delivered(case: Case, *, by: Actor, at: datetime) -> None:
    """What was written down of the results' coming home did not happen."""
    for event in standing_events(case.facts):
        undone = recording_of(JUST_NOW, by=by, at=at, corrects=event.id, reason="揽投员更正交接")
        add_event(case, None, undone)
    case.close_by = None


def _tell_undone(
    session: Session, case: Case, parcel: Parcel, event: StopEvent, result: LocalizedText, *, at: datetime
) -> None:
    """Who was told of what did not happen is told so, once for each visit."""
    agent = lead_agent(session, case, at)
    queue_notice(
        session, case, "record_corrected", at=at, key=f"undone:{event.event_id}",
        values={
            "matter": LocalizedText("原件揽收") if parcel.leg in INWARD else LocalizedText("结果投递"),
            "result": result, "agent": agent.name if agent else "",
        },
    )  # fmt: skip


def _tell_dispatcher(
    session: Session, stop: CourierStop, parcel: Parcel, note: str, *, courier_id: int | None, when: FactTime, name: str
) -> None:
    if courier_id is None:
        return
    session.add(
        CourierReport(
            event_id=uuid5(CUSTODY_REPORTS, name), kind=ReportKind.CUSTODY, courier_id=courier_id,
            division_id=stop.division_id, stop_id=stop.id, note=note, waybills=[parcel.waybill], happened_at=when.at,
            recorded_at=when.recorded_at, drift_s=when.drift_s,
        )
    )  # fmt: skip
