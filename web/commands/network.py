"""``network``: Jiangsu's five levels are made what a file says."""

from pathlib import Path

import click
from flask.cli import AppGroup

from dispatch.acts.act import perform
from dispatch.acts.importing import ImportNetwork
from dispatch.core.actor import SYSTEM
from web.commands.options import FILE, one_line_failures, show_report
from web.wiring.transactions import transaction

network = AppGroup("network", help="Jiangsu's five levels.")


@network.command("import")
@click.argument("file", type=FILE)
@click.option("--centres", type=FILE, help="The service centres, too; by default those beside FILE.")
@one_line_failures
def network_import(file: Path, centres: Path | None) -> None:
    """Make the network what FILE says."""
    with transaction() as session:
        show_report(perform(session, ImportNetwork(file, centres), SYSTEM))
