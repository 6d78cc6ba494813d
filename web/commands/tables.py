"""``db``: the tables are brought up to date, taken back or checked."""

import click
from flask import current_app
from flask.cli import AppGroup

from web.commands.options import one_line_failures
from web.wiring import database_schema
from web.wiring.settings import Settings

database = AppGroup("db", help="The tables.")


@database.command("upgrade")
@click.argument("revision", default="head")
@one_line_failures
def db_upgrade(revision: str) -> None:
    """Bring the tables up to date."""
    click.echo(f"the tables are at {database_schema.upgrade(_database_url(), revision)}")


@database.command("downgrade")
@click.argument("revision")
@click.option("--yes", is_flag=True, help="Do not ask whether the data may be lost.")
@one_line_failures
def db_downgrade(revision: str, yes: bool) -> None:
    """Take the tables back to REVISION. What only newer tables and columns hold is lost: it asks before."""
    held = database_schema.rows_held(_database_url())
    if held and not yes:
        most = ", ".join(f"{rows} in {table}" for table, rows in held[:4])
        click.confirm(f"rows would be lost or cut ({most}, …); is there a backup, and go on?", abort=True)
    database_schema.downgrade(_database_url(), revision)
    click.echo(f"the tables are at {revision}")


@database.command("check")
@one_line_failures
def db_check() -> None:
    """Whether the tables are what the program expects."""
    found = database_schema.drift(_database_url())
    for difference in found:
        click.echo(f"  {difference}")
    if found:
        raise click.ClickException(f"{len(found)} differences: run `flask --app wsgi db upgrade`")
    click.echo("no differences")


def _database_url() -> str:
    settings: Settings = current_app.extensions["daiban.settings"]
    return settings.database_url
