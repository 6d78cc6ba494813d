"""The path drawn: what a project or one of its cases has to go through, with what has happened to it so far."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from dispatch.cases.duration_training import trained_forecast
from dispatch.cases.project import Project
from dispatch.cases.project_path import ProjectPath, project_path
from dispatch.core.limit import law_words
from dispatch.core.localized_text import LocalizedText, Translate
from dispatch.core.working_days import CalendarMissing
from dispatch.forecast.path_sampling import DecidingPlace, NothingToPromise, PathSoFar, prepare_path_samples
from dispatch.forecast.promise import expected_dates
from dispatch.path.approval_graph import Path
from dispatch.path.drawing_layout import lay_out
from dispatch.path.matter_node import Basis
from dispatch.path.path_step import Counting
from dispatch.path.schedule import DatedStep, dated, schedule
from dispatch.path.svg import svg


@dataclass(frozen=True, slots=True)
class DrawnPath:
    """A path as a page shows it: the picture, its words, and how long it takes from acceptance by law and promise."""

    picture: str
    summary: str
    law: str
    promise: str
    matters: int


def drawn_path(
    session: Session,
    project: Project,
    *,
    at: datetime,
    say: Translate = str,
    whole: ProjectPath | None = None,
) -> DrawnPath | None:
    """The project's path; ``whole``: as it was read before, or as far as one case goes.

    None when there are none."""
    mine = whole or project_path(session, project, at=at)
    if mine is None:
        return None
    plan = schedule(mine.path, Basis.COMMITTED, Counting.ELAPSED)
    dates = dates_of(session, mine)
    sheet = lay_out(
        mine.path, plan, title=say(LocalizedText("%(name)s的审批线路", name=project.name)), dates=dates, say=say,
        calendar=mine.calendar if dates else None,
        start_on=mine.start_on if dates else None, today=mine.today if dates else None,
    )  # fmt: skip
    has_law = any(step.matter.statutory is not None for step in mine.path.steps)
    return DrawnPath(
        picture=svg(sheet, say=say),
        summary=sheet.summary,
        law=_whole(mine.path, Basis.STATUTORY) if has_law else law_words(None),
        promise=_whole(mine.path, Basis.COMMITTED),
        matters=len(mine.path.steps),
    )


def _whole(path: Path, basis: Basis) -> str:
    """How long the whole path takes from its acceptance on."""
    days = schedule(path, basis, Counting.ELAPSED).horizon
    return LocalizedText("受理后%(n)s个工作日内", n=days) if days else LocalizedText("即时")


def dates_of(session: Session, mine: ProjectPath) -> dict[str, DatedStep] | None:
    """Legal, committed and expected day of each matter (法定, 承诺, 预计).

    None when the path reaches into a year without a calendar: then it is drawn without dates."""
    try:
        expected = _expected(session, mine)
        steps = dated(
            mine.path, mine.calendar, mine.start_on, today=mine.today, progress=mine.progress, expected=expected
        )
        return {step.code: step for step in steps}
    except CalendarMissing:
        return None


def _expected(session: Session, mine: ProjectPath) -> dict[str, date]:
    """Each matter's own expected day; none where nothing that is left takes time."""
    so_far = PathSoFar(mine.calendar, mine.start_on, mine.today, mine.progress, mine.paused_wd, mine.pause_ahead_wd)
    try:
        ready = prepare_path_samples(
            mine.path, trained_forecast(session).durations, place=DecidingPlace(mine.city, mine.authorities),
            goals=mine.path.codes, so_far=so_far,
        )  # fmt: skip
    except NothingToPromise:
        return {}
    return expected_dates(ready, mine.calendar, mine.start_on)
