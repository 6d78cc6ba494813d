"""``calendar``: the years of a working-day calendar are taken from a file."""

from pathlib import Path

import click
from flask.cli import AppGroup

from dispatch.catalogue.imports import import_calendar
from web.commands.options import FILE, one_line_failures, show_report
from web.wiring.transactions import transaction

calendar = AppGroup("calendar", help="Working days.")


@calendar.command("import")
@click.argument("file", type=FILE)
@one_line_failures
def calendar_import(file: Path) -> None:
    """Take the years that FILE holds."""
    with transaction() as session:
        show_report(import_calendar(session, file))
