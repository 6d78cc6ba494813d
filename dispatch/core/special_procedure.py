"""Special procedures (特别程序): the pauses of a limit, from the closed list of the law. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from dispatch.core.working_days import Calendar


class BadPause(ValueError):
    """A pause that breaks a rule of its own; ``user_message`` says which to who wrote it down."""

    def __init__(self, message: str, *, user_message: str) -> None:
        super().__init__(message)
        self.user_message = user_message


class PauseKind(StrEnum):
    """The closed list of special procedures (特别程序) whose days do not count. A site visit is not on it."""

    HEARING = "hearing"  # 听证
    TENDER = "tender"  # 招标
    AUCTION = "auction"  # 拍卖
    INSPECTION = "inspection"  # 检验
    TESTING = "testing"  # 检测
    QUARANTINE = "quarantine"  # 检疫
    APPRAISAL = "appraisal"  # 鉴定
    EXPERT_REVIEW = "expert_review"  # 专家评审
    PUBLICITY = "publicity"  # 公示, only where the matter's own rule says so


@dataclass(frozen=True, slots=True)
class Pause:
    """A special procedure (特别程序): the legal clock stands still from ``starts_on`` to the day it ended."""

    kind: PauseKind
    notice: str  # number of the written notice (告知书)
    starts_on: date
    expected_end_on: date
    maximum_wd: int
    ended_on: date | None = None
    rule: str = ""  # the matter's own rule that lets publicity pause

    def __post_init__(self) -> None:
        if not self.notice.strip():
            raise BadPause("a pause needs the number of its written notice", user_message="特别程序须有通知文号")
        if self.maximum_wd <= 0:
            raise BadPause(
                f"a pause needs a maximum of at least one working day, not {self.maximum_wd}",
                user_message="特别程序的最长时限至少为1个工作日",
            )
        if self.expected_end_on < self.starts_on:
            raise BadPause(
                f"a pause cannot be expected to end on {self.expected_end_on}, before {self.starts_on}",
                user_message="特别程序的预计结束日期不能早于开始日期",
            )
        if self.ended_on is not None and self.ended_on < self.starts_on:
            raise BadPause(
                f"a pause cannot have ended on {self.ended_on}, before {self.starts_on}",
                user_message="特别程序的结束日期不能早于开始日期",
            )
        if self.kind is PauseKind.PUBLICITY and not self.rule.strip():
            raise BadPause(
                "publicity pauses the clock only where the matter's rule says so: name the rule",
                user_message="公示只在规定允许时停止计时，请填写依据的规定",
            )

    def latest_end_on(self, calendar: Calendar) -> date:
        """The last day the maximum allows; the authority's clock runs again from the next."""
        return calendar.add_working_days(calendar.first_workday_from(self.starts_on), self.maximum_wd - 1)

    def stands_until(self, calendar: Calendar, today: date) -> date:
        """The last day that does not count. An open pause ends as expected, or today when that has passed."""
        end = self.ended_on if self.ended_on is not None else max(self.expected_end_on, today)
        return min(end, self.latest_end_on(calendar))

    def is_over_maximum(self, calendar: Calendar, today: date) -> bool:
        return (self.ended_on or today) > self.latest_end_on(calendar)
