"""Correcting matters: a case has a matter too few or too many, or its project another family, before it is filed."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from annotated_types import MinLen
from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.acts.act import LEADS, STAFF, ActContext, act
from dispatch.acts.act_fields import Why
from dispatch.acts.announcing import unplan
from dispatch.acts.asking import MatterCodes
from dispatch.acts.case_contents import add_reviews, list_materials, offered_matters, settle_ways, wanted_materials
from dispatch.acts.case_result import CaseResult, case_result
from dispatch.acts.deciding import UNDECIDED, settle_case
from dispatch.acts.early_ends import call_off
from dispatch.acts.papers import correct
from dispatch.acts.project_corrections import CorrectedProject, PartChange, keep_correction
from dispatch.acts.recording import JUST_NOW, record_fact, recording_of
from dispatch.cases.case import Case, Material, MaterialState
from dispatch.cases.derived import refresh_dates
from dispatch.cases.fact_event import Fact, FactKind
from dispatch.cases.lookups import open_cases, parcels_at, parcels_of, reviews_of
from dispatch.cases.notify import add_timeline_event
from dispatch.cases.noun_record import add_event
from dispatch.cases.project import FAMILY_LABEL, Project
from dispatch.cases.project_correction import ProjectPart
from dispatch.cases.recorded_event import standing_events
from dispatch.cases.review import Review
from dispatch.cases.review_state import ReviewState
from dispatch.cases.stages import Stage
from dispatch.catalogue.matter import Family, Matter
from dispatch.core.actor import Actor
from dispatch.core.errors import Refused, WrongStage
from dispatch.core.ids import CaseNo, ProjectNo
from dispatch.custody.parcel import Parcel, ParcelState
from dispatch.path.edit_log import read_edits, taken_back, write_edits
from routing.day.courier_stop import CourierStop, StopState

ASKS = (Stage.REQUESTED, Stage.ASSIGNED, Stage.CORRECTION)
"""Materials are still asked for: a matter may come, with its own."""
MAY_GO = (*ASKS, Stage.PRESCREENED, Stage.PICKUP_PLANNED, Stage.COLLECTED, Stage.SUBMITTED, Stage.UNDER_REVIEW)
"""A matter that is not with its authority yet may go."""


@act(by=STAFF)
@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectMatters:
    """The case has a matter too few (``add``) or too many (``drop``), by their codes, before it is filed.

    A matter comes while materials are still asked for, and brings its own; later it takes a further case. One that goes
    takes those with it that nothing else asks for."""

    case: CaseNo
    version: int | None = None
    add: MatterCodes = ()
    drop: MatterCodes = ()
    reason: Why

    def perform(self, context: ActContext) -> CaseResult:
        case = context.row(Case, self.case)
        project = context.session.get_one(Project, case.project_id)
        was = _named(context.session, case)
        _change_matters(context, case, add=self.add, drop=self.drop, reason=self.reason)
        trim_pickups(context.session, case, by=context.actor, at=context.at)
        now = _named(context.session, case)
        keep_correction(context, project, PartChange(ProjectPart.MATTERS, was, now, self.reason))
        _settle(context, case)
        return case_result(case)


@act(by=LEADS)
@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectFamily:
    """The project is of another family than was written down; ``matters``: what it really asks for.

    Only before anything is filed, and while it has one open case. What a lead changed of its path is taken back."""

    project: ProjectNo
    version: int | None = None
    family: Family
    matters: Annotated[MatterCodes, MinLen(1)]
    reason: Why

    def perform(self, context: ActContext) -> CorrectedProject:
        session, project = context.session, context.row(Project, self.project)
        cases, was = open_cases(session, project), FAMILY_LABEL[project.family]
        if len(cases) != 1 or _was_filed(session, project):
            raise WrongStage(
                f"project {project.project_no} has {len(cases)} open cases or filed matters",
                user_message="只有一件在办且尚未报送的项目才能更正类别；其余请撤件后重新申请",
            )
        case = cases[0]
        case.must_be(*ASKS)
        project.family = self.family
        edits = read_edits(project.path_edits)
        project.path_edits = write_edits(
            one if not one.stands else taken_back(one, by=context.actor.label, at=context.at, reason="项目类别更正")
            for one in edits
        )
        drop = tuple(review.matter.code for review in reviews_of(session, case))
        _change_matters(context, case, add=self.matters, drop=drop, reason=self.reason)
        done = keep_correction(
            context, project, PartChange(ProjectPart.FAMILY, was, FAMILY_LABEL[self.family], self.reason)
        )
        _settle(context, case)
        return done


def _was_filed(session: Session, project: Project) -> bool:
    of_project = select(Review.id).join(Case, Case.id == Review.case_id).where(Case.project_id == project.id)
    return session.scalar(of_project.where(Review.filed_at.is_not(None)).limit(1)) is not None


def _named(session: Session, case: Case) -> str:
    return "、".join(review.matter.short_name for review in reviews_of(session, case))


# ---------------------------------------------------------------- what a case is about


def _change_matters(
    context: ActContext, case: Case, *, add: Iterable[str], drop: Iterable[str], reason: str
) -> None:  # fmt: skip
    """The case's reviews and materials are those of its matters after the change. Raises Refused and WrongStage."""
    session, project = context.session, context.session.get_one(Project, case.project_id)
    reviews = {review.matter.code: review for review in reviews_of(session, case)}
    coming, going = list(dict.fromkeys(add)), list(dict.fromkeys(drop))
    case.must_be(*(ASKS if coming else MAY_GO))
    if unknown := [code for code in going if code not in reviews]:
        raise Refused(f"{unknown} are not in case {case.case_no}", user_message="要去掉的事项不在本件中")
    if twice := [code for code in coming if code in reviews and code not in going]:
        raise Refused(f"{twice} are in case {case.case_no}", user_message="要增加的事项已在本件中")
    chosen = offered_matters(session, coming, project.family) if coming else []
    for code in going:
        _drop(session, reviews[code])
    session.flush()
    if chosen:
        add_reviews(session, project, case, chosen, at=context.at)
        session.flush()
    left = [review.matter for review in reviews_of(session, case)]
    if not left:
        raise Refused(f"case {case.case_no} would have no matter", user_message="至少保留一个事项；不办了请撤件")
    settle_materials(context, case, left, reason=reason)
    settle_ways(case, left)


