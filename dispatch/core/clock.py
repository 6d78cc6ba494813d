"""Clock: working days, due dates, pauses, lamps. The moment is always an argument; nothing here asks the time."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from itertools import pairwise
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")

# Administrative Licensing Law, articles 32, 42 and 44; article 82 makes every limit in it working days.
CORRECTION_WD = 5
EXTENSION_WD = 10
DELIVERY_WD = 10
AMBER_WD = 2


class CalendarMissing(LookupError):
    """No calendar was imported for a year that the answer needs."""

    def __init__(self, year: int) -> None:
        super().__init__(f"no working-day calendar for {year}: import it before asking for dates in that year")
        self.year = year


class DayStatus(StrEnum):
    """Whether the State Council has published the year's holidays, or only the statutory days are known."""

    PUBLISHED = "published"
    PROVISIONAL = "provisional"


class DayUnit(StrEnum):
    """How a limit counts: 工作日 or 自然日."""

    WORKING = "wd"
    CALENDAR = "cal"


class Lamp(StrEnum):
    """How much of a limit is left: 正常, 黄牌 (two working days or fewer), 红牌 (overdue)."""

    GREEN = "green"
    AMBER = "amber"
    RED = "red"


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
class PublishedDay:
    """One day of the calendar, as published: weekends worked (调休) and weekdays off are in ``is_workday``."""

    on: date
    is_workday: bool
    kind: str = ""
    name: str = ""
    status: DayStatus = DayStatus.PUBLISHED


@dataclass(frozen=True, slots=True, order=True)
class MonthDay:
    """A day of any year, for seasons."""

    month: int
    day: int

    def __post_init__(self) -> None:
        date(2024, self.month, self.day)  # a leap year, so that 29 February is a day


@dataclass(frozen=True, slots=True)
class SeasonHours:
    """When a centre's counters are open in a season (作息时间). ``centre`` None: every centre without its own row."""

    sessions: tuple[tuple[time, time], ...]
    centre: str | None = None
    season_from: MonthDay = MonthDay(1, 1)
    season_to: MonthDay = MonthDay(12, 31)

    def __post_init__(self) -> None:
        if not self.sessions:
            raise ValueError("opening hours need at least one session")
        edges = [edge for session in self.sessions for edge in session]
        if any(later <= earlier for earlier, later in pairwise(edges)):
            raise ValueError(f"opening hours must go forward through the day: {self.sessions}")

    def covers(self, on: date) -> bool:
        today = MonthDay(on.month, on.day)
        if self.season_from <= self.season_to:
            return self.season_from <= today <= self.season_to
        return today >= self.season_from or today <= self.season_to

    @property
    def season_length(self) -> int:
        start = date(2024, self.season_from.month, self.season_from.day)
        end = date(2024, self.season_to.month, self.season_to.day)
        return (end - start).days % 366 + 1

    @property
    def opens(self) -> time:
        return self.sessions[0][0]

    @property
    def closes(self) -> time:
        return self.sessions[-1][1]


STANDARD_HOURS = (SeasonHours(sessions=((time(9), time(12)), (time(13, 30), time(17)))),)


