"""``calendar``: the years of a working-day calendar are taken from a file, and the limits follow."""

import csv
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import click
from flask.cli import AppGroup

from agents.sheets import BadImport, RowFault
from dispatch.acts.act import perform
from dispatch.acts.importing import EstimateYear, ImportCalendar
from dispatch.core.actor import SYSTEM
from dispatch.core.statutory_holidays import FIRST_YEAR, LAST_YEAR
from web.commands.options import FILE, one_line_failures, show_moved, show_report
from web.wiring.deriving import derive_limits
from web.wiring.isolated import UnreadableUpload, read_isolated
from web.wiring.sheet_rows import OLE, ZIP
from web.wiring.transactions import session_factory, transaction
from web.wiring.workbook_reader import DATE_CELL

calendar = AppGroup("calendar", help="Working days.")


@calendar.command("import")
@click.argument("file", type=FILE)
@one_line_failures
def calendar_import(file: Path) -> None:
    """Take the years that FILE holds: the holidays of a notice and its make-up days, or a row a day; CSV or XLSX."""
    with as_text(file) as table, transaction() as session:
        show_report(perform(session, ImportCalendar(table), SYSTEM))
    show_moved(derive_limits(session_factory()))


@calendar.command("estimate")
@click.argument("year", type=click.IntRange(FIRST_YEAR, LAST_YEAR))
@click.option("--reason", required=True, help="What was wrong with the calendar of that year.")
@one_line_failures
def calendar_estimate(year: int, reason: str) -> None:
    """Estimate YEAR again from its statutory holidays: it was imported wrongly."""
    with transaction() as session:
        show_report(perform(session, EstimateYear(year, reason), SYSTEM))
    show_moved(derive_limits(session_factory()))


@contextmanager
def as_text(file: Path) -> Iterator[Path]:
    """The file itself, or the first sheet of a workbook that holds anything, as a table of text beside it."""
    content = file.read_bytes()
    if not content.startswith((OLE, ZIP)):
        yield file
        return
    try:
        sheets = json.loads(read_isolated("web.wiring.workbook_reader", content))
    except UnreadableUpload as error:
        raise BadImport(file, [RowFault(1, "", f"the workbook cannot be read: {error.reason}")]) from error
    rows = dict(next((sheet["rows"] for sheet in sheets if sheet["rows"]), []))
    with TemporaryDirectory() as folder:
        table = Path(folder) / f"{file.stem}.csv"
        with table.open("w", encoding="utf-8", newline="") as out:
            for number in range(1, max(rows, default=0) + 1):  # empty ones too: a fault is named by its row
                csv.writer(out).writerow([cell.removeprefix(DATE_CELL) for cell in rows.get(number, [""])])
        yield table
