"""The dispatcher's desk: what couriers say beside their acts, and how each report is settled and answered."""

import uuid
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from annotated_types import MaxLen
from sqlalchemy import select

from dispatch.acts.act import LEADS, ActContext, act
from dispatch.acts.act_fields import MOST_PHOTOS, Digest, Latitude, Longitude, Words
from dispatch.acts.door_facts import from_said
from dispatch.acts.door_report import FactTime, fact_time
from dispatch.acts.stop_points import settle_point
from dispatch.acts.stop_report import report_stop
from dispatch.cases.access_control import reported_stop
from dispatch.cases.courier_report import CourierReport, ReportKind, ReportState
from dispatch.core.actor import Role
from dispatch.core.errors import NotFound, Refused
from dispatch.core.ids import CourierReportId
from routing.day.courier_stop import CourierStop, StopEvent
from routing.day.couriers import Courier
from routing.day.errors import RunError
from routing.day.stops import propose_entrance


class Topic(StrEnum):
    """What a courier may say without an act at a door: PROBLEM, CUSTODY 件不符, RUN 车辆或整条线路, ENTRANCE 入口."""

    PROBLEM = "problem"
    CUSTODY = "custody"
    RUN = "run"
    ENTRANCE = "entrance"


class Decision(StrEnum):
    """TAKE 入账 (a corrected entrance: 采用), DECLINE 不予入账, ANSWER 答复."""

    TAKE = "take"
    DECLINE = "decline"
    ANSWER = "answer"


@dataclass(frozen=True, slots=True)
class ReportResult:
    """A report, and where it is now."""

    event_id: uuid.UUID
    state: ReportState


@act(by={Role.COURIER})
@dataclass(frozen=True, slots=True, kw_only=True)
class TellDispatcher:
    """A courier tells the dispatcher something: an envelope found or missing, a broken vehicle, a late day, a door.

    The same ``event_id`` twice is said once. ``lon`` and ``lat``: where the entrance of the stop is."""

    event_id: uuid.UUID
    topic: Topic
    note: Words = ""
    lon: Longitude | None = None
    lat: Latitude | None = None
    stop: int | None = None
    waybills: Annotated[tuple[str, ...], MaxLen(200)] = ()
    photos: Annotated[tuple[Digest, ...], MaxLen(MOST_PHOTOS)] = ()
    device_at: datetime | None = None
    sent_at: datetime | None = None

    def perform(self, context: ActContext) -> ReportResult:
        session = context.session
        courier = session.get(Courier, context.actor.courier_id)
        if courier is None:
            raise NotFound("an account without a courier")
        earlier = session.scalar(select(CourierReport).where(CourierReport.event_id == self.event_id))
        if earlier is not None:
            if earlier.courier_id != courier.id:
                raise Refused(f"report {self.event_id} is another courier's", user_message="重复的操作编号")
            return ReportResult(earlier.event_id, earlier.state)
        is_place = self.topic is Topic.ENTRANCE and self.lon is not None and self.lat is not None
        if not self.note.strip() and not is_place:
            raise Refused("nothing is said", user_message="请写明情况")
        when = fact_time(self.device_at, self.sent_at, at=context.at, real=context.real_at())
        known = None if self.stop is None else reported_stop(session, courier.id, self.stop, when.at)
        if known is not None and self.lon is not None and self.lat is not None:
            with suppress(RunError):  # too far off to stand on the card; the dispatcher reads it all the same
                propose_entrance(known[0], lon=self.lon, lat=self.lat)
        report = CourierReport(
            event_id=self.event_id, kind=ReportKind(self.topic.value), lon=self.lon, lat=self.lat,
            courier_id=courier.id, division_id=courier.division_id, note=self.note,
            stop_id=None if known is None else known[0].id,
            waybills=list(self.waybills), proofs=sorted(self.photos), happened_at=when.at,
            recorded_at=when.recorded_at, drift_s=when.drift_s, state=ReportState.OPEN,
        )  # fmt: skip
        session.add(report)
        return ReportResult(report.event_id, report.state)


@act(by=LEADS)
@dataclass(frozen=True, slots=True, kw_only=True)
class SettleCourierReport:
    """A dispatcher settles what a courier said, and the courier's phone shows the answer.

    Taking an act records it as the courier said it, upon the dispatcher's word instead of the proof that was missing;
    taking an entrance moves the address there for good: this stop, those to come, and what is booked later."""

    report: CourierReportId
    version: int | None = None
    decision: Decision
    words: Words = ""

    def perform(self, context: ActContext) -> ReportResult:
        report = context.row(CourierReport, self.report)
        if report.state is not ReportState.OPEN:
            report.settle(ReportState.ANSWERED, answer=None, by="", at=context.at)  # raises, and names the state
        if self.decision is not Decision.TAKE and not self.words.strip():
            raise Refused("an answer needs words", user_message="请写明答复，揽投员的手机上会显示")
        state = ReportState.ANSWERED
        if self.decision is Decision.DECLINE:
            state = ReportState.DECLINED
        elif self.decision is Decision.TAKE:
            state = ReportState.TAKEN
            _take(context, report)
        report.settle(state, answer=self.words.strip() or None, by=context.actor.label, at=context.at)
        return ReportResult(report.event_id, report.state)


def _take(context: ActContext, report: CourierReport) -> None:
    stop = context.session.get(CourierStop, report.stop_id) if report.stop_id is not None else None
    match report.kind:
        case ReportKind.FACT if stop is not None:
            when = FactTime(report.happened_at, context.at, None, report.drift_s)
            report_stop(
                context.session, stop, from_said(report.said), by=context.actor, at=context.at, when=when,
                settled_for=report.courier_id,
            )  # fmt: skip
        case ReportKind.FACT:
            raise Refused(
                f"report {report.id} names no stop of this courier",
                user_message="不是该揽投员线路上的站点，不能入账；请答复揽投员如何处理",
            )
        case ReportKind.ENTRANCE if stop is not None and report.lon is not None and report.lat is not None:
            settle_point(context, stop, report.lon, report.lat)
        case _:
            raise Refused(f"report {report.id} has nothing to take", user_message="这一条只需答复")


@act(by={Role.COURIER})
@dataclass(frozen=True, slots=True, kw_only=True)
class SeeAnswer:
    """The courier has read what the dispatcher answered."""

    report: CourierReportId

    def perform(self, context: ActContext) -> ReportResult:
        report = context.row(CourierReport, self.report)
        if report.settled_at is not None and report.seen_at is None:
            report.seen_at = context.at
        return ReportResult(report.event_id, report.state)


@act(by={Role.COURIER})
@dataclass(frozen=True, slots=True, kw_only=True)
class AttachProofs:
    """Photos that arrived after the act they belong to: they stand beside it, and spoil nothing."""

    event_id: uuid.UUID
    photos: Annotated[tuple[Digest, ...], MaxLen(MOST_PHOTOS)]

    def perform(self, context: ActContext) -> ReportResult:
        session, mine = context.session, context.actor.courier_id
        event = session.scalar(
            select(StopEvent).where(StopEvent.event_id == self.event_id, StopEvent.courier_id == mine).with_for_update()
        )
        report = session.scalar(
            select(CourierReport)
            .where(CourierReport.event_id == self.event_id, CourierReport.courier_id == mine)
            .with_for_update()
        )
        if event is None and report is None:
            raise NotFound(f"no act {self.event_id} of this courier")
        if event is not None:
            event.proofs = sorted({*event.proofs, *self.photos})
        if report is not None:
            report.proofs = sorted({*report.proofs, *self.photos})
        return ReportResult(self.event_id, ReportState.TAKEN)
