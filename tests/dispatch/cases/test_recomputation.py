"""Every date and lamp that the program keeps is what plain SQL and a count by hand find, after whatever happened."""

import os
import random
from datetime import date, datetime, time, timedelta
from typing import Any

import psycopg
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from dispatch.cases.case import Case
from dispatch.cases.derived import PORTION, derive_review, refresh_dates, review_ids
from dispatch.cases.review import Review
from dispatch.catalogue.calendar_tables import CalendarDay
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.core.shanghai_time import SHANGHAI
from tests.dispatch.builders import a_request
from tests.dispatch.cases.generated_projects import draw, make_projects
from tests.dispatch.cases.recomputed_by_hand import Found, recomputed

PROJECTS = int(os.environ.get("DAIBAN_RECOMPUTED", "150"))  # `make recompute` takes 5,000
TODAY = date(2026, 11, 23)
NOWS = [datetime.combine(TODAY + timedelta(days=n), time(10), SHANGHAI) for n in (-200, 0, 45)]
KEPT = (
    "state", "filed_at", "correction_due_at", "accepted_at", "deemed_accepted", "legal_due_at", "committed_due_at",
    "is_provisional", "decided_at", "deliver_by", "joint_due_at",
)  # fmt: skip


def derive_all(session: Session) -> None:
    """As the program derives them: in portions, and the cases after their reviews."""
    calendar, after = calendar_of(session), 0
    while ids := review_ids(session, after=after, limit=PORTION):
        rows = session.scalars(
            select(Review)
            .where(Review.id.in_(ids))
            .options(selectinload(Review.events), selectinload(Review.pauses), selectinload(Review.case))
        ).all()
        for review in rows:
            derive_review(review, calendar, TODAY)
        session.flush()
        for case in {review.case for review in rows}:
            refresh_dates(session, case)
        after = ids[-1]
    session.flush()


def differences(session: Session, connection: psycopg.Connection[Any]) -> list[str]:
    """Where the kept columns, the lamps, the cases' days or the list of what is overdue are otherwise."""
    found = recomputed(connection, TODAY, NOWS)
    wrong = [
        f"review {key} {name}: kept {row[name]}, by hand {getattr(mine, name)}"
        for key, (row, mine) in found.items()
        for name in KEPT
        if row[name] != getattr(mine, name)
    ]
    calendar = calendar_of(session)
    reviews = session.scalars(select(Review).options(selectinload(Review.pauses))).all()
    for review in reviews:
        lamps = tuple(review.lamp(calendar, now).value for now in NOWS)
        if lamps != found[review.id][1].lamps:
            wrong.append(f"review {review.id} lamps: {lamps}, by hand {found[review.id][1].lamps}")
    return wrong + _cases(session, found) + _overdue(session, found)


def _cases(session: Session, found: dict[int, tuple[Any, Found]]) -> list[str]:
    by_case: dict[int, list[Found]] = {}
    for row, mine in found.values():
        by_case.setdefault(row["case_id"], []).append(mine)
    wrong = []
    for case in session.scalars(select(Case)):
        for column, name in (("legal_due_on", "legal_due_at"), ("committed_due_on", "committed_due_at")):
            ends = [
                at.astimezone(SHANGHAI).date() for one in by_case[case.id] if (at := getattr(one, name)) is not None
            ]
            if getattr(case, column) != max(ends, default=None):
                wrong.append(
                    f"case {case.case_no} {column}: {getattr(case, column)}, by hand {max(ends, default=None)}"
                )
    return wrong


def _overdue(session: Session, found: dict[int, tuple[Any, Found]]) -> list[str]:
    """The list of open matters that are overdue, as a query lists them and as the lamps count them."""
    running = ("accepted", "paused", "extended")
    query = select(Review.id).where(Review.state.in_(running), Review.committed_due_at < NOWS[1])
    listed = set(session.scalars(query))
    red = {key for key, (_, mine) in found.items() if mine.state in running and mine.lamps[1] == "red"}
    return [f"overdue: listed {sorted(listed - red)}, by hand {sorted(red - listed)}"] if listed != red else []


@pytest.mark.timeout(3_600)
def test_a_stranger_finds_the_same_dates_and_lamps(county) -> None:
    session, chance = county.session, random.Random(20261123)
    like, _ = a_request(county, matters=("IND-104",))
    session.flush()
    calendar = calendar_of(session)
    make_projects(session, like, [draw(chance, calendar) for _ in range(PROJECTS)])
    for change in (None, *_calendar_changes(session, chance)):
        if change is not None:
            session.execute(change)
        derive_all(session)
        session.commit()
        url = session.get_bind().url.set(drivername="postgresql").render_as_string(hide_password=False)  # type: ignore[union-attr]
        with psycopg.connect(url) as connection:
            assert differences(session, connection)[:20] == []
    assert len(session.scalars(select(Review.id)).all()) == PROJECTS + 1


def _calendar_changes(session: Session, chance: random.Random) -> list[Any]:
    """Working days that become holidays, weekends that are worked, a whole year that is forgotten.

    Not this week: by when the one case that was really asked for is answered stays as it was told."""
    table = CalendarDay.__table__
    days = [row for row in session.execute(select(CalendarDay.day, CalendarDay.is_workday)) if row.day.year == 2026]
    days = [row for row in days if not TODAY <= row.day < TODAY + timedelta(days=7)]
    off = chance.sample([row.day for row in days if row.is_workday], k=20)
    on = chance.sample([row.day for row in days if not row.is_workday], k=10)
    return [
        table.update().where(table.c.day.in_(off)).values(is_workday=False, kind="holiday"),
        table.update().where(table.c.day.in_(on)).values(is_workday=True, kind="adjusted_workday"),
        table.delete().where(table.c.day >= date(2027, 1, 1)),
    ]
