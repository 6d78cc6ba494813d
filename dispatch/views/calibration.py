"""Calibration: what was promised against what came of it, beside simpler forecasts, within the viewer's reach."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.cases.access_control import visible_cases
from dispatch.cases.case import Case
from dispatch.cases.duration_training import FittedDurations, PromiseRecord
from dispatch.core.actor import Actor
from dispatch.forecast.calibration import CalibrationPoint, Reliability, base_rate, brier, by_stated, close, reliability
from dispatch.forecast.promise import recalled


@dataclass(frozen=True, slots=True)
class CalibrationPage:
    """Every judged promise put together; the Brier scores are None while there is none."""

    cases: int
    kept: int
    deciles: tuple[Reliability, ...]
    stated: tuple[Reliability, ...]
    ours: float | None
    pert: float | None
    base: float | None
    learned_at: datetime | None
    learned_from: int


def calibration_page(session: Session, viewer: Actor) -> CalibrationPage:
    """Reliability by decile, and Brier scores of ours, of PERT's normal sum and of the base rate."""
    rows = session.execute(
        select(
            PromiseRecord.kept,
            PromiseRecord.share,
            PromiseRecord.pert_share,
            PromiseRecord.promised_wd,
            PromiseRecord.took_wd,
        )
        .join(Case, Case.id == PromiseRecord.case_id)
        .where(visible_cases(viewer), PromiseRecord.is_yardstick, PromiseRecord.took_wd.is_not(None))
        .order_by(PromiseRecord.ended_at, PromiseRecord.id)
    ).all()
    came_true = [row.took_wd <= row.promised_wd for row in rows]
    lesson = session.scalar(select(FittedDurations).order_by(FittedDurations.id.desc()).limit(1))
    return CalibrationPage(
        cases=len(rows),
        kept=sum(came_true),
        deciles=reliability([close(recalled(row.kept), row.took_wd) for row in rows]),
        stated=by_stated(CalibrationPoint(row.share, true) for row, true in zip(rows, came_true, strict=True)),
        ours=_score((row.share for row in rows), came_true),
        pert=_score((row.pert_share for row in rows), came_true),
        base=_score((base_rate(came_true[:place]) for place in range(len(came_true))), came_true),
        learned_at=None if lesson is None else lesson.learned_at,
        learned_from=0 if lesson is None else lesson.matters,
    )


def _score(stated: Iterable[float], came_true: list[bool]) -> float | None:
    points = [CalibrationPoint(one, true) for one, true in zip(stated, came_true, strict=True)]
    return brier(points) if points else None
