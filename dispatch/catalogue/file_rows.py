"""Catalogue files: matters, materials, implementations, calendar and hours as CSV gives them, checked. No database."""

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

from agents.names import sort_key
from agents.network import Level
from agents.roster import Category
from agents.sheets import BadImport, Cells, ImportSheet, RowFault, read_sheet
from dispatch.catalogue.catalog import Confidence, Family, MaterialMode, ResultForm
from dispatch.catalogue.matter_rows import evaluation_kind, matter_from
from dispatch.core.clock import DayStatus, DayUnit, MonthDay
from dispatch.path.approval_graph import MatterKind

MATTER_COLUMNS = (
    "code", "name_zh", "short_zh", "name_en", "phase", "kind", "level", "department_zh", "counter_in_city_district",
    "applies_if", "statutory_days", "statutory_unit", "statutory_wd", "committed_wd", "committed_now_wd",
    "counts_in_target", "prerequisites", "due_before_works_only", "joint_group", "needs_originals",
    "result_has_original", "result_form", "area_evaluation", "area_effect", "commitment_or_deferrable",
    "clock_exempt_procedures", "conf_statutory", "conf_committed", "source_or_basis",
)  # fmt: skip
REQUIREMENT_COLUMNS = ("matter_code", "name", "mode", "deferrable", "defer_wd", "condition", "confidence", "note")
IMPLEMENTATION_COLUMNS = (
    "matter_code", "division_code", "authority", "counter_place", "centre_no", "seal", "statutory_wd", "committed_wd",
    "legal_fee_yuan", "fee_basis", "fee_payer", "same_day",
)  # fmt: skip
CALENDAR_COLUMNS = ("date", "is_workday", "kind", "name", "status")
HOURS_COLUMNS = ("centre_no", "season_from", "season_to", "opens", "closes", "lunch_starts", "lunch_ends")
EVALUATION_COLUMNS = ("division_code", "kind", "title", "valid_from", "valid_to", "negative_list", "saved_yuan")

CODE = re.compile(r"[A-Z]{2,8}-[0-9]{2,4}")
CONFIDENCE = re.compile(r"(sure|typical|verify)(?: \((.*)\))?")
LEVELS = {"province": Level.PROVINCE, "city": Level.CITY, "county": Level.COUNTY}
LONGEST_WD = 400
DAY_KINDS = {"workday": (True, False), "adjusted_workday": (True, True), "weekend": (False, True)}  # worked, weekend


@dataclass(slots=True)
class MatterSheet:
    """The matters of one file: their columns, what each waits for, and the rows they stand in."""

    sheet: ImportSheet
    family: Family
    rows: list[dict[str, Any]] = field(default_factory=list)
    waits: dict[str, tuple[str, ...]] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)


def read_matters(path: Path | str) -> MatterSheet:
    """One file of the basic catalogue. Its faults are noted in the sheet; ``check_waits`` comes next."""
    sheet = read_sheet(path, MATTER_COLUMNS, optional=("category",))
    family = next((family for family in Family if family.value in sheet.path.stem), None)
    if family is None:
        raise BadImport(sheet.path, [RowFault(1, "", f"the file's name holds no family: one of {', '.join(Family)}")])
    read = MatterSheet(sheet, family)
    for position, cells in enumerate(sheet, start=1):
        code = cells.matching("code", CODE, "a matter's code such as IND-101")
        if code in read.numbers:
            cells.fault("code", f"{code} stands already in row {read.numbers[code]}")
            continue
        read.numbers[code] = cells.number
        waits = tuple(filter(None, (on.strip() for on in cells.text("prerequisites", needed=False).split(";"))))
        if code in waits:
            cells.fault("prerequisites", f"{code} waits for itself")
        if len(set(waits)) < len(waits):
            cells.fault("prerequisites", "names a matter twice")
        read.waits[code] = waits
        read.rows.append(_matter(cells, code, family, position))
    return read


