"""Batches of projects: the list, and one with where each of its projects is and what it waits for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from dispatch.cases.access_control import the_one, visible_batches, visible_cases, visible_projects
from dispatch.cases.case import Case
from dispatch.cases.project import Project, ProjectState
from dispatch.cases.project_batch import MOST_PROJECTS, ProjectBatch
from dispatch.cases.stages import Stage
from dispatch.core.actor import Actor, Role
from dispatch.core.ids import BatchId
from dispatch.core.shanghai_time import in_shanghai
from dispatch.views.enterprise_projects import EnterpriseProjectLine, projects
from dispatch.views.enterprise_turns import Turn


@dataclass(frozen=True, slots=True)
class BatchLine:
    """A batch of the list. ``projects``: how many of them the viewer sees."""

    batch_id: int
    name: str
    gathered_at: datetime
    gathered_by: str
    projects: int
    undone_at: datetime | None


@dataclass(frozen=True, slots=True)
class BatchPage:
    """One batch. ``may_undo``: it is of today and something of it is open."""

    batch_id: int
    name: str
    gathered_at: datetime
    gathered_by: str
    undone_at: datetime | None
    undo_reason: str | None
    projects: tuple[EnterpriseProjectLine, ...]
    may_undo: bool
    may_sign: bool

    def waiting(self, turn: Turn) -> int:
        """How many projects wait for this."""
        return sum(project.waits_for(turn) for project in self.projects)

    @property
    def ended(self) -> int:
        return sum(_has_ended(project) for project in self.projects)


@dataclass(frozen=True, slots=True)
class LooseProject:
    """A project that is in no batch."""

    project_no: str
    name: str


@dataclass(frozen=True, slots=True)
class BatchCode:
    """A case of a batch, and the code to ask after it."""

    project_no: str
    name: str
    case_no: str
    query_code: str


@dataclass(frozen=True, slots=True)
class BatchedCase:
    """A case of a batch as programs read it. ``query_code``: None where another filed it."""

    project_no: str
    name: str
    case_no: str
    stage: Stage
    turn: Turn
    query_code: str | None


@dataclass(frozen=True, slots=True)
class BatchDetail:
    """A batch with its cases, as programs read it."""

    batch_id: int
    name: str
    gathered_at: datetime
    undone_at: datetime | None
    cases: tuple[BatchedCase, ...]


def batches(session: Session, viewer: Actor) -> list[BatchLine]:
    """The batches in the viewer's sight, the newest first."""
    query = (
        select(ProjectBatch, func.count(Project.id))
        .join(Project, Project.batch_id == ProjectBatch.id)
        .where(visible_batches(viewer), visible_projects(viewer), Project.merged_into_id.is_(None))
        .group_by(ProjectBatch.id)
        .order_by(ProjectBatch.id.desc())
        .limit(100)
    )
    return [
        BatchLine(row.id, row.name, row.gathered_at, row.gathered_by, count, row.undone_at)
        for row, count in session.execute(query)
    ]


def loose_projects(session: Session, viewer: Actor) -> list[LooseProject]:
    """The viewer's open projects that are in no batch, the newest first."""
    query = (
        select(Project.project_no, Project.name)
        .where(visible_projects(viewer), Project.batch_id.is_(None), Project.state != ProjectState.CLOSED)
        .order_by(Project.id.desc())
        .limit(MOST_PROJECTS)
    )
    return [LooseProject(*row) for row in session.execute(query)]


def in_sight(session: Session, viewer: Actor, numbers: Sequence[str]) -> list[str]:
    """Those of these projects that the viewer sees: what an agent files for an enterprise may go to another station."""
    query = select(Project.project_no).where(Project.project_no.in_(numbers), visible_projects(viewer))
    return sorted(session.scalars(query))


def batch_page(session: Session, viewer: Actor, batch_id: BatchId, *, at: datetime) -> BatchPage:
    """One batch with its projects. Raises NotFound."""
    batch = batch_for(session, viewer, batch_id)
    lines = tuple(projects(session, viewer, at=at, batch_id=batch.id))
    is_open = any(not _has_ended(line) for line in lines)
    is_today = in_shanghai(batch.gathered_at).date() == in_shanghai(at).date()
    signs = any(line.waits_for(Turn.SIGN_LETTER) for line in lines)
    return BatchPage(
        batch.id, batch.name, batch.gathered_at, batch.gathered_by, batch.undone_at, batch.undo_reason, lines,
        may_undo=is_open and is_today and viewer.role is not Role.SUPERVISOR,
        may_sign=signs and viewer.role is Role.ENTERPRISE,
    )  # fmt: skip


def batch_codes(session: Session, viewer: Actor, batch_id: BatchId) -> list[BatchCode]:
    """The codes of a batch's cases. Staff read those of what they filed themselves. Raises NotFound."""
    batch = batch_for(session, viewer, batch_id)
    query = (
        select(Project.project_no, Project.name, Case)
        .join(Case, Case.project_id == Project.id)
        .where(Project.batch_id == batch.id, visible_cases(viewer))
        .order_by(Project.id, Case.id)
    )
    if viewer.role is not Role.ENTERPRISE:
        query = query.where(Project.filed_by == viewer.account_id)
    return [BatchCode(no, name, case.case_no, case.query_code) for no, name, case in session.execute(query)]


def batch_detail(session: Session, viewer: Actor, batch_id: BatchId, *, at: datetime) -> BatchDetail:
    """One batch as programs read it. Raises NotFound."""
    page = batch_page(session, viewer, batch_id, at=at)
    codes = {one.case_no: one.query_code for one in batch_codes(session, viewer, batch_id)}
    cases = tuple(
        BatchedCase(line.project_no, line.name, case.case_no, case.stage, case.turn, codes.get(case.case_no))
        for line in page.projects
        for case in line.cases
    )
    return BatchDetail(page.batch_id, page.name, page.gathered_at, page.undone_at, cases)


def batch_for(session: Session, viewer: Actor, batch_id: BatchId) -> ProjectBatch:
    """The batch. Raises NotFound."""
    query = select(ProjectBatch).where(ProjectBatch.id == batch_id, visible_batches(viewer))
    return the_one(session, query, f"batch {batch_id}")


def _has_ended(project: EnterpriseProjectLine) -> bool:
    return all(case.has_ended for case in project.cases)
