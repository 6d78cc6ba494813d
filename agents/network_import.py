"""The network's import: divisions, centres and old codes as the files give them."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from sqlalchemy import Table, select, text
from sqlalchemy.orm import Session

from agents.merging import ImportReport, merge
from agents.names import sort_key
from agents.network import DATA, Division, DivisionAlias, ServiceCentre
from agents.network_file import read_centres, read_changes, read_divisions
from db import SHANGHAI, Base, now

DIVISIONS_FILE = DATA / "network.csv"
CENTRES_FILE = DATA / "service_centres.csv"
CHANGES_FILE = DATA / "town_changes_2023_2026.csv"


def import_network(
    session: Session, divisions_csv: Path | str = DIVISIONS_FILE, centres_csv: Path | str | None = None
) -> ImportReport:
    """Make the network what the files say: idempotent, and what they no longer hold is retired, never deleted.

    The report counts divisions and centres together. Raises BadImport and changes nothing.
    """
    divisions = read_divisions(divisions_csv)
    centres = None if centres_csv is None else read_centres(centres_csv, {line.code for line in divisions})
    session.execute(text("LOCK TABLE division, service_centre IN SHARE ROW EXCLUSIVE MODE"))
    today = now(session).astimezone(SHANGHAI).date()
    rows = [asdict(line) | {"pinyin": sort_key(line.name)} for line in divisions]
    report = merge(session, _table(Division), ["code"], rows, retire_on=today)
    session.execute(text("ANALYZE division"))
    if centres is not None:
        ids = _ids(session)
        rows = [asdict(line) | {"pinyin": sort_key(line.name)} for line in centres]
        for row in rows:
            row["division_id"] = ids[row.pop("division_code")]
        report += merge(session, _table(ServiceCentre), ["centre_no"], rows, retire_on=today)
    return report


def import_changes(session: Session) -> ImportReport:
    """Other codes and names of divisions, so that an address or a letter with an old one finds its place."""
    ids = _ids(session)
    lines = read_changes(CHANGES_FILE, ids.keys())
    rows = [{"code": a.code, "name": a.name, "division_id": ids[a.division_code], "change": a.change} for a in lines]
    return merge(session, _table(DivisionAlias), ["code", "name"], rows) if rows else ImportReport()


def _ids(session: Session) -> dict[str, int]:
    return {row.code: row.id for row in session.execute(select(Division.code, Division.id))}


def _table(mapped: type[Base]) -> Table:
    table = mapped.__table__
    assert isinstance(table, Table)
    return table
