"""``catalog``: matters, their papers and the places and hours of handling are made what files say."""

from pathlib import Path

import click
from flask.cli import AppGroup

from dispatch.acts.act import perform
from dispatch.acts.importing import ImportCatalogue
from dispatch.core.actor import SYSTEM
from web.commands.options import FILE, one_line_failures, show_moved, show_report
from web.wiring.deriving import derive_limits
from web.wiring.transactions import session_factory, transaction

catalog = AppGroup("catalog", help="The matters, their papers and where they are handled.")


@catalog.command("import")
@click.argument("files", type=FILE, nargs=-1, required=True)
@one_line_failures
def catalog_import(files: tuple[Path, ...]) -> None:
    """Make the catalogue what FILES say: matters first, then papers, places and hours, also those beside them."""
    with transaction() as session:
        show_report(perform(session, ImportCatalogue(files), SYSTEM))
    show_moved(derive_limits(session_factory()))  # opening hours may have come with it
