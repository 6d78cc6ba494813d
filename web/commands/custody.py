"""``custody``: every chain of handovers is checked, and whose signatures under checkpoints are taken."""

import click
from flask.cli import AppGroup

from dispatch.acts.act import perform
from dispatch.acts.witnessing import EndWitness, TrustWitness
from dispatch.core.actor import SYSTEM
from dispatch.custody.cosignatures import verify_cosignatures
from dispatch.custody.transparency_log import verify_log
from dispatch.custody.verification import unknown_waybills, verify
from web.commands.options import one_line_failures
from web.wiring.security_log import SecurityKind, record
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
        log = [] if waybills else [*verify_log(session), *verify_cosignatures(session)]
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


@custody.command("trust")
@click.argument("key")
@one_line_failures
def custody_trust(key: str) -> None:
    """Take and show the signatures of the witness with this KEY, a line that its own program printed."""
    with session_factory().begin() as session:
        name = perform(session, TrustWitness(key=key), SYSTEM)
        record(session, SecurityKind.CONFIGURED, account_id=None, subject=f"witness:{name}")
    click.echo(f"{name} is a witness of the log")


@custody.command("distrust")
@click.argument("name")
@one_line_failures
def custody_distrust(name: str) -> None:
    """Take no further signature of the witness NAME; those that there are stay."""
    with session_factory().begin() as session:
        perform(session, EndWitness(name=name), SYSTEM)
        record(session, SecurityKind.CONFIGURED, account_id=None, subject=f"witness:{name}", ended=True)
    click.echo(f"{name} is no witness any more")