def _matter(cells: Cells, code: str, family: Family, position: int) -> dict[str, Any]:
    faults_before = len(cells.sheet.faults)
    level = cells.text("level")
    if level not in LEVELS:
        cells.fault("level", f"{level!r} is none of {', '.join(LEVELS)}")
    unit = cells.one_of("statutory_unit", DayUnit)
    days = cells.whole("statutory_days", 0, LONGEST_WD)
    statutory = cells.whole("statutory_wd", 0, LONGEST_WD)
    committed = cells.whole("committed_wd", 0, LONGEST_WD)
    committed_now = cells.whole("committed_now_wd", 0, LONGEST_WD)
    if (unit is DayUnit.WORKING and statutory != days) or statutory > days:
        cells.fault("statutory_wd", f"{statutory} working days are not {days} days of unit {unit}")
    if statutory and committed > statutory:
        cells.fault("committed_wd", f"{committed} days promised are more than the {statutory} of the law")
    kind = cells.one_of("kind", MatterKind)
    phase = cells.whole("phase", 0, 4)
    group = cells.text("joint_group", needed=False)
    department = cells.text("department_zh")
    has_original = cells.yes("result_has_original")
    form, note = _result(cells.text("result_form"))
    if has_original and form is ResultForm.ELECTRONIC:
        cells.fault("result_form", f"{note!r} has no paper, but the result is said to have an original")
    counter = cells.text("counter_in_city_district")
    statutory_sure, statutory_note = _confidence(cells, "conf_statutory")
    committed_sure, committed_note = _confidence(cells, "conf_committed")
    area_words = cells.text("area_evaluation", needed=False)
    effect_words = cells.text("area_effect", needed=False)
    if bool(area_words) != bool(effect_words):
        cells.fault("area_effect", "an area evaluation and its effect stand together")
    name = cells.text("name_zh")
    category = _category(cells, code, family, phase, kind, group, department)
    row: dict[str, Any] = {
        "code": code,
        "position": position,
        "family": family.value,
        "name": name,
        "short_name": cells.text("short_zh"),
        "name_en": cells.text("name_en"),
        "pinyin": sort_key(name),
        "phase": phase,
        "kind": kind.value,
        "level": int(LEVELS.get(level, Level.COUNTY)),
        "category": category,
        "department": department,
        "counter_place": counter,
        "counter_level": int(_counter_level(counter)),
        "applies_if": cells.text("applies_if"),
        "statutory_days": days,
        "statutory_unit": unit.value,
        "statutory_wd": statutory,
        "committed_wd": committed,
        "committed_now_wd": committed_now,
        "counts_in_target": cells.yes("counts_in_target"),
        "due_before_works_only": cells.yes("due_before_works_only"),
        "joint_group": group or None,
        "needs_originals": cells.yes("needs_originals"),
        "result_has_original": has_original,
        "result_form": form.value,
        "result_note": note,
        "area_evaluation": None,
        "area_effect": "none",
        "simplified_wd": 0,
        "area_note": "; ".join(filter(None, (area_words, effect_words))),
        "deferrable_note": cells.text("commitment_or_deferrable", needed=False),
        "exempt_procedures": cells.text("clock_exempt_procedures", needed=False),
        "confidence_statutory": statutory_sure,
        "confidence_statutory_note": statutory_note,
        "confidence_committed": committed_sure,
        "confidence_committed_note": committed_note,
        "source": cells.text("source_or_basis"),
    }
    try:
        evaluation = evaluation_kind(area_words)
    except ValueError as error:
        cells.fault("area_evaluation", str(error))
        return row
    if len(cells.sheet.faults) == faults_before:
        try:
            node = matter_from(cells.values)
        except ValueError as error:
            cells.fault("", str(error))
            return row
        row["area_evaluation"] = evaluation or None
        row["area_effect"] = node.area_effect.value
        row["simplified_wd"] = node.simplified_days
    return row


