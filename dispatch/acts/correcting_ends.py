"""Correcting ends: what follows where a delivery or a letter was written down wrongly, and who is told right."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.acts.delivery import refresh_close
from dispatch.cases.case import Case
from dispatch.cases.fact_event import FACT_LABEL, FactEvent, FactKind
from dispatch.cases.lookups import lead_agent, open_cases
from dispatch.cases.notify import add_timeline_event, day_of, queue_notice
from dispatch.cases.project import Delegation
from dispatch.cases.stages import NOTICE, Stage
from dispatch.core.actor import Actor
from dispatch.core.localized_text import DayText, LocalizedText
from notifications import outbox
from notifications.message import Message


def settle_delivery(
    session: Session, case: Case, event: FactEvent, *, reason: str, by: Actor, at: datetime
) -> None:  # fmt: skip
    """The days that run from the delivery run from the right one, and the enterprise hears of it once.

    Of one that never was nothing is said where nobody had heard of it yet."""
    refresh_close(session, case)
    case.version += 1
    case.changed_by = by.label
    if case.delivered_at is None:
        _add_void_line(session, case, event, now=LocalizedText("尚未送达"), reason=reason, by=by, at=at)
        if not _taken_back(session, case):
            _tell(session, case, event, now=LocalizedText("尚未送达"), at=at)
        return
    day = DayText(day_of(case.delivered_at))
    _add_line(session, case, event, day=day, reason=reason, by=by, at=at)
    if not case.has_ended:
        _tell(session, case, event, now=day, at=at)


def _taken_back(session: Session, case: Case) -> bool:
    """Whether the word of the delivery still waited, and is not said at all."""
    told = select(Message).where(Message.case_id == case.id, Message.text_name == NOTICE[Stage.DELIVERED])
    latest = session.scalars(told.order_by(Message.id.desc()).limit(1)).first()
    return latest is not None and outbox.withdraw(session, latest.event_key)


def settle_letter(
    session: Session, letter: Delegation, event: FactEvent, *, reason: str, by: Actor, at: datetime
) -> None:  # fmt: skip
    """Every open case of the letter's project says what is right; the enterprise hears of it once."""
    moment = letter.revoked_at or letter.signed_at
    is_void = event.id not in {one.corrects for one in letter.facts if one.kind is not FactKind.VOIDED}
    now: DayText | LocalizedText = LocalizedText("登记作废")
    if moment is not None:
        now = LocalizedText("委托书仍然有效") if is_void else DayText(day_of(moment))
    cases = open_cases(session, letter.project)
    letter.project.version += 1
    for case in cases:
        if isinstance(now, DayText):
            _add_line(session, case, event, day=now, reason=reason, by=by, at=at)
        else:
            _add_void_line(session, case, event, now=now, reason=reason, by=by, at=at)
    if cases:
        _tell(session, cases[0], event, now=now, at=at)


def _add_line(
    session: Session, case: Case, event: FactEvent, *, day: DayText, reason: str, by: Actor, at: datetime
) -> None:  # fmt: skip
    words = LocalizedText(
        "更正：此前登记的“%(was)s”日期有误（%(reason)s），现为：%(now)s", was=LocalizedText(FACT_LABEL[event.kind]),
        reason=reason, now=day,
    )  # fmt: skip
    add_timeline_event(session, case, kind="record_corrected", by=by, at=at, words=words, fact=event.id)


def _add_void_line(
    session: Session, case: Case, event: FactEvent, *, now: LocalizedText, reason: str, by: Actor, at: datetime
) -> None:  # fmt: skip
    words = LocalizedText(
        "更正：此前登记的“%(was)s”没有发生（%(reason)s），现为：%(now)s", was=LocalizedText(FACT_LABEL[event.kind]),
        reason=reason, now=now,
    )  # fmt: skip
    add_timeline_event(session, case, kind="record_corrected", by=by, at=at, words=words, fact=event.id)


def _tell(session: Session, case: Case, event: FactEvent, *, now: DayText | LocalizedText, at: datetime) -> None:
    agent = lead_agent(session, case, at)
    queue_notice(
        session, case, "record_corrected", at=at, key=f"fact:{event.id}",
        values={
            "matter": LocalizedText(FACT_LABEL[event.kind]), "result": now, "agent": agent.name if agent else "",
        },
    )  # fmt: skip
