"""Merge page: into which project a duplicate may go, and what would move and what would end."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.cases.access_control import project_for, visible_projects
from dispatch.cases.project import Project, ProjectState
from dispatch.cases.project_merge import MergePreview, MovedCase, MovedLiaison, MovedWork, preview_merge
from dispatch.catalogue.matter import Matter
from dispatch.core.actor import Actor


@dataclass(frozen=True, slots=True)
class MergeChoice:
    """A project of the same enterprise that the duplicate may go into."""

    project_no: str
    name: str


@dataclass(frozen=True, slots=True)
class MergePage:
    """The duplicate, what it may go into, and what the merge does once one is chosen; the matters by their names."""

    duplicate: Project
    choices: tuple[MergeChoice, ...]
    kept: Project | None
    preview: MergePreview | None
    names: dict[str, str]

    @property
    def fewer(self) -> tuple[MovedCase, ...]:
        """Cases of the kept project that lose a matter which the duplicate has begun."""
        return () if self.preview is None else tuple(one for one in self.preview.kept_cases if one.drops)


@dataclass(frozen=True, slots=True)
class MergePreviewed:
    """The same for programs; ``seen`` names what was read, empty until a project is chosen."""

    project_no: str
    choices: tuple[MergeChoice, ...]
    into: str
    seen: str
    cases: tuple[MovedCase, ...]
    kept_cases: tuple[MovedCase, ...]
    papers: int
    parcels: int
    letters: int
    works: tuple[MovedWork, ...]
    liaisons: tuple[MovedLiaison, ...]
    refusals: tuple[str, ...]


def merge_page(session: Session, viewer: Actor, project_no: str, into: str = "") -> MergePage:
    """The duplicate, and where one is named the project that is kept. Raises NotFound."""
    duplicate = project_for(session, viewer, project_no)
    choices = _choices(session, viewer, duplicate)
    if not into:
        return MergePage(duplicate, choices, None, None, {})
    kept = project_for(session, viewer, into)
    preview = preview_merge(session, duplicate, kept)
    codes = {code for one in (*preview.cases, *preview.kept_cases) for code in (*one.keeps, *one.drops)}
    rows = session.execute(select(Matter.code, Matter.short_name).where(Matter.code.in_(codes)))
    return MergePage(duplicate, choices, kept, preview, dict(rows.tuples().all()))


def _choices(session: Session, viewer: Actor, duplicate: Project) -> tuple[MergeChoice, ...]:
    query = (
        select(Project.project_no, Project.name)
        .where(Project.enterprise_id == duplicate.enterprise_id, Project.id != duplicate.id)
        .where(Project.state != ProjectState.CLOSED, visible_projects(viewer))
        .order_by(Project.id.desc())
        .limit(50)
    )
    return tuple(MergeChoice(row.project_no, row.name) for row in session.execute(query))


def previewed_merge(session: Session, viewer: Actor, project_no: str, into: str = "") -> MergePreviewed:
    """What a program reads before it merges. Raises NotFound."""
    page = merge_page(session, viewer, project_no, into)
    if page.preview is None:
        return MergePreviewed(project_no, page.choices, "", "", (), (), 0, 0, 0, (), (), ())
    preview = page.preview
    return MergePreviewed(
        project_no, page.choices, preview.kept, preview.fingerprint, preview.cases, preview.kept_cases,
        preview.papers, preview.parcels, preview.letters, preview.works, preview.liaisons, preview.refusals,
    )  # fmt: skip
