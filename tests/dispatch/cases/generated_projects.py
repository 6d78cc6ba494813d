"""Generated projects: cases with one matter each, whose events are drawn with corrections, pauses and late entries."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Connection, Table, insert, select, text
from sqlalchemy.orm import Session

from dispatch.cases.case import Case
from dispatch.cases.project import Project
from dispatch.cases.review import Review
from dispatch.cases.review_checks import check_story
from dispatch.cases.review_event import EventFacts, EventKind, ReviewEvent
from dispatch.cases.review_fold import ReviewRules, ReviewStory
from dispatch.cases.review_state import ReviewState
from dispatch.core.errors import Refused, WrongStage
from dispatch.core.limit import DayUnit, Limit
from dispatch.core.shanghai_time import utc
from dispatch.core.special_procedure import PauseKind
from dispatch.core.working_days import Calendar

Kind = EventKind
FORMS: tuple[Limit | None, ...] = (
    None, Limit(0), *(Limit(days) for days in (1, 3, 5, 7, 10, 20)),
    *(Limit(days, DayUnit.CALENDAR) for days in (7, 15, 30, 45)),
)  # fmt: skip
WRONG_DAY = timedelta(days=3)


@dataclass
class Drawn:
    """One matter: its limits, and its events as they were written down, each with the number of the one it corrects."""

    statutory: Limit | None
    committed: Limit | None
    joint_cap: Limit | None
    written: list[tuple[EventFacts, int | None]] = field(default_factory=list)


def draw(chance: random.Random, calendar: Calendar) -> Drawn:
    """A story that can have happened, with mistakes that were put right, in any order of writing down."""
    while True:
        statutory, committed = chance.choice(FORMS), chance.choice(FORMS)
        if statutory is not None and committed is not None and committed.is_longer_than(statutory):
            committed = None
        joint_cap = chance.choice((None, Limit(7), Limit(10), Limit(40), Limit(15, DayUnit.CALENDAR)))
        events = list(_events(chance, calendar))
        try:
            check_story(ReviewStory.of(events, ReviewRules(statutory, committed), calendar))
        except (Refused, WrongStage):
            continue
        return Drawn(statutory, committed, joint_cap, _written(chance, events))


def _events(chance: random.Random, calendar: Calendar) -> Iterator[EventFacts]:
    on = date(2026, 1, 5) + timedelta(days=chance.randrange(700))

    def event(kind: EventKind, **more: Any) -> EventFacts:
        at = utc(on, time(chance.randrange(8, 20), chance.randrange(60))) if chance.random() < 0.4 else None
        return EventFacts(
            kind=kind, happened_on=on, happened_at=at, document_no=f"{kind}-{chance.randrange(99)}", **more
        )

    yield event(Kind.FILED, joint_group=chance.choice(("", "", "EVAL")))
    if chance.random() < 0.2:
        on = calendar.add_working_days(on, chance.randint(1, 4))
        yield event(Kind.SUPPLEMENT_ASKED, words="补正")
        on += timedelta(days=chance.randint(1, 20))
        yield event(Kind.FILED)
    if chance.random() < 0.1:
        return
    if chance.random() < 0.15:
        on = calendar.add_working_days(on, chance.randint(5, 7))
        yield replace(event(Kind.DEEMED_ACCEPTED), happened_at=utc(on, time(17, 30)))
    else:
        on = calendar.add_working_days(on, chance.randint(0, 4))
        yield event(Kind.ACCEPTED)
    is_open = False
    for _ in range(chance.choice((0, 0, 0, 1, 2))):
        on += timedelta(days=chance.randint(0, 9))
        until = on + timedelta(days=chance.randint(0, 25))
        yield event(
            Kind.PAUSED, pause_kind=PauseKind.EXPERT_REVIEW, until=until, maximum_wd=chance.randint(1, 30), rule=""
        )
        is_open = chance.random() < 0.2
        if is_open:
            break
        on += timedelta(days=chance.randint(0, 40))
        yield event(Kind.RESUMED)
    if chance.random() < 0.15:
        on += timedelta(days=chance.randint(0, 6))
        told = on + timedelta(days=chance.randint(0, 2))
        yield event(Kind.EXTENDED, words="复杂", working_days=chance.randint(1, 10), notified_on=told)
    if not is_open and chance.random() < 0.5:
        on += timedelta(days=chance.randint(0, 40))
        kind = chance.choice((Kind.GRANTED, Kind.GRANTED, Kind.DENIED, Kind.RETURNED, Kind.WITHDRAWN))
        yield event(kind, words="理由")


def _written(chance: random.Random, events: list[EventFacts]) -> list[tuple[EventFacts, int | None]]:
    """Some were first written down wrongly, or of another matter; then all are put right."""
    chance.shuffle(events)
    written: list[tuple[EventFacts, int | None]] = []
    for facts in events:
        if chance.random() < 0.15:
            wrong = replace(facts, happened_on=facts.happened_on - WRONG_DAY, happened_at=None)
            written.append((wrong, None))
            if chance.random() < 0.3:  # corrected twice
                written.append((replace(wrong, happened_on=wrong.happened_on - WRONG_DAY), len(written) - 1))
            written.append((facts, len(written) - 1))
        else:
            written.append((facts, None))
        if chance.random() < 0.05:
            written.append((EventFacts(kind=Kind.DENIED, happened_on=facts.happened_on, words="误"), None))
            written.append((EventFacts(kind=Kind.VOIDED, happened_on=facts.happened_on), len(written) - 1))
    return written


def make_projects(session: Session, like: Case, drawn: list[Drawn]) -> None:
    """A project with its case and its matter for each, as copies of ``like``; nothing is derived yet."""
    connection = session.connection()
    review = session.scalars(select(Review).where(Review.case_id == like.id).limit(1)).one()
    project = session.get_one(Project, like.project_id)
    count, session_at = len(drawn), like.created_at
    projects = _copies(connection, Project, project.id, count, {"project_no": "'G' || n", "project_code": "NULL"})
    cases = _copies(
        connection, Case, like.id, count,
        {"case_no": "'G' || n", "query_hash": "decode(md5('g' || n), 'hex')", "project_id": f"{projects[0]} + n - 1",
         "stage": "'under_review'"},
    )  # fmt: skip
    reviews = _copies(
        connection, Review, review.id, count, {"case_id": f"{cases[0]} + n - 1", "state": f"'{ReviewState.PREPARED}'"}
    )
    session.expire_all()
    for row, one in zip(reviews, drawn, strict=True):
        connection.execute(
            text(
                "UPDATE review SET statutory_limit = :law, committed_limit = :promise, joint_cap = :cap WHERE id = :id"
            ),
            {"id": row, "law": _form(one.statutory), "promise": _form(one.committed), "cap": _form(one.joint_cap)},
        )
    _write_events(connection, reviews, drawn, session_at)


def _form(limit: Limit | None) -> str | None:
    return None if limit is None else str(limit)


def _copies(connection: Connection, mapped: Any, row_id: int, count: int, changes: dict[str, str]) -> list[int]:
    """Rows like one row, with consecutive ids."""
    table: Table = mapped.__table__
    first = (connection.scalar(text(f"SELECT max(id) FROM {table.name}")) or 0) + 1_000
    values = {column.name: column.name for column in table.columns} | changes | {"id": f"{first} + n - 1"}
    columns, cells = ", ".join(values), ", ".join(values.values())
    rows = f"{table.name}, generate_series(1, {count}) n WHERE {table.name}.id = {row_id}"
    connection.execute(text(f"INSERT INTO {table.name} ({columns}) OVERRIDING SYSTEM VALUE SELECT {cells} FROM {rows}"))
    return list(range(first, first + count))


def _write_events(connection: Connection, reviews: list[int], drawn: list[Drawn], at: datetime) -> None:
    first = (connection.scalar(text("SELECT max(id) FROM review_event")) or 0) + 1_000
    rows = []
    for review_id, one in zip(reviews, drawn, strict=True):
        begin = first
        for n, (facts, corrects) in enumerate(one.written):
            late = at + timedelta(days=400, minutes=n)
            rows.append(
                {"id": first, "review_id": review_id, **asdict(facts), "recorded_at": late, "recorded_by": "agent",
                 "late_reason": "补录", "corrects": None if corrects is None else begin + corrects,
                 "correction_reason": "" if corrects is None else "写错"}
            )  # fmt: skip
            first += 1
    table = ReviewEvent.__table__
    for part in range(0, len(rows), 2_000):
        connection.execute(insert(table), rows[part : part + 2_000])  # type: ignore[arg-type]
