"""Coming: a courier on the road says from a stop's card when it will be there, and why it is late."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from annotated_types import Ge, Le
from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.acts.act import ActContext, act
from dispatch.acts.announcing import parcels_by_case
from dispatch.acts.door_report import FactTime, fact_time
from dispatch.acts.visit_telling import tell_visit
from dispatch.cases.access_control import reported_stop
from dispatch.cases.case import Case
from dispatch.cases.courier_report import CourierReport, ReportKind
from dispatch.cases.lookups import moment
from dispatch.cases.notify import add_timeline_event, day_of, queue_notice
from dispatch.cases.visit_word import COMING_LABEL, ComingReason, VisitChange, VisitWord
from dispatch.core.actor import Role
from dispatch.core.errors import NotFound, Refused
from dispatch.core.localized_text import LocalizedText, WindowText
from notifications.message import Message
from routing.day.courier_stop import CourierStop, StopState
from routing.day.couriers import Courier
from routing.day.hours import DAY_S, seconds_of_day
from routing.day.order import window_of

Minutes = Annotated[int, Ge(1), Le(360)]
TOLD_S = 1800
"""How long a window is told from the expected moment on."""
STEP_S = 300
"""The expected moment is told to five minutes."""
TEXT = {VisitChange.LATE: "courier_late", VisitChange.ON_WAY: "courier_coming"}


class WhyUntold(StrEnum):
    """Why a courier's word goes to the dispatcher and not to who waits."""

    UNKNOWN = "unknown"
    MOVED = "moved"
    TOO_LATE = "too_late"
    TOO_EARLY = "too_early"


UNTOLD_LABEL = {
    WhyUntold.UNKNOWN: "不是您线路上的站点，已告诉调度",
    WhyUntold.MOVED: "这一站已改派或已办完，已告诉调度",
    WhyUntold.TOO_LATE: "收到时已过您说的时间，没有再通知对方，已告诉调度",
    WhyUntold.TOO_EARLY: "比告知的时段早，请先打电话问对方是否方便；已告诉调度",
}


@dataclass(frozen=True, slots=True)
class ComingResult:
    """What became of a courier's word: ``taken`` when the people at the stop are told, or on the call list.

    Else it is on the dispatcher's desk, and ``words`` say why."""

    event_id: UUID
    taken: bool
    window: tuple[int, int] | None = None
    words: str = ""


