"""Prescreen: the agent has read every paper once, and every defect is told together."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.acts.act import STAFF, ActContext, act
from dispatch.acts.act_fields import CalendarDate, Reason
from dispatch.acts.case_result import CaseResult, case_result
from dispatch.acts.evidence_keeping import keep_paper
from dispatch.acts.papers import check_is_needed
from dispatch.acts.recording import record_fact
from dispatch.cases.case import Case, Material, MaterialState
from dispatch.cases.fact_event import Fact, FactKind
from dispatch.cases.lookups import lead_agent
from dispatch.cases.notify import day_of, queue_stage_notice
from dispatch.cases.project import Project
from dispatch.cases.review import Review
from dispatch.cases.stages import Stage
from dispatch.core.actor import Actor
from dispatch.core.errors import Refused
from dispatch.core.ids import CaseNo, MaterialId
from dispatch.core.localized_text import LocalizedText
from dispatch.path.edits import Relief


def _prescreen(
    session: Session,
    case: Case,
    *,
    by: Actor,
    at: datetime,
    defects: Mapping[int, str] | None = None,
    deferred: Mapping[int, date] | None = None,
    remarks: str = "",
) -> Case:
    """The agent has read everything once: it passes, or every defect is told together (一次性告知)."""
    case.must_be(Stage.ASSIGNED)
    defects, deferred = dict(defects or {}), dict(deferred or {})
    _check_verdicts(case, defects, deferred, today=day_of(at))
    if not defects:
        defects = {m.id: "尚未提供" for m in case.materials if _is_missing(m) and m.id not in deferred}
    if not defects and session.get_one(Project, case.project_id).delegation_on(day_of(at)) is None:
        raise Refused(
            f"case {case.case_no} has no delegation in force", user_message="委托书尚未签署或已失效，不能通过预审"
        )
    _mark_materials(session, case, defects, deferred, by=by, at=at)
    if defects:
        case.move_to(Stage.CORRECTION, at=at, by=by.label)
        agent = lead_agent(session, case, at)
        words = f"预审发现{len(defects)}处需补正" + (f":{remarks}" if remarks else "")
        queue_stage_notice(
            session, case, at=at, by=by, words=words, count=str(len(defects)), agent=agent.name if agent else ""
        )
    else:
        case.move_to(Stage.PRESCREENED, at=at, by=by.label)
        queue_stage_notice(session, case, at=at, by=by, words=remarks or "预审通过")
    return case


def _check_verdicts(case: Case, defects: Mapping[int, str], deferred: Mapping[int, date], *, today: date) -> None:
    """Raises Refused for what may not be put off or asked for again. The papers are this case's."""
    materials = {m.id: m for m in case.materials}
    for material_id, due_on in deferred.items():
        material = materials[material_id]
        if not material.deferrable:
            raise Refused(
                f"{material.name} cannot be deferred",
                user_message=LocalizedText("“%(name)s”不在可容缺清单内", name=material.name),
            )
        if due_on <= today:
            raise Refused(f"{material.name}: due on {due_on}", user_message="补交期限须晚于今天")
    for material_id in (*deferred, *defects):
        check_is_needed(materials[material_id])
    for material_id, words in defects.items():
        if not words.strip():
            raise Refused(
                f"the defect of {materials[material_id].name} needs words",
                user_message=LocalizedText("请写明“%(name)s”哪里需要补正", name=materials[material_id].name),
            )
        if materials[material_id].state is MaterialState.ACCEPTED:
            raise Refused(
                f"{materials[material_id].name} passed before", user_message="已一次性告知并通过的材料不得再次提出补正"
            )


def _is_missing(material: Material) -> bool:
    """Nobody has given it, and no courier will bring it."""
    return material.state is MaterialState.WANTED and not material.on_paper


def _mark_materials(
    session: Session, case: Case, defects: Mapping[int, str], deferred: Mapping[int, date], *, by: Actor, at: datetime
) -> None:
    """Each paper is defective, put off or accepted from now on."""
    for material in case.materials:
        if defect := defects.get(material.id):
            fact = Fact(kind=FactKind.MATERIAL_REFUSED, words=defect)
            record_fact(session, material, fact, by=by, at=at)
        elif due := deferred.get(material.id):
            record_fact(session, material, Fact(kind=FactKind.MATERIAL_DEFERRED, until=due), by=by, at=at)
            _mark_deferred(session, case, material)
        elif material.state in {MaterialState.GIVEN, MaterialState.DEFECTIVE} or (
            material.on_paper and material.state is MaterialState.WANTED
        ):
            record_fact(session, material, Fact(kind=FactKind.MATERIAL_PASSED), by=by, at=at)
            keep_paper(session, case, material, by=by, at=at)


def _mark_deferred(session: Session, case: Case, material: Material) -> None:
    """容缺受理: the matter goes ahead, and is not decided before the material is in."""
    review = session.scalar(
        select(Review).where(Review.case_id == case.id, Review.matter_id == material.matter_id).limit(1)
    )
    if review is not None:
        review.relief = Relief.DEFERRED


@act(by=STAFF)
@dataclass(frozen=True, slots=True, kw_only=True)
class PrescreenCase:
    """Every defect at once, by material; materials that may follow (容缺), with their day; none: it passes."""

    case: CaseNo
    version: int | None = None
    defects: Mapping[MaterialId, Reason] = field(default_factory=dict)
    deferred: Mapping[MaterialId, CalendarDate] = field(default_factory=dict)
    remarks: Reason = ""

    def perform(self, context: ActContext) -> CaseResult:
        case = context.row(Case, self.case)
        _prescreen(
            context.session, case, by=context.actor, at=context.at,
            defects={int(material): words for material, words in self.defects.items()},
            deferred={int(material): day for material, day in self.deferred.items()}, remarks=self.remarks,
        )  # fmt: skip
        return case_result(case)
