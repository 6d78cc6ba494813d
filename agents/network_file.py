"""Network files: divisions and centres as their CSV files give them, checked against each other. No database."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from agents.sheets import ImportSheet, read_sheet

CODE = re.compile(r"[0-9]{12}")
CENTRE_NO = re.compile(r"[A-Z]{2}[0-9]{3,6}")
KIND = re.compile(r"[a-z_]{2,32}")
PRECISION = re.compile(r"exact|centroid|synthetic|admin_seat")
LON = (73.0, 136.0)  # China, so that a point whose two numbers were swapped is seen
LAT = (3.0, 54.0)
DEEPEST = 5

DIVISION_COLUMNS = ("code", "name", "level", "parent_code", "kind", "lon", "lat", "precision")
CENTRE_COLUMNS = ("centre_id", "node_code", "name", "level", "lon", "lat", "coord_precision")
CHANGE_COLUMNS = ("change", "nbs2023_code", "nbs2023_name", "mca2026_code", "mca2026_name")


@dataclass(frozen=True, slots=True)
class DivisionLine:
    """One division of a file, with the path that its parents give it."""

    code: str
    name: str
    level: int
    parent_code: str | None
    kind: str
    lon: float
    lat: float
    precision: str
    path: str


@dataclass(frozen=True, slots=True)
class CentreLine:
    """One service centre of a file."""

    centre_no: str
    division_code: str
    name: str
    level: str
    lon: float
    lat: float
    precision: str


@dataclass(frozen=True, slots=True)
class AliasLine:
    """Another code or name of a division that the network has."""

    code: str
    name: str
    division_code: str
    change: str


def read_divisions(path: Path | str) -> list[DivisionLine]:
    """The tree of one file, parents before children. Raises BadImport: orphan, skipped level, duplicate, bad point …"""
    sheet = read_sheet(path, DIVISION_COLUMNS)
    numbers: dict[str, int] = {}
    levels: dict[str, int] = {}
    for cells in sheet:
        code = cells.matching("code", CODE, "a code of twelve digits")
        if code in numbers:
            cells.fault("code", f"{code} stands already in row {numbers[code]}")
            continue
        numbers[code] = cells.number
        levels[code] = cells.whole("level", 1, DEEPEST)
    paths: dict[str, str] = {}
    lines: list[DivisionLine] = []
    for cells in sorted(sheet, key=lambda cells: levels.get(cells.values["code"].strip(), 0)):
        code, level = cells.values["code"].strip(), levels.get(cells.values["code"].strip(), 0)
        parent = cells.text("parent_code", needed=level > 1)
        if level == 1 and parent:
            cells.fault("parent_code", f"{code} is of level 1 and cannot have the parent {parent}")
        elif parent and parent not in levels:
            cells.fault("parent_code", f"{code} is an orphan: {parent} is not in the file")
        elif parent and levels[parent] != level - 1:
            cells.fault("level", f"{code} of level {level} cannot stand under {parent} of level {levels[parent]}")
        paths[code] = f"{paths[parent]}.{code}" if parent in paths else code
        lines.append(
            DivisionLine(
                code=code,
                name=cells.text("name"),
                level=level,
                parent_code=parent or None,
                kind=cells.matching("kind", KIND, "a kind such as city, county, town or zone"),
                lon=cells.decimal("lon", *LON),
                lat=cells.decimal("lat", *LAT),
                precision=cells.matching("precision", PRECISION, "one of exact, centroid, synthetic, admin_seat"),
                path=paths[code],
            )
        )
    sheet.refuse_if_faulty()
    return lines


def read_centres(path: Path | str, divisions: Collection[str]) -> list[CentreLine]:
    """The centres of one file, each at one of ``divisions``. Raises BadImport."""
    sheet = read_sheet(path, CENTRE_COLUMNS)
    numbers: dict[str, int] = {}
    lines: list[CentreLine] = []
    for cells in sheet:
        centre_no = cells.matching("centre_id", CENTRE_NO, "a centre's number such as SC001")
        if centre_no in numbers:
            cells.fault("centre_id", f"{centre_no} stands already in row {numbers[centre_no]}")
        numbers.setdefault(centre_no, cells.number)
        code = cells.matching("node_code", CODE, "a code of twelve digits")
        if code not in divisions:
            cells.fault("node_code", f"{centre_no} is at {code}, which the network does not have")
        lines.append(
            CentreLine(
                centre_no=centre_no,
                division_code=code,
                name=cells.text("name"),
                level=cells.matching("level", KIND, "a level such as city, county or dev_zone"),
                lon=cells.decimal("lon", *LON),
                lat=cells.decimal("lat", *LAT),
                precision=cells.matching("coord_precision", PRECISION, "one of exact, centroid, synthetic, admin_seat"),
            )
        )
    sheet.refuse_if_faulty()
    return lines


def read_changes(path: Path | str, divisions: Collection[str]) -> list[AliasLine]:
    """Codes and names under which divisions of the network also appear.

    The ministry's list says that a division has ended and another is new; where both have one code it was renamed.
    A division that is only in that list has no counterpart here and is passed over. Raises BadImport.
    """
    sheet = read_sheet(path, CHANGE_COLUMNS)
    ended = {cells.values["nbs2023_code"].strip() for cells in sheet if not cells.values["mca2026_code"].strip()}
    lines: dict[tuple[str, str], AliasLine] = {}
    for cells in sheet:
        change = cells.text("change")
        code, name = _pair(sheet, cells.values, cells.number, "mca2026")
        here, _ = _pair(sheet, cells.values, cells.number, "nbs2023")
        if here and here not in divisions:
            cells.fault("nbs2023_code", f"{here} is not in the network")
        elif code and (here or code in ended):
            lines[(code, name)] = AliasLine(code, name, here or code, change if here else "renamed")
    sheet.refuse_if_faulty()
    return list(lines.values())


def _pair(sheet: ImportSheet, values: Mapping[str, str], number: int, source: str) -> tuple[str, str]:
    code, name = values[f"{source}_code"].strip(), values[f"{source}_name"].strip()
    if bool(code) != bool(name):
        sheet.fault(number, f"{source}_code", "a code and its name stand together")
    elif code and not CODE.fullmatch(code):
        sheet.fault(number, f"{source}_code", f"{code!r} is not a code of twelve digits")
    return code, name