@act(by={Role.COURIER})
@dataclass(frozen=True, slots=True, kw_only=True)
class TellComing:
    """Who waits at a stop is told when the courier comes: by SMS, by the courier's own call, or by the dispatcher's.

    A moment after the announced window moves what is announced. ``in_minutes`` counts from when it was said, by the
    phone's corrected clock; what arrives too late, or fits no visit any more, is on the dispatcher's desk."""

    event_id: UUID
    stop: int
    in_minutes: Minutes
    why: ComingReason
    called: bool = False
    device_at: datetime | None = None
    sent_at: datetime | None = None

    def perform(self, context: ActContext) -> ComingResult:
        session = context.session
        courier = session.get(Courier, context.actor.courier_id)
        if courier is None:
            raise NotFound("an account without a courier")
        if (earlier := _earlier(session, self.event_id, courier.id)) is not None:
            return earlier
        when = fact_time(self.device_at, self.sent_at, at=context.at, real=context.real_at())
        known = reported_stop(session, courier.id, self.stop, when.at)
        expected_s = -(-(seconds_of_day(when.at) + self.in_minutes * 60) // STEP_S) * STEP_S
        why_not = _why_not(known, expected_s, context.at, when, called=self.called)
        if known is None or why_not is not None:
            session.add(_report(self, courier, None if known is None else known[0], expected_s, when))
            return ComingResult(self.event_id, False, words="" if why_not is None else UNTOLD_LABEL[why_not])
        stop = known[0]
        announced = window_of(stop)
        is_late = announced is not None and expected_s >= announced[1]
        ends = [DAY_S, expected_s + TOLD_S, *([] if announced is None or is_late else [max(announced[1], expected_s)])]
        window = expected_s, min(ends)
        if is_late:
            _move(stop, window)
        self._tell(context, courier, stop, VisitChange.LATE if is_late else VisitChange.ON_WAY, window)
        return ComingResult(self.event_id, True, window)

    def _tell(
        self, context: ActContext, courier: Courier, stop: CourierStop, change: VisitChange, window: tuple[int, int]
    ) -> None:
        """The line on each case, the SMS of each case, and the word with its reader."""
        session, told = context.session, WindowText(*window)
        words = LocalizedText("揽投员告知：约%(window)s到（%(why)s）", window=told, why=COMING_LABEL[self.why])
        messages: list[Message] = []
        for case_id, parcels in parcels_by_case(session, stop).items():
            case = session.get_one(Case, case_id)
            add_timeline_event(session, case, kind="coming", by=context.actor, at=context.at, words=words)
            if not self.called:
                messages.append(
                    queue_notice(
                        session, case, TEXT[change], at=context.at, key=f"{parcels[0].waybill}:{self.event_id}",
                        values={"window": told}, expires_at=moment(stop.on, window[1]),
                    )
                )  # fmt: skip
        said = tell_visit(
            session, stop, change, window=window, at=context.at, messages=messages,
            called_by=context.actor.label if self.called else "",
        )  # fmt: skip
        for word in said:
            word.why, word.event_id, word.said_by_id = self.why, self.event_id, courier.id


def _earlier(session: Session, event_id: UUID, courier_id: int) -> ComingResult | None:
    """What became of this word when it came before. Raises Refused for another courier's."""
    word = session.scalar(select(VisitWord).where(VisitWord.event_id == event_id).limit(1))
    report = session.scalar(select(CourierReport).where(CourierReport.event_id == event_id))
    owner = word.said_by_id if word is not None else None if report is None else report.courier_id
    if owner is not None and owner != courier_id:
        raise Refused(f"word {event_id} is another courier's", user_message="重复的操作编号")
    if word is not None:
        return ComingResult(event_id, True, (word.opens_s, word.closes_s))
    return None if report is None else ComingResult(event_id, False, words=report.note or "")


def _why_not(
    known: tuple[CourierStop, bool] | None, expected_s: int, at: datetime, when: FactTime, *, called: bool
) -> WhyUntold | None:
    """Why the people at the stop are not told by themselves; None where they are."""
    if known is None:
        return WhyUntold.UNKNOWN
    stop, still_here = known
    if not still_here or stop.state not in {StopState.PLANNED, StopState.ARRIVED} or stop.on != day_of(when.at):
        return WhyUntold.MOVED
    if expected_s >= DAY_S or (day_of(at), seconds_of_day(at)) >= (stop.on, min(DAY_S, expected_s + TOLD_S)):
        return WhyUntold.TOO_LATE
    announced = window_of(stop)
    if announced is not None and expected_s < announced[0] and not called:
        return WhyUntold.TOO_EARLY
    return None


def _report(
    said: TellComing, courier: Courier, stop: CourierStop | None, expected_s: int, when: FactTime
) -> CourierReport:
    expected = f"{expected_s // 3600:02d}:{expected_s // 60 % 60:02d}"
    return CourierReport(
        event_id=said.event_id, kind=ReportKind.RUN, courier_id=courier.id,
        division_id=courier.division_id if stop is None else stop.division_id,
        stop_id=None if stop is None else stop.id, note=f"想告知对方约{expected}到：{COMING_LABEL[said.why]}",
        happened_at=when.at, recorded_at=when.recorded_at, drift_s=when.drift_s,
    )  # fmt: skip


def _move(stop: CourierStop, window: tuple[int, int]) -> None:
    """What is announced is the new moment, and a plan of the rest of the day may still serve the stop then."""
    stop.announced_opens_s, stop.announced_closes_s = window
    opens, closes = stop.windows[-1]
    if closes < window[1]:
        stop.windows = [*stop.windows[:-1], [opens, window[1]]]
    stop.version += 1
