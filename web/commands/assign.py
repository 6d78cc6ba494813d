"""``assign``: waiting projects are matched with agents."""

import json

import click
from flask.cli import with_appcontext

from dispatch.acts.act import perform
from dispatch.acts.assigning import ApplyBatch, preview_batch
from dispatch.core.actor import SYSTEM
from dispatch.core.ids import AreaCode
from web.commands.options import one_line_failures
from web.wiring.transactions import transaction


@click.command("assign")
@click.option("--dry-run", is_flag=True, help="Only show what would be done.")
@click.option("--area", help="A division's code; without it everything.")
@with_appcontext
@one_line_failures
def assign(dry_run: bool, area: str | None) -> None:
    """Match waiting projects with agents."""
    command = ApplyBatch(area=AreaCode(area) if area else None)
    with transaction() as session:
        found = preview_batch(session, command, SYSTEM) if dry_run else perform(session, command, SYSTEM)
    for move in found.moves:
        click.echo(f"  {move.project_no} {move.role} {move.counter} agent {move.before or '-'} -> {move.after}")
    for move in found.waiting:
        click.echo(f"  {move.project_no} {move.role} waits: {json.dumps(move.reason, ensure_ascii=False, default=str)}")
    proven = "proven best" if found.proven else "not proven"
    click.echo(f"{len(found.moves)} moves, {len(found.waiting)} waiting, cost {found.cost} ({proven})")
    if found.applied is not None:
        done = found.applied
        click.echo(f"applied {done.done}, changed meanwhile {done.stale}, full {done.full}")
