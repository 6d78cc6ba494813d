"""Experience: what was promised and what came of it, what decided matters taught, kept for every process."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ForeignKey, Index, Text, delete, or_, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from agents.network import Division, Level
from db import Base
from dispatch.cases.case import Case
from dispatch.cases.review import Review, ReviewPause
from dispatch.cases.review_state import ReviewState
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.catalogue.matter import Family, Matter
from dispatch.catalogue.path_nodes import matter_nodes
from dispatch.core.legal_clock import LegalClock
from dispatch.core.limit import IMMEDIATE
from dispatch.core.shanghai_time import in_shanghai
from dispatch.core.special_procedure import Pause
from dispatch.forecast.beliefs import read_priors
from dispatch.forecast.calibration import Closed, close, recalibration
from dispatch.forecast.durations import Durations, Fit
from dispatch.forecast.learning import Observation, learn
from dispatch.forecast.promise import Recalibration, recalled
from dispatch.path.matter_node import Basis, MatterNode

LOOKS_BACK = timedelta(days=366)  # 近一年同类项目
KEPT_LESSONS = 7
OPEN = (ReviewState.ACCEPTED, ReviewState.PAUSED, ReviewState.EXTENDED)
DECIDED = (ReviewState.GRANTED, ReviewState.DENIED)


class PromiseRecord(Base):
    """What was said about one case (预计办结): the date, its probability, why; and in the end what it took.

    A yardstick is what the case is measured by: the first promise, and any that a special procedure or an extension
    made necessary. What merely went slower than hoped is said anew, and changes no yardstick."""

    __tablename__ = "promise"
    __table_args__ = (
        Index("ix_promise_judged", "ended_at", postgresql_where=text("is_yardstick AND took_wd IS NOT NULL")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("dispatch_case.id"), index=True)
    said_at: Mapped[datetime]
    start_on: Mapped[date]
    expected_on: Mapped[date]
    promised_wd: Mapped[int]
    share: Mapped[float]
    pert_share: Mapped[float]
    is_yardstick: Mapped[bool]
    is_estimate: Mapped[bool]
    is_from_cases: Mapped[bool]
    reason: Mapped[str] = mapped_column(Text, default="")
    kept: Mapped[list[Any]]
    seen: Mapped[dict[str, Any]]
    took_wd: Mapped[int | None]
    ended_at: Mapped[datetime | None]


class FittedDurations(Base):
    """What all decided and open matters taught on one day, in plain data; the newest row is in force."""

    __tablename__ = "lesson"

    id: Mapped[int] = mapped_column(primary_key=True)
    learned_at: Mapped[datetime]
    matters: Mapped[int]
    promises: Mapped[int]
    taught: Mapped[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class TrainedForecast:
    """What a promise rests on: durations, and how stated probabilities have to be read."""

    durations: Durations
    recalibration: Recalibration


_in_force: dict[tuple[str, int], TrainedForecast] = {}


def trained_forecast(session: Session) -> TrainedForecast:
    """The newest lesson, read once by each process; the beliefs of the file before there is any."""
    newest = session.scalar(select(FittedDurations.id).order_by(FittedDurations.id.desc()).limit(1)) or 0
    key = (str(session.get_bind().engine.url), newest)
    if key not in _in_force:
        lesson = session.get(FittedDurations, newest) if newest else None
        _in_force.clear()
        _in_force[key] = _untold() if lesson is None else _read(lesson.taught)
    return _in_force[key]


def fit_durations(session: Session, *, at: datetime) -> FittedDurations:
    """Learn from the past year's matters and from all promises that were judged."""
    nodes = all_matters(session)
    seen = [o for o in observations(session, at=at) if o.matter in nodes]
    durations = learn(seen, nodes, read_priors())
    closed = judged(session)
    lesson = FittedDurations(
        learned_at=at,
        matters=len(seen),
        promises=len(closed),
        taught=_written(durations, recalibration(closed)),
    )
    session.add(lesson)
    session.flush()
    kept = select(FittedDurations.id).order_by(FittedDurations.id.desc()).limit(KEPT_LESSONS)
    session.execute(delete(FittedDurations).where(FittedDurations.id.not_in(kept)))
    return lesson


