"""The dispatcher's desk: what couriers said and nobody settled yet, what was answered, and each phone's state."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db import now
from dispatch.cases.access_control import visible_courier_reports, visible_couriers
from dispatch.cases.courier_report import (
    HELD_LABEL,
    REPORT_LABEL,
    REPORT_STATE_LABEL,
    CourierPhone,
    CourierReport,
    ReportKind,
    ReportState,
)
from dispatch.core.actor import Actor
from dispatch.core.errors import NotFound
from routing.day.courier_stop import CourierStop, StopAct
from routing.day.couriers import Courier

ACT_LABEL = {
    StopAct.ARRIVED: "到达",
    StopAct.COLLECTED: "揽收",
    StopAct.DELIVERED: "妥投",
    StopAct.FAILED: "未办成",
    StopAct.UNDONE: "更正",
    StopAct.PROBLEM: "反映情况",
}
PAGE = 100
SKEW_TOLD_S = 120.0
SILENT_AFTER = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class ReportLine:
    """One report as dispatcher and courier read it; ``device_at`` is what the phone's own clock would have said."""

    id: int
    event_id: uuid.UUID
    version: int
    kind: ReportKind
    kind_words: str
    why: str
    what: str
    courier: str
    where: str
    stop_id: int | None
    note: str
    waybills: tuple[str, ...]
    proofs: tuple[str, ...]
    happened_at: datetime
    recorded_at: datetime
    skew_s: float | None
    state: ReportState
    state_words: str
    answer: str
    settled_by: str
    is_seen: bool
    may_take: bool


@dataclass(frozen=True, slots=True)
class PhoneLine:
    """One phone: when it was heard, how far its clock is off (positive: fast), what waits on it."""

    courier: str
    heard_at: datetime
    is_silent: bool
    skew_s: float | None
    waiting: int
    stuck: int
    others: int
    oldest_at: datetime | None


@dataclass(frozen=True, slots=True)
class DeskPage:
    """Open reports, what was settled lately, phones."""

    open: list[ReportLine]
    settled: list[ReportLine]
    phones: list[PhoneLine]


def desk(session: Session, viewer: Actor) -> DeskPage:
    """Everything that couriers said within the viewer's reach: what is open, the oldest first, and what was settled."""
    waits = [CourierReport.state == ReportState.OPEN]
    opened = _lines(session, viewer, *waits, order=CourierReport.recorded_at.asc())
    settled = _lines(session, viewer, CourierReport.state != ReportState.OPEN, order=CourierReport.settled_at.desc())
    at = now(session)
    phones = session.execute(
        select(CourierPhone, Courier.name)
        .join(Courier, Courier.id == CourierPhone.courier_id)
        .where(visible_couriers(viewer), CourierPhone.heard_at >= at - timedelta(days=7))
        .order_by(CourierPhone.stuck.desc(), CourierPhone.waiting.desc(), CourierPhone.heard_at)
        .limit(PAGE)
    )
    lines = [
        PhoneLine(
            name, phone.heard_at, phone.heard_at < at - SILENT_AFTER, phone.skew_s, phone.waiting, phone.stuck,
            phone.others, phone.oldest_at,
        )
        for phone, name in phones
    ]  # fmt: skip
    return DeskPage(opened, settled, lines)


def waiting_reports(session: Session, viewer: Actor) -> int:
    """How many reports wait for the viewer."""
    query = select(func.count(CourierReport.id)).where(
        visible_courier_reports(viewer), CourierReport.state == ReportState.OPEN
    )
    return session.scalar(query) or 0


def my_reports(session: Session, viewer: Actor) -> list[ReportLine]:
    """What this courier said in the last three days, and what was answered; read answers stay until the day is over."""
    since = now(session) - timedelta(days=3)
    return _lines(session, viewer, CourierReport.recorded_at >= since, order=CourierReport.recorded_at.desc())


def proof_of(session: Session, viewer: Actor, report_id: int, digest: str) -> str:
    """The digest, where this report names it and is the viewer's to see. Raises NotFound."""
    proofs = session.scalar(
        select(CourierReport.proofs).where(CourierReport.id == report_id, visible_courier_reports(viewer))
    )
    if proofs is None or digest not in proofs:
        raise NotFound(f"report {report_id} has no proof {digest[:12]}")
    return digest


def _lines(session: Session, viewer: Actor, *conditions: object, order: object) -> list[ReportLine]:
    rows = session.execute(
        select(CourierReport, Courier.name, CourierStop)
        .join(Courier, Courier.id == CourierReport.courier_id)
        .outerjoin(CourierStop, CourierStop.id == CourierReport.stop_id)
        .where(visible_courier_reports(viewer), *conditions)  # type: ignore[arg-type]
        .order_by(order, CourierReport.id)  # type: ignore[arg-type]
        .limit(PAGE)
    )
    return [_line(report, name, stop) for report, name, stop in rows]


def _line(report: CourierReport, courier: str, stop: CourierStop | None) -> ReportLine:
    takes = report.kind in {ReportKind.FACT, ReportKind.ENTRANCE} and stop is not None
    return ReportLine(
        id=report.id,
        event_id=report.event_id,
        version=report.version,
        kind=report.kind,
        kind_words=REPORT_LABEL[report.kind],
        why="" if report.hold_reason is None else HELD_LABEL[report.hold_reason],
        what="" if report.act is None else ACT_LABEL[report.act],
        courier=courier,
        where="" if stop is None else stop.label or stop.address,
        stop_id=report.stop_id,
        note=report.note or "",
        waybills=tuple(report.waybills),
        proofs=tuple(report.proofs),
        happened_at=report.happened_at,
        recorded_at=report.recorded_at,
        skew_s=None if report.drift_s is None else -report.drift_s,
        state=report.state,
        state_words=REPORT_STATE_LABEL[report.state],
        answer=report.answer or "",
        settled_by=report.changed_by,
        is_seen=report.seen_at is not None,
        may_take=takes and report.state is ReportState.OPEN,
    )
