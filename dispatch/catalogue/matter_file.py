"""Matter file: the matters of one family as CSV gives them, checked. No database."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agents.names import sort_key
from agents.network import Level
from agents.roster import Category
from agents.sheets import BadImport, Cells, ImportSheet, RowFault, read_sheet
from dispatch.catalogue.limit_cells import limit_cells
from dispatch.catalogue.matter import Confidence, Family, ResultForm
from dispatch.catalogue.matter_rows import CatalogueWait, evaluation_kind, matter_from, read_waits
from dispatch.path.fact_table import checked_predicate
from dispatch.path.matter_node import MatterKind
from dispatch.path.predicate import BadPredicate
from dispatch.path.rings import ring_in

MATTER_COLUMNS = (
    "code", "name_zh", "short_zh", "name_en", "phase", "kind", "level", "department_zh", "counter_in_city_district",
    "counter_level", "applies_if", "applies_when", "statutory_limit", "committed_limit", "today_limit",
    "legal_minimum", "area_limit",
    "counts_in_target", "prerequisites", "due_before_works_only", "joint_group", "limit_chain", "needs_originals",
    "result_has_original", "result_zh", "result_en", "result_form", "area_evaluation", "area_effect",
    "commitment_or_deferrable", "clock_exempt_procedures", "conf_statutory", "conf_committed", "source_or_basis",
)  # fmt: skip

CODE = re.compile(r"[A-Z]{2,8}-[0-9]{2,4}")
CONFIDENCE = re.compile(r"(sure|typical|verify)(?: \((.*)\))?")
LEVELS = {"province": Level.PROVINCE, "city": Level.CITY, "county": Level.COUNTY}
LIMIT_COLUMNS = ("statutory_limit", "committed_limit", "today_limit", "legal_minimum", "area_limit")


@dataclass(slots=True)
class MatterSheet:
    """The matters of one file: their columns, what each waits for, and the rows they stand in."""

    sheet: ImportSheet
    family: Family
    rows: list[dict[str, Any]] = field(default_factory=list)
    waits: dict[str, tuple[CatalogueWait, ...]] = field(default_factory=dict)
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
        read.waits[code] = _waits(cells, code, family)
        read.rows.append(_matter(cells, code, family, position))
    return read


def _waits(cells: Cells, code: str, family: Family) -> tuple[CatalogueWait, ...]:
    """What a matter waits for; a faulty cell is noted and waits for nothing."""
    try:
        waits = read_waits(cells.text("prerequisites", needed=False))
        for wait in waits:
            checked_predicate(wait.when, family)
    except ValueError as error:
        cells.fault("prerequisites", str(error))
        return ()
    codes = [wait.on for wait in waits]
    if code in codes:
        cells.fault("prerequisites", f"{code} waits for itself")
    if len(set(codes)) < len(codes):
        cells.fault("prerequisites", "names a matter twice")
    return waits


def condition_cell(cells: Cells, column: str, family: Family) -> str:
    """A condition on the family's facts; a faulty one is noted."""
    text = cells.text(column, needed=False)
    try:
        checked_predicate(text, family)
    except BadPredicate as error:
        cells.fault(column, str(error))
    return text


