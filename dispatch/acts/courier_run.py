"""Courier's run: a wrong pin is reported, a stop is driven first, papers are loaded and handed in, a list is signed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from sqlalchemy import select

from dispatch.acts import handover_lists
from dispatch.acts.act import ActContext, act
from dispatch.acts.act_fields import Latitude, Longitude, Reason
from dispatch.acts.handover_lists import LeftEnvelope
from dispatch.cases.courier_report import CourierReport, ReportKind
from dispatch.core.actor import Role
from dispatch.core.errors import NotFound
from dispatch.core.ids import ListNo, RunId, StopId
from dispatch.custody.handover import Holder
from dispatch.custody.handover_list import HandoverList
from routing.day.courier_run import CourierRun
from routing.day.courier_stop import CourierStop
from routing.day.couriers import Courier
from routing.day.hours import seconds_of_day
from routing.day.order import BrokenWindow, reorder
from routing.day.stops import propose_entrance
from routing.travel.places import TravelTimes


@dataclass(frozen=True, slots=True)
class OrderResult:
    """A run's order after it was changed, or the windows that would break by it: then nothing is changed."""

    stop_id: int
    broken: tuple[BrokenWindow, ...] = ()


@dataclass(frozen=True, slots=True)
class ListResult:
    """The handover list that was made or signed; None where nothing goes along.

    ``left``: what would stay behind, asked first; then nothing is changed."""

    list_no: str | None
    left: tuple[LeftEnvelope, ...] = ()


@act(by={Role.COURIER})
@dataclass(frozen=True, slots=True, kw_only=True)
class ProposeEntrance:
    """The pin is wrong: where the entrance is, by the phone's own position, for a lead to confirm."""

    stop: StopId
    lon: Longitude
    lat: Latitude
    event_id: UUID | None = None

    def perform(self, context: ActContext) -> OrderResult:
        session, stop = context.session, context.row(CourierStop, self.stop)
        event_id = self.event_id or uuid4()
        courier_id = context.actor.courier_id
        if courier_id is None:
            raise NotFound("an account without a courier")
        if session.scalar(select(CourierReport.id).where(CourierReport.event_id == event_id)) is not None:
            return OrderResult(stop.id)
        propose_entrance(stop, lon=self.lon, lat=self.lat)
        session.add(
            CourierReport(
                event_id=event_id, kind=ReportKind.ENTRANCE, courier_id=courier_id, division_id=stop.division_id,
                stop_id=stop.id, lon=stop.proposed_lon, lat=stop.proposed_lat, happened_at=context.at,
                recorded_at=context.at,
            )
        )  # fmt: skip
        return OrderResult(stop.id)


@act(by={Role.COURIER})
@dataclass(frozen=True, slots=True, kw_only=True)
class DriveStopFirst:
    """The courier drives to this stop next; a window that would break is answered first, unless ``anyway``."""

    stop: StopId
    travel: TravelTimes = field(repr=False)
    anyway: bool = False

    def perform(self, context: ActContext) -> OrderResult:
        stop = context.row(CourierStop, self.stop)
        if stop.run_id is None:
            raise NotFound(f"stop {stop.id} is on no run")
        run = context.session.get_one(CourierRun, stop.run_id)
        at_s = seconds_of_day(context.at)
        broken = reorder(context.session, run, [stop.id], at_s=at_s, travel=self.travel, anyway=self.anyway)
        return OrderResult(stop.id, tuple(broken))


@act(by={Role.COURIER})
@dataclass(frozen=True, slots=True, kw_only=True)
class LoadRun:
    """The start of a shift: the envelopes that were scanned go along on a list, the others stay at the centre.

    What would stay is answered first, unless it is among ``left``, which the courier has read and leaves: a stop of
    which nothing goes along leaves the run."""

    run_id: RunId
    taken: tuple[str, ...] = ()
    left: tuple[str, ...] = ()

    def perform(self, context: ActContext) -> ListResult:
        run = context.row(CourierRun, self.run_id)
        left = handover_lists.left_behind(context.session, run, scanned=self.taken)
        if any(envelope.waybill not in self.left for envelope in left):
            return ListResult(None, left)
        sheet = handover_lists.load(context.session, run, scanned=self.taken, by=context.actor, at=context.at)
        return ListResult(None if sheet is None else sheet.list_no)


@act(by={Role.COURIER})
@dataclass(frozen=True, slots=True, kw_only=True)
class UndoLoad:
    """The load is taken back while the centre has not signed: nothing is on board, the stops are back on the run."""

    run_id: RunId

    def perform(self, context: ActContext) -> ListResult:
        run = context.row(CourierRun, self.run_id)
        handover_lists.undo_load(context.session, run, by=context.actor, at=context.at)
        return ListResult(None)


@act(by={Role.COURIER})
@dataclass(frozen=True, slots=True, kw_only=True)
class HandInToCentre:
    """The end of a round: everything that goes to the centre on one list, signed by the courier.

    ``missing``: envelopes that the record has in the courier's hands and that are not there, each with its reason."""

    missing: Mapping[str, Reason] = field(default_factory=dict)

    def perform(self, context: ActContext) -> ListResult:
        courier = context.session.get(Courier, context.actor.courier_id)
        if courier is None:
            raise NotFound("an account without a courier")
        sheet = handover_lists.hand_in(
            context.session, courier, by=context.actor, at=context.at, missing=self.missing
        )  # fmt: skip
        return ListResult(sheet.list_no)


@act(by={Role.COURIER, Role.AGENT, Role.LEAD, Role.OPERATOR})
@dataclass(frozen=True, slots=True, kw_only=True)
class SignHandoverList:
    """One side signs a handover list (交接清单); a difference refuses its line only."""

    list: ListNo
    differences: Mapping[str, Reason] = field(default_factory=dict)

    def perform(self, context: ActContext) -> ListResult:
        sheet = context.row(HandoverList, self.list)
        side = Holder.COURIER if context.actor.role is Role.COURIER else Holder.CENTRE
        handover_lists.sign(
            context.session, sheet, side=side, by=context.actor, at=context.at, differences=self.differences
        )
        return ListResult(sheet.list_no)
