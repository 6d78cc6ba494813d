"""``assign``: waiting projects are matched with agents."""

import json

import click
from flask.cli import with_appcontext

from agents.network import division_with
from web.commands.options import one_line_failures
from web.wiring import jobs
from web.wiring.transactions import session_factory


@click.command("assign")
@click.option("--dry-run", is_flag=True, help="Only show what would be done.")
@click.option("--area", help="A division's code; without it everything.")
@with_appcontext
@one_line_failures
def assign(dry_run: bool, area: str | None) -> None:
    """Match waiting projects with agents."""
    path = None
    if area:
        with session_factory()() as session:
            path = division_with(session, area).path
    proposal, applied = jobs.run_batch(session_factory(), path=path, dry_run=dry_run)
    for move in proposal.moves:
        click.echo(f"  {move.project_no} {move.role} {move.counter} agent {move.before or '-'} -> {move.after}")
    for move in proposal.waiting:
        click.echo(f"  {move.project_no} {move.role} waits: {json.dumps(move.reason, ensure_ascii=False, default=str)}")
    proven = "proven best" if proposal.proven else "not proven"
    click.echo(f"{len(proposal.moves)} moves, {len(proposal.waiting)} waiting, cost {proposal.objective} ({proven})")
    if applied is not None:
        click.echo(f"applied {len(applied.done)}, changed meanwhile {len(applied.stale)}, full {len(applied.full)}")
