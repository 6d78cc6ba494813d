"""Announcing: what a committed plan means for those who wait at a stop, and what its cancelling means."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.acts.visit_telling import take_back_cancelling, tell_anew, tell_visit
from dispatch.cases.case import Case
from dispatch.cases.lookups import moment
from dispatch.cases.notify import add_timeline_event, day_of, queue_notice, six_digits
from dispatch.cases.stages import Stage
from dispatch.cases.visit_word import VisitChange
from dispatch.core.actor import Actor
from dispatch.core.localized_text import DayText, LocalizedText, WindowText
from dispatch.custody.parcel import INWARD, Leg, Parcel
from notifications import outbox
from notifications.message import Message
from routing.day.courier_run import CourierRun
from routing.day.courier_stop import CourierStop
from routing.day.couriers import Courier

CODED = ("pickup", "delivery")
STILL_WAITED_FOR = timedelta(hours=2)
"""A code that is told anew late in its window is still good for so long."""


def announce(
    session: Session, stop: CourierStop, *, courier_name: str, opens_s: int, closes_s: int, by: Actor, at: datetime
) -> None:
    """A committed plan gives a stop its window: codes are made, stages follow, the people there are told."""
    was = stop.announced_opens_s
    by_case = parcels_by_case(session, stop)
    messages = []
    for case_id, parcels in by_case.items():
        case = session.get_one(Case, case_id)
        visit = _CaseVisit(session, stop, case, parcels, opens_s, closes_s, by, at)
        is_known = was is not None and parcels[0].code_hash is not None
        messages.append(visit.moved(was) if is_known and was is not None else visit.first_told(courier_name))
    change = VisitChange.ANNOUNCED
    if was is not None:
        change = VisitChange.LATE if stop.on == day_of(at) and opens_s > was else VisitChange.MOVED
    tell_visit(session, stop, change, window=(opens_s, closes_s), at=at, messages=messages)


def parcels_by_case(session: Session, stop: CourierStop) -> dict[int, list[Parcel]]:
    """The parcels of a stop, by the case they belong to."""
    found: dict[int, list[Parcel]] = {}
    for parcel in session.scalars(select(Parcel).where(Parcel.stop_id == stop.id).order_by(Parcel.id)):
        found.setdefault(parcel.case_id, []).append(parcel)
    return found


@dataclass(frozen=True, slots=True)
class _CaseVisit:
    """The window of one case's papers at a stop, as it is told."""

    session: Session
    stop: CourierStop
    case: Case
    parcels: list[Parcel]
    opens_s: int
    closes_s: int
    by: Actor
    at: datetime

    @property
    def _values(self) -> dict[str, Any]:
        return {"day": DayText(self.stop.on), "window": WindowText(self.opens_s, self.closes_s)}

    def _queue(self, text: str, *, again: str = "", **more: str) -> Message:
        key = f"{self.parcels[0].waybill}:{self.stop.id}:{self.stop.on}:{self.opens_s}:{self.closes_s}{again}"
        ends_at = moment(self.stop.on, self.closes_s)
        return queue_notice(
            self.session, self.case, text, at=self.at, key=key, values={**self._values, **more},
            expires_at=max(ends_at, self.at + STILL_WAITED_FOR) if again else ends_at,
        )  # fmt: skip

    def moved(self, was_s: int) -> Message:
        words = LocalizedText("上门时段改为%(day)s%(window)s", **self._values)
        add_timeline_event(self.session, self.case, kind="window_changed", by=self.by, at=self.at, words=words)
        is_late = self.stop.on == day_of(self.at) and self.opens_s > was_s
        return self._queue("courier_late" if is_late else "window_changed")

    def first_told(self, courier_name: str) -> Message:
        first, case, code = self.parcels[0], self.case, six_digits()
        for parcel in self.parcels:
            parcel.set_code(code)
        inward = first.leg in {Leg.PICKUP, Leg.EXCHANGE}
        if inward and case.stage is Stage.PRESCREENED:
            case.move_to(Stage.PICKUP_PLANNED, at=self.at, by=self.by.label)
        elif not inward and case.stage is Stage.DECIDED:
            case.move_to(Stage.DELIVERY_PLANNED, at=self.at, by=self.by.label)
        words = LocalizedText("%(day)s%(window)s上门揽收" if inward else "%(day)s%(window)s投递", **self._values)
        add_timeline_event(
            self.session, case, kind="window", by=self.by, at=self.at, words=words, waybill=first.waybill
        )
        return self.tell_code(code, courier_name)

    def tell_code(self, code: str, courier_name: str, *, again: str = "") -> Message:
        """When the courier comes, and what opens the envelopes; ``again`` tells a code from the one before it."""
        inward = self.parcels[0].leg in {Leg.PICKUP, Leg.EXCHANGE}
        person = {"courier": courier_name} if inward else {"recipient": self.parcels[0].person or ""}
        return self._queue("pickup" if inward else "delivery", again=again, code=code, **person)