def _matter(cells: Cells, code: str, family: Family, position: int) -> dict[str, Any]:
    faults_before = len(cells.sheet.faults)
    limits = limit_cells(cells, *LIMIT_COLUMNS)
    kind = cells.one_of("kind", MatterKind)
    phase = cells.whole("phase", 0, 4)
    group = cells.text("joint_group", needed=False)
    department = cells.text("department_zh")
    brings = _what_it_brings(cells)
    counter = cells.text("counter_in_city_district")
    sureness = _sureness(cells)
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
        "level": int(_level(cells, "level")),
        "category": category,
        "department": department,
        "counter_place": counter,
        "counter_level": int(_level(cells, "counter_level")),
        "applies_if": cells.text("applies_if"),
        "applies_when": condition_cell(cells, "applies_when", family),
        **limits,
        "counts_in_target": cells.yes("counts_in_target"),
        "due_before_works_only": cells.yes("due_before_works_only"),
        "joint_group": group or None,
        "limit_chain": cells.text("limit_chain", needed=False),
        "needs_originals": cells.yes("needs_originals"),
        **brings,
        "area_evaluation": None,
        "area_effect": "none",
        "area_note": "; ".join(filter(None, (area_words, effect_words))),
        "deferrable_note": cells.text("commitment_or_deferrable", needed=False),
        "exempt_procedures": cells.text("clock_exempt_procedures", needed=False),
        **sureness,
        "source": cells.text("source_or_basis"),
    }
    row |= _area_effect(cells, area_words, is_faultless=len(cells.sheet.faults) == faults_before)
    return row


def _area_effect(cells: Cells, area_words: str, *, is_faultless: bool) -> dict[str, Any]:
    """Which area evaluation concerns the matter and what it does there; read once all else in the row is right."""
    try:
        evaluation = evaluation_kind(area_words)
    except ValueError as error:
        cells.fault("area_evaluation", str(error))
        return {}
    if not is_faultless:
        return {}
    try:
        node = matter_from(cells.values)
    except ValueError as error:
        cells.fault("", str(error))
        return {}
    return {"area_evaluation": evaluation or None, "area_effect": node.area_effect.value}


def _what_it_brings(cells: Cells) -> dict[str, Any]:
    """The result and its form; an original is on paper."""
    has_original = cells.yes("result_has_original")
    form = cells.one_of("result_form", ResultForm)
    if has_original and form is ResultForm.ELECTRONIC:
        cells.fault("result_form", f"{form} has no paper, but the result is said to have an original")
    return {
        "result_has_original": has_original, "result_form": form.value,
        "result_name": cells.text("result_zh", needed=False), "result_name_en": cells.text("result_en", needed=False),
    }  # fmt: skip


def _sureness(cells: Cells) -> dict[str, Any]:
    """How sure the limits are, and why."""
    statutory_sure, statutory_note = _confidence(cells, "conf_statutory")
    committed_sure, committed_note = _confidence(cells, "conf_committed")
    return {
        "confidence_statutory": statutory_sure, "confidence_statutory_note": statutory_note,
        "confidence_committed": committed_sure, "confidence_committed_note": committed_note,
    }  # fmt: skip


def check_waits(sheets: Collection[MatterSheet], known: Mapping[str, tuple[CatalogueWait, ...]]) -> None:
    """Note every unknown prerequisite and one ring, over the files and the ``known`` matters of other catalogues."""
    waits = {**known, **{code: on for read in sheets for code, on in read.waits.items()}}
    seen: dict[str, MatterSheet] = {}
    for read in sheets:
        for code, number in read.numbers.items():
            if code in seen or code in known:
                read.sheet.fault(number, "code", f"{code} is a matter of another catalogue")
            seen[code] = read
            for wait in read.waits[code]:
                if wait.on not in waits:
                    read.sheet.fault(
                        number, "prerequisites", f"{code} waits for {wait.on}, which the catalogue does not have"
                    )
    for code, others in known.items():
        for wait in others:
            if wait.on not in waits:
                first = next(iter(sheets)).sheet
                first.fault(1, "code", f"{wait.on} is missing, and {code} of another catalogue waits for it")
    ring = ring_in({code: {wait.on: wait.when for wait in on} for code, on in waits.items()})
    for code in dict.fromkeys(ring):
        if code in seen:
            words = f"these matters wait for each other: {' → '.join(ring)}"
            seen[code].sheet.fault(seen[code].numbers[code], "prerequisites", words)


def _level(cells: Cells, column: str) -> Level:
    level = cells.text(column)
    if level not in LEVELS:
        cells.fault(column, f"{level!r} is none of {', '.join(LEVELS)}")
    return LEVELS.get(level, Level.COUNTY)


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
