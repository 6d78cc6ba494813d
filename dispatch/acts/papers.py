"""Papers: a material is given, and the corrections are in."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from dispatch.acts.act import APPLICANTS, ActContext, act
from dispatch.acts.act_fields import Name, Reason
from dispatch.acts.case_result import CaseResult, PaperResult, case_result
from dispatch.assignment.staffing import PRESCREEN_WD
from dispatch.cases.case import Case, Material, MaterialState
from dispatch.cases.lookups import due
from dispatch.cases.notify import add_timeline_event
from dispatch.cases.stages import Stage
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.core.actor import Actor
from dispatch.core.errors import Refused, WrongStage
from dispatch.core.ids import CaseNo, FileId, MaterialId
from dispatch.core.localized_text import ListText, LocalizedText


def give_material(
    session: Session,
    case: Case,
    material: Material,
    *,
    sha256: str,
    media_type: str,
    filename: str,
    by: Actor,
    at: datetime,
) -> None:
    """The enterprise gave one material; a defective one is thereby given anew."""
    if case.has_ended:
        raise WrongStage(f"case {case.case_no} has ended")
    material.sha256, material.media_type, material.filename, material.given_at = sha256, media_type, filename, at
    if material.state is MaterialState.DEFERRED:
        material.supplied_at = at
        add_timeline_event(
            session, case, kind="supplied", by=by, at=at, words=LocalizedText("已补交：%(name)s", name=material.name)
        )
    else:
        material.state = MaterialState.GIVEN
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
            material.state = MaterialState.WANTED
    case.prescreen_by = due(calendar_of(session), at, PRESCREEN_WD)
    case.move_to(Stage.ASSIGNED, at=at, by=by.label)
    add_timeline_event(session, case, kind="corrected", by=by, at=at, words="已补正，待预审")
    return case


@act(by=APPLICANTS)
@dataclass(frozen=True, slots=True, kw_only=True)
class GiveMaterial:
    """A material of the case is given: a kept file, its kind and its name."""

    case: CaseNo
    version: int | None = None
    material_id: MaterialId
    sha256: FileId
    media_type: Name = ""
    filename: Reason = ""

    def perform(self, context: ActContext) -> PaperResult:
        material = context.row(Material, self.material_id)
        give_material(
            context.session, context.row(Case, self.case), material, sha256=self.sha256, media_type=self.media_type,
            filename=self.filename, by=context.actor, at=context.at,
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