@dataclass(frozen=True, slots=True, eq=False)
class Calendar:
    """Working days and opening hours, whole years at a time. Built by ``Calendar.of`` or ``Calendar.from_rows``."""

    workdays: tuple[int, ...]  # proleptic ordinals, rising
    years: frozenset[int]
    provisional_years: frozenset[int] = frozenset()
    hours: tuple[SeasonHours, ...] = STANDARD_HOURS
    _lookup: frozenset[int] = field(default=frozenset(), repr=False)

    @classmethod
    def of(cls, days: Iterable[PublishedDay], hours: Iterable[SeasonHours] = STANDARD_HOURS) -> Calendar:
        """A year that is not complete, or a day given twice, is refused: half a year would answer wrongly."""
        by_date: dict[date, PublishedDay] = {}
        for day in days:
            if day.on in by_date:
                raise ValueError(f"{day.on} stands twice in the calendar")
            by_date[day.on] = day
        years = frozenset(on.year for on in by_date)
        for year in years:
            on = date(year, 1, 1)
            while on.year == year:
                if on not in by_date:
                    raise ValueError(f"the calendar of {year} lacks {on}")
                on += timedelta(days=1)
        workdays = tuple(sorted(day.on.toordinal() for day in by_date.values() if day.is_workday))
        return cls(
            workdays=workdays,
            years=years,
            provisional_years=frozenset(d.on.year for d in by_date.values() if d.status is DayStatus.PROVISIONAL),
            hours=tuple(hours) or STANDARD_HOURS,
            _lookup=frozenset(workdays),
        )

    @classmethod
    def from_rows(cls, rows: Iterable[Mapping[str, str]], hours: Iterable[SeasonHours] = STANDARD_HOURS) -> Calendar:
        """From the columns date, is_workday, kind, name, status. Any status but ``published`` is provisional."""
        return cls.of(
            (
                PublishedDay(
                    on=date.fromisoformat(row["date"]),
                    is_workday=row["is_workday"] == "1",
                    kind=row.get("kind", ""),
                    name=row.get("name", ""),
                    status=DayStatus.PUBLISHED if row["status"] == "published" else DayStatus.PROVISIONAL,
                )
                for row in rows
            ),
            hours,
        )

    def is_workday(self, on: date) -> bool:
        self._need(on.year)
        return on.toordinal() in self._lookup

    def first_workday_from(self, on: date) -> date:
        """``on`` itself when it is a working day, else the next one."""
        return on if self.is_workday(on) else self.next_workday(on)

    def next_workday(self, on: date) -> date:
        return self.add_working_days(on, 1)

    def add_working_days(self, start: date, days: int) -> date:
        """The ``days``-th working day after ``start``, which itself is never counted; before it when negative.

        Nought gives ``start`` when it is a working day, else the next working day."""
        if days == 0:
            return self.first_workday_from(start)
        ordinal = start.toordinal()
        self._need(start.year)
        if days > 0:
            index = bisect_right(self.workdays, ordinal) + days - 1
        else:
            index = bisect_left(self.workdays, ordinal) + days
        if index >= len(self.workdays):
            raise CalendarMissing(max(self.years) + 1)
        if index < 0:
            raise CalendarMissing(min(self.years) - 1)
        end = date.fromordinal(self.workdays[index])
        self._need_all(start, end)
        return end

    def working_days_between(self, start: date, end: date) -> int:
        """Working days after ``start`` up to and including ``end``; negative when ``end`` comes first."""
        if end < start:
            return -self.working_days_between(end, start)
        self._need_all(start, end)
        return bisect_right(self.workdays, end.toordinal()) - bisect_right(self.workdays, start.toordinal())

    def workdays_after(self, start: date, end: date) -> list[date]:
        """The working days that ``working_days_between`` counts."""
        self._need_all(start, end)
        low, high = bisect_right(self.workdays, start.toordinal()), bisect_right(self.workdays, end.toordinal())
        return [date.fromordinal(ordinal) for ordinal in self.workdays[low:high]]

    def is_estimate(self, start: date, end: date) -> bool:
        """Whether the days from ``start`` to ``end`` touch a year whose holidays are not yet published."""
        low, high = min(start, end), max(start, end)
        return any(year in self.provisional_years for year in range(low.year, high.year + 1))

    def hours_on(self, on: date, centre: str | None = None) -> SeasonHours:
        """The centre's own row before the general one, the shorter season before the longer."""
        fitting = [row for row in self.hours if row.covers(on) and row.centre in (centre, None)]
        if not fitting:
            raise LookupError(f"no opening hours for {centre or 'any centre'} on {on}")
        return min(fitting, key=lambda row: (row.centre is None, row.season_length))

    def closes_at(self, on: date, centre: str | None = None) -> datetime:
        """Close of business on that day, as an aware instant in Asia/Shanghai."""
        return datetime.combine(on, self.hours_on(on, centre).closes, SHANGHAI)

    def counts_as_filed_on(self, instant: datetime, centre: str | None = None) -> date:
        """The working day on which a filing at ``instant`` counts: after closing, or on a rest day, the next."""
        local = in_shanghai(instant)
        on = local.date()
        if not self.is_workday(on) or local > self.closes_at(on, centre):
            return self.next_workday(on)
        return on

    def _need(self, year: int) -> None:
        if year not in self.years:
            raise CalendarMissing(year)

    def _need_all(self, start: date, end: date) -> None:
        for year in range(min(start, end).year, max(start, end).year + 1):
            self._need(year)


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
            raise ValueError("a pause needs the number of its written notice")
        if self.maximum_wd <= 0:
            raise ValueError(f"a pause needs a maximum of at least one working day, not {self.maximum_wd}")
        if self.expected_end_on < self.starts_on:
            raise ValueError(f"a pause cannot be expected to end on {self.expected_end_on}, before {self.starts_on}")
        if self.ended_on is not None and self.ended_on < self.starts_on:
            raise ValueError(f"a pause cannot have ended on {self.ended_on}, before {self.starts_on}")
        if self.kind is PauseKind.PUBLICITY and not self.rule.strip():
            raise ValueError("publicity pauses the clock only where the matter's rule says so: name the rule")

    def latest_end_on(self, calendar: Calendar) -> date:
        """The last day the maximum allows; the authority's clock runs again from the next."""
        return calendar.add_working_days(calendar.first_workday_from(self.starts_on), self.maximum_wd - 1)

    def stands_until(self, calendar: Calendar, today: date) -> date:
        """The last day that does not count. An open pause ends as expected, or today when that has passed."""
        end = self.ended_on if self.ended_on is not None else max(self.expected_end_on, today)
        return min(end, self.latest_end_on(calendar))

    def is_over_maximum(self, calendar: Calendar, today: date) -> bool:
        return (self.ended_on or today) > self.latest_end_on(calendar)


