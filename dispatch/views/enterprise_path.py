"""The path drawn: what a project or one of its cases has to go through, with what has happened to it so far."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from dispatch.cases.project import Project
from dispatch.cases.project_path import ProjectPath, project_path
from dispatch.core.localized_text import LocalizedText, Translate
from dispatch.core.working_days import CalendarMissing
from dispatch.path.drawing_layout import lay_out
from dispatch.path.matter_node import Basis
from dispatch.path.path_step import Counting
from dispatch.path.schedule import DatedStep, dated, schedule
from dispatch.path.svg import svg


@dataclass(frozen=True, slots=True)
class DrawnPath:
    """A path as a page shows it: the picture, its words, and how many working days it takes from acceptance."""

    picture: str
    summary: str
    statutory_wd: int
    committed_wd: int
    matters: int


def drawn_path(
    session: Session,
    project: Project,
    *,
    at: datetime,
    only: Collection[str] | None = None,
    start_on: date | None = None,
    say: Translate = str,
) -> DrawnPath | None:
    """The project's whole path, or just the matters in ``only`` (those of one case). None when there are none."""
    mine = project_path(session, project, at=at, only=only, start_on=start_on)
    if mine is None:
        return None
    plan = schedule(mine.path, Basis.COMMITTED, Counting.ELAPSED)
    dates = dates_of(mine)
    sheet = lay_out(
        mine.path, plan, title=say(LocalizedText("%(name)s的审批线路", name=project.name)), dates=dates, say=say,
        calendar=mine.calendar if dates else None,
        start_on=mine.start_on if dates else None, today=mine.today if dates else None,
    )  # fmt: skip
    return DrawnPath(
        picture=svg(sheet, say=say),
        summary=sheet.summary,
        statutory_wd=schedule(mine.path, Basis.STATUTORY, Counting.ELAPSED).horizon,
        committed_wd=plan.horizon,
        matters=len(mine.path.steps),
    )


def dates_of(mine: ProjectPath) -> dict[str, DatedStep] | None:
    """None when the path reaches into a year without a calendar: then it is drawn without dates."""
    try:
        steps = dated(mine.path, mine.calendar, mine.start_on, today=mine.today, progress=mine.progress)
        return {step.code: step for step in steps}
    except CalendarMissing:
        return None
