"""The evidence register of an enterprise: what it holds, until when, and where that was used."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.cases.access_control import project_for, visible_cases
from dispatch.cases.case import Case, Material
from dispatch.cases.evidence import ORIGIN_LABEL, Evidence, EvidenceOrigin
from dispatch.cases.project import Enterprise, Project
from dispatch.core.actor import Actor

MOST = 200


@dataclass(frozen=True, slots=True)
class EvidenceLine:
    """One paper that is or was held. ``project``: it serves that project alone; ``used_in``: cases that rest on it."""

    id: int
    name: str
    origin: str
    number: str
    issued_on: date | None
    valid_until: date | None
    reference: str
    project: str | None
    used_in: tuple[str, ...]
    is_valid: bool
    withdrawal_reason: str
    may_be_withdrawn: bool


@dataclass(frozen=True, slots=True)
class EvidencePage:
    """The register of one enterprise, what stands first."""

    enterprise: str
    project_no: str
    version: int
    lines: tuple[EvidenceLine, ...]


def evidence_of_project(session: Session, viewer: Actor, project_no: str, *, on: date) -> EvidencePage:
    """What the project's enterprise holds for it. Raises NotFound."""
    project = project_for(session, viewer, project_no)
    name = session.get_one(Enterprise, project.enterprise_id).name
    lines = _lines(session, viewer, project.enterprise_id, on=on, project_id=project.id)
    return EvidencePage(name, project.project_no, project.version, lines)


def own_evidence(session: Session, viewer: Actor, *, on: date) -> tuple[EvidenceLine, ...]:
    """What the viewer's enterprise holds."""
    assert viewer.enterprise_id is not None
    return _lines(session, viewer, viewer.enterprise_id, on=on)


def _lines(
    session: Session, viewer: Actor, enterprise_id: int, *, on: date, project_id: int | None = None
) -> tuple[EvidenceLine, ...]:
    query = (
        select(Evidence, Project.name)
        .outerjoin(Project, Project.id == Evidence.project_id)
        .where(Evidence.enterprise_id == enterprise_id)
    )
    if project_id is not None:
        query = query.where(Evidence.project_id.is_(None) | (Evidence.project_id == project_id))
    order = (Evidence.withdrawn_at.is_not(None), Evidence.name, Evidence.id.desc())
    rows = session.execute(query.order_by(*order).limit(MOST)).all()
    used: dict[int, list[str]] = defaultdict(list)
    resting = (
        select(Material.evidence_id, Case.case_no)
        .join(Case, Case.id == Material.case_id)
        .where(Material.evidence_id.in_([row.id for row, _ in rows]), visible_cases(viewer))
        .order_by(Case.case_no)
    )
    for evidence_id, case_no in session.execute(resting):
        if evidence_id is not None:
            used[evidence_id].append(case_no)
    return tuple(_line(row, project, tuple(dict.fromkeys(used[row.id])), on) for row, project in rows)


def _line(row: Evidence, project: str | None, used_in: tuple[str, ...], on: date) -> EvidenceLine:
    return EvidenceLine(
        row.id, row.name, ORIGIN_LABEL[row.origin], row.number, row.issued_on, row.valid_until, row.reference, project,
        used_in, row.is_valid(on), row.withdrawal_reason,
        row.withdrawn_at is None and row.origin is not EvidenceOrigin.RESULT,
    )  # fmt: skip
