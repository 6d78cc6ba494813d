"""Calibration: what was promised against what came of it, beside simpler forecasts, within the viewer's reach."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.cases.access_control import visible_cases
from dispatch.cases.case import Case
from dispatch.cases.duration_training import Lesson, Promised
from dispatch.core.actor import Viewer
from dispatch.forecast.calibration import Reliability, Said, base_rate, brier, by_stated, close, reliability
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


def calibration_page(session: Session, viewer: Viewer) -> CalibrationPage:
    """Reliability by decile, and Brier scores of ours, of PERT's normal sum and of the base rate."""
    rows = session.execute(
        select(Promised.kept, Promised.share, Promised.pert_share, Promised.promised_wd, Promised.took_wd)
        .join(Case, Case.id == Promised.case_id)
        .where(visible_cases(viewer), Promised.is_yardstick, Promised.took_wd.is_not(None))
        .order_by(Promised.ended_at, Promised.id)
    ).all()
    came_true = [row.took_wd <= row.promised_wd for row in rows]
    lesson = session.scalar(select(Lesson).order_by(Lesson.id.desc()).limit(1))
    return CalibrationPage(
        cases=len(rows),
        kept=sum(came_true),
        deciles=reliability([close(recalled(row.kept), row.took_wd) for row in rows]),
        stated=by_stated(Said(row.share, true) for row, true in zip(rows, came_true, strict=True)),
        ours=_score((row.share for row in rows), came_true),
        pert=_score((row.pert_share for row in rows), came_true),
        base=_score((base_rate(came_true[:place]) for place in range(len(came_true))), came_true),
        learned_at=None if lesson is None else lesson.learned_at,
        learned_from=0 if lesson is None else lesson.matters,
    )


def _score(stated: Iterable[float], came_true: list[bool]) -> float | None:
    said = [Said(one, true) for one, true in zip(stated, came_true, strict=True)]
    return brier(said) if said else None
