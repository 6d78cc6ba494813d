"""The calendar as it is published: spellings, codings, faults, forth and back, and an estimate again."""

import random
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from agents.sheets import BadImport
from dispatch.catalogue.calendar_file import read_calendar
from dispatch.catalogue.calendar_tables import CalendarDay
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.catalogue.imports import CALENDAR_FILE, forget_year, import_calendar
from dispatch.core.statutory_holidays import estimated_holidays

# As the State Council's notice for 2026 has it (国办发明电), a row a holiday.
NOTICE = """节日,放假时间,调休上班日期
元旦,2026年1月1日（周四）至3日（周六）,1月4日（周日）
春节,2026年2月15日（农历腊月二十八、周日）至23日（农历正月初七、周一）,2月14日（周六）、2月28日（周六）
清明节,2026年4月4日（周六）至6日（周一）,
劳动节,2026年5月1日（周五）至5日（周二）,5月9日（周六）
端午节,2026年6月19日（周五）至21日（周日）,
中秋节,2026年9月25日（周五）至27日（周日）,
国庆节,2026年10月1日（周四）至7日（周三）,9月20日（周日）、10月10日（周六）
"""


def written(folder: Path, text: str, coding: str = "utf-8") -> Path:
    path = folder / "notice.csv"
    path.write_bytes(text.encode(coding))
    return path


def shipped(year: int) -> list[tuple[date, bool, str]]:
    rows = read_calendar(CALENDAR_FILE)
    return [(row["day"], row["is_workday"], row["kind"]) for row in rows if row["day"].year == year]


def read(path: Path) -> list[tuple[date, bool, str]]:
    return [(row["day"], row["is_workday"], row["kind"]) for row in read_calendar(path)]


@pytest.mark.parametrize("coding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_the_notice_gives_the_shipped_year_in_any_coding(tmp_path: Path, coding: str) -> None:
    assert read(written(tmp_path, NOTICE, coding)) == shipped(2026)


def a_row_a_day(spell: str, year: int) -> str:
    """The exceptions of a shipped year, one day a row, as people write a day."""
    lines = ["日期,类型,名称"]
    for on, is_worked, kind in shipped(year):
        if kind in {"holiday", "adjusted_workday"}:
            lines.append(f"{on.strftime(spell)},{'上班' if is_worked else '放假'},节")
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("spell", ["%Y-%m-%d", "%Y/%m/%d", "%Y年%m月%d日", "%Y.%m.%d", "%Y%m%d"])
def test_a_row_a_day_is_read_however_the_day_is_spelled(tmp_path: Path, spell: str) -> None:
    assert read(written(tmp_path, a_row_a_day(spell, 2026))) == shipped(2026)


def test_tabs_ranges_and_english_heads_are_read_too(tmp_path: Path) -> None:
    lines = ["from\tto\tkind\tname"]
    runs = [("2026-01-01", "2026-01-03"), ("2026-02-15", "2026-02-23"), ("2026-04-04", "2026-04-06"),
            ("2026-05-01", "2026-05-05"), ("2026-06-19", "2026-06-21"), ("2026-09-25", "2026-09-27"),
            ("2026-10-01", "2026-10-07")]  # fmt: skip
    lines += [f"{first}\t{last}\tholiday\tx" for first, last in runs]
    lines += [f"{on}\t\tworkday\tx" for on, is_worked, kind in shipped(2026) if kind == "adjusted_workday"]
    assert read(written(tmp_path, "\n".join(lines) + "\n", "utf-16")) == shipped(2026)


def faults_of(folder: Path, text: str) -> list[tuple[int, str]]:
    with pytest.raises(BadImport) as caught:
        read_calendar(written(folder, text))
    return [(fault.row_number, fault.reason) for fault in caught.value.rows]


def test_a_row_that_is_not_read_is_one_fault(tmp_path: Path) -> None:
    rows = CALENDAR_FILE.read_text(encoding="utf-8").splitlines()
    unread = [rows[0], *("x" + row for row in rows[1:366])]
    assert [number for number, _ in faults_of(tmp_path, "\n".join(unread))] == list(range(2, 367))


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("2026-02-30,放假,节", "no day of the calendar"),
        ("2026-03-04,上班,节", "no weekend"),
        ("2026-03-07,调休,节", "neither 放假 nor 上班"),
        ("2026-01-01,放假,节", "stands already"),
        ("2026-03-04至2026-03-01,放假,节", "no range"),
        ("3月4日,放假,节", "names no year"),
        ("2027-03-04,放假,节", "does not hold whole"),
        (",放假,节", "names no day"),
    ],
)
def test_what_cannot_be_is_named_with_its_row(tmp_path: Path, row: str, reason: str) -> None:
    text = a_row_a_day("%Y-%m-%d", 2026)
    (found,) = faults_of(tmp_path, text + row + "\n")
    assert found[0] == len(text.splitlines()) + 1
    assert reason in found[1]


def test_half_a_notice_is_refused(tmp_path: Path) -> None:
    (fault,) = faults_of(tmp_path, "\n".join(NOTICE.splitlines()[:5]) + "\n")
    assert "2026-06-19 (端午节) is a holiday by law" in fault[1]


def test_a_file_without_days_or_without_rows_is_no_calendar(tmp_path: Path) -> None:
    assert "no column names the days" in faults_of(tmp_path, "甲,乙\n1,2\n")[0][1]
    assert "no rows" in faults_of(tmp_path, "日期\n")[0][1]


# ---------------------------------------------------------------- in the database


def kept(session: Session) -> Sequence[tuple[object, ...]]:
    query = select(CalendarDay.day, CalendarDay.is_workday, CalendarDay.kind, CalendarDay.status).order_by(
        CalendarDay.day
    )
    return [tuple(row) for row in session.execute(query)]


def a_calendar(folder: Path, year: int, seed: int) -> Path:
    """A possible notice: the statutory days, some bridges, as many Saturdays worked."""
    chance = random.Random(seed)
    off = set(estimated_holidays(year))
    bridges = [on for on in (max(off) + timedelta(days=n) for n in range(1, 4)) if on.year == year and on.weekday() < 5]
    off.update(chance.sample(bridges, k=chance.randint(0, len(bridges))))
    saturdays = [
        date(year, 3, 1) + timedelta(days=n)
        for n in range(200)
        if (date(year, 3, 1) + timedelta(days=n)).weekday() == 5
    ]
    worked = set(chance.sample([on for on in saturdays if on not in off], k=chance.randint(0, 6)))
    lines = ["日期,类型,名称"] + [f"{on},{'上班' if on in worked else '放假'},节" for on in sorted(off | worked)]
    path = folder / f"{year}-{seed}.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@given(seeds=st.tuples(st.integers(0, 10_000), st.integers(0, 10_000)), year=st.sampled_from([2026, 2028]))
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_calendar_imported_forth_and_back_gives_the_same_database(
    session: Session, tmp_path: Path, seeds: tuple[int, int], year: int
) -> None:
    first, second = (a_calendar(tmp_path, year, seed) for seed in seeds)
    import_calendar(session, first)
    before = kept(session)
    import_calendar(session, second)
    import_calendar(session, first)
    assert kept(session) == before


def test_a_year_imported_wrongly_is_an_estimate_again(session: Session, tmp_path: Path) -> None:
    import_calendar(session)
    before = kept(session)
    import_calendar(session, a_calendar(tmp_path, 2028, 1))
    assert 2028 not in calendar_of(session).provisional_years
    assert forget_year(session, 2028).retired == 366
    assert 2028 in calendar_of(session).provisional_years
    assert kept(session) == before
