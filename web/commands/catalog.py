"""``catalog``: matters, their papers and the places and hours of handling are made what files say."""

from pathlib import Path

import click
from flask.cli import AppGroup

from agents.merging import ImportReport
from agents.sheets import read_sheet
from dispatch.catalogue.imports import import_catalog, import_file
from web.commands.options import FILE, one_line_failures, show_report
from web.wiring.transactions import transaction

catalog = AppGroup("catalog", help="The matters, their papers and where they are handled.")
BESIDE = ("requirements.csv", "implementations.csv", "area_evaluations.csv", "opening_hours.csv")


@catalog.command("import")
@click.argument("files", type=FILE, nargs=-1, required=True)
@one_line_failures
def catalog_import(files: tuple[Path, ...]) -> None:
    """Make the catalogue what FILES say: matters first, then papers, places and hours, also those beside them."""
    matters = [file for file in files if _is_matters(file)]
    others = [file for file in files if file not in matters]
    others += [file.parent / name for file in matters[:1] for name in BESIDE if (file.parent / name).is_file()]
    with transaction() as session:
        report = import_catalog(session, matters) if matters else ImportReport()
        for file in dict.fromkeys(file.resolve() for file in others):
            report += import_file(session, file)
        show_report(report)


def _is_matters(file: Path) -> bool:
    """Whether the file's columns are those of matters."""
    return {"code", "phase"} <= read_sheet(file, ()).rows[0][1].keys()