@dataclass(frozen=True, slots=True)
class Extension:
    """A limit made longer (延期) by the head of the authority; it counts only when approved and notified in time."""

    approved_on: date
    notified_on: date
    reason: str
    working_days: int = EXTENSION_WD

    def __post_init__(self) -> None:
        if self.working_days <= 0:
            raise ValueError(f"an extension adds at least one working day, not {self.working_days}")
        if self.notified_on < self.approved_on:
            raise ValueError(f"an extension cannot be notified on {self.notified_on}, before its approval")
        if not self.reason.strip():
            raise ValueError("an extension needs its reason: the applicant must be told it")


@dataclass(frozen=True, slots=True)
class LegalClock:
    """One matter's limit, from the authority's written acceptance (受理通知书) to its decision."""

    accepted_at: datetime
    limit_days: int
    unit: DayUnit = DayUnit.WORKING
    centre: str | None = None
    pauses: tuple[Pause, ...] = ()
    extension: Extension | None = None
    decided_at: datetime | None = None

    def __post_init__(self) -> None:
        if self.limit_days < 0:
            raise ValueError(f"a limit cannot be {self.limit_days} days")
        if self.decided_at is not None and self.decided_at < self.accepted_at:
            raise ValueError(f"decided at {self.decided_at}, before the acceptance at {self.accepted_at}")
        in_shanghai(self.accepted_at)

    def accepted_on(self, calendar: Calendar) -> date:
        return calendar.counts_as_filed_on(self.accepted_at, self.centre)

    def day_one(self, calendar: Calendar) -> date:
        return calendar.next_workday(self.accepted_on(calendar))

    def due_on(self, calendar: Calendar, today: date) -> date:
        """The last day of the limit. ``today`` matters only while a pause is open."""
        due = self._due_on_without_extension(calendar, today)
        if self.extension is not None and self.extension.notified_on <= due:
            due = self._advance(calendar, due, self.extension.working_days, today)
        return due

    def due_at(self, calendar: Calendar, today: date) -> datetime:
        """Close of business of the last day."""
        return calendar.closes_at(self.due_on(calendar, today), self.centre)

    def extension_came_too_late(self, calendar: Calendar, today: date) -> bool:
        """An extension notified after the limit had run out does not lengthen it."""
        return self.extension is not None and self.extension.notified_on > self._due_on_without_extension(
            calendar, today
        )

    def is_paused_on(self, calendar: Calendar, on: date) -> bool:
        return any(pause.starts_on <= on <= pause.stands_until(calendar, on) for pause in self.pauses)

    def days_left(self, calendar: Calendar, now: datetime) -> int:
        """Counting working days after today up to the due day (nought on the due day itself, negative when overdue)."""
        today = in_shanghai(now).date()
        due = self.due_on(calendar, today)
        if due < today:
            return calendar.working_days_between(today, due)
        paused = self._paused_days(calendar, today)
        return sum(1 for on in calendar.workdays_after(today, due) if on not in paused)

    def days_used(self, calendar: Calendar, now: datetime) -> int:
        """Counting working days from day one to today, or to the decision."""
        end = in_shanghai(self.decided_at or now).date()
        start = self.accepted_on(calendar)
        if end <= start:
            return 0
        paused = self._paused_days(calendar, end)
        return sum(1 for on in calendar.workdays_after(start, end) if on not in paused)

    def pauses_wd(self, calendar: Calendar, today: date) -> tuple[int, int]:
        """Working days that pauses have taken since the acceptance up to today, and are still expected to take."""
        paused = [on for on in self._paused_days(calendar, today) if on > self.accepted_on(calendar)]
        so_far = sum(1 for on in paused if on <= today)
        return so_far, len(paused) - so_far

    def is_overdue(self, calendar: Calendar, now: datetime) -> bool:
        at = self.decided_at or now
        return at > self.due_at(calendar, in_shanghai(at).date())

    def lamp(self, calendar: Calendar, now: datetime) -> Lamp:
        if self.is_overdue(calendar, now):
            return Lamp.RED
        if self.decided_at is None and self.days_left(calendar, now) <= AMBER_WD:
            return Lamp.AMBER
        return Lamp.GREEN

    def is_estimate(self, calendar: Calendar, today: date) -> bool:
        """Whether the due date rests on a provisional year, or on a pause that has not ended."""
        open_pause = any(pause.ended_on is None for pause in self.pauses)
        return open_pause or calendar.is_estimate(self.accepted_on(calendar), self.due_on(calendar, today))

    def _due_on_without_extension(self, calendar: Calendar, today: date) -> date:
        start = self.accepted_on(calendar)
        if self.unit is DayUnit.WORKING:
            return self._advance(calendar, start, self.limit_days, today)
        on, left, spans = start, self.limit_days, self._paused_spans(calendar, today)
        while left > 0:
            on += timedelta(days=1)
            left -= not any(first <= on <= last for first, last in spans)
        # The last day of a limit in calendar days moves on when it is a rest day (Civil Code, article 203).
        on = calendar.first_workday_from(on)
        while any(first <= on <= last for first, last in spans):
            on = calendar.next_workday(on)
        return on

    def _advance(self, calendar: Calendar, start: date, days: int, today: date) -> date:
        paused = self._paused_days(calendar, today)
        end = calendar.add_working_days(start, days)
        counted = days - sum(1 for on in paused if start < on <= end)
        while counted < days:
            end = calendar.next_workday(end)
            counted += end not in paused
        return end

    def _paused_spans(self, calendar: Calendar, today: date) -> list[tuple[date, date]]:
        return [(pause.starts_on, pause.stands_until(calendar, today)) for pause in self.pauses]

    def _paused_days(self, calendar: Calendar, today: date) -> set[date]:
        """Working days on which any pause stands: overlapping pauses count once."""
        days: set[date] = set()
        for first, last in self._paused_spans(calendar, today):
            days.update(calendar.workdays_after(first - timedelta(days=1), last))
        return days


