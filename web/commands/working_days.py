"""``calendar``: the years of a working-day calendar are taken from a file."""

from pathlib import Path

import click
from flask.cli import AppGroup

from dispatch.acts.act import perform
from dispatch.acts.importing import ImportCalendar
from dispatch.core.actor import SYSTEM
from web.commands.options import FILE, one_line_failures, show_report
from web.wiring.transactions import transaction

calendar = AppGroup("calendar", help="Working days.")


@calendar.command("import")
@click.argument("file", type=FILE)
@one_line_failures
def calendar_import(file: Path) -> None:
    """Take the years that FILE holds."""
    with transaction() as session:
        show_report(perform(session, ImportCalendar(file), SYSTEM))
