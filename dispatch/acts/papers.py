"""Papers: a material is given, and the corrections are in."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from dispatch.acts.act import APPLICANTS, ActContext, act
from dispatch.acts.act_fields import CalendarDate, Name, Reason, SecondOfDay
from dispatch.acts.case_result import CaseResult, PaperResult, case_result
from dispatch.acts.recording import JUST_NOW, Happening, record_fact
from dispatch.cases.case import Case, Material, MaterialState
from dispatch.cases.due_moments import prescreen_due
from dispatch.cases.fact_event import Fact, FactKind
from dispatch.cases.notify import add_timeline_event, day_of
from dispatch.cases.stages import Stage
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.core.actor import Actor, Role
from dispatch.core.errors import Refused, WrongStage
from dispatch.core.ids import CaseNo, FileId, MaterialId
from dispatch.core.localized_text import ListText, LocalizedText

CLOSED = frozenset({MaterialState.HELD, MaterialState.ACCEPTED, MaterialState.NOT_NEEDED, MaterialState.WAIVED})


def may_give(case: Case, material: Material) -> bool:
    """Before the prescreen everything may be given or given anew; afterwards only what is owed."""
    if case.has_ended or material.state in CLOSED:
        return False
    if material.state is MaterialState.DEFERRED:
        return material.is_owed
    return case.stage in {Stage.REQUESTED, Stage.ASSIGNED, Stage.CORRECTION} and (
        not material.on_paper or material.state is MaterialState.DEFECTIVE
    )


def check_is_needed(material: Material) -> None:
    """Raises WrongStage for a material that its case asks for no longer."""
    if material.state is MaterialState.NOT_NEEDED:
        raise WrongStage(f"{material.name} is not needed", user_message="事项已更正，不再需要这份材料")
    if material.state is MaterialState.WAIVED:
        raise WrongStage(f"{material.name} is waived", user_message="这份材料已列为不适用；需要的话请先恢复")


def _give_material(
    session: Session,
    material: Material,
    *,
    sha256: str,
    media_type: str,
    filename: str,
    by: Actor,
    at: datetime,
    when: Happening = JUST_NOW,
) -> None:
    """The enterprise gave one material; a defective one is thereby given anew."""
    case = material.case
    if case.has_ended:
        raise WrongStage(f"case {case.case_no} has ended")
    check_is_needed(material)
    was_owed = material.state is MaterialState.DEFERRED
    fact = Fact(kind=FactKind.MATERIAL_GIVEN, document=sha256, media_type=media_type, filename=filename)
    record_fact(session, material, fact, when, by=by, at=at)
    if was_owed:
        add_timeline_event(
            session, case, kind="supplied", by=by, at=at, words=LocalizedText("已补交：%(name)s", name=material.name)
        )
    case.version += 1


def correct(session: Session, case: Case, *, by: Actor, at: datetime) -> Case:
    """The enterprise has mended every defect: the case is with its agent again."""
    case.must_be(Stage.CORRECTION)
    left = [m.name for m in case.materials if m.state is MaterialState.DEFECTIVE and not m.on_paper]
    if left:
        raise Refused(
            f"{len(left)} defects are left",
            user_message=LocalizedText("还有%(n)s份材料未补正：%(names)s", n=len(left), names=ListText(left[:5])),
        )
    for material in case.materials:
        if material.state is MaterialState.DEFECTIVE:
            record_fact(session, material, Fact(kind=FactKind.MATERIAL_MENDED), by=by, at=at)
    case.prescreen_by = prescreen_due(calendar_of(session), at)
    case.move_to(Stage.ASSIGNED, at=at, by=by.label)
    add_timeline_event(session, case, kind="corrected", by=by, at=at, words="已补正，待预审")
    return case


@act(by=APPLICANTS)
@dataclass(frozen=True, slots=True, kw_only=True)
class GiveMaterial:
    """A material of the case is given: a kept file, its kind and its name.

    ``on``, ``second``: when it was brought to the counter, where that was earlier; only the staff can say so."""

    case: CaseNo
    version: int | None = None
    material_id: MaterialId
    sha256: FileId
    media_type: Name = ""
    filename: Reason = ""
    on: CalendarDate | None = None
    second: SecondOfDay | None = None
    late_reason: Reason = ""

    def perform(self, context: ActContext) -> PaperResult:
        case, material = context.row(Case, self.case), context.row(Material, self.material_id)
        if context.actor.role is Role.ENTERPRISE and (self.on or day_of(context.at)) != day_of(context.at):
            raise Refused(f"given on {self.on}, says the enterprise", user_message="以前交到窗口的材料请由代办员补登")
        if context.actor.role is Role.ENTERPRISE and not may_give(case, material):
            raise Refused(
                f"material {material.id} of {case.case_no} is not asked for", user_message="这份材料现在不需要上传"
            )
        _give_material(
            context.session, material, sha256=self.sha256, media_type=self.media_type,
            filename=self.filename, by=context.actor, at=context.at,
            when=Happening(on=self.on, second=self.second, late_reason=self.late_reason),
        )  # fmt: skip
        return PaperResult(material.id, material.state, self.sha256)


@act(by=APPLICANTS)
@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnCorrected:
    """Every defect is mended: the case goes back to its agent."""

    case: CaseNo
    version: int | None = None

    def perform(self, context: ActContext) -> CaseResult:
        case = context.row(Case, self.case)
        correct(context.session, case, by=context.actor, at=context.at)
        return case_result(case)
