"""The three dates of a case, always together: by law, committed, expected."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.cases.case import Case
from dispatch.cases.duration_training import PromiseRecord
from dispatch.cases.stages import Stage
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.core.legal_clock import Lamp
from dispatch.core.localized_text import DayText, LocalizedText
from dispatch.core.shanghai_time import in_shanghai
from dispatch.forecast.promise import Promise
from dispatch.views.enterprise_case_rows import lamp_for
from dispatch.views.enterprise_path import DrawnPath

NO_ESTIMATE = LocalizedText("目前还没有预计日期：同类办件的记录还不够，不作估计")


@dataclass(frozen=True, slots=True)
class ThreeLines:
    """法定时限, 部门承诺时限, 预计办结: always together, in this order."""

    legal: str
    committed: str
    expected: str
    is_estimate: bool
    left: int | None
    lamp: Lamp | None


def three_lines(session: Session, case: Case, path: DrawnPath | None, today: date) -> ThreeLines:
    calendar = calendar_of(session)
    legal: str = LocalizedText("受理后%(n)s个工作日内", n=path.statutory_wd) if path else LocalizedText("待确定")
    committed: str = LocalizedText("受理后%(n)s个工作日内", n=path.committed_wd) if path else LocalizedText("待确定")
    if case.legal_due_on is not None:
        legal = DayText(case.legal_due_on, today)
    if case.committed_due_on is not None:
        committed = DayText(case.committed_due_on, today)
    expected: str = NO_ESTIMATE
    if case.expected_on is not None and case.expected_share is not None:
        newest = (
            select(PromiseRecord.is_from_cases)
            .where(PromiseRecord.case_id == case.id)
            .order_by(PromiseRecord.id.desc())
            .limit(1)
        )
        seen = bool(session.scalar(newest))  # without like cases behind it, no past year is cited
        expected = Promise(case.expected_on, case.expected_share, today, case.is_estimate, is_from_cases=seen).words(
            today
        )
    running = case.stage in {Stage.SUBMITTED, Stage.UNDER_REVIEW} and case.committed_due_on is not None
    left = calendar.working_days_between(today, case.committed_due_on) if running and case.committed_due_on else None
    if case.decided_at is not None:
        expected = LocalizedText("已于%(day)s全部办结", day=DayText(in_shanghai(case.decided_at).date(), today))
    elif case.has_ended:
        expected = LocalizedText("办件已结束，不再计算")
    return ThreeLines(legal, committed, expected, case.is_estimate, left, None if left is None else lamp_for(left))