def renew_codes(
    session: Session, stop: CourierStop, cases: Collection[int], *, by: Actor, at: datetime, why: str
) -> None:
    """What a wrong number was told opens nothing more at this stop: of each of these cases another code is made.

    It is told once, to the contact as it is now; where no window is announced, the next announcing tells one.
    ``why``: what corrected the contact, once for each correction."""
    run = None if stop.run_id is None else session.get(CourierRun, stop.run_id)
    courier = None if run is None else session.get(Courier, run.courier_id)
    for case_id, parcels in parcels_by_case(session, stop).items():
        live = [parcel for parcel in parcels if parcel.code is not None and parcel.code_hash is not None]
        if case_id not in cases or not live:
            continue
        code = six_digits()
        for parcel in live:
            parcel.retire_code(code)
        outbox.forget_codes(session, case_id=case_id, texts_named=CODED)
        opens_s, closes_s = stop.announced_opens_s, stop.announced_closes_s
        if opens_s is None or closes_s is None:
            continue
        visit = _CaseVisit(session, stop, session.get_one(Case, case_id), live, opens_s, closes_s, by, at)
        told = visit.tell_code(code, courier.name if courier else "", again=f":{why}")
        tell_anew(session, stop, case_id, told, at=at)


def unplan(session: Session, stop: CourierStop, *, by: Actor, at: datetime) -> None:
    """A stop fell out of its run: the stage goes back to waiting for a plan, and who was told a window is told."""
    window = stop.announced_opens_s, stop.announced_closes_s
    messages = []
    for case_id in parcels_by_case(session, stop):
        case = session.get_one(Case, case_id)
        back = {Stage.PICKUP_PLANNED: Stage.PRESCREENED, Stage.DELIVERY_PLANNED: Stage.DECIDED}.get(case.stage)
        if back is not None:
            case.move_to(back, at=at, by=by.label)
            add_timeline_event(session, case, kind="unplanned", by=by, at=at, words="原定上门时段取消，将重新安排")
        if window[0] is not None and window[1] is not None:
            values = {"day": DayText(stop.on), "window": WindowText(window[0], window[1])}
            key = f"{stop.id}:{stop.version}"
            messages.append(queue_notice(session, case, "window_cancelled", at=at, key=key, values=values))
    if window[0] is not None and window[1] is not None:
        tell_visit(session, stop, VisitChange.CANCELLED, window=(window[0], window[1]), at=at, messages=messages)
    stop.announced_opens_s = stop.announced_closes_s = None


def replan(session: Session, stop: CourierStop, *, by: Actor, at: datetime, is_undone: bool = False) -> None:
    """A stop that fell out of its run is on it again before anybody planned anew: stage and window as they were.

    ``is_undone``: the stage never was another."""
    for parcel in session.scalars(select(Parcel).where(Parcel.stop_id == stop.id).order_by(Parcel.id)):
        case = session.get_one(Case, parcel.case_id)
        inward = parcel.leg in INWARD
        was = {Stage.PRESCREENED: Stage.PICKUP_PLANNED} if inward else {Stage.DECIDED: Stage.DELIVERY_PLANNED}
        if case.stage in was and parcel.code_hash is not None:
            case.move_to(was[case.stage], at=case.stage_at if is_undone else at, by=by.label)
    if (window := take_back_cancelling(session, stop, at=at)) is not None:
        stop.announced_opens_s, stop.announced_closes_s = window
