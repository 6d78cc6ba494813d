"""Catalogue import: files become the matters, materials, implementations, hours and days of the database."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import Table, delete, func, select, text
from sqlalchemy.orm import Session, aliased

from agents.merging import ImportReport, merge
from agents.network import Division, ServiceCentre
from agents.sheets import BadImport, RowFault, read_sheet
from db import SHANGHAI, Base, now
from dispatch.catalogue.area_evaluation import AreaEvaluation
from dispatch.catalogue.calendar_file import read_calendar
from dispatch.catalogue.calendar_tables import CalendarDay, OpeningHours
from dispatch.catalogue.evaluation_file import read_evaluations
from dispatch.catalogue.hours_file import read_hours
from dispatch.catalogue.implementation import Implementation
from dispatch.catalogue.implementation_file import read_implementations
from dispatch.catalogue.matter import Family, Matter, MatterPrerequisite, Requirement
from dispatch.catalogue.matter_file import MatterSheet, check_waits, read_matters
from dispatch.catalogue.matter_rows import CatalogueWait
from dispatch.catalogue.requirement_file import read_requirements
from dispatch.core.working_days import DayStatus

DATA = Path(__file__).parent.parent / "data"

CATALOG_FILES = (
    DATA / "catalog_industrial_permit.csv",
    DATA / "catalog_business_opening.csv",
    DATA / "catalog_property_registration.csv",
)
REQUIREMENTS_FILE = DATA / "requirements.csv"
IMPLEMENTATIONS_FILE = DATA / "implementations.csv"
HOURS_FILE = DATA / "opening_hours.csv"
CALENDAR_FILE = DATA / "calendar_2025_2027.csv"


def import_catalog(session: Session, paths: Sequence[Path | str] = CATALOG_FILES) -> ImportReport:
    """Make the catalogue of each file's family what the file says; matters that left it are retired, never deleted.

    Raises BadImport and changes nothing: unknown prerequisite, cycle, negative days, duplicate …
    """
    sheets = [read_matters(path) for path in paths]
    session.execute(text("LOCK TABLE matter, matter_prerequisite IN SHARE ROW EXCLUSIVE MODE"))
    families = [read.family for read in sheets]
    if len(set(families)) < len(families):
        raise BadImport(paths[-1], [RowFault(1, "", "two files are of the same family")])
    check_waits(sheets, _waits_elsewhere(session, families))
    for read in sheets:
        read.sheet.refuse_if_faulty()
    of_these = Matter.family.in_(families)
    rows = [row for read in sheets for row in read.rows]
    report = merge(
        session, _table(Matter), ["code"], rows, retire_on=now(session).astimezone(SHANGHAI).date(), among=of_these
    )
    return report + _import_waits(session, sheets, families, {row["code"] for row in rows})


def _import_waits(
    session: Session, sheets: Sequence[MatterSheet], families: Sequence[Family], codes: Collection[str]
) -> ImportReport:
    """The prerequisites, which are told as changes of the matters that wait; those of new matters go without saying."""
    ids = _matter_ids(session)
    wanted = {(code, wait) for read in sheets for code, waits in read.waits.items() for wait in waits}
    held = _waits(session, families)
    merge(
        session,
        _table(MatterPrerequisite),
        ["matter_id", "prerequisite_id"],
        [
            {
                "matter_id": ids[code],
                "prerequisite_id": ids[wait.on],
                "before_decision": wait.before_decision,
                "holds_when": wait.when,
            }
            for code, wait in sorted(wanted, key=str)
        ],
        columns=("matter_id", "prerequisite_id", "before_decision", "holds_when"),
        among=MatterPrerequisite.matter_id.in_(select(Matter.id).where(Matter.family.in_(families))),
    )
    if not held:
        return ImportReport()
    lines = [f"{code}: waits for {wait}" for code, wait in sorted(wanted - held, key=str)]
    lines += [f"{code}: no longer waits for {wait}" for code, wait in sorted(held - wanted, key=str) if code in codes]
    return ImportReport(changed=len(lines), lines=tuple(lines))


def _waits(session: Session, families: Sequence[Family]) -> set[tuple[str, CatalogueWait]]:
    """The prerequisites of the matters of some families, each with the code that waits."""
    earlier = aliased(Matter)
    pairs = (
        select(Matter.code, earlier.code, MatterPrerequisite.before_decision, MatterPrerequisite.holds_when)
        .join(MatterPrerequisite, MatterPrerequisite.matter_id == Matter.id)
        .join(earlier, earlier.id == MatterPrerequisite.prerequisite_id)
        .where(Matter.family.in_(families))
    )
    return {(code, CatalogueWait(on, late, when)) for code, on, late, when in session.execute(pairs)}


def import_requirements(session: Session, path: Path | str = REQUIREMENTS_FILE) -> ImportReport:
    """The materials of the matters that the file names; other matters keep theirs. Raises BadImport."""
    ids = _matter_ids(session)
    in_use = select(Matter.code, Matter.family).where(Matter.retired_on.is_(None))
    families = {row.code: row.family for row in session.execute(in_use)}
    rows = _with_id(read_requirements(path, families), "matter_code", "matter_id", ids)
    named = Requirement.matter_id.in_({row["matter_id"] for row in rows})
    return merge(session, _table(Requirement), ["matter_id", "name", "needed_when"], rows, among=named)


def import_implementations(session: Session, path: Path | str = IMPLEMENTATIONS_FILE) -> ImportReport:
    """How the divisions that the file names handle matters; other divisions keep theirs. Raises BadImport."""
    matters, divisions, centres = _matter_ids(session), _division_ids(session), _centre_ids(session)
    in_use = select(Matter.code, Matter.statutory_limit).where(Matter.retired_on.is_(None))
    law = {row.code: row.statutory_limit for row in session.execute(in_use)}
    rows = read_implementations(path, law, divisions.keys(), centres.keys())
    rows = _with_id(rows, "matter_code", "matter_id", matters)
    rows = _with_id(rows, "division_code", "division_id", divisions)
    rows = _with_id(rows, "centre_no", "centre_id", centres)
    named = Implementation.division_id.in_({row["division_id"] for row in rows})
    return merge(session, _table(Implementation), ["matter_id", "division_id"], rows, among=named)


def import_evaluations(session: Session, path: Path | str) -> ImportReport:
    """The area evaluations of the zones that the file names; other zones keep theirs. Raises BadImport."""
    divisions = _division_ids(session)
    rows = _with_id(read_evaluations(path, divisions.keys()), "division_code", "division_id", divisions)
    named = AreaEvaluation.division_id.in_({row["division_id"] for row in rows})
    return merge(session, _table(AreaEvaluation), ["division_id", "kind", "valid_from"], rows, among=named)


def import_hours(session: Session, path: Path | str = HOURS_FILE) -> ImportReport:
    """The opening hours of all centres. Raises BadImport."""
    centres = _centre_ids(session)
    rows = _with_id(read_hours(path, centres.keys()), "centre_no", "centre_id", centres)
    return merge(session, _table(OpeningHours), ["centre_id", "season_from"], rows)


def import_calendar(session: Session, path: Path | str = CALENDAR_FILE) -> ImportReport:
    """The years that the file holds, whole; other years stay. Raises BadImport."""
    year = func.extract("year", CalendarDay.day)
    published = session.scalars(select(year).where(CalendarDay.status == DayStatus.PUBLISHED).distinct())
    rows = read_calendar(path, {int(number) for number in published})
    years = {row["day"].year for row in rows}
    return merge(session, _table(CalendarDay), ["day"], rows, among=year.in_(years))


def forget_year(session: Session, year: int) -> ImportReport:
    """The year is no longer imported: it is estimated."""
    days = CalendarDay.day.between(date(year, 1, 1), date(year, 12, 31))
    gone = session.execute(delete(CalendarDay).where(days).returning(CalendarDay.day)).all()
    return ImportReport(retired=len(gone), lines=(f"{year}: estimated from its statutory holidays",) if gone else ())


# The columns by which each kind of file is known.
READERS: dict[tuple[str, str], Callable[[Session, Path | str], ImportReport]] = {
    ("code", "phase"): lambda session, path: import_catalog(session, [path]),
    ("matter_code", "mode"): import_requirements,
    ("matter_code", "division_code"): import_implementations,
    ("division_code", "valid_from"): import_evaluations,
    ("centre_no", "season_from"): import_hours,
    ("date", "is_workday"): import_calendar,
}


def import_file(session: Session, path: Path | str) -> ImportReport:
    """A file of the catalogue, whichever it is: its columns say so. Raises BadImport."""
    header = read_sheet(path, ()).rows[0][1].keys()
    for columns, reader in READERS.items():
        if header >= set(columns):
            return reader(session, path)
    raise BadImport(path, [RowFault(1, "", f"no file of the catalogue has these columns: {', '.join(header)}")])


def _waits_elsewhere(session: Session, families: Sequence[Family]) -> dict[str, tuple[CatalogueWait, ...]]:
    """The matters of other families with what each waits for."""
    others = [family for family in Family if family not in families]
    still_used = select(Matter.code).where(Matter.family.in_(others), Matter.retired_on.is_(None))
    waits: dict[str, tuple[CatalogueWait, ...]] = dict.fromkeys(session.scalars(still_used), ())
    for code, wait in sorted(_waits(session, others), key=str):
        if code in waits:
            waits[code] = (*waits[code], wait)
    return waits


def _with_id(
    rows: Sequence[Mapping[str, Any]], code_column: str, id_column: str, ids: Mapping[str, int]
) -> list[dict[str, Any]]:
    return [
        {name: value for name, value in row.items() if name != code_column}
        | {id_column: None if row[code_column] is None else ids[row[code_column]]}
        for row in rows
    ]


def _matter_ids(session: Session) -> dict[str, int]:
    return {
        row.code: row.id for row in session.execute(select(Matter.code, Matter.id).where(Matter.retired_on.is_(None)))
    }


def _division_ids(session: Session) -> dict[str, int]:
    return {row.code: row.id for row in session.execute(select(Division.code, Division.id))}


def _centre_ids(session: Session) -> dict[str, int]:
    return {row.centre_no: row.id for row in session.execute(select(ServiceCentre.centre_no, ServiceCentre.id))}


def _table(mapped: type[Base]) -> Table:
    table = mapped.__table__
    assert isinstance(table, Table)
    return table
