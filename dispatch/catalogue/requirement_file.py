"""Requirement file: the materials of matters as CSV gives them, checked. No database."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

from agents.sheets import read_sheet
from dispatch.catalogue.matter import Confidence, MaterialMode
from dispatch.core.limit import LONGEST_DAYS

REQUIREMENT_COLUMNS = ("matter_code", "name", "mode", "deferrable", "defer_wd", "condition", "confidence", "note")


def read_requirements(path: Path | str, matters: Collection[str]) -> list[dict[str, Any]]:
    """The materials of matters, in the file's order. Raises BadImport."""
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
        defer_wd = cells.whole("defer_wd", 1, LONGEST_DAYS) if cells.values["defer_wd"].strip() else None
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
