"""Project corrections: what was put right of a project, as the team and the enterprise read it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.cases.project import Project
from dispatch.cases.project_correction import PART_LABEL, ProjectCorrection


@dataclass(frozen=True, slots=True)
class ProjectCorrectionLine:
    """One correction: what of the project, what stood there, what is right, why, when and by whom."""

    label: str
    was: str
    now: str
    reason: str
    recorded_at: datetime
    recorded_by: str


def correction_lines(session: Session, project: Project) -> tuple[ProjectCorrectionLine, ...]:
    """The newest first."""
    rows = session.scalars(
        select(ProjectCorrection)
        .where(ProjectCorrection.project_id == project.id)
        .order_by(ProjectCorrection.id.desc())
    )
    return tuple(
        ProjectCorrectionLine(PART_LABEL[row.part], row.was, row.now, row.reason, row.recorded_at, row.recorded_by)
        for row in rows
    )


def kept_number(session: Session, project: Project) -> str | None:
    """The number of the project that this one was merged into."""
    if project.merged_into_id is None:
        return None
    return session.get_one(Project, project.merged_into_id).project_no
