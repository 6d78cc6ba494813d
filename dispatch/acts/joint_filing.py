"""Joint filing: several matters of one joint group (联合审) of a project go in on one form, on one day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from annotated_types import MaxLen, MinLen
from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.acts.act import STAFF, ActContext, act
from dispatch.acts.act_fields import CalendarDate, Digest, Reason, SecondOfDay, Wanted
from dispatch.acts.asking import MatterCodes
from dispatch.acts.deriving import take_limits
from dispatch.acts.filing import check_may_file, tell_filed
from dispatch.acts.recording import Happening, record
from dispatch.cases.case import Case
from dispatch.cases.notify import day_of
from dispatch.cases.project import Project
from dispatch.cases.project_path import reviews_by_matter
from dispatch.cases.review import Review
from dispatch.cases.review_event import EventFacts, EventKind
from dispatch.cases.review_state import UNFILED
from dispatch.core.errors import Refused, WrongStage
from dispatch.core.ids import ProjectNo
from dispatch.core.localized_text import ListText, LocalizedText
from dispatch.path.joint_groups import MatterGroup, matter_groups
from dispatch.path.seven_lists import group_name

FEWEST = 2


@dataclass(frozen=True, slots=True)
class JointFilingResult:
    """What was filed together; ``due_on``: by when the whole is promised, None where nobody set a cap."""

    project_no: str
    version: int
    group: str
    form_number: str
    filed_on: date
    due_on: date | None
    matters: tuple[str, ...]


@act(by=STAFF)
@dataclass(frozen=True, slots=True, kw_only=True)
class FileJointly:
    """The agent files several matters of one joint group of the project on one form, at one counter.

    The group's cap runs from the day of the form and limits each of them. ``place``: where the form was handed in;
    empty: at the counter of the first. ``on``, ``second``: when the counter took it in."""

    project: ProjectNo
    version: int | None = None
    group: Annotated[str, MinLen(1), MaxLen(40), Wanted("请选择联合审批组")]
    matters: Annotated[MatterCodes, MinLen(FEWEST), Wanted("请至少选择两个同组事项")]
    form_number: Annotated[str, MinLen(1), MaxLen(80), Wanted("请填写联合申请表编号")]
    place: Annotated[str, MaxLen(80)] = ""
    on: CalendarDate | None = None
    second: SecondOfDay | None = None
    late_reason: Reason = ""
    document: Digest | None = None

    def perform(self, context: ActContext) -> JointFilingResult:
        session, project = context.session, context.row(Project, self.project)
        group = matter_groups().get(self.group)
        if group is None or group.is_chain:
            raise Refused(f"{self.group} is no joint group", user_message="请选择联合审批组", field="group")
        form_number = self.form_number.strip()
        if not form_number:
            raise Refused("a form has a number", user_message="请填写联合申请表编号", field="form_number")
        reviews = _chosen(session, project, group, self.matters)
        _check_form(session, project, group, form_number)
        cases = _locked(session, reviews)
        for case in cases:
            check_may_file(session, project, case, at=context.at)
        take_limits(context, [review.id for review in reviews])
        place = self.place.strip() or reviews[0].counter
        filed = EventFacts(kind=EventKind.FILED, document_no=form_number, words=place, joint_group=group.key)
        when = Happening(on=self.on, second=self.second, late_reason=self.late_reason, document=self.document)
        for review in reviews:
            record(session, review, filed, when, by=context.actor, at=context.at)
        for case in cases:
            _tell(context, case, group, [review for review in reviews if review.case_id == case.id], place)
        project.version += 1
        due = [review.joint_due_at for review in reviews if review.joint_due_at is not None]
        return JointFilingResult(
            project.project_no, project.version, group.key, form_number, reviews[0].events[-1].happened_on,
            day_of(max(due)) if due else None, tuple(review.matter.code for review in reviews),
        )  # fmt: skip


def _chosen(session: Session, project: Project, group: MatterGroup, codes: Sequence[str]) -> list[Review]:
    """The matters' reviews in the order of the path, none of them filed. Raises Refused and WrongStage by name."""
    there = dict(reviews_by_matter(session, project))  # the newest of each matter
    wanted = list(dict.fromkeys(codes))
    if len(wanted) < FEWEST:
        raise Refused("one matter is filed by itself", user_message="请至少选择两个同组事项", field="matters")
    if missing := [code for code in wanted if code not in there]:
        raise Refused(
            f"{missing} are in no case of {project.project_no}",
            user_message=LocalizedText("这些事项不在本项目的办件中：%(names)s", names=ListText(missing)),
            field="matters",
        )
    found = [there[code] for code in wanted]
    if others := [one.matter.short_name for one in found if one.matter.joint_group != group.key]:
        raise Refused(
            f"{others} are not of {group.key}",
            user_message=LocalizedText(
                "“%(names)s”不属于%(group)s，不能一表报送", names=ListText(others), group=group_name(group.key)
            ),
            field="matters",
        )
    if filed := [one.matter.short_name for one in found if one.state not in UNFILED]:
        raise WrongStage(
            f"{filed} are filed already",
            user_message=LocalizedText("“%(names)s”已报送，不能再次一表报送", names=ListText(filed)),
        )
    return sorted(found, key=lambda review: review.matter.position)


def _check_form(session: Session, project: Project, group: MatterGroup, form_number: str) -> None:
    """A form's number stands once: it is by it that a form is known. Raises Refused."""
    for _, review in reviews_by_matter(session, project):
        if review.joint_group == group.key and review.joint_no == form_number:
            raise Refused(
                f"form {form_number} is filed already",
                user_message=LocalizedText("联合申请表%(number)s已登记过报送", number=form_number),
                field="form_number",
            )


def _locked(session: Session, reviews: Sequence[Review]) -> list[Case]:
    """The cases that the matters are in, and then the reviews, locked in the one order."""
    case_ids = {review.case_id for review in reviews}
    cases = session.scalars(select(Case).where(Case.id.in_(case_ids)).order_by(Case.id).with_for_update()).all()
    ids = [review.id for review in reviews]
    locked = select(Review).where(Review.id.in_(ids)).order_by(Review.id).with_for_update()
    session.scalars(locked.execution_options(populate_existing=True)).all()
    return list(cases)


def _tell(context: ActContext, case: Case, group: MatterGroup, reviews: Sequence[Review], place: str) -> None:
    words = LocalizedText(
        "%(group)s一表报送（表号%(number)s，%(place)s）：%(names)s", group=group_name(group.key),
        number=reviews[0].joint_no or "", place=place, names=ListText(one.matter.short_name for one in reviews),
    )  # fmt: skip
    tell_filed(context.session, case, reviews, words=words, place=place, by=context.actor, at=context.at)
    for review in reviews:
        context.touch(Review, review.id)
