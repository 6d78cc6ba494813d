"""The roster's sheet: one line a courier and shift, read from a workbook or CSV into the lines of one act."""

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage

from dispatch.acts.rostering import MOST_KM, MOST_STOPS, RosterLine
from dispatch.cases.access_control import visible_couriers
from dispatch.core.actor import Actor
from dispatch.core.canonical import visible_text
from dispatch.core.errors import Refused
from dispatch.core.ids import CourierId
from routing.day.couriers import Courier
from web.wiring import sheet_rows
from web.wiring.sheet_rows import Fault, unread
from web.wiring.sheets import xlsx
from web.wiring.workbook_reader import DATE_CELL

COLUMNS = {
    "courier": "工号", "weekdays": "星期", "starts_s": "上班", "ends_s": "下班", "break_opens_s": "休息最早",
    "break_closes_s": "休息最晚", "break_min": "休息分钟", "first_on": "起始日", "last_on": "截止日",
    "most_stops": "最多站数", "most_km": "最长公里",
}  # fmt: skip
"""The column in which each field of a line stands."""
HEADS = tuple(COLUMNS.values())
LATER = ("最多站数", "最长公里")
"""Heads that a template of an earlier release does not have."""
WANTS = {
    "工号": ("必填", "EMS001", "揽投员的工号，见排班页"),
    "星期": ("必填", "一二三四五", "每周哪几天：一至日，也可写 1 至 7"),
    "上班": ("选填", "08:00", "上班和下班都不填，这几天休息"),
    "下班": ("选填", "18:00", ""),
    "休息最早": ("选填", "11:30", "休息在最早和最晚之间开始"),
    "休息最晚": ("选填", "12:30", ""),
    "休息分钟": ("选填", "60", ""),
    "起始日": ("必填", "2026-12-01", "从哪一天起"),
    "截止日": ("选填", "", "不填则一直有效"),
    "最多站数": ("选填", "40", "上午、下午每趟各最多几站，不填则不限"),
    "最长公里": ("选填", "60", "上午、下午每趟各最长多少公里，不填则不限"),
}
NOBODY, EMPTY = "没有这个工号的揽投员", "请填写"
WEEKDAYS = {
    **{name: n for n, name in enumerate("一二三四五六日", start=1)},
    **{str(n): n for n in range(1, 8)},
    "天": 7,
}


def template() -> bytes:
    """An empty sheet, and what each column wants on a second one."""
    about = [(name, *WANTS[name]) for name in HEADS]
    return xlsx([("排班", HEADS, []), ("填写说明", ("列", "是否必填", "例", "说明"), about)])


def lines_of(session: Session, viewer: Actor, upload: FileStorage) -> tuple[list[RosterLine], list[Fault]]:
    """The lines of a sheet, and what is wrong in which row. Raises BadSheet."""
    sheet = sheet_rows.read(upload, [name for name in HEADS if name not in LATER], LATER)
    known = dict(session.execute(select(Courier.courier_no, Courier.id).where(visible_couriers(viewer))).all())
    lines, faults = list[RosterLine](), list(sheet.faults)
    for number, cells in sheet.rows:
        given: dict[str, Any] = {}
        for field, read in READ.items():
            column = COLUMNS[field]
            text = cells.get(column, "").strip()
            if (words := unread(text)) and not (read is _day and text.startswith(DATE_CELL)):
                faults.append(Fault(number, column, words))
                text = ""
            try:
                if text or field in NEEDED:
                    given[field] = read(text)
            except Refused as error:
                faults.append(Fault(number, column, str(error.user_message)))
        courier_no = visible_text(cells.get("工号", ""))
        if courier_no not in known:
            faults.append(Fault(number, "工号", NOBODY if courier_no else EMPTY))
        elif not any(fault.row == number for fault in faults):
            lines.append(RosterLine(courier=CourierId(known[courier_no]), **given))
    return lines, faults


def _weekdays(text: str) -> tuple[int, ...]:
    names = re.sub(r"[星期周、,，\s]", "", text)
    if not names or any(name not in WEEKDAYS for name in names):
        raise Refused(f"weekdays {text!r}", user_message="请填星期几，如“一二三四五”")
    return tuple(sorted({WEEKDAYS[name] for name in names}))


def _second(text: str) -> int:
    found = re.fullmatch(r"([01]?\d|2[0-4])[:：]([0-5]\d)(?:[:：]00)?", text)
    if found is None:
        raise Refused(f"time {text!r}", user_message="请填时间，如 08:00")
    return int(found[1]) * 3600 + int(found[2]) * 60


def _day(text: str) -> date:
    text = text.removeprefix(DATE_CELL)
    found = re.fullmatch(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?", text)
    try:
        return date(*map(int, found.groups())) if found else date.fromisoformat(text)
    except ValueError:
        raise Refused(f"day {text!r}", user_message="请填日期，如 2026-12-01") from None


def _whole(least: int, most: int, *, words: str) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.isdecimal() or not least <= int(text[:9]) <= most:
            raise Refused(f"not a whole number from {least} to {most}: {text!r}", user_message=words)
        return int(text)

    return read


READ: Mapping[str, Callable[[str], Any]] = {
    "weekdays": _weekdays, "starts_s": _second, "ends_s": _second, "break_opens_s": _second,
    "break_closes_s": _second, "break_min": _whole(0, 240, words="请填 0 至 240 的整数"),
    "first_on": _day, "last_on": _day, "most_stops": _whole(1, MOST_STOPS, words="请填 1 至 500 的整数"),
    "most_km": _whole(1, MOST_KM, words="请填 1 至 1000 的整数"),
}  # fmt: skip
NEEDED = frozenset({"weekdays", "first_on"})
