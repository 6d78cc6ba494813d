"""Forecast: each open case's expected date with its probability, its risk, and when to say it anew."""

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from agents.leave import acting_agent
from agents.roster import Agent
from dispatch.cases.case import Case
from dispatch.cases.duration_training import PromiseRecord, TrainedForecast, trained_forecast
from dispatch.cases.notify import add_timeline_event, day_of, queue_notice
from dispatch.cases.project import Project
from dispatch.cases.project_path import DivisionRulesCache, ProjectPath, project_path
from dispatch.cases.review import Review
from dispatch.cases.review_state import ReviewState
from dispatch.cases.stages import ENDS
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.catalogue.matter import Matter
from dispatch.core.actor import SYSTEM
from dispatch.core.localized_text import DayText, LocalizedText
from dispatch.core.shanghai_time import in_shanghai
from dispatch.core.working_days import CalendarMissing
from dispatch.forecast.calibration import pert_ahead
from dispatch.forecast.path_sampling import (
    DecidingPlace,
    NothingToPromise,
    PathSampler,
    PathSoFar,
    least_cases,
    prepare_path_samples,
)
from dispatch.forecast.promise import Outlook, Promise, outlook, promise, reissue, why_later, why_moved
from dispatch.forecast.risk import Risk, risk
from dispatch.path.errors import PathError
from dispatch.path.matter_node import Basis
from dispatch.path.path_step import Counting
from dispatch.path.schedule import MatterProgress, schedule

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Forecast:
    """One case as it looks at a moment: the promise that could be said, and what it rests on."""

    mine: ProjectPath
    ready: PathSampler
    view: Outlook
    now: Promise

    @property
    def expected_wd(self) -> int:
        """The expected date as working days from the project's start."""
        return self.mine.calendar.working_days_between(self.mine.start_on, self.now.expected_on)


def forecast(
    session: Session,
    case: Case,
    *,
    at: datetime,
    learned: TrainedForecast | None = None,
    places: DivisionRulesCache | None = None,
) -> Forecast | None:
    """How a case looks now; None when nothing of it takes time, or the calendar does not reach that far."""
    project = session.get_one(Project, case.project_id)
    known = learned or trained_forecast(session)
    try:
        mine = _path_towards(session, project, case, at=at, places=places)
        if mine is None:
            return None
        place = DecidingPlace(mine.city, mine.authorities)
        ready = prepare_path_samples(
            mine.path,
            known.durations,
            place=place,
            goals=mine.codes_of_case[case.id],
            so_far=PathSoFar(
                mine.calendar, mine.start_on, mine.today, mine.progress, mine.paused_wd, mine.pause_ahead_wd
            ),
        )
        view = outlook(ready, known.recalibration)
        seen = least_cases(mine.path, known.durations, place) > 0
        now = promise(view, mine.calendar, mine.start_on, mine.today, is_from_cases=seen)
    except (NothingToPromise, CalendarMissing, PathError) as why_not:
        log.info("case %s has no expected date: %s", case.id, why_not)
        return None
    return Forecast(mine, ready, view, now)


def _path_towards(
    session: Session, project: Project, case: Case, *, at: datetime, places: DivisionRulesCache | None
) -> ProjectPath | None:
    """The path of what the project has filed or will file in its cases: other cases' matters may be waited for."""
    codes = session.scalars(
        select(Matter.code)
        .join(Review, Review.matter_id == Matter.id)
        .join(Case, Case.id == Review.case_id)
        .where(Case.project_id == project.id, Review.state != ReviewState.WITHDRAWN)
        .distinct()
    ).all()
    mine = project_path(session, project, at=at, only=codes, places=places)
    return mine if mine is not None and case.id in mine.codes_of_case else None


def renew(
    session: Session,
    case: Case,
    *,
    at: datetime,
    rebase: bool = False,
    quiet: bool = False,
    learned: TrainedForecast | None = None,
    places: DivisionRulesCache | None = None,
) -> PromiseRecord | None:
    """Look at a case anew: its risk and the best thing to do; the promise is said anew when it moved by a working day.

    ``rebase``: a special procedure or an extension moved it, so it is measured by the new promise. ``quiet``: the
    enterprise was told of the reason in this step already. Gives what was said, None when nothing was."""
    rebase, quiet = rebase or case.is_rebase_wanted, quiet or case.is_rebase_wanted
    case.forecast_at, case.is_rebase_wanted = at, False
    if case.stage in ENDS or case.decided_at is not None:
        settle(session, case)
        return None
    seen = forecast(session, case, at=at, learned=learned, places=places)
    if seen is None:
        return None
    last, yardstick = _said(session, case)
    names = {step.code: step.matter.short for step in seen.mine.path.steps}
    why = "" if last is None else why_moved(_recall(last.seen), seen.mine.progress, names)
    anew = reissue(None if last is None else _as_promise(last), seen.now, seen.mine.calendar, why)
    promised = None if anew is None else _say(session, case, seen, anew, is_yardstick=rebase or last is None, at=at)
    if promised is not None and last is not None:
        cause = why_later(_recall(last.seen), seen.mine.progress, names, day_of(at))
        _tell(session, case, last, promised, cause="" if quiet else cause, at=at)
    measure = (promised if promised is not None and promised.is_yardstick else None) or yardstick or promised
    assert measure is not None
    danger = _danger(session, seen, measure, learned)
    current = promised or last
    assert current is not None
    case.expected_on, case.is_estimate = current.expected_on, current.is_estimate
    case.expected_share = seen.view.chance_by_wd(current.promised_wd)
    case.miss_probability = danger.of_missing
    case.advice = None if danger.best is None else danger.best.words
    case.advised_probability = None if danger.best is None else danger.best.risk
    return promised


