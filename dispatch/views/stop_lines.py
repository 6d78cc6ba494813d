"""A stop as leads see it, in a plan or on the map: what was asked for, what was told, what became of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db import SHANGHAI
from dispatch.views.plan_costs import Carried
from routing.day.courier_stop import (
    FAIL_LABEL,
    STOP_LABEL,
    STOP_STATE_LABEL,
    CourierStop,
    StopAct,
    StopEvent,
    StopState,
)
from routing.day.couriers import Courier

COLOURS = 8  # that colour-blind people tell apart; a ninth courier begins again, and the number says who

WHY_NOT = {
    "no vehicle": "当班没有可用的揽投员",
    "skill": "需要面包车，当班没有面包车",
    "depot": "当班揽投员出发或返回的不是该件的中心",
    "loaded": "该件已装在另一名揽投员车上，需本人带回或当面交接",
    "capacity": "件数或重量超过可派的每一辆车",
    "unreachable": "没有能开到的道路",
    "distance": "往返路程超过可派揽投员的里程上限",
    "time": "约定时段太窄或太晚，单独派一趟也来不及",
    "release": "文件到中心的时间太晚，之后出发已赶不上约定时段",
    "stops": "可派的揽投员都已排到站数上限",
    "no room": "时段内的揽投员都已排满",
}


@dataclass(frozen=True, slots=True)
class StopLine:
    """One numbered stop of a run, as planned and as driven."""

    number: int
    stop_id: int
    kind: str
    label: str
    address: str
    lon: float
    lat: float
    asked: tuple[int, int] | None
    told: tuple[int, int] | None
    eta_s: int
    service_s: int
    pieces: int
    state: str
    words: str
    done_s: int | None = None
    is_kept: bool = True
    was: str = ""
    is_frozen: bool = False
    papers: tuple[str, ...] = ()
    """Cases whose papers change hands here."""
    release_s: int = 0
    """When what is brought is at the centre, where that is in the course of the day."""


@dataclass(frozen=True, slots=True)
class RunCard:
    """One courier's run of a plan; ``colour`` counts from 1."""

    colour: int
    courier_id: int
    courier: str
    vehicle: str
    starts_s: int
    ends_s: int
    travel_s: int
    pieces: int
    stops: list[StopLine]
    depot: tuple[float, float] | None = None
    carried: Carried | None = None
    metres: int = 0
    most_stops: int | None = None
    longest_m: int | None = None
    """``most_stops``, ``longest_m``: what the shift and the vehicle allow a run."""

    @property
    def leaves_after_s(self) -> int:
        """When the last of the papers that the run still waits for are there; 0 where it waits for none."""
        return max((stop.release_s for stop in self.stops if not stop.is_frozen), default=0)

    @property
    def is_full(self) -> bool:
        """Whether the run has as many stops as it may."""
        return self.most_stops is not None and len(self.stops) >= self.most_stops

    @property
    def done(self) -> int:
        return sum(1 for stop in self.stops if stop.state == StopState.DONE)


def ended_at(session: Session, ids: Iterable[int]) -> dict[int, datetime]:
    """When each stop was ticked off or failed, by its latest event."""
    acts = (StopAct.COLLECTED, StopAct.DELIVERED, StopAct.FAILED)
    rows = session.execute(
        select(StopEvent.stop_id, func.max(StopEvent.at))
        .where(StopEvent.stop_id.in_(ids), StopEvent.act.in_(acts))
        .group_by(StopEvent.stop_id)
    )
    return dict(rows.all())


def stop_line(
    number: int,
    stop: CourierStop,
    eta_s: int,
    ended: dict[int, datetime],
    before: tuple[int, str, int | None] | None,
    courier: Courier,
    visit: dict[str, Any],
) -> StopLine:
    """One stop with what was asked for, what was told, and whether this plan keeps it."""
    told = told_for(stop)
    frozen = bool(visit.get("frozen"))
    was = ""
    if before is not None and not frozen and before[0] != courier.id:
        was = before[1]
    settled = stop.state in {StopState.DONE, StopState.FAILED}
    at = ended.get(stop.id) if settled else None
    return StopLine(
        number=number,
        stop_id=stop.id,
        kind=STOP_LABEL[stop.kind],
        label=stop.label or stop.contact_name,
        address=stop.address,
        lon=stop.lon,
        lat=stop.lat,
        asked=asked_for(stop),
        told=told,
        eta_s=eta_s,
        service_s=stop.door_s,
        pieces=stop.pieces,
        state=stop.state.value,
        words=FAIL_LABEL[stop.fail_reason]
        if stop.state is StopState.FAILED and stop.fail_reason
        else STOP_STATE_LABEL[stop.state],
        done_s=None if at is None else _seconds(at),
        is_kept=frozen or told is None or told[0] <= eta_s <= told[1],
        was=was,
        is_frozen=frozen,
        release_s=stop.release_s if stop.state in {StopState.OPEN, StopState.PLANNED} else 0,
    )


def _seconds(moment: datetime) -> int:
    local = moment.astimezone(SHANGHAI)
    return local.hour * 3600 + local.minute * 60 + local.second


def asked_for(stop: CourierStop) -> tuple[int, int] | None:
    return (int(stop.windows[0][0]), int(stop.windows[-1][1])) if stop.windows else None


def told_for(stop: CourierStop) -> tuple[int, int] | None:
    if stop.announced_opens_s is None or stop.announced_closes_s is None:
        return None
    return stop.announced_opens_s, stop.announced_closes_s
