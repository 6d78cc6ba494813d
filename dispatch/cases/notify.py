"""Telling: one line on the timeline, one notice in the outbox, both in the transaction of the change."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from agents.network import Division
from agents.roster import Agent
from db import Base, EncryptedText
from dispatch.cases.case import Case, CaseEvent
from dispatch.cases.project import Contact, Project
from dispatch.cases.stages import LABEL, NOTICE
from dispatch.core.actor import Actor
from dispatch.core.localized_text import DayText, to_json
from dispatch.core.shanghai_time import in_shanghai
from notifications import outbox
from notifications.message import Message

# Letters and digits that nobody mistakes for one another on paper or on the phone.
QUERY_ALPHABET = frozenset("23456789ABCDEFGHJKLMNPQRSTUVWXYZ")


class DeskKind:
    """What a desk hears of: bad grades and complaints, or a team's unanswered requests."""

    SUPERVISION = "supervision"
    LEAD = "lead"


class Desk(Base):
    """The number at which a division's supervision (监督) or team lead (组长) hears of what concerns it."""

    __tablename__ = "desk"
    __table_args__ = (UniqueConstraint("division_id", "kind"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    division_id: Mapped[int] = mapped_column(ForeignKey("division.id"))
    kind: Mapped[str]
    name: Mapped[str]
    phone: Mapped[str] = mapped_column(EncryptedText)


def query_code() -> str:
    """Eight characters for the query page (查询码), about 40 bits; the page is rate limited besides."""
    return "".join(secrets.choice(sorted(QUERY_ALPHABET)) for _ in range(8))


def six_digits() -> str:
    """A pickup or delivery code."""
    return f"{secrets.randbelow(1_000_000):06d}"


def sms_case_number(case_no: str) -> str:
    """The case number as a notice carries it: without hyphens, at most 20 characters."""
    return case_no.replace("-", "")


def add_timeline_event(
    session: Session,
    case: Case,
    *,
    kind: str,
    by: Actor,
    at: datetime,
    words: str = "",
    internal: bool = False,
    **detail: Any,
) -> CaseEvent:
    """One line on the timeline. ``internal``: staff see it, the enterprise does not."""
    event = CaseEvent(
        case_id=case.id,
        at=at,
        kind=kind,
        stage=case.stage,
        actor=by.label,
        words=str(words or LABEL[case.stage]),
        detail=detail | to_json(words),
        internal=internal,
    )
    session.add(event)
    return event


def queue_notice(
    session: Session,
    case: Case,
    text: str,
    *,
    at: datetime,
    key: str = "",
    expires_at: datetime | None = None,
    values: Mapping[str, str] | None = None,
) -> Message:
    """Put one notice to the case's contact into the outbox; ``key`` tells repeated events of a case apart."""
    notice = CaseNotice(case, text, key=key or str(case.version), values=values or {}, expires_at=expires_at)
    return outbox.queue_message(session, notice.message(session.get_one(Contact, case.contact_id), at))


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseNotice:
    """One notice to a case's contact that is still to be put into the outbox."""

    case: Case = field(kw_only=False)
    text: str = field(kw_only=False)
    key: str
    values: Mapping[str, str]
    expires_at: datetime | None = None

    def message(self, contact: Contact, at: datetime) -> outbox.NewMessage:
        """As the outbox takes it."""
        case = self.case
        return outbox.NewMessage(
            event_key=_event_key(case, self.text, self.key),
            text=self.text,
            to=contact.phone,
            locale=contact.locale,
            values={"case_no": sms_case_number(case.case_no), **_in_language(contact.locale, self.values)},
            at=at,
            division_id=case.division_id,
            case_id=case.id,
            project_id=case.project_id,
            expires_at=self.expires_at,
        )


def queue_notices(session: Session, notices: Sequence[CaseNotice], *, at: datetime) -> None:
    """Put the notices of many cases into the outbox together; their contacts are read at once."""
    if not notices:
        return
    wanted = {notice.case.contact_id for notice in notices}
    contacts = {contact.id: contact for contact in session.scalars(select(Contact).where(Contact.id.in_(wanted)))}
    outbox.queue_messages(session, [notice.message(contacts[notice.case.contact_id], at) for notice in notices])


def _in_language(locale: str, values: Mapping[str, str]) -> dict[str, str]:
    """Days as the contact reads them; names stay as the office writes them."""
    return {
        name: value.english if locale == "en" and isinstance(value, DayText) else value
        for name, value in values.items()
    }


def _event_key(case: Case, text: str, key: str) -> str:
    return f"{case.case_no}:{text}:{key}"


def withdraw_notice(session: Session, case: Case, text: str, *, key: str) -> bool:
    """Take a notice back that has not gone out yet; whether there was one that nobody has heard."""
    return outbox.withdraw(session, _event_key(case, text, key))


def queue_stage_notice(
    session: Session, case: Case, *, at: datetime, by: Actor, words: str = "", **values: str
) -> None:
    """The stage has just changed: its line on the timeline and its notice."""
    add_timeline_event(session, case, kind=case.stage.value, by=by, at=at, words=words)
    queue_notice(session, case, NOTICE[case.stage], at=at, values=values)


def queue_agent_notice(
    session: Session, agent: Agent, project: Project, *, text: str, key: str, at: datetime, values: Mapping[str, str]
) -> None:
    """A notice to an agent about a project."""
    outbox.queue_message(
        session,
        outbox.NewMessage(
            event_key=f"{project.project_no}:{text}:{key}",
            text=text,
            to=agent.phone,
            values=dict(values),
            at=at,
            division_id=project.home_division_id,
            project_id=project.id,
        ),
    )


def queue_enterprise_notice(
    session: Session,
    project: Project,
    *,
    text: str,
    key: str,
    at: datetime,
    values: Mapping[str, str],
    expires_at: datetime | None = None,
) -> None:
    """A notice about the enterprise, and no case of it, to the contact of this project; once for each ``key``."""
    outbox.queue_message(
        session,
        outbox.NewMessage(
            event_key=f"{text}:{key}",
            text=text,
            to=project.contact.phone,
            locale=project.contact.locale,
            values=_in_language(project.contact.locale, values),
            at=at,
            division_id=project.home_division_id,
            project_id=project.id,
            expires_at=expires_at,
        ),
    )


def withdraw_agent_notice(session: Session, project: Project, *, text: str, key: str) -> bool:
    """Take back what no agent has heard of a project yet; whether there was such a thing."""
    return outbox.withdraw(session, f"{project.project_no}:{text}:{key}")


def withdraw_desk_notice(session: Session, *, text: str, key: str) -> bool:
    """Take back what no desk has heard yet; whether there was such a thing."""
    return outbox.withdraw(session, f"{text}:{key}")


def queue_desk_notice(
    session: Session,
    *,
    kind: str,
    division_id: int,
    text: str,
    key: str,
    at: datetime,
    values: Mapping[str, str],
    case_id: int | None = None,
) -> bool:
    """A notice to the nearest desk up the tree; False when nobody is entered there."""
    above = session.get_one(Division, division_id).path.split(".")
    desk = session.scalar(
        select(Desk)
        .join(Division, Division.id == Desk.division_id)
        .where(Desk.kind == kind, Division.code.in_(above))
        .order_by(Division.level.desc())
        .limit(1)
    )
    if desk is None:
        return False
    outbox.queue_message(
        session,
        outbox.NewMessage(
            event_key=f"{text}:{key}",
            text=text,
            to=desk.phone,
            values=dict(values),
            at=at,
            division_id=division_id,
            case_id=case_id,
        ),
    )
    return True


def day_of(moment: datetime) -> date:
    """The calendar day in Jiangsu."""
    return in_shanghai(moment).date()
