"""The three dates of a case, always together: by law, committed, expected."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.cases.case import Case
from dispatch.cases.duration_training import PromiseRecord, trained_forecast
from dispatch.cases.stages import Stage
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.core.legal_clock import Lamp
from dispatch.core.limit import due_words
from dispatch.core.localized_text import DayText, LocalizedText
from dispatch.core.shanghai_time import in_shanghai
from dispatch.core.working_days import Calendar, CalendarMissing
from dispatch.forecast.promise import Promise, chance_by, recalled
from dispatch.views.enterprise_case_rows import lamp_for
from dispatch.views.enterprise_path import DrawnPath

NO_ESTIMATE = LocalizedText("目前还没有预计日期：同类办件的记录还不够，不作估计")


@dataclass(frozen=True, slots=True)
class ThreeLines:
    """法定时限, 部门承诺时限, 预计办结: always together, in this order."""

    legal: str
    committed: str
    kept: str  # how probably the commitment is kept; empty while nothing is promised
    expected: str
    is_estimate: bool
    left: int | None
    lamp: Lamp | None


def three_lines(session: Session, case: Case, path: DrawnPath | None, today: date) -> ThreeLines:
    calendar = calendar_of(session)
    legal: str = path.law if path else LocalizedText("待确定")
    committed: str = path.promise if path else LocalizedText("待确定")
    if case.legal_due_on is not None:
        legal = _day(calendar, case.legal_due_on, today)
    if case.committed_due_on is not None:
        committed = _day(calendar, case.committed_due_on, today)
    expected: str = NO_ESTIMATE
    if case.expected_on is not None and case.expected_share is not None:
        newest = _last_said(session, case)
        seen = newest is not None and newest.is_from_cases  # without like cases behind it, no past year is cited
        expected = Promise(case.expected_on, case.expected_share, today, case.is_estimate, is_from_cases=seen).words(
            today
        )
    running = case.stage in {Stage.SUBMITTED, Stage.UNDER_REVIEW} and case.committed_due_on is not None
    left = calendar.working_days_between(today, case.committed_due_on) if running and case.committed_due_on else None
    if case.decided_at is not None:
        expected = LocalizedText("已于%(day)s全部办结", day=DayText(in_shanghai(case.decided_at).date(), today))
    elif case.has_ended:
        expected = LocalizedText("办件已结束，不再计算")
    kept = commitment_in_words(session, case)
    return ThreeLines(
        legal, committed, kept, expected, case.is_estimate, left, None if left is None else lamp_for(left)
    )


def _day(calendar: Calendar, due_on: date, today: date) -> str:
    return due_words(due_on, is_provisional=calendar.is_estimate(due_on, due_on), today=today)


def commitment_in_words(session: Session, case: Case) -> str:
    """How many of a hundred like cases are decided by the committed day, as the last promise saw it.

    Empty where no like case stands behind it: a share of nothing is none."""
    chance = commitment_chance(session, case)
    return (
        "" if chance is None else LocalizedText("按最近一次预计，100个中约%(n)s个能在此前办结", n=round(chance * 100))
    )


def commitment_chance(session: Session, case: Case) -> float | None:
    """The probability that all is decided by the committed day; None without a day, without a promise that like cases
    stand behind, or when it is over."""
    if case.committed_due_on is None or case.decided_at is not None or case.has_ended:
        return None
    said = _last_said(session, case)
    if said is None or not said.is_from_cases:
        return None
    view = recalled(said.kept, trained_forecast(session).recalibration)
    try:
        return chance_by(view, calendar_of(session), said.start_on, case.committed_due_on)
    except CalendarMissing:
        return None


def _last_said(session: Session, case: Case) -> PromiseRecord | None:
    return session.scalar(
        select(PromiseRecord).where(PromiseRecord.case_id == case.id).order_by(PromiseRecord.id.desc()).limit(1)
    )