def in_shanghai(instant: datetime) -> datetime:
    """The wall clock in Jiangsu. A naive datetime has no answer and is refused."""
    if instant.tzinfo is None:
        raise ValueError(f"{instant} carries no time zone")
    return instant.astimezone(SHANGHAI)


def due_at(
    calendar: Calendar,
    accepted_at: datetime,
    working_days: int,
    *,
    centre: str | None = None,
    pauses: tuple[Pause, ...] = (),
    extension: Extension | None = None,
    today: date | None = None,
) -> datetime:
    """Close of business of a limit's last day, from its acceptance. ``today`` is needed while a pause is open."""
    if today is None and any(pause.ended_on is None for pause in pauses):
        raise ValueError("a pause is still open: the due date depends on today")
    clock = LegalClock(accepted_at, working_days, centre=centre, pauses=pauses, extension=extension)
    return clock.due_at(calendar, today or in_shanghai(accepted_at).date())


def correction_due_at(calendar: Calendar, filed_at: datetime, centre: str | None = None) -> datetime:
    """Until when the authority may ask for corrections (补正), all at once."""
    filed_on = calendar.counts_as_filed_on(filed_at, centre)
    return calendar.closes_at(calendar.add_working_days(filed_on, CORRECTION_WD), centre)


def counts_as_accepted(
    calendar: Calendar, filed_at: datetime, now: datetime, *, answered_at: datetime | None, centre: str | None = None
) -> bool:
    """Whether silence has become acceptance. ``answered_at``: when corrections were asked for, or it was accepted."""
    limit = correction_due_at(calendar, filed_at, centre)
    return (answered_at or now) > limit