def check_waits(sheets: Collection[MatterSheet], known: Mapping[str, tuple[str, ...]]) -> None:
    """Note every unknown prerequisite and one ring, over the files and the ``known`` matters of other catalogues."""
    waits = {**known, **{code: on for read in sheets for code, on in read.waits.items()}}
    seen: dict[str, MatterSheet] = {}
    for read in sheets:
        for code, number in read.numbers.items():
            if code in seen or code in known:
                read.sheet.fault(number, "code", f"{code} is a matter of another catalogue")
            seen[code] = read
            for on in read.waits[code]:
                if on not in waits:
                    read.sheet.fault(
                        number, "prerequisites", f"{code} waits for {on}, which the catalogue does not have"
                    )
    for code, on_codes in known.items():
        for on in on_codes:
            if on not in waits:
                first = next(iter(sheets)).sheet
                first.fault(1, "code", f"{on} is missing, and {code} of another catalogue waits for it")
    try:
        TopologicalSorter(waits).prepare()
    except CycleError as error:
        ring: list[str] = error.args[1]
        for code in dict.fromkeys(ring):
            if code in seen:
                words = f"these matters wait for each other: {' → '.join(ring)}"
                seen[code].sheet.fault(seen[code].numbers[code], "prerequisites", words)


def _result(words: str) -> tuple[ResultForm, str]:
    on_paper = "paper" in words or "physical" in words or "纸质" in words
    electronic = "electronic" in words or "电子" in words
    if on_paper:
        return (ResultForm.BOTH if electronic else ResultForm.PAPER), words
    return ResultForm.ELECTRONIC, words


def _counter_level(words: str) -> Level:
    """A city bureau's branch sits in the county's hall; only what says the city alone is handed in there."""
    return Level.CITY if words.startswith("city") and "branch" not in words else Level.COUNTY


def _confidence(cells: Cells, column: str) -> tuple[str, str]:
    words = cells.text(column)
    found = CONFIDENCE.fullmatch(words)
    if found is None:
        cells.fault(column, f"{words!r} does not start with one of {', '.join(Confidence)}")
        return Confidence.VERIFY.value, words
    return found[1], found[2] or ""


def _category(
    cells: Cells, code: str, family: Family, phase: int, kind: MatterKind, group: str, department: str
) -> str:
    """The skill that a matter asks for: as the file says, else by what and where it is."""
    if cells.values.get("category", "").strip():
        return cells.one_of("category", Category).value
    if family is Family.BUSINESS_OPENING:
        return Category.BUSINESS.value
    if family is Family.PROPERTY_REGISTRATION or kind is MatterKind.REGISTRATION:
        return Category.PROPERTY.value
    if "生态环境" in department or group == "EVAL":
        return Category.ENVIRONMENT.value
    if phase == 1:
        return (Category.FILING if kind is MatterKind.FILING else Category.LAND).value
    return {2: Category.PLANNING, 3: Category.CONSTRUCTION, 4: Category.COMPLETION}.get(phase, Category.FILING).value


# ---------------------------------------------------------------- materials, implementations


def read_requirements(path: Path | str, matters: Collection[str]) -> list[dict[str, Any]]:
    """The materials of matters, in the file's order. Raises BadFile."""
    sheet = read_sheet(path, REQUIREMENT_COLUMNS)
    seen: dict[tuple[str, str], int] = {}
    rows = []
    for position, cells in enumerate(sheet, start=1):
        code = cells.text("matter_code")
        if code not in matters:
            cells.fault("matter_code", f"the catalogue has no matter {code}")
        name = cells.text("name")
        if (code, name) in seen:
            cells.fault("name", f"{name} of {code} stands already in row {seen[code, name]}")
        seen.setdefault((code, name), cells.number)
        deferrable = cells.yes("deferrable")
        defer_wd = cells.whole("defer_wd", 1, LONGEST_WD) if cells.values["defer_wd"].strip() else None
        if defer_wd is not None and not deferrable:
            cells.fault("defer_wd", f"{name} of {code} has a date to follow by, but may not be deferred")
        rows.append(
            {
                "matter_code": code,
                "name": name,
                "position": position,
                "mode": cells.one_of("mode", MaterialMode).value,
                "deferrable": deferrable,
                "defer_wd": defer_wd,
                "condition": cells.text("condition", needed=False),
                "confidence": cells.one_of("confidence", Confidence).value,
                "note": cells.text("note", needed=False),
            }
        )
    sheet.refuse_if_faulty()
    return rows


