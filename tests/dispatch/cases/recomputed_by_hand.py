"""By hand: every due date and lamp of the reviews in a database, from plain SQL and nothing of the program.

Days are counted one at a time; a year without rows is estimated by a library; moments are compared in Shanghai."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import holidays
import psycopg
from psycopg.rows import dict_row

ZONE = ZoneInfo("Asia/Shanghai")
DAY = timedelta(days=1)
DECIDED = {
    "granted": "granted", "granted_on_commitment": "granted", "denied": "denied", "returned": "returned",
    "not_accepted": "not_accepted",
}  # fmt: skip
Row = Mapping[str, Any]


@cache
def _estimate(year: int) -> frozenset[date]:
    return frozenset(on for on in holidays.China(years=year) if on.year == year)


@dataclass
class Days:
    """Which days are worked, and when the counters close."""

    worked: dict[date, bool]
    published: set[int]
    hours: Sequence[Row]

    @classmethod
    def read(cls, connection: psycopg.Connection[Any]) -> Days:
        rows = rows_of(connection, "SELECT day, is_workday, status FROM calendar_day")
        years = {row["day"].year for row in rows}
        estimated = {row["day"].year for row in rows if row["status"] != "published"}
        hours = rows_of(
            connection,
            "SELECT c.centre_no, h.season_from, h.season_to, h.opens, h.closes FROM opening_hours h"
            " LEFT JOIN service_centre c ON c.id = h.centre_id",
        )
        return cls({row["day"]: row["is_workday"] for row in rows}, years - estimated, hours)

    def is_worked(self, on: date) -> bool:
        if on in self.worked:
            return self.worked[on]
        return on.weekday() < 5 and on not in _estimate(on.year)

    def first(self, on: date) -> date:
        while not self.is_worked(on):
            on += DAY
        return on

    def after(self, on: date, count: int) -> date:
        for _ in range(count):
            on = self.first(on + DAY)
        return on

    def between(self, on: date, end: date) -> Iterator[date]:
        """Worked days after ``on`` up to ``end``."""
        while on < end:
            on += DAY
            if self.is_worked(on):
                yield on

    def session(self, on: date, centre: str | None) -> tuple[time, time]:
        own = [row for row in self.hours if row["centre_no"] == centre and _in_season(row, on)]
        general = [row for row in self.hours if row["centre_no"] is None and _in_season(row, on)]
        found = own or general
        row = min(found, key=_length)
        return row["opens"], row["closes"]

    def opens(self, on: date, centre: str | None) -> datetime:
        return datetime.combine(on, self.session(on, centre)[0], ZONE)

    def closes(self, on: date, centre: str | None) -> datetime:
        return datetime.combine(on, self.session(on, centre)[1], ZONE)

    def counts_on(self, at: datetime, centre: str | None) -> date:
        on = at.astimezone(ZONE).date()
        if not self.is_worked(on) or at > self.closes(on, centre):
            return self.first(on + DAY)
        return on

    def is_provisional(self, first: date, last: date) -> bool:
        return any(year not in self.published for year in range(first.year, last.year + 1))


def _in_season(row: Row, on: date) -> bool:
    day, first, last = f"{on:%m-%d}", row["season_from"], row["season_to"]
    return bool(first <= day <= last) if first <= last else bool(day >= first or day <= last)


def _length(row: Row) -> int:
    first, last = (date(2024, int(row[name][:2]), int(row[name][3:])) for name in ("season_from", "season_to"))
    return (last - first).days % 366


@dataclass
class Found:
    """What the events of one review come to."""

    state: str = "prepared"
    filed_at: datetime | None = None
    correction_due_at: datetime | None = None
    accepted_at: datetime | None = None
    deemed_accepted: bool = False
    legal_due_at: datetime | None = None
    committed_due_at: datetime | None = None
    is_provisional: bool = False
    decided_at: datetime | None = None
    deliver_by: datetime | None = None
    joint_due_at: datetime | None = None
    lamps: tuple[str, ...] = field(default=())


@dataclass
class Review:
    """One review with its standing events."""

    row: Row
    events: Sequence[Row]
    days: Days

    def of(self, *kinds: str) -> list[Row]:
        return [event for event in self.events if event["kind"] in kinds]

    @property
    def centre(self) -> str | None:
        return self.row["centre_no"]

    def moment(self, event: Row) -> datetime:
        return event["happened_at"] or self.days.opens(event["happened_on"], self.centre)

    def asked_by(self, filing: Row) -> datetime:
        on = self.days.counts_on(self.moment(filing), self.centre)
        return self.days.closes(self.days.after(on, 5), self.centre)

    def acceptance(self) -> tuple[datetime, bool] | None:
        """When the limit begins, and whether silence began it."""
        filings, asked = self.of("filed"), self.of("supplement_asked")
        if len(filings) <= len(asked):
            return None
        if written := self.of("accepted"):
            return self.moment(written[-1]), False
        due, silent, refused = self.asked_by(filings[-1]), self.of("deemed_accepted"), self.of("not_accepted")
        if (refused and self.moment(refused[-1]) <= due) or not silent or self.moment(silent[-1]) < due:
            return None
        filed = self.moment(filings[-1])
        on = self.days.counts_on(filed, self.centre)
        return max(filed, self.days.closes(on, self.centre)), True

    def spans(self, today: date) -> list[tuple[date, date]]:
        found, ends = [], self.of("resumed")
        for n, begun in enumerate(self.of("paused")):
            start = begun["happened_on"]
            last = ends[n]["happened_on"] if n < len(ends) else max(begun["until"], today)
            most = self.days.after(self.days.first(start), begun["maximum_wd"] - 1)
            found.append((start, min(last, most)))
        return found

    def last_day(self, form: str, start: date, today: date) -> date:
        """The last day of a limit from its form."""
        spans = self.spans(today)
        number = re.match(r"[0-9]+", form)
        left, on = int(number[0]) if number else 0, start
        if form.endswith("cal"):
            while left:
                on += DAY
                left -= not _stands(spans, on)
            on = self.days.first(on)
            while _stands(spans, on):
                on = self.days.first(on + DAY)
        else:
            on = self._count(self.days.first(on) if not left else on, left, spans)
        if extended := self.of("extended"):
            paper = extended[-1]
            if (paper["notified_on"] or paper["happened_on"]) <= on:
                on = self._count(on, paper["working_days"], spans)
        return on

    def _count(self, on: date, left: int, spans: Sequence[tuple[date, date]]) -> date:
        while left:
            on = self.days.first(on + DAY)
            left -= not _stands(spans, on)
        return on

    def state(self) -> str:
        if self.of("withdrawn"):
            return "withdrawn"
        if ended := self.of(*DECIDED):
            return DECIDED[ended[-1]["kind"]]
        if self.acceptance() is not None:
            if len(self.of("paused")) > len(self.of("resumed")):
                return "paused"
            return "extended" if self.of("extended") else "accepted"
        if filings := self.of("filed"):
            return "submitted" if len(filings) > len(self.of("supplement_asked")) else "supplement"
        return "prepared"

    def found(self, today: date, nows: Sequence[datetime]) -> Found:
        it, filings, ended = Found(self.state()), self.of("filed"), self.of(*DECIDED)
        begins = self.acceptance()
        if filings:
            it.filed_at, it.correction_due_at = self.moment(filings[-1]), self.asked_by(filings[-1])
        if begins is not None:
            it.accepted_at, it.deemed_accepted = begins
        if last := ended or self.of("withdrawn"):
            it.decided_at = max(self.moment(last[-1]), it.accepted_at or self.moment(last[-1]))
        if ended and ended[-1]["kind"] != "not_accepted" and it.decided_at is not None:
            on = self.days.counts_on(it.decided_at, self.centre)
            it.deliver_by = self.days.closes(self.days.after(on, 10), self.centre)
        forms = [filing for filing in filings if filing["joint_group"]]
        if forms and self.row["joint_cap"] is not None:
            runs_from = self.days.counts_on(self.moment(filings[-1]), self.centre)
            it.joint_due_at = self.days.closes(self.last_day(self.row["joint_cap"], runs_from, today), self.centre)
        if it.accepted_at is not None:
            starts = self._starts(it.accepted_at, self.moment(filings[-1]) if forms else None)
            ends = self._ends(starts, today)
            if "statutory_limit" in ends:
                it.legal_due_at = self.days.closes(ends["statutory_limit"], self.centre)
            if ends:
                side = min(ends, key=lambda one: ends[one])
                it.committed_due_at = self.days.closes(ends[side], self.centre)
                it.is_provisional = self.days.is_provisional(starts[side], ends[side])
            it.lamps = tuple(self._lamp(starts, it.decided_at, now) for now in nows)
        else:
            it.lamps = ("green",) * len(nows)
        return it

    def _starts(self, accepted_at: datetime, form_at: datetime | None) -> dict[str, date]:
        """From when each limit that there is runs: the promise first, which is named where two end together."""
        begin = {"committed_limit": accepted_at, "statutory_limit": accepted_at, "joint_cap": form_at}
        return {
            side: self.days.counts_on(at, self.centre)
            for side, at in begin.items()
            if at is not None and self.row[side] is not None
        }

    def _ends(self, starts: Mapping[str, date], today: date) -> dict[str, date]:
        return {side: self.last_day(self.row[side], start, today) for side, start in starts.items()}

    def _lamp(self, starts: Mapping[str, date], decided_at: datetime | None, now: datetime) -> str:
        ends = self._ends(starts, now.date())
        if not ends:
            return "green"
        side = min(ends, key=lambda one: ends[one])
        bound, judged = ends[side], decided_at or now
        due = self._ends(starts, judged.astimezone(ZONE).date())[side]
        if judged > self.days.closes(due, self.centre):
            return "red"
        if decided_at is not None:
            return "green"
        spans, today = self.spans(now.date()), now.date()
        if bound < today:
            return "amber"
        left = sum(not _stands(spans, on) for on in self.days.between(today, bound))
        return "amber" if left <= 2 else "green"


def _stands(spans: Sequence[tuple[date, date]], on: date) -> bool:
    return any(first <= on <= last for first, last in spans)


def rows_of(connection: psycopg.Connection[Any], query: str) -> list[dict[str, Any]]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query).fetchall()  # type: ignore[arg-type]


def recomputed(
    connection: psycopg.Connection[Any], today: date, nows: Sequence[datetime]
) -> dict[int, tuple[Row, Found]]:
    """Each review's kept row, and what its events come to."""
    days = Days.read(connection)
    events: dict[int, list[dict[str, Any]]] = {}
    for event in rows_of(
        connection,
        "SELECT e.* FROM review_event e WHERE e.kind <> 'voided'"
        " AND NOT EXISTS (SELECT 1 FROM review_event c WHERE c.corrects = e.id)",
    ):
        events.setdefault(event["review_id"], []).append(event)
    found = {}
    for row in rows_of(connection, "SELECT * FROM review ORDER BY id"):
        mine = sorted(events.get(row["id"], []), key=_in_order)
        found[row["id"]] = (row, Review(row, mine, days).found(today, nows))
    return found


def _in_order(event: Row) -> tuple[date, bool, datetime | None, str]:
    at = event["happened_at"]
    return event["happened_on"], at is None, at or datetime.max.replace(tzinfo=ZONE), event["document_no"]
