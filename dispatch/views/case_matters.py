"""The matters of a case as its enterprise sees them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from dispatch.cases.case import Case
from dispatch.cases.evaluation import GRADE_LABEL, RECTIFICATION_LABEL, Evaluation, Grade
from dispatch.cases.project_order import NOTHING_FIRST, OpenPrerequisites, prerequisites_on
from dispatch.cases.project_path import ProjectPath
from dispatch.cases.review import Review
from dispatch.cases.review_event import DECISIONS
from dispatch.cases.review_state import REVIEW_ENDS, REVIEW_LABEL, ReviewState
from dispatch.core.legal_clock import Lamp
from dispatch.core.limit import law_words, promise_words
from dispatch.core.localized_text import DayText, ListText, LocalizedText
from dispatch.core.shanghai_time import in_shanghai
from dispatch.core.working_days import Calendar
from dispatch.views.joint_groups import joint_words

RIGHTS = LocalizedText("如不服，可自收到决定之日起60日内申请行政复议，或6个月内依法提起行政诉讼")


@dataclass(frozen=True, slots=True)
class MatterRow:
    """One matter of the case with its authority, limits and outcome."""

    review_id: int
    short: str
    name: str
    authority: str
    counter: str
    state: str
    lamp: Lamp | None
    law: str
    promise: str
    due: str | None
    note: str
    joint: str
    decided_at: datetime | None
    decision_no: str | None
    scan_of: int | None
    denied: bool
    grade: str | None
    grade_is_bad: bool
    rectification: str | None
    rectified: tuple[str, ...]


def matter_rows(
    session: Session, case: Case, found: Sequence[Review], path: ProjectPath | None, calendar: Calendar, at: datetime
) -> tuple[MatterRow, ...]:
    """The rows of ``found``; ``path`` is the whole path of the project."""
    graded = {
        one.review_id: one
        for one in session.scalars(
            select(Evaluation)
            .where(Evaluation.case_id == case.id, Evaluation.withdrawn_at.is_(None))
            .options(joinedload(Evaluation.rectification))
        )
    }
    waits = {} if path is None else _waits(path, found)
    rows: list[MatterRow] = []
    for review in found:
        mine = graded.get(review.id)
        follow = mine.rectification if mine is not None else None
        runs = review.state in {ReviewState.ACCEPTED, ReviewState.PAUSED, ReviewState.EXTENDED}
        rows.append(
            MatterRow(
                review_id=review.id,
                short=review.matter.short_name,
                name=review.matter.name,
                authority=review.authority,
                counter=review.counter,
                state=REVIEW_LABEL[review.state],
                lamp=review.lamp(calendar, at) if runs else None,
                law=law_words(review.statutory_limit),
                promise=promise_words(review.committed_limit),
                due=review.due_words() if runs else None,
                note=_note_of(review, waits.get(review.matter.code, NOTHING_FIRST).to_file),
                joint=joint_words(review),
                decided_at=review.decided_at if review.state in REVIEW_ENDS else None,
                decision_no=review.decision_no,
                scan_of=next((e.id for e in review.standing_events() if e.kind in DECISIONS and e.document), None),
                denied=review.state in {ReviewState.DENIED, ReviewState.NOT_ACCEPTED, ReviewState.RETURNED},
                grade=None if mine is None else GRADE_LABEL[mine.grade],
                grade_is_bad=mine is not None and Grade(mine.grade).is_bad,
                rectification=None if follow is None else RECTIFICATION_LABEL[follow.state],
                rectified=()
                if follow is None
                else tuple(words for words in (follow.finding, follow.measure, follow.answer) if words),
            )
        )
    return tuple(rows)


def _waits(path: ProjectPath, found: Sequence[Review]) -> Mapping[str, OpenPrerequisites]:
    """What is not filed yet waits for; asked once the case is filed as far as it could be."""
    is_begun = any(review.filed_at is not None for review in found)
    if not is_begun or all(review.filed_at is not None for review in found):
        return {}
    return prerequisites_on(path)


def _note_of(review: Review, first: Sequence[str]) -> str:
    """What the enterprise should know of this matter now."""
    match review.state:
        case ReviewState.PREPARED if first:
            return LocalizedText("“%(names)s”准予后报送", names=ListText(first))
        case ReviewState.SUPPLEMENT:
            return LocalizedText("需补正：%(words)s", words=review.correction_words or "")
        case ReviewState.PAUSED:
            running = next((pause for pause in reversed(review.pauses) if pause.ended_on is None), None)
            return (
                LocalizedText("特别程序，预计%(day)s结束，期间不计时", day=DayText(running.expected_end_on))
                if running
                else ""
            )
        case ReviewState.EXTENDED:
            return LocalizedText(
                "经批准延期%(n)s个工作日：%(reason)s", n=review.extension_wd or 0, reason=review.extension_reason or ""
            )
        case ReviewState.DENIED | ReviewState.NOT_ACCEPTED:
            return LocalizedText("理由：%(reason)s。%(rights)s", reason=review.decision_reason or "", rights=RIGHTS)
        case ReviewState.RETURNED:
            return LocalizedText("退办：%(reason)s", reason=review.decision_reason or LocalizedText("容缺材料逾期未补"))
        case ReviewState.SUBMITTED if review.correction_due_at is not None:
            on = DayText(in_shanghai(review.correction_due_at).date())
            return LocalizedText("审批部门应在%(day)s前受理或一次性告知补正，逾期视为受理", day=on)
        case ReviewState.ACCEPTED if review.deemed_accepted:
            return LocalizedText("五个工作日内未告知补正，依法视为受理")
    return ""
