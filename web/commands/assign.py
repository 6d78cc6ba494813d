"""``assign``: waiting projects are matched with agents."""

import json

import click
from flask.cli import with_appcontext

import db
from agents.network import division_with
from dispatch.acts.act import perform
from dispatch.acts.assigning import ApplyBatch
from dispatch.assignment.propose import propose
from dispatch.core.actor import SYSTEM
from dispatch.core.ids import AreaCode
from web.commands.options import one_line_failures
from web.wiring.transactions import session_factory, transaction


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
    with session_factory()() as session:
        proposal = propose(session, at=db.now(session), path=path)
    for move in proposal.moves:
        click.echo(f"  {move.project_no} {move.role} {move.counter} agent {move.before or '-'} -> {move.after}")
    for move in proposal.waiting:
        click.echo(f"  {move.project_no} {move.role} waits: {json.dumps(move.reason, ensure_ascii=False, default=str)}")
    proven = "proven best" if proposal.proven else "not proven"
    click.echo(f"{len(proposal.moves)} moves, {len(proposal.waiting)} waiting, cost {proposal.objective} ({proven})")
    if not dry_run:
        command = ApplyBatch(area=None if area is None else AreaCode(area), seen=proposal.fingerprint)
        with transaction() as session:
            applied = perform(session, command, SYSTEM)
        click.echo(f"applied {applied.done}, changed meanwhile {applied.stale}, full {applied.full}")
