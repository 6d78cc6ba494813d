"""Evidence keeping: results and checked papers enter the register by themselves, and leave it when they fall."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import and_, or_, select, update
from sqlalchemy.orm import Session

from dispatch.acts.expiring_evidence import take_back_reminder
from dispatch.acts.recording import JUST_NOW, record_fact, recording_of
from dispatch.cases.case import Case, Material, MaterialState
from dispatch.cases.evidence import Evidence, EvidenceOrigin
from dispatch.cases.fact_event import Fact, FactKind
from dispatch.cases.notify import add_timeline_event, day_of
from dispatch.cases.noun_record import add_event
from dispatch.cases.project import Project
from dispatch.cases.recorded_event import standing_events
from dispatch.cases.review import Review
from dispatch.cases.review_state import ReviewState
from dispatch.cases.stages import ENDS
from dispatch.catalogue.material_source import RESULT_OF
from dispatch.catalogue.matter import Family, MaterialMode, Requirement
from dispatch.core.actor import Actor
from dispatch.core.localized_text import LocalizedText

OF_THE_ENTERPRISE = "register:"  # papers about the enterprise itself: they serve each of its projects
HELD_BY = frozenset({FactKind.MATERIAL_HELD, FactKind.MATERIAL_LOOKED_UP})


def settle_result(session: Session, review: Review, *, by: Actor, at: datetime, reason: str = "") -> None:
    """What a matter produces stands in the register while it stands granted, and what waits for it is held."""
    kept = session.scalars(select(Evidence).where(Evidence.review_id == review.id, Evidence.withdrawn_at.is_(None)))
    rows = kept.all()
    if review.state is ReviewState.GRANTED and review.revoked_at is None:
        if not rows:
            _keep_result(session, review, by=by, at=at)
            _results_are_there(session, review, by=by, at=at)
        for row in rows:
            row.number = review.decision_no or ""
        return
    for row in rows:
        withdraw(session, row, reason=reason, by=by, at=at)


def _keep_result(session: Session, review: Review, *, by: Actor, at: datetime) -> None:
    project = session.get_one(Project, session.get_one(Case, review.case_id).project_id)
    serves_all = review.matter.family is Family.BUSINESS_OPENING
    for name in review.matter.result_name.replace("；", ";").split(";"):
        if name.strip():
            session.add(
                Evidence(
                    enterprise_id=project.enterprise_id, project_id=None if serves_all else project.id,
                    name=name.strip(), origin=EvidenceOrigin.RESULT, number=review.decision_no or "",
                    issued_on=None if review.decided_at is None else day_of(review.decided_at), review_id=review.id,
                    recorded_at=at, recorded_by=by.label, account_id=by.account_id,
                )
            )  # fmt: skip
    session.flush()


def keep_paper(session: Session, case: Case, material: Material, *, by: Actor, at: datetime) -> None:
    """A copy was checked: it need not be given again."""
    if material.mode is not MaterialMode.COPY or material.sha256 is None:
        return
    project = session.get_one(Project, case.project_id)
    row = material.requirement
    serves_all = row is not None and (row.source.startswith(OF_THE_ENTERPRISE))
    session.add(
        Evidence(
            enterprise_id=project.enterprise_id, project_id=None if serves_all else project.id, name=material.name,
            origin=EvidenceOrigin.PAPER, sha256=material.sha256, material_id=material.id, recorded_at=at,
            recorded_by=by.label, account_id=by.account_id,
        )
    )  # fmt: skip


def settle_paper(session: Session, material: Material, *, reason: str, by: Actor, at: datetime) -> None:
    """A checked copy was put right: its row follows, or is withdrawn where nothing was given."""
    kept = select(Evidence).where(Evidence.material_id == material.id, Evidence.withdrawn_at.is_(None))
    for row in session.scalars(kept).all():
        if material.sha256 is not None and material.state is MaterialState.ACCEPTED:
            row.sha256 = material.sha256
        else:
            withdraw(session, row, reason=reason, by=by, at=at)


def withdraw(session: Session, row: Evidence, *, reason: str, by: Actor, at: datetime) -> None:
    """The paper proves nothing any more: what rests on it in open cases is awaited, or asked for, again."""
    row.withdrawn_at, row.withdrawal_reason = at, reason
    take_back_reminder(session, row)
    for material in _resting_on(session, row):
        _let_go(session, material, row, reason=reason, by=by, at=at)
        material.case.version += 1
        material.case.changed_by = by.label
    session.flush()


def _let_go(session: Session, material: Material, row: Evidence, *, reason: str, by: Actor, at: datetime) -> None:
    """The material rests on this row no longer: it is awaited, or asked for, again."""
    if row.origin is EvidenceOrigin.RESULT:
        awaited = Fact(kind=FactKind.MATERIAL_AWAITED, words=reason)
        record_fact(session, material, awaited, by=by, at=at)
    else:
        held = next(e for e in reversed(standing_events(material.facts)) if e.kind in HELD_BY)
        recording = recording_of(JUST_NOW, by=by, at=at, corrects=held.id, reason=reason or "证据已撤回")
        add_event(material, None, recording)
    material.evidence_id = None
    words = LocalizedText("“%(name)s”的依据已撤回，不再算作已有：%(reason)s", name=material.name, reason=reason)
    add_timeline_event(session, material.case, kind="evidence_withdrawn", by=by, at=at, words=words)


def follow_enterprise(session: Session, project: Project, *, reason: str, by: Actor, at: datetime) -> None:
    """The project is another enterprise's: its papers are that one's, and rest on nothing of the former."""
    of_project = select(Material.id).join(Case, Case.id == Material.case_id).where(Case.project_id == project.id)
    own = select(Evidence).where(or_(Evidence.project_id == project.id, Evidence.material_id.in_(of_project)))
    for row in session.scalars(own):
        row.enterprise_id = project.enterprise_id
    session.flush()
    borrowed = (
        select(Material, Evidence)
        .join(Evidence, Evidence.id == Material.evidence_id)
        .join(Case, Case.id == Material.case_id)
        .where(
            Case.project_id == project.id, Case.stage.not_in(ENDS), Material.state == MaterialState.HELD,
            Evidence.enterprise_id != project.enterprise_id,
        )
        .order_by(Material.id)
    )  # fmt: skip
    for material, row in session.execute(borrowed).all():
        _let_go(session, material, row, reason=reason, by=by, at=at)
    session.flush()


def follow_merge(session: Session, duplicate: Project, kept: Project) -> None:
    """What counted for the duplicate counts for the project that is kept."""
    moved = update(Evidence).where(Evidence.project_id == duplicate.id).values(project_id=kept.id)
    session.execute(moved.execution_options(synchronize_session="fetch"))


def _resting_on(session: Session, row: Evidence) -> list[Material]:
    by_result = and_(
        Requirement.source == _source_of(session, row), Case.project_id == row.project_id,
        Material.evidence_id.is_(None),
    )  # fmt: skip
    query = (
        select(Material)
        .join(Case, Case.id == Material.case_id)
        .outerjoin(Requirement, Requirement.id == Material.requirement_id)
        .where(
            Material.state == MaterialState.HELD, Case.stage.not_in(ENDS),
            or_(Material.evidence_id == row.id, by_result),
        )
        .order_by(Material.id)
    )  # fmt: skip
    return list(session.scalars(query))


def _source_of(session: Session, row: Evidence) -> str:
    return "" if row.review_id is None else f"{RESULT_OF}{session.get_one(Review, row.review_id).matter.code}"


def _results_are_there(session: Session, review: Review, *, by: Actor, at: datetime) -> None:
    """What the project's open cases await of this matter is held from now on."""
    project_id = select(Case.project_id).where(Case.id == review.case_id).scalar_subquery()
    awaited = (
        select(Material)
        .join(Case, Case.id == Material.case_id)
        .join(Requirement, Requirement.id == Material.requirement_id)
        .where(
            Case.project_id == project_id, Case.stage.not_in(ENDS), Material.state == MaterialState.AWAITED,
            Requirement.source == f"{RESULT_OF}{review.matter.code}",
        )
        .order_by(Material.id)
    )  # fmt: skip
    mine = select(Evidence).where(Evidence.review_id == review.id, Evidence.withdrawn_at.is_(None))
    rows = {row.name: row for row in session.scalars(mine)}
    hold(session, session.scalars(awaited), rows, by=by, at=at)


def hold(
    session: Session, materials: Iterable[Material], rows: dict[str, Evidence], *, by: Actor, at: datetime
) -> None:
    """These materials are held, each by the row of its name; without one, by whatever there is of it."""
    for material in materials:
        row = rows.get(material.name) or next(iter(rows.values()), None)
        held = Fact(kind=FactKind.MATERIAL_HELD, document_no="" if row is None else row.number)
        record_fact(session, material, held, by=by, at=at)
        material.evidence_id = None if row is None else row.id