def fitted_today(session: Session, *, at: datetime) -> bool:
    """Whether a lesson of this day stands already."""
    newest = session.scalar(select(FittedDurations.learned_at).order_by(FittedDurations.id.desc()).limit(1))
    return newest is not None and in_shanghai(newest).date() >= in_shanghai(at).date()


def all_matters(session: Session) -> dict[str, MatterNode]:
    """Every matter of the catalogue as the province has it, by code."""
    province = session.scalars(select(Division).where(Division.level == Level.PROVINCE).limit(1)).one()
    return {node.code: node for family in Family for node in matter_nodes(session, province, family=family)}


def observations(session: Session, *, at: datetime) -> list[Observation]:
    """The past year's matters on their own clocks, pauses left out: decided ones, and open ones as censored."""
    calendar = calendar_of(session)
    pauses: dict[int, list[Pause]] = defaultdict(list)
    recent = or_(Review.state.in_(OPEN), Review.decided_at > at - LOOKS_BACK)
    for pause in session.scalars(select(ReviewPause).join(Review, Review.id == ReviewPause.review_id).where(recent)):
        pauses[pause.review_id].append(pause.as_pause())
    rows = session.execute(
        select(
            Review.id, Review.authority, Review.accepted_at, Review.decided_at, Review.centre_no, Matter.code,
            Case.project_id, Division.path,
        )
        .join(Matter, Matter.id == Review.matter_id)
        .join(Case, Case.id == Review.case_id)
        .join(Division, Division.id == Case.division_id)
        .where(Review.state.in_((*OPEN, *DECIDED)), Review.accepted_at.is_not(None), recent)
        .order_by(Review.id)
    )  # fmt: skip
    found = []
    for row in rows:
        clock = LegalClock(  # the days used are the same whatever the limit is
            row.accepted_at, IMMEDIATE, row.centre_no, tuple(pauses.get(row.id, ())), decided_at=row.decided_at
        )
        days = clock.days_used(calendar, at)
        city = row.path.split(".")[1] if "." in row.path else ""
        found.append(Observation(row.code, row.authority, city, days, row.decided_at is not None, str(row.project_id)))
    return found


def judged(session: Session) -> list[Closed]:
    """Every yardstick whose case was decided, against what it took."""
    rows = session.execute(
        select(PromiseRecord.kept, PromiseRecord.took_wd)
        .where(PromiseRecord.is_yardstick, PromiseRecord.took_wd.is_not(None))
        .order_by(PromiseRecord.ended_at, PromiseRecord.id)
    )
    return [close(recalled(row.kept), row.took_wd) for row in rows if row.took_wd is not None]


# ---------------------------------------------------------------- as plain data


def _untold() -> TrainedForecast:
    return TrainedForecast(Durations.before_any_case(read_priors()), Recalibration())


def _written(durations: Durations, gauge: Recalibration) -> dict[str, Any]:
    def plain(fit: Fit) -> list[float]:
        return [fit.mu, fit.sigma, fit.floor, fit.cases]

    return {
        "basis": durations.basis.value,
        "authority": [[code, place, *plain(fit)] for (code, place), fit in durations.by_authority.items()],
        "city": [[code, place, *plain(fit)] for (code, place), fit in durations.by_city.items()],
        "matter": [[code, *plain(fit)] for code, fit in durations.by_matter.items()],
        "department": durations.department_correlation,
        "project": durations.project_correlation,
        "stated": list(gauge.stated),
        "true": list(gauge.true),
    }


def _read(taught: dict[str, Any]) -> TrainedForecast:
    durations = Durations(
        read_priors(),
        Basis(taught["basis"]),
        {(code, place): Fit(*fit) for code, place, *fit in taught["authority"]},
        {(code, place): Fit(*fit) for code, place, *fit in taught["city"]},
        {code: Fit(*fit) for code, *fit in taught["matter"]},
        taught["department"],
        taught["project"],
    )
    return TrainedForecast(durations, Recalibration(tuple(taught["stated"]), tuple(taught["true"])))