def take_out(context: ActContext, case: Case, codes: Iterable[str], *, reason: str) -> None:
    """These matters leave the case, which has others."""
    _change_matters(context, case, add=(), drop=codes, reason=reason)
    trim_pickups(context.session, case, by=context.actor, at=context.at)
    _settle(context, case)


def _drop(session: Session, review: Review) -> None:
    """A matter that nothing has happened to leaves the case. Raises WrongStage for any other."""
    if review.state is not ReviewState.PREPARED or review.standing_events():
        raise WrongStage(f"review {review.id} is {review.state}", user_message="该事项已进入模拟审批或已报送，不能去掉")
    if review.events:
        raise WrongStage(f"review {review.id} has a history", user_message="该事项已有登记记录，不能去掉，请撤件")
    session.delete(review)


def settle_materials(context: ActContext, case: Case, matters: list[Matter], *, reason: str) -> None:
    """What is asked for is what these matters ask for: once, in the strictest mode."""
    session, wanted = context.session, wanted_materials(context.session, case, matters)
    for material in case.materials:
        row = wanted.get(material.name)
        if row is None:
            if material.state is not MaterialState.NOT_NEEDED:
                fact = Fact(kind=FactKind.MATERIAL_NOT_NEEDED, words=reason)
                record_fact(session, material, fact, by=context.actor, at=context.at)
            continue
        if material.state is MaterialState.NOT_NEEDED:
            _want_again(material, reason=reason, by=context.actor, at=context.at)
        if material.state is MaterialState.WANTED:
            material.mode = row.mode
        material.matter_id, material.requirement_id, material.deferrable = row.matter_id, row.id, row.deferrable
    list_materials(session, case, matters, by=context.actor, at=context.at)


def _want_again(material: Material, *, reason: str, by: Actor, at: datetime) -> None:
    event = next(e for e in reversed(standing_events(material.facts)) if e.kind is FactKind.MATERIAL_NOT_NEEDED)
    add_event(material, None, recording_of(JUST_NOW, by=by, at=at, corrects=event.id, reason=reason))


def trim_pickups(session: Session, case: Case, *, by: Actor, at: datetime) -> None:
    """A courier who is still to come asks for what is needed; where that is nothing, nobody comes."""
    needed = {material.name for material in case.originals}
    listed = {material.name for material in case.materials}
    for parcel in parcels_of(session, case):
        if parcel.state is not ParcelState.BOOKED:
            continue
        contents = [name for name in parcel.contents if name in needed or name not in listed]
        if contents:
            parcel.contents = contents
            continue
        stop = None if parcel.stop_id is None else session.get_one(CourierStop, parcel.stop_id)
        if stop is not None and stop.state is StopState.PLANNED and len(parcels_at(session, stop.id)) == 1:
            unplan(session, stop, by=by, at=at)
        call_off(session, parcel, beside=Parcel.id != parcel.id)
        add_timeline_event(
            session, case, kind="pickup_called_off", by=by, at=at, words="事项更正后没有原件需要揽收，上门已取消"
        )


def _settle(context: ActContext, case: Case) -> None:
    """The case's days, and whether its corrections are all in now."""
    session = context.session
    session.flush()
    if case.stage in UNDECIDED:
        settle_case(session, case, by=context.actor, at=context.at)
    refresh_dates(session, case)
    case.version += 1
    case.changed_by = context.actor.label
    is_mended = all(one.state is not MaterialState.DEFECTIVE for one in case.materials)
    if case.stage is Stage.CORRECTION and is_mended:
        correct(session, case, by=context.actor, at=context.at)
