"""Health: which gateway takes the next message, and how the traffic leaves one that fails and drifts back."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import String, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

import db
from db import Base
from notifications.message import Attempt
from notifications.settings import GatewayShare, NoticeSettings

FULL = 100
STEP = 10
CALM = timedelta(minutes=5)
EACH = timedelta(minutes=1)
QUARTER = timedelta(minutes=15)
MIN_CALLS = 20
"""Fewer calls in a quarter of an hour say nothing about its speed."""


class GatewayHealth(Base):
    """How much of its share a gateway gets now, in percent."""

    __tablename__ = "gateway_health"

    name: Mapped[str] = mapped_column(String(20), primary_key=True)
    percent: Mapped[int]
    changed_at: Mapped[datetime]
    reason: Mapped[str] = mapped_column(String(80))


@dataclass(frozen=True, slots=True)
class GatewayState:
    """What the heartbeat tile shows of a gateway."""

    name: str
    percent: int
    reason: str
    calls_15min: int
    trouble_15min: int
    slow_15min: int

    @property
    def error_rate(self) -> float:
        return self.trouble_15min / self.calls_15min if self.calls_15min else 0.0


def percents(session: Session) -> dict[str, int]:
    """Every gateway that was ever short of its full share."""
    return {row.name: row.percent for row in session.scalars(select(GatewayHealth))}


def pick(routes: Sequence[GatewayShare], percent: Mapping[str, int], draw: float) -> str:
    """The gateway at ``draw`` (0 to 1) of the weights; when all have fallen, the set weights hold."""
    weights = [r.weight * percent.get(r.gateway, FULL) for r in routes]
    if not any(weights):
        weights = [r.weight for r in routes]
    at = draw * sum(weights)
    for route, weight in zip(routes, weights, strict=True):
        at -= weight
        if at < 0:
            return route.gateway
    return routes[-1].gateway


def choose(session: Session, routes: Sequence[GatewayShare]) -> str:
    if len(routes) == 1:
        return routes[0].gateway
    return pick(routes, percents(session), random.random())


def note_trouble(session: Session, gateway: str, settings: NoticeSettings) -> bool:
    """After an attempt that the gateway itself spoiled: with enough of them in a minute its traffic moves away."""
    now = db.real_now(session)
    recent = session.scalar(
        select(func.count())
        .select_from(Attempt)
        .where(Attempt.gateway == gateway, Attempt.trouble, Attempt.ended_at > now - timedelta(seconds=60))
    )
    if (recent or 0) < settings.errors_in_a_minute:
        return False
    _set(session, gateway, 0, now, f"{recent} errors in 60 s")
    return True


def review(session: Session, settings: NoticeSettings) -> None:
    """Once a minute: a slow quarter of an hour moves the traffic; a calm gateway gets a tenth of its share back."""
    now = db.real_now(session)
    fallen = {row.name: row for row in session.scalars(select(GatewayHealth).with_for_update())}
    for state in states(session, settings, at=now):
        row = fallen.get(state.name)
        slow = state.calls_15min >= MIN_CALLS and state.slow_15min >= settings.slow_share * state.calls_15min
        if slow and (row is None or row.percent > 0) and (row is None or now - row.changed_at > QUARTER):
            _set(session, state.name, 0, now, f"{state.slow_15min} of {state.calls_15min} calls slow in 15 min")
        elif row is not None and row.percent < FULL and now - row.changed_at >= _time_to_next_step(row):
            _set(session, state.name, min(FULL, row.percent + STEP), now, "drifting back")


def _time_to_next_step(row: GatewayHealth) -> timedelta:
    """A fall is followed by five calm minutes, each step back by one."""
    return CALM if row.percent == 0 else EACH


def _set(session: Session, name: str, percent: int, at: datetime, reason: str) -> None:
    new = {"percent": percent, "changed_at": at, "reason": reason}
    session.execute(
        insert(GatewayHealth).values(name=name, **new).on_conflict_do_update(index_elements=["name"], set_=new)
    )


def states(session: Session, settings: NoticeSettings, *, at: datetime) -> list[GatewayState]:
    """Every gateway that has a share, with its last quarter of an hour at the real moment ``at``."""
    since = at - QUARTER
    counted = {
        name: (calls, trouble, slow)
        for name, calls, trouble, slow in session.execute(
            select(
                Attempt.gateway,
                func.count(),
                func.count().filter(Attempt.trouble),
                func.count().filter(Attempt.took_ms > settings.slow_call_ms),
            )
            .where(Attempt.started_at > since)
            .group_by(Attempt.gateway)
        )
    }
    rows = {row.name: row for row in session.scalars(select(GatewayHealth))}
    names = dict.fromkeys(r.gateway for r in (*settings.mainland, *settings.foreign))
    return [
        GatewayState(
            name,
            rows[name].percent if name in rows else FULL,
            rows[name].reason if name in rows else "",
            *counted.get(name, (0, 0, 0)),
        )
        for name in names
    ]