def deemed_accepted_on(calendar: Calendar, filed_at: datetime, centre: str | None = None) -> date:
    """When silence became acceptance the matter counts as accepted from the day it was received (article 32)."""
    return calendar.counts_as_filed_on(filed_at, centre)


def delivery_due_at(calendar: Calendar, decided_at: datetime, centre: str | None = None) -> datetime:
    """Until when the authority hands over the paper after its decision."""
    decided_on = calendar.counts_as_filed_on(decided_at, centre)
    return calendar.closes_at(calendar.add_working_days(decided_on, DELIVERY_WD), centre)


class ClockOf(StrEnum):
    """Whose time a span of days is."""

    AUTHORITY = "authority"  # 审批用时
    ENTERPRISE = "enterprise"  # intermediaries and enterprise: 中介与企业用时
    NOT_COUNTED = "not_counted"  # land listing and tendering: 土地招拍挂、招标, never in the target


@dataclass(frozen=True, slots=True)
class Span:
    """Days on which somebody had the work: after ``from_on``, up to and including ``to_on``."""

    whose: ClockOf
    from_on: date
    to_on: date


@dataclass(frozen=True, slots=True)
class ThreeClocks:
    """Working days of a project, by whose they were. Their sum is ``elapsed_wd`` (全程历时)."""

    approval_wd: int
    enterprise_wd: int
    not_counted_wd: int

    @property
    def elapsed_wd(self) -> int:
        return self.approval_wd + self.enterprise_wd + self.not_counted_wd


def three_clocks(calendar: Calendar, started_on: date, ended_on: date, spans: Iterable[Span]) -> ThreeClocks:
    """Give each working day to one clock: an authority's when any had it, then land's and tender's, else others'."""
    days = calendar.workdays_after(started_on, ended_on)
    authority: set[date] = set()
    not_counted: set[date] = set()
    for span in spans:
        if span.whose is ClockOf.AUTHORITY:
            authority.update(calendar.workdays_after(span.from_on, span.to_on))
        elif span.whose is ClockOf.NOT_COUNTED:
            not_counted.update(calendar.workdays_after(span.from_on, span.to_on))
    approval = sum(1 for on in days if on in authority)
    excluded = sum(1 for on in days if on in not_counted and on not in authority)
    return ThreeClocks(approval, len(days) - approval - excluded, excluded)


def utc(on: date, at: time) -> datetime:
    """A wall-clock moment in Jiangsu, as the instant the database keeps."""
    return datetime.combine(on, at, SHANGHAI).astimezone(UTC)