def read_implementations(
    path: Path | str, matters: Collection[str], divisions: Collection[str], centres: Collection[str]
) -> list[dict[str, Any]]:
    """How divisions handle matters; an empty cell keeps what stands above. Raises BadFile."""
    sheet = read_sheet(path, IMPLEMENTATION_COLUMNS)
    seen: dict[tuple[str, str], int] = {}
    rows = []
    for cells in sheet:
        code, division, centre = (
            cells.text("matter_code"),
            cells.text("division_code"),
            cells.text("centre_no", needed=False),
        )
        if code not in matters:
            cells.fault("matter_code", f"the catalogue has no matter {code}")
        if division not in divisions:
            cells.fault("division_code", f"the network has no division {division}")
        if centre and centre not in centres:
            cells.fault("centre_no", f"the network has no centre {centre}")
        if (code, division) in seen:
            cells.fault("matter_code", f"{code} at {division} stands already in row {seen[code, division]}")
        seen.setdefault((code, division), cells.number)
        fee = cells.whole("legal_fee_yuan", 0, 100_000_000) if cells.values["legal_fee_yuan"].strip() else None
        basis, payer = cells.text("fee_basis", needed=fee is not None), cells.text("fee_payer", needed=fee is not None)
        rows.append(
            {
                "matter_code": code,
                "division_code": division,
                "centre_no": centre or None,
                "authority": cells.text("authority", needed=False) or None,
                "counter_place": cells.text("counter_place", needed=False) or None,
                "seal": cells.text("seal", needed=False) or None,
                "statutory_wd": _days(cells, "statutory_wd"),
                "committed_wd": _days(cells, "committed_wd"),
                "legal_fee_cents": None if fee is None else fee * 100,
                "fee_basis": basis or None,
                "fee_payer": payer or None,
                "same_day": cells.yes("same_day") if cells.values["same_day"].strip() else None,
            }
        )
    sheet.refuse_if_faulty()
    return rows


def _days(cells: Cells, column: str) -> int | None:
    return cells.whole(column, 0, LONGEST_WD) if cells.values[column].strip() else None


def read_evaluations(path: Path | str, divisions: Collection[str]) -> list[dict[str, Any]]:
    """Area evaluations of zones; the negative list's industries are parted by semicolons. Raises BadFile."""
    sheet = read_sheet(path, EVALUATION_COLUMNS)
    seen: dict[tuple[str, str, date], int] = {}
    rows = []
    for cells in sheet:
        division = cells.text("division_code")
        if division not in divisions:
            cells.fault("division_code", f"the network has no division {division}")
        words = cells.text("kind")
        try:
            kind = evaluation_kind(words)
        except ValueError as error:
            kind = ""
            cells.fault("kind", str(error))
        valid_from, valid_to = cells.day("valid_from"), cells.day("valid_to")
        if valid_to < valid_from:
            cells.fault("valid_to", f"{valid_to} comes before {valid_from}")
        key = (division, kind, valid_from)
        if key in seen:
            cells.fault("kind", f"{words} of {division} from {valid_from} stands already in row {seen[key]}")
        seen.setdefault(key, cells.number)
        saved = cells.whole("saved_yuan", 0, 100_000_000) if cells.values["saved_yuan"].strip() else None
        industries = [word.strip() for word in cells.text("negative_list", needed=False).split(";") if word.strip()]
        rows.append(
            {
                "division_code": division,
                "kind": kind,
                "valid_from": valid_from,
                "title": cells.text("title"),
                "valid_to": valid_to,
                "negative_list": json.dumps(industries, ensure_ascii=False),
                "saved_cents": None if saved is None else saved * 100,
            }
        )
    sheet.refuse_if_faulty()
    return rows


# ---------------------------------------------------------------- the calendar


