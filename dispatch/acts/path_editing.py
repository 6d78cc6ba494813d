"""Path editing: a lead changes a project's path, with a reason; a ring is refused by name; all can be undone."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from annotated_types import Ge, Le, MaxLen
from sqlalchemy import update
from sqlalchemy.orm import Session

from dispatch.acts.act import LEADS, ActContext, act
from dispatch.acts.act_fields import Wanted
from dispatch.cases.case import Case
from dispatch.cases.lookups import open_cases
from dispatch.cases.notify import add_timeline_event
from dispatch.cases.project import Project
from dispatch.cases.project_path import ProjectPath, project_path, reviews_by_matter
from dispatch.core.actor import Actor
from dispatch.core.errors import NotFound, Refused
from dispatch.core.ids import ProjectNo
from dispatch.path.approval_graph import Path
from dispatch.path.edit_log import KINDS, PathEdit, read_edits, standing, taken_back, write_edits
from dispatch.path.edits import DropMatter, Edit, SetDays
from dispatch.path.errors import BadDays, CycleFound, PathError, UnknownMatter

LONGEST_REASON = 200


def _edit_path(session: Session, project: Project, edit: Edit, *, kind: str, by: Actor, at: datetime) -> PathEdit:
    """One more edit of a locked project's path. Raises Refused with what is wrong, and then nothing has changed."""
    _check(edit.reason)
    mine = _path(session, project, at)
    if isinstance(edit, DropMatter) and edit.code in {code for code, _ in reviews_by_matter(session, project)}:
        raise Refused(f"{edit.code} is in a case", user_message="该事项已在办件中，不能标为不需要")
    if isinstance(edit, SetDays) and (before := mine.path.step(edit.code).own_days) is not None and before == edit.days:
        raise Refused(f"{edit.code} has {before} days already", user_message="期限没有变化")
    try:
        after = mine.path.edited(edit)
    except PathError as error:
        raise Refused(str(error), user_message=_words(mine.path, error)) from error
    if not after.steps:
        raise Refused("nothing would be left", user_message="线路至少要有一个事项")
    if after.steps == mine.path.steps:
        raise Refused("nothing would change", user_message="线路没有变化")
    kept = read_edits(project.path_edits)
    made = PathEdit(len(kept) + 1, kind, edit, by.label, at)
    _keep(session, project, [*kept, made], words=f"调整审批线路：{in_words(made, mine.path)}", by=by, at=at)
    return made


def _undo_edit(session: Session, project: Project, number: int, *, reason: str, by: Actor, at: datetime) -> PathEdit:
    """Take one edit back. Refused where a later one rests on it: that one has to go first."""
    _check(reason)
    kept = read_edits(project.path_edits)
    found = next((one for one in kept if one.number == number and one.stands), None)
    if found is None:
        raise NotFound(f"no standing edit {number} of project {project.project_no}")
    before = _path(session, project, at)
    undone = taken_back(found, by=by.label, at=at, reason=reason.strip())
    rest = [undone if one.number == number else one for one in kept]
    after = _path(session, project, at, edits=standing(write_edits(rest)))
    overtaken = {edit for edit, _ in before.path.unmet}
    for edit, error in after.path.unmet:
        if edit not in overtaken:
            raise Refused(
                f"{edit} rests on edit {number}: {error}",
                user_message=f"请先撤销依赖它的调整：{_words(before.path, error)}",
            )
    _keep(session, project, rest, words=f"撤销审批线路调整：{in_words(found, after.path)}", by=by, at=at)
    return undone


def in_words(one: PathEdit, path: Path) -> str:
    """What an edit does, with the matters' short names."""
    edit = one.edit
    name = _name(path, getattr(edit, "code", ""))
    on = _name(path, getattr(edit, "on", ""))
    match one.kind:
        case "add_wait":
            return f"{name}须待{on}之后"
        case "drop_wait":
            return f"{name}不再等待{on}"
        case "defer":
            return f"{name}容缺受理，{on}在办结前补齐"
        case "set_days":
            return f"{name}期限定为{edit.days if isinstance(edit, SetDays) else 0}个工作日"
        case "drop_matter":
            return f"{name}标为不需要"
    raise ValueError(f"{one.kind} is none of {', '.join(KINDS)}")


