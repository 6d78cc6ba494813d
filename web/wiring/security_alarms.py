"""Alarms of the security log: what happened too often in a day to be left to whoever happens to read the lines."""

from dataclasses import dataclass
from datetime import timedelta

import structlog
from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from web.wiring.security_log import SecurityEvent, SecurityKind

log = structlog.get_logger()


ALARM_FROM = {
    SecurityKind.SIGN_IN_FAILED: 10, SecurityKind.SIGN_IN_BLOCKED: 5, SecurityKind.ACCESS_REFUSED: 10,
    SecurityKind.EXPORTED: 10, SecurityKind.PERSONAL_DATA: 20, SecurityKind.FILE_SENT: 200,
}  # fmt: skip
"""So many lines of one kind in a day, by one person or about one subject, are somebody's business."""

ALARM_WORDS = {
    SecurityKind.SIGN_IN_FAILED: "同一账号一天内多次登录失败",
    SecurityKind.SIGN_IN_BLOCKED: "一天内多次因尝试过多被拒",
    SecurityKind.ACCESS_REFUSED: "同一人一天内多次越权访问",
    SecurityKind.EXPORTED: "同一人一天内多次导出",
    SecurityKind.PERSONAL_DATA: "同一人一天内多次查看或导出个人信息",
    SecurityKind.FILE_SENT: "同一人一天内下载大量文件",
}


@dataclass(frozen=True, slots=True)
class SecurityAlarm:
    """A rule that holds: how many lines of which kind, by whom or about what."""

    kind: SecurityKind
    account_id: int | None
    subject: str
    count: int


def alarms(session: Session) -> list[SecurityAlarm]:
    """The rules that the last day's lines fulfil, the most lines first: by a person where one is known."""
    since = func.clock_timestamp() - timedelta(days=1)
    about = case((SecurityEvent.account_id.is_(None), SecurityEvent.subject), else_="")
    count = func.count()
    rows = session.execute(
        select(SecurityEvent.kind, SecurityEvent.account_id, about, count)
        .where(SecurityEvent.at > since)
        .group_by(SecurityEvent.kind, SecurityEvent.account_id, about)
        .order_by(count.desc())
    )
    return [
        SecurityAlarm(kind, account_id, subject, n)
        for kind, account_id, subject, n in rows
        if kind in ALARM_FROM and n >= ALARM_FROM[kind]
    ]


def sound_alarms(session: Session) -> int:
    """Write an error to the process's log for each rule that holds, for whoever watches it; how many."""
    found = alarms(session)
    for alarm in found:
        log.error(
            "security alarm", kind=alarm.kind.value, account=alarm.account_id, subject=alarm.subject, n=alarm.count
        )
    return len(found)
