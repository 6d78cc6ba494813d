"""The path page: a project's approval path with what its lead changed, and what may be changed."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from dispatch.acts.path_editing import in_words
from dispatch.cases.access_control import project_for
from dispatch.cases.project import Project
from dispatch.cases.project_path import project_path
from dispatch.core.actor import Actor
from dispatch.core.localized_text import LocalizedText, Translate
from dispatch.path.approval_graph import Path
from dispatch.path.drawing_text import step_law_words, step_promise_words
from dispatch.path.edit_log import PathEdit, read_edits
from dispatch.path.matter_node import Basis
from dispatch.path.path_step import Counting, WaitLink
from dispatch.path.schedule import schedule
from dispatch.views.enterprise_path import DrawnPath, drawn_path
from dispatch.views.path_figures import PathFigures, path_figures


@dataclass(frozen=True, slots=True)
class PathMatterLine:
    """One matter of the path: what it waits for, its limits, how much it may slip."""

    code: str
    short: str
    name: str
    waits: tuple[tuple[str, str, bool], ...]  # code, words, whether the lead changed it
    law: str
    promise: str
    own_days: int | None
    slack: int
    is_critical: bool
    may_drop: bool


@dataclass(frozen=True, slots=True)
class EditLine:
    """One line of the history: what was changed, why, by whom, and whether it holds."""

    made: PathEdit
    words: str
    fits: bool


@dataclass(frozen=True, slots=True)
class PathPage:
    """A project's path; without matters there is no drawing and there are no lines."""

    project: Project
    drawing: DrawnPath | None
    figures: PathFigures | None
    lines: tuple[PathMatterLine, ...]
    edits: tuple[EditLine, ...]


def path_page(session: Session, viewer: Actor, project_no: str, *, at: datetime, say: Translate = str) -> PathPage:
    """``say`` is the reader's language. Raises NotFound."""
    project = project_for(session, viewer, project_no)
    mine = project_path(session, project, at=at)
    kept = read_edits(project.path_edits)
    if mine is None:
        return PathPage(project, None, None, (), tuple(EditLine(one, one.edit.reason, False) for one in kept))
    bare = project_path(session, project, at=at, edits=[])
    names = mine.path if bare is None else Path((*bare.path.steps, *mine.path.steps))
    unmet = [edit for edit, _ in mine.path.unmet]
    edits = tuple(EditLine(one, in_words(one, names), one.stands and one.edit not in unmet) for one in reversed(kept))
    drawing, figures = drawn_path(session, project, at=at, say=say), path_figures(session, project, mine)
    return PathPage(project, drawing, figures, _lines(mine.path, set(mine.progress)), edits)


def _wait_words(name: str, link: WaitLink) -> str:
    return LocalizedText("%(name)s（办结前）", name=name) if link is WaitLink.DECISION else name


def _lines(path: Path, begun: set[str]) -> tuple[PathMatterLine, ...]:
    plan = schedule(path, Basis.COMMITTED, Counting.ELAPSED)
    short = {step.code: step.matter.short for step in path.steps}
    found = []
    for step in path.steps:
        timing = plan.of(step.code)
        found.append(
            PathMatterLine(
                code=step.code,
                short=step.matter.short,
                name=step.matter.name,
                waits=tuple((wait.on, _wait_words(short[wait.on], wait.link), bool(wait.why)) for wait in step.waits),
                law=step_law_words(step),
                promise=step_promise_words(step),
                own_days=step.own_days,
                slack=timing.slack,
                is_critical=timing.is_critical,
                may_drop=step.code not in begun,
            )
        )
    return tuple(found)