def read_calendar(path: Path | str, published: Collection[int] = ()) -> list[dict[str, Any]]:
    """Whole years of days. A year that is ``published`` already cannot become an estimate again. Raises BadFile."""
    sheet = read_sheet(path, CALENDAR_COLUMNS)
    seen: dict[date, int] = {}
    rows = []
    for cells in sheet:
        on = cells.day("date")
        if on in seen:
            cells.fault("date", f"{on} stands already in row {seen[on]}")
            continue
        seen[on] = cells.number
        worked, kind = cells.yes("is_workday"), cells.text("kind")
        if kind != "holiday" and kind not in DAY_KINDS:
            cells.fault("kind", f"{kind!r} is none of holiday, {', '.join(DAY_KINDS)}")
        elif (kind == "holiday" and worked) or (kind in DAY_KINDS and DAY_KINDS[kind] != (worked, on.weekday() >= 5)):
            cells.fault("kind", f"{on} cannot be a {kind} with is_workday {cells.values['is_workday'].strip()}")
        status = DayStatus.PUBLISHED if cells.text("status") == "published" else DayStatus.PROVISIONAL
        if status is DayStatus.PROVISIONAL and on.year in published:
            cells.fault("status", f"the calendar of {on.year} is published: an estimate cannot replace it")
        name = cells.text("name", needed=False)
        rows.append({"day": on, "is_workday": worked, "kind": kind, "name": name, "status": status.value})
    last: dict[int, int] = {}
    for on, number in seen.items():
        last[on.year] = max(number, last.get(on.year, 0))
    for year, number in last.items():
        if year == date.min.year:
            continue
        days = (date(year, 1, 1) + timedelta(days=n) for n in range(366))
        missing = [on for on in days if on.year == year and on not in seen]
        if missing:
            sheet.fault(number, "date", f"the calendar of {year} lacks {len(missing)} days, the first {missing[0]}")
    sheet.refuse_if_faulty()
    return rows


def read_hours(path: Path | str, centres: Collection[str]) -> list[dict[str, Any]]:
    """Opening hours by centre and season; a row without a centre is for all that have none. Raises BadFile."""
    sheet = read_sheet(path, HOURS_COLUMNS)
    seen: dict[tuple[str, str], int] = {}
    rows = []
    for cells in sheet:
        centre = cells.text("centre_no", needed=False)
        if centre and centre not in centres:
            cells.fault("centre_no", f"the network has no centre {centre}")
        season_from, season_to = _season(cells, "season_from"), _season(cells, "season_to")
        if (centre, season_from) in seen:
            cells.fault("season_from", f"this season stands already in row {seen[centre, season_from]}")
        seen.setdefault((centre, season_from), cells.number)
        lunch = [_clock(cells, column, needed=False) for column in ("lunch_starts", "lunch_ends")]
        opens, closes = _clock(cells, "opens"), _clock(cells, "closes")
        if (lunch[0] is None) != (lunch[1] is None):
            cells.fault("lunch_ends", "a lunch break has a start and an end")
        edges = [edge for edge in (opens, *lunch, closes) if edge is not None]
        if edges != sorted(set(edges)):
            cells.fault("closes", "the hours do not go forward through the day")
        rows.append(
            {
                "centre_no": centre or None,
                "season_from": season_from,
                "season_to": season_to,
                "opens": opens,
                "closes": closes,
                "lunch_starts": lunch[0],
                "lunch_ends": lunch[1],
            }
        )
    sheet.refuse_if_faulty()
    general = [row for row in rows if row["centre_no"] is None]
    year = [date(2024, 1, 1) + timedelta(days=n) for n in range(366)]
    uncovered = [on for on in year if not any(_covers(row, on) for row in general)]
    if uncovered:
        words = f"the rows without a centre, which hold for all others, leave out {uncovered[0]:%m-%d}"
        sheet.fault(1, "season_from", words)
    sheet.refuse_if_faulty()
    return rows


def _covers(row: Mapping[str, Any], on: date) -> bool:
    first, last, day = str(row["season_from"]), str(row["season_to"]), f"{on:%m-%d}"
    return first <= day <= last if first <= last else day >= first or day <= last


def _season(cells: Cells, column: str) -> str:
    words = cells.text(column)
    try:
        month, day = words.split("-")
        fits = len(month) == len(day) == 2 and MonthDay(int(month), int(day)) is not None
    except ValueError:
        fits = False
    if not fits:
        cells.fault(column, f"{words!r} is not a day of the year such as 06-15")
    return words


def _clock(cells: Cells, column: str, *, needed: bool = True) -> time | None:
    words = cells.text(column, needed=needed)
    if not words:
        return None
    if not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", words):
        cells.fault(column, f"{words!r} is not a time such as 13:30")
        return None
    return time.fromisoformat(words)
