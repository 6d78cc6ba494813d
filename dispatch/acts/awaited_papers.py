"""Awaited papers: what goes to a door comes to the centre only later; no run leaves with it before."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.acts.act import STAFF, ActContext, act
from dispatch.acts.act_fields import CalendarDate, SecondOfDay
from dispatch.cases.case import Case
from dispatch.cases.lookups import moment
from dispatch.cases.notify import add_timeline_event
from dispatch.core.errors import Refused
from dispatch.core.ids import StopId
from dispatch.core.localized_text import DayText, LocalizedText
from dispatch.custody.handover import Holder
from dispatch.custody.parcel import INWARD, Parcel, ParcelState
from routing.day.courier_run import CourierRun
from routing.day.courier_stop import CourierStop, StopState
from routing.day.stops import expect_papers


@dataclass(frozen=True, slots=True)
class PapersResult:
    """When a stop's papers are at the centre; ``leaves_before``: its run leaves earlier, and is to be planned anew."""

    stop_id: int
    papers_at: datetime | None
    leaves_before: bool


@act(by=STAFF)
@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectPapers:
    """What a stop brings is at the centre at ``second`` of ``on``; without both it is there now."""

    stop: StopId
    version: int | None = None
    on: CalendarDate | None = None
    second: SecondOfDay | None = None

    def perform(self, context: ActContext) -> PapersResult:
        session, stop = context.session, context.row(CourierStop, self.stop)
        if (self.on is None) is not (self.second is None):
            raise Refused("half a moment", user_message="文件到中心的日期和时间请都填，或都不填（已到）")
        papers_at = None if self.on is None or self.second is None else moment(self.on, self.second)
        if papers_at is not None and papers_at <= context.at:
            papers_at = None
        outward = _outward(session, stop)
        if any(parcel.holder is Holder.COURIER for parcel in outward):
            raise Refused(f"stop {stop.id}: the courier has them", user_message="文件已在揽投员手上，不必再等")
        expect_papers(stop, papers_at)
        for case_id in sorted({parcel.case_id for parcel in outward}):
            add_timeline_event(
                session, session.get_one(Case, case_id), kind="papers_expected", by=context.actor, at=context.at,
                words=_words(self.on, self.second) if papers_at is not None else "文件已到中心，可以投递",
            )  # fmt: skip
        run = None if stop.run_id is None else session.get_one(CourierRun, stop.run_id)
        return PapersResult(stop.id, stop.papers_at, run is not None and run.starts_s < stop.release_s)


def papers_arrived(session: Session, parcel: Parcel) -> None:
    """An envelope is taken in at the centre: the stop that waited for it, and for no other one, waits no longer."""
    stop = None if parcel.stop_id is None else session.get(CourierStop, parcel.stop_id)
    if stop is None or stop.papers_at is None or stop.state not in {StopState.OPEN, StopState.PLANNED}:
        return
    if all(each.holder is Holder.CENTRE for each in _outward(session, stop)):
        expect_papers(stop, None)


def _outward(session: Session, stop: CourierStop) -> list[Parcel]:
    """The envelopes that go to the stop's door."""
    there = select(Parcel).where(Parcel.stop_id == stop.id, Parcel.state != ParcelState.CANCELLED)
    return [parcel for parcel in session.scalars(there.order_by(Parcel.id)) if parcel.leg not in INWARD]


def _words(on: date | None, second: int | None) -> LocalizedText:
    clock = f"{(second or 0) // 3600:02d}:{(second or 0) // 60 % 60:02d}"
    return LocalizedText("文件预计%(day)s%(time)s到中心，之后投递", day=DayText(on or date.min), time=clock)
