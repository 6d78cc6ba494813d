"""``check``: what is kept is what the events say."""

import click
from flask.cli import AppGroup

import db
from dispatch.cases.derived import differences
from dispatch.cases.project_order import out_of_order_decisions
from web.commands.options import one_line_failures
from web.wiring.transactions import session_factory

check = AppGroup("check", help="Whether what is kept is what the events say.")


@check.command("derived")
@one_line_failures
def check_derived() -> None:
    """Fold every review anew and compare; names each value that is kept otherwise."""
    with session_factory()() as session:
        found = list(differences(session, at=db.now(session)))
    for difference in found:
        click.echo(f"  {difference}")
    if found:
        raise click.ClickException(f"{len(found)} values are kept otherwise than their events say")
    click.echo("everything that is kept is what its events say")


@check.command("order")
@one_line_failures
def check_order() -> None:
    """Name each matter that was granted before those that it waits for, without a recorded relief."""
    with session_factory()() as session:
        found = list(out_of_order_decisions(session, at=db.now(session)))
    for one in found:
        click.echo(f"  {one}")
    click.echo(f"{len(found)} matters were granted before their turn")
