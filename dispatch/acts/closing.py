"""Close: the enterprise grades, a bad grade opens a rectification, the team's slots are free."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, ClassVar

from annotated_types import Ge, Le, MinLen
from sqlalchemy.orm import Session

from agents.slots import release_slot
from dispatch.acts.act import ActContext, act
from dispatch.acts.act_fields import Words
from dispatch.acts.case_result import CaseResult, case_result
from dispatch.cases.case import Case
from dispatch.cases.due_moments import rectify_grade_due, verify_grade_due
from dispatch.cases.evaluation import Evaluation, Grade, Rectification
from dispatch.cases.lookups import open_cases, reviews_of
from dispatch.cases.notify import DeskKind, queue_desk_notice, queue_stage_notice, sms_case_number
from dispatch.cases.project import Project, ProjectState
from dispatch.cases.stages import Stage
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.core.actor import Actor, Role
from dispatch.core.errors import Refused
from dispatch.core.ids import CaseNo, ReviewId


def _evaluate(
    session: Session, case: Case, *, grades: Mapping[int, tuple[Grade, str]], by: Actor, at: datetime
) -> list[Evaluation]:
    """A grade for each matter (好差评). A bad one goes to supervision, not to the rated, and is rectified."""
    calendar = calendar_of(session)
    lead = session.get_one(Project, case.project_id).lead
    given: list[Evaluation] = []
    for review_id, (grade, words) in sorted(grades.items()):
        evaluation = Evaluation(
            case_id=case.id, review_id=review_id, agent_id=lead.agent_id if lead else None, grade=grade,
            words=words.strip() or None, at=at,
        )  # fmt: skip
        session.add(evaluation)
        session.flush()
        given.append(evaluation)
        if grade.is_bad:
            session.add(
                Rectification(
                    evaluation_id=evaluation.id,
                    opened_at=at,
                    verify_by=verify_grade_due(calendar, at),
                    rectify_by=rectify_grade_due(calendar, at),
                )
            )
            queue_desk_notice(
                session,
                kind=DeskKind.SUPERVISION,
                division_id=case.division_id,
                text="bad_grade",
                key=f"{case.case_no}:{review_id}",
                at=at,
                case_id=case.id,
                values={"case_no": sms_case_number(case.case_no)},
            )
    case.move_to(Stage.EVALUATED, at=at, by=by.label)
    queue_stage_notice(session, case, at=at, by=by, words="企业已评价")
    end_of_case(session, case, at=at)
    return given


def end_of_case(session: Session, case: Case, *, at: datetime) -> None:
    """When a project's last case has ended, its agents' slots are free."""
    session.flush()
    project = session.get_one(Project, case.project_id)
    if open_cases(session, project) or project.state is ProjectState.CLOSED:
        return
    for member in sorted((m for m in project.members if m.until is None), key=lambda m: m.agent_id):
        member.until = at
        release_slot(session, member.agent_id)
    project.move_to(ProjectState.CLOSED, at=at)


@dataclass(frozen=True, slots=True)
class GradeGiven:
    """One grade (好差评) of one matter: 5 very satisfied to 1 very dissatisfied, and what the person says."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid", "str_strip_whitespace": True}

    review_id: ReviewId
    grade: Annotated[int, Ge(1), Le(5)]
    words: Words = ""


@act(by={Role.ENTERPRISE})
@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluateCase:
    """The enterprise grades each matter of a delivered case."""

    case: CaseNo
    version: int | None = None
    grades: Annotated[tuple[GradeGiven, ...], MinLen(1)]

    def perform(self, context: ActContext) -> CaseResult:
        case = context.row(Case, self.case)
        case.must_be(Stage.DELIVERED)
        grades = {int(given.review_id): (Grade(given.grade), given.words) for given in self.grades}
        if any(review.id not in grades for review in reviews_of(context.session, case)):
            raise Refused("a matter has no grade", user_message="请为每个事项选一个等级")
        if any(grade.is_bad and not words.strip() for grade, words in grades.values()):
            raise Refused(
                "a bad grade has no words", user_message="选“不满意”或“非常不满意”时，请写明原因，便于核实整改"
            )
        _evaluate(context.session, case, grades=grades, by=context.actor, at=context.at)
        return case_result(case)
