"""Evaluation file: area evaluations of zones as CSV gives them, checked. No database."""

import json
from collections.abc import Collection
from datetime import date
from pathlib import Path
from typing import Any

from agents.sheets import read_sheet
from dispatch.catalogue.matter_rows import evaluation_kind

EVALUATION_COLUMNS = ("division_code", "kind", "title", "valid_from", "valid_to", "negative_list", "saved_yuan")


def read_evaluations(path: Path | str, divisions: Collection[str]) -> list[dict[str, Any]]:
    """Area evaluations of zones; the negative list's industries are parted by semicolons. Raises BadImport."""
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
