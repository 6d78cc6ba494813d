"""Expiring evidence: an enterprise hears once, a month ahead, that a paper of its register runs out."""

from dataclasses import dataclass
from datetime import date, time, timedelta

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from dispatch.acts.act import ActContext, act
from dispatch.cases.evidence import Evidence
from dispatch.cases.notify import day_of, queue_enterprise_notice
from dispatch.cases.project import Contact, Project
from dispatch.core.localized_text import DayText
from dispatch.core.shanghai_time import utc
from notifications import outbox
from notifications.message import Message

TEXT = "evidence_expiring"
AHEAD = timedelta(days=30)


@act(is_routine=True)
@dataclass(frozen=True, slots=True)
class RemindExpiringEvidence:
    """Enterprises are told of what they hold that runs out within 30 days, once for each paper and last day."""

    def perform(self, context: ActContext) -> int:
        session, told = context.session, 0
        for row, last in _untold(session, today=day_of(context.at)):
            if (project := _project_told(session, row)) is not None:
                queue_enterprise_notice(
                    session, project, text=TEXT, key=_key(row, last), at=context.at,
                    values={"paper": row.name, "day": DayText(last)}, expires_at=utc(last + timedelta(days=1), time(0)),
                )  # fmt: skip
                told += 1
        return told


def take_back_reminder(session: Session, row: Evidence) -> None:
    """The paper is withdrawn: a word of it that still waits is not said."""
    if row.valid_until is not None:
        outbox.withdraw(session, f"{TEXT}:{_key(row, row.valid_until)}")


def _key(row: Evidence, last: date) -> str:
    return f"{row.id}:{last}"


def _untold(session: Session, *, today: date) -> list[tuple[Evidence, date]]:
    key = func.concat(TEXT, ":", Evidence.id, ":", func.to_char(Evidence.valid_until, "YYYY-MM-DD"))
    query = (
        select(Evidence, Evidence.valid_until)
        .where(
            Evidence.withdrawn_at.is_(None), Evidence.valid_until.between(today, today + AHEAD),
            ~exists().where(Message.event_key == key),
        )
        .order_by(Evidence.id)
        .with_for_update(of=Evidence)
    )  # fmt: skip
    return [(row, last) for row, last in session.execute(query) if last is not None]


def _project_told(session: Session, row: Evidence) -> Project | None:
    """The paper's own project, else the enterprise's newest, of those whose contact is still there."""
    of_enterprise = (Project.enterprise_id == row.enterprise_id, Project.merged_into_id.is_(None))
    return session.scalar(
        select(Project)
        .join(Contact, Contact.id == Project.contact_id)
        .where(*of_enterprise, Contact.left_at.is_(None))
        .order_by((Project.id == row.project_id).desc(), Project.id.desc())
        .limit(1)
    )
