"""``custody``: every chain of handovers is checked."""

import click
from flask.cli import AppGroup

from dispatch.custody.transparency_log import verify_log
from dispatch.custody.verification import unknown_waybills, verify
from web.commands.options import one_line_failures
from web.wiring.transactions import session_factory

custody = AppGroup("custody", help="Who holds which papers.")


@custody.command("verify")
@click.argument("waybills", nargs=-1)
@one_line_failures
def custody_verify(waybills: tuple[str, ...]) -> None:
    """Check every chain of handovers, or those of WAYBILLS; names the first bad link of each."""
    with session_factory()() as session:
        unknown = unknown_waybills(session, waybills)
        bad = list(verify(session, waybills))
        log = [] if waybills else list(verify_log(session))
    for link in bad:
        click.echo(f"  {link}")
    for entry in log:
        click.echo(f"  {entry}")
    wrong = [f"{len(bad)} chains do not verify"] if bad else []
    if log:
        wrong.append("the log of handovers does not verify")
    if unknown:
        wrong.append(f"no parcel has the waybill {', '.join(unknown)}")
    if wrong:
        raise click.ClickException("; ".join(wrong))
    click.echo("every chain verifies")
