"""A calendar imported over many open reviews: how long all limits take to follow, and the longest portion.

python -m tests.benchmarks.calendar_import [--reviews 20000] [--seed 1]

Every portion is a transaction of its own: as long as the longest one, no page waits for a case that it holds.
"""

import argparse
import json
import random
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import event, func, select, text

import db
from dispatch.acts.act import perform
from dispatch.acts.deriving import DeriveLimits, DeriveObligations
from dispatch.acts.importing import ImportCalendar
from dispatch.cases.case import Case
from dispatch.cases.derived import review_ids
from dispatch.cases.review import Review
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.catalogue.imports import CALENDAR_FILE
from dispatch.core.actor import SYSTEM
from servers.postgres import Postgres
from tests.dispatch.builders import a_request, make_county, the_county
from tests.dispatch.cases.generated_projects import draw, make_projects
from tests.notifications.chaos import make_tables


def measure(reviews: int, seed: int) -> dict[str, Any]:
    """Make the reviews, derive them once, take days off, and time the portions in which they follow."""
    db.use_keys(db.Keyring.generate())
    server = Postgres(durable=False).start()
    try:
        make_tables(server.url)
        sessions = db.sessions(server.url)
        with TemporaryDirectory() as folder:
            with sessions.begin() as session:
                db.allow_clock_changes(session)
                make_county(session, Path(folder))
            _fill(sessions, reviews, seed)
            first = _derive(sessions)
            changed = Path(folder) / "calendar.csv"
            changed.write_text(_with_days_off(CALENDAR_FILE.read_text(encoding="utf-8")), encoding="utf-8")
            with sessions.begin() as session:
                perform(session, ImportCalendar(changed), SYSTEM)
            then = _derive(sessions)
        with sessions() as session:
            open_reviews = len(review_ids(session, after=0, limit=10 * reviews))
        return {"open reviews": open_reviews, "first": first, "after the import": then}
    finally:
        server.stop()


def _fill(sessions: Any, reviews: int, seed: int) -> None:
    chance = random.Random(seed)
    with sessions.begin() as session:
        like, _ = a_request(the_county(session), matters=("IND-104",))
        session.flush()
        calendar = calendar_of(session)
        some = [draw(chance, calendar) for _ in range(min(reviews, 2_000))]
        make_projects(session, like, [some[n % len(some)] for n in range(reviews)])
        session.execute(text("ANALYZE"))
        assert session.scalar(select(func.count(Review.id))) == session.scalar(select(func.count(Case.id)))


def _derive(sessions: Any) -> dict[str, Any]:
    """All open reviews in portions, then all that is owed; how many limits moved."""
    moved, statements = [], _counted(sessions)

    def limits(session: Any, after: int) -> int | None:
        portion = perform(session, DeriveLimits(after=after), SYSTEM)
        moved.extend(portion.moved)
        return portion.last

    figures = {"limits": _portions(sessions, limits), "moved": len(moved)}
    figures["statements"] = len(statements)
    figures["obligations"] = _portions(
        sessions, lambda session, after: perform(session, DeriveObligations(after=after), SYSTEM)
    )
    return figures


def _portions(sessions: Any, derive: Callable[[Any, int], int | None]) -> dict[str, Any]:
    """Each portion in its transaction: wall and processor seconds, and the longest portion's."""
    took, cpu, after = [], time.process_time(), 0
    while after is not None:
        began = time.perf_counter()
        with sessions.begin() as session:
            after = derive(session, after)
        took.append(time.perf_counter() - began)
    return {
        "wall_s": round(sum(took), 1),
        "cpu_s": round(time.process_time() - cpu, 1),
        "longest portion_s": round(max(took), 2),
        "portions": len(took),
    }


def _counted(sessions: Any) -> list[str]:
    """The statements that are sent from now on."""
    sent: list[str] = []
    event.listen(sessions.kw["bind"], "before_cursor_execute", lambda *given: sent.append(given[2]))
    return sent


def _with_days_off(calendar: str) -> str:
    """Each month of 2026 and 2027 has one working day less."""
    rows, seen = [], set()
    for row in calendar.splitlines():
        month = row[:7]
        if ",1,workday," in row and month >= "2026" and month not in seen and row[8:10] >= "10":
            seen.add(month)
            row = row.replace(",1,workday,", ",0,holiday,")
        rows.append(row)
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--reviews", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    print(json.dumps(measure(given.reviews, given.seed), ensure_ascii=False, indent=1))
