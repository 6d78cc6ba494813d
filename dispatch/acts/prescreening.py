"""Prescreen: the delegation, the materials, and every defect told once."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from agents.network import Division, centre_of
from db import keyed_hash
from dispatch.assignment.staffing import PRESCREEN_WD
from dispatch.cases.case import Case, Material, MaterialState
from dispatch.cases.lookups import due, lead_agent, open_cases
from dispatch.cases.notify import add_timeline_event, day_of, queue_stage_notice
from dispatch.cases.project import AuthorisedRecipient, Delegation, Enterprise, Power, Project
from dispatch.cases.review import Review
from dispatch.cases.stages import Stage
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.core.actor import Actor
from dispatch.core.errors import NotFound, Refused, WrongStage
from dispatch.core.localized_text import ListText, LocalizedText
from dispatch.path.edits import Relief


@dataclass(frozen=True, slots=True)
class AuthorisedPerson:
    """Somebody whom the delegation letter names to hand over or to receive."""

    name: str
    phone: str
    may_hand_over: bool = True
    may_receive: bool = True


def delegate(
    session: Session,
    project: Project,
    *,
    legal_representative: str,
    powers: Iterable[Power],
    matters: Sequence[str] = (),
    people: Sequence[AuthorisedPerson],
    valid_to: date,
    by: Actor,
    at: datetime,
    may_pass_on: bool = False,
    sha256: str | None = None,
) -> Delegation:
    """The delegation letter (委托书) to the proxy centre, with the persons who may hand over and receive originals."""
    if not people:
        raise Refused("a delegation names who may hand over and receive", user_message="请至少填写一名授权交接人")
    division = session.get_one(Division, project.home_division_id)
    centre = centre_of(session, division)
    enterprise = session.get_one(Enterprise, project.enterprise_id)
    today = day_of(at)
    if valid_to < today:
        raise Refused(f"a delegation cannot end on {valid_to}", user_message="委托期限不能早于今天")
    letter = Delegation(
        entruster=enterprise.name,
        credit_code=enterprise.credit_code,
        legal_representative=legal_representative,
        centre_id=None if centre is None else centre.id,
        matters=list(matters),
        powers=sorted(power.value for power in powers),
        may_pass_on=may_pass_on,
        valid_from=today,
        valid_to=valid_to,
        signed_at=at,
        sha256=sha256,
        recipients=[
            AuthorisedRecipient(
                name=person.name, phone=person.phone, phone_hash=keyed_hash(person.phone),
                may_hand_over=person.may_hand_over, may_receive=person.may_receive,
            )
            for person in people
        ],
    )  # fmt: skip
    project.delegations.append(letter)
    session.flush()
    for case in open_cases(session, project):
        add_timeline_event(session, case, kind="delegated", by=by, at=at, words="已签署委托书")
    return letter


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


def prescreen(
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
    materials = {m.id: m for m in case.materials}
    if unknown := (defects.keys() | deferred.keys()) - materials.keys():
        raise NotFound(f"case {case.case_no} has no materials {sorted(unknown)}")
    for material_id, due_on in deferred.items():
        material = materials[material_id]
        if not material.deferrable:
            raise Refused(
                f"{material.name} cannot be deferred",
                user_message=LocalizedText("“%(name)s”不在可容缺清单内", name=material.name),
            )
        if due_on <= day_of(at):
            raise Refused(f"{material.name}: due on {due_on}", user_message="补交期限须晚于今天")
    for material_id in defects:
        if materials[material_id].state is MaterialState.ACCEPTED:
            raise Refused(
                f"{materials[material_id].name} passed before", user_message="已一次性告知并通过的材料不得再次提出补正"
            )
    if not defects:
        missing = [
            m.name
            for m in case.materials
            if m.state is MaterialState.WANTED and not m.on_paper and m.id not in deferred
        ]
        defects = {m.id: "尚未提供" for m in case.materials if m.name in missing}
    if not defects and session.get_one(Project, case.project_id).delegation_on(day_of(at)) is None:
        raise Refused(
            f"case {case.case_no} has no delegation in force", user_message="委托书尚未签署或已失效，不能通过预审"
        )
    for material in case.materials:
        if words := defects.get(material.id):
            material.state, material.defect = MaterialState.DEFECTIVE, words
        elif due := deferred.get(material.id):
            material.state, material.owed_by = MaterialState.DEFERRED, due
            _mark_deferred(session, case, material)
        elif material.state in {MaterialState.GIVEN, MaterialState.DEFECTIVE} or (
            material.on_paper and material.state is MaterialState.WANTED
        ):
            material.state, material.defect = MaterialState.ACCEPTED, None
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


def _mark_deferred(session: Session, case: Case, material: Material) -> None:
    """容缺受理: the matter goes ahead, and is not decided before the material is in."""
    review = session.scalar(
        select(Review).where(Review.case_id == case.id, Review.matter_id == material.matter_id).limit(1)
    )
    if review is not None:
        review.relief = Relief.DEFERRED


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