def settle(session: Session, case: Case) -> None:
    """The case is decided, or has ended without: what was promised is judged, and there is no risk left."""
    case.miss_probability = case.advised_probability = case.advice = None
    if case.decided_at is None:
        return
    _, yardstick = _said(session, case)
    if yardstick is not None:
        calendar = calendar_of(session)
        yardstick.took_wd = calendar.working_days_between(yardstick.start_on, day_of(case.decided_at))
        yardstick.ended_at = case.decided_at


def reopen(session: Session, case: Case) -> None:
    """The decision by which the case was judged never was: nothing is learned from it."""
    _, yardstick = _said(session, case)
    if yardstick is not None:
        yardstick.took_wd = yardstick.ended_at = None


def due(session: Session, *, at: datetime, limit: int) -> list[int]:
    """Open cases that nobody looked at today, those never looked at first."""
    today = in_shanghai(at).replace(hour=0, minute=0, second=0, microsecond=0)
    query = (
        select(Case.id)
        .where(
            Case.decided_at.is_(None), Case.ended_at.is_(None),
            or_(Case.forecast_at.is_(None), Case.forecast_at < today),
        )
        .order_by(Case.forecast_at.asc().nulls_first(), Case.id)
        .limit(limit)
    )  # fmt: skip
    return list(session.scalars(query))


def renew_many(session: Session, case_ids: Collection[int], *, at: datetime) -> int:
    """Look anew at these cases, each once more only; one that somebody works on is left for the next time."""
    learned, places = trained_forecast(session), DivisionRulesCache(session)
    rows = session.scalars(
        select(Case).where(Case.id.in_(case_ids)).order_by(Case.id).with_for_update(skip_locked=True)
    ).all()
    for case in rows:
        try:
            with session.begin_nested():
                renew(session, case, at=at, learned=learned, places=places)
        except Exception:  # the outer edge of a job: one case's fault must not keep the others from being looked at
            log.exception("case %s could not be forecast", case.id)
            case.forecast_at = at
    return len(rows)


# ---------------------------------------------------------------- what was said


def _said(session: Session, case: Case) -> tuple[PromiseRecord | None, PromiseRecord | None]:
    """The last promise, and the one by which the case is measured."""
    rows = session.scalars(
        select(PromiseRecord).where(PromiseRecord.case_id == case.id).order_by(PromiseRecord.id)
    ).all()
    measures = [row for row in rows if row.is_yardstick]
    return (rows[-1] if rows else None), (measures[-1] if measures else None)


def _say(
    session: Session, case: Case, seen: Forecast, anew: Promise, *, is_yardstick: bool, at: datetime
) -> PromiseRecord:
    plan = schedule(seen.mine.path, Basis.COMMITTED, Counting.ELAPSED, goals=seen.mine.codes_of_case[case.id])
    days = seen.expected_wd
    promised = PromiseRecord(
        case_id=case.id, said_at=at, start_on=seen.mine.start_on, expected_on=anew.expected_on, promised_wd=days,
        share=anew.share, pert_share=pert_ahead(seen.ready, plan.critical_path, days), is_yardstick=is_yardstick,
        is_estimate=anew.is_estimate, is_from_cases=anew.is_from_cases, reason=anew.reason,
        kept=list(seen.view.kept()), seen=_plain(seen.mine.progress),
    )  # fmt: skip
    session.add(promised)
    session.flush()
    return promised


def _as_promise(promised: PromiseRecord) -> Promise:
    return Promise(
        promised.expected_on,
        promised.share,
        day_of(promised.said_at),
        promised.is_estimate,
        promised.reason,
        promised.is_from_cases,
    )


def _tell(
    session: Session, case: Case, last: PromiseRecord, promised: PromiseRecord, *, cause: str, at: datetime
) -> None:
    """A line on the timeline either way; a notice only of a later day, with its ``cause``."""
    today = day_of(at)
    was, now = DayText(last.expected_on, today), DayText(promised.expected_on, today)
    add_timeline_event(
        session, case, kind="promise", by=SYSTEM, at=at,
        words=LocalizedText("预计办结由%(was)s调整为%(now)s：%(reason)s", was=was, now=now, reason=promised.reason),
        share=round(promised.share, 3),
    )  # fmt: skip
    if not cause or promised.expected_on <= last.expected_on:
        return
    lead = session.get_one(Project, case.project_id).lead
    agent = None if lead is None else acting_agent(session, session.get_one(Agent, lead.agent_id), today)
    queue_notice(
        session, case, "late", at=at, key=f"promise:{promised.id}",
        values={
            "matter": "全部事项", "was": DayText(last.expected_on), "now": DayText(promised.expected_on),
            "reason": cause, "agent": agent.name if agent else "",
        },
    )  # fmt: skip


def _danger(session: Session, seen: Forecast, measure: PromiseRecord, learned: TrainedForecast | None) -> Risk:
    """The risk of missing the promise that counts, and the one action that lowers it most."""
    known = learned or trained_forecast(session)
    promised_wd = seen.mine.calendar.working_days_between(seen.mine.start_on, measure.expected_on)
    return risk(seen.mine.path, seen.ready, promised_wd, known.recalibration)


def _plain(progress: Mapping[str, MatterProgress]) -> dict[str, Any]:
    def iso(on: date | None) -> str | None:
        return None if on is None else on.isoformat()

    return {code: [iso(p.accepted_on), iso(p.decided_on), iso(p.due_on)] for code, p in progress.items()}


def _recall(kept: Mapping[str, Any]) -> dict[str, MatterProgress]:
    def day(iso: str | None) -> date | None:
        return None if iso is None else date.fromisoformat(iso)

    return {code: MatterProgress(day(a), day(d), day(due_on)) for code, (a, d, due_on) in kept.items()}
