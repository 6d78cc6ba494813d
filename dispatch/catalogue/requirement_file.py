"""Requirement file: the materials of matters as CSV gives them, checked. No database."""

import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from agents.sheets import Cells, read_sheet
from dispatch.catalogue.matter import Confidence, Family, MaterialMode
from dispatch.catalogue.matter_file import condition_cell
from dispatch.core.limit import LONGEST_DAYS

REQUIREMENT_COLUMNS = (
    "matter_code", "name", "name_en", "mode", "needed_when", "source", "else_source", "deferrable", "defer_wd",
    "confidence", "note",
)  # fmt: skip
SOURCE = re.compile(r"enterprise|(?:register|intermediary):[a-z_]+|result_of:(?P<result_of>[A-Z]+-[0-9]+)")


def read_requirements(path: Path | str, matters: Mapping[str, Family]) -> list[dict[str, Any]]:
    """The materials of matters, in the file's order. Raises BadImport."""
    sheet = read_sheet(path, REQUIREMENT_COLUMNS)
    seen: dict[tuple[str, str, str], int] = {}
    rows = []
    for position, cells in enumerate(sheet, start=1):
        code = cells.text("matter_code")
        if code not in matters:
            cells.fault("matter_code", f"the catalogue has no matter {code}")
        name = cells.text("name")
        needed_when = condition_cell(cells, "needed_when", matters.get(code, Family.INDUSTRIAL_PERMIT))
        key = (code, name, needed_when)
        if key in seen:
            cells.fault("name", f"{name} of {code} stands already in row {seen[key]}")
        seen.setdefault(key, cells.number)
        deferrable = cells.yes("deferrable")
        defer_wd = cells.whole("defer_wd", 1, LONGEST_DAYS) if cells.values["defer_wd"].strip() else None
        if defer_wd is not None and not deferrable:
            cells.fault("defer_wd", f"{name} of {code} has a date to follow by, but may not be deferred")
        rows.append(
            {
                "matter_code": code,
                "name": name,
                "name_en": cells.text("name_en", needed=False),
                "position": position,
                "mode": cells.one_of("mode", MaterialMode).value,
                "deferrable": deferrable,
                "defer_wd": defer_wd,
                "needed_when": needed_when,
                "source": _source(cells, "source", matters),
                "else_source": _source(cells, "else_source", matters),
                "confidence": cells.one_of("confidence", Confidence).value,
                "note": cells.text("note", needed=False),
            }
        )
    sheet.refuse_if_faulty()
    return rows


def _source(cells: Cells, column: str, matters: Collection[str]) -> str:
    """Where a material comes from: the enterprise, a register, a firm, or another matter's result."""
    text = cells.text(column, needed=False)
    found = SOURCE.fullmatch(text) if text else None
    if text and found is None:
        cells.fault(column, f"{text!r} is none of enterprise, register:…, intermediary:…, result_of:CODE")
    elif found is not None and found["result_of"] is not None and found["result_of"] not in matters:
        cells.fault(column, f"the catalogue has no matter {found['result_of']}")
    return text
