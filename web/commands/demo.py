"""``demo``: an empty database is filled with a believable working day."""

import click
from flask.cli import AppGroup

from web.commands.options import SEED, one_line_failures
from web.demo import county, demand
from web.demo.logins import LOGINS, PASSWORD
from web.wiring.transactions import session_factory

demo = AppGroup("demo", help="A believable working day, in an empty database.")


@demo.command("load")
@click.option("--scale", type=click.Choice(["county", "city", "province"]), default="county", show_default=True)
@click.option("--seed", type=SEED, default=7, show_default=True)
@one_line_failures
def demo_load(scale: str, seed: int) -> None:
    """Fill an empty database with a demo; one that is in use is left alone."""
    with session_factory()() as session:
        if not county.is_empty(session):
            click.echo("this database is in use: no demo was loaded")
            return
    if scale == "county":
        county.load(session_factory(), seed=seed, show_progress=lambda line: click.echo(f"  {line}"))
    else:
        demand.load(session_factory(), scale=scale, seed=seed, show_progress=lambda line: click.echo(f"  {line}"))
    click.echo(f"demo accounts, all with the password {PASSWORD}:")
    for login in LOGINS:
        click.echo(f"  {login.login:8} {login.what}")
