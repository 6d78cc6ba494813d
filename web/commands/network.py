"""``network``: Jiangsu's five levels are made what a file says."""

from pathlib import Path

import click
from flask.cli import AppGroup

from agents.network_import import DIVISIONS_FILE, import_changes, import_network
from web.commands.options import FILE, one_line_failures, show_report
from web.wiring.transactions import transaction

network = AppGroup("network", help="Jiangsu's five levels.")


@network.command("import")
@click.argument("file", type=FILE)
@click.option("--centres", type=FILE, help="The service centres, too; by default those beside FILE.")
@one_line_failures
def network_import(file: Path, centres: Path | None) -> None:
    """Make the network what FILE says."""
    beside = file.parent / "service_centres.csv"
    with transaction() as session:
        report = import_network(session, file, centres or (beside if beside.is_file() else None))
        if file.resolve() == Path(DIVISIONS_FILE).resolve():
            report += import_changes(session)
        show_report(report)
