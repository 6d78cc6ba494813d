"""Papers: a material is given, and the corrections are in."""

from datetime import datetime

from sqlalchemy.orm import Session

from dispatch.assignment.staffing import PRESCREEN_WD
from dispatch.cases.case import Case, Material, MaterialState
from dispatch.cases.lookups import due
from dispatch.cases.notify import add_timeline_event
from dispatch.cases.stages import Stage
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.core.actor import Actor
from dispatch.core.errors import Refused, WrongStage
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