def _check(reason: str) -> None:
    if not reason.strip():
        raise Refused("an edit needs its reason", user_message="请填写调整理由")
    if len(reason) > LONGEST_REASON:
        raise Refused("the reason is too long", user_message=f"理由请在{LONGEST_REASON}字以内")


def _path(session: Session, project: Project, at: datetime, *, edits: list[Edit] | None = None) -> ProjectPath:
    mine = project_path(session, project, at=at, edits=edits)
    if mine is None:
        raise Refused(f"project {project.project_no} has no path", user_message="该项目还没有审批线路")
    return mine


def _name(path: Path, code: str) -> str:
    return next((step.matter.short for step in path.steps if step.code == code), code)


def _words(path: Path, error: PathError) -> str:
    if isinstance(error, CycleFound):
        return f"不能这样调整，会互相等待：{' → '.join(_name(path, code) for code in error.cycle)}"
    if isinstance(error, BadDays):
        return "期限须在1个工作日到法定时限之间；土地招拍挂、招标不能缩短"
    if isinstance(error, UnknownMatter):
        return "线路中没有这个事项，或没有这条先后关系"
    return "线路不能这样调整"


def _keep(session: Session, project: Project, edits: list[PathEdit], *, words: str, by: Actor, at: datetime) -> None:
    project.path_edits = write_edits(edits)
    project.version += 1
    cases = open_cases(session, project)
    for case in cases:
        add_timeline_event(session, case, kind="path", by=by, at=at, words=words, internal=True)
    # The expected dates rest on the path: the schedule looks at these cases anew.
    session.execute(update(Case).where(Case.id.in_([case.id for case in cases])).values(forecast_at=None))
    session.flush()


KIND_WORDS, DAYS_WORDS = "请选择调整内容", "请填写工作日数"
Code = Annotated[str, MaxLen(40)]


@dataclass(frozen=True, slots=True)
class PathEditResult:
    """An edit of a project's path: its number, and the project's version after it."""

    project_no: str
    number: int
    version: int


@act(by=LEADS)
@dataclass(frozen=True, slots=True, kw_only=True)
class EditPath:
    """One thing of a project's path is changed, with a reason: which, by ``kind``, of which matter and on which."""

    project: ProjectNo
    version: int | None = None
    kind: Annotated[Literal["add_wait", "drop_wait", "defer", "set_days", "drop_matter"] | None, Wanted(KIND_WORDS)] = (
        None
    )
    code: Code = ""
    on: Code = ""
    days: Annotated[int | None, Ge(0), Le(999), Wanted(DAYS_WORDS)] = None
    reason: Annotated[str, MaxLen(1000)] = ""

    def perform(self, context: ActContext) -> PathEditResult:
        project = context.row(Project, self.project)
        if self.kind is None:
            raise Refused("no kind of edit", user_message=KIND_WORDS)
        if self.kind == "set_days" and self.days is None:
            raise Refused("no working days", user_message=DAYS_WORDS)
        kept: dict[str, Any] = {"code": self.code, "on": self.on, "reason": self.reason, "days": self.days or 0}
        made = _edit_path(
            context.session, project, KINDS[self.kind](kept), kind=self.kind, by=context.actor, at=context.at
        )
        return PathEditResult(project.project_no, made.number, project.version)


@act(by=LEADS)
@dataclass(frozen=True, slots=True, kw_only=True)
class UndoPathEdit:
    """One edit of a project's path is taken back, with a reason."""

    project: ProjectNo
    version: int | None = None
    number: int
    reason: Annotated[str, MaxLen(1000)] = ""

    def perform(self, context: ActContext) -> PathEditResult:
        project = context.row(Project, self.project)
        undone = _undo_edit(context.session, project, self.number, reason=self.reason, by=context.actor, at=context.at)
        return PathEditResult(project.project_no, undone.number, project.version)
