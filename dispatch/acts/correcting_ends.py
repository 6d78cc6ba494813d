"""Correcting ends: what follows where a delivery or a letter was written down wrongly, and who is told right."""

from datetime import datetime

from sqlalchemy.orm import Session

from dispatch.acts.delivery import refresh_close
from dispatch.cases.case import Case
from dispatch.cases.fact_event import FACT_LABEL, FactEvent
from dispatch.cases.lookups import lead_agent, open_cases
from dispatch.cases.notify import add_timeline_event, day_of, queue_notice
from dispatch.cases.project import Delegation
from dispatch.core.actor import Actor
from dispatch.core.localized_text import DayText, LocalizedText


def settle_delivery(
    session: Session, case: Case, event: FactEvent, *, reason: str, by: Actor, at: datetime
) -> None:  # fmt: skip
    """The days that run from the delivery run from the right one, and the enterprise hears of it once."""
    assert case.delivered_at is not None  # a delivery is never taken back here
    refresh_close(session, case)
    case.version += 1
    case.changed_by = by.label
    day = DayText(day_of(case.delivered_at))
    _add_line(session, case, event, day=day, reason=reason, by=by, at=at)
    if not case.has_ended:
        _tell(session, case, event, day=day, at=at)


def settle_letter(
    session: Session, letter: Delegation, event: FactEvent, *, reason: str, by: Actor, at: datetime
) -> None:  # fmt: skip
    """Every open case of the letter's project says the right day; the enterprise hears of it once."""
    moment = letter.revoked_at or letter.signed_at
    cases = open_cases(session, letter.project)
    letter.project.version += 1
    for case in cases:
        _add_line(session, case, event, day=DayText(day_of(moment)), reason=reason, by=by, at=at)
    if cases:
        _tell(session, cases[0], event, day=DayText(day_of(moment)), at=at)


def _add_line(
    session: Session, case: Case, event: FactEvent, *, day: DayText, reason: str, by: Actor, at: datetime
) -> None:  # fmt: skip
    words = LocalizedText(
        "更正：此前登记的“%(was)s”日期有误（%(reason)s），现为：%(now)s", was=LocalizedText(FACT_LABEL[event.kind]),
        reason=reason, now=day,
    )  # fmt: skip
    add_timeline_event(session, case, kind="record_corrected", by=by, at=at, words=words, fact=event.id)


def _tell(session: Session, case: Case, event: FactEvent, *, day: DayText, at: datetime) -> None:
    agent = lead_agent(session, case, at)
    queue_notice(
        session, case, "record_corrected", at=at, key=f"fact:{event.id}",
        values={
            "matter": LocalizedText(FACT_LABEL[event.kind]), "result": day, "agent": agent.name if agent else "",
        },
    )  # fmt: skip
