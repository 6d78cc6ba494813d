"""``runs``: the couriers' day is planned."""

from datetime import datetime

import click
from flask import current_app
from flask.cli import AppGroup

from dispatch.acts.act import perform
from dispatch.acts.plan_steps import AskForPlan
from dispatch.core.actor import SYSTEM
from dispatch.core.ids import AreaCode
from routing.day.day_plan import DayPlan, PlanState
from routing.day.hours import Cutoff
from web.commands.options import SEED, one_line_failures
from web.wiring.plan_tasks import run_day_plan
from web.wiring.transactions import session_factory, transaction

runs = AppGroup("runs", help="The couriers' day.")


@runs.command("plan")
@click.option("--area", required=True, help="The county's code.")
@click.option("--on", "day", required=True, type=click.DateTime(["%Y-%m-%d"]), help="The day of the runs.")
@click.option("--cutoff", type=click.Choice([c.value for c in Cutoff]), default=Cutoff.AM.value, show_default=True)
@click.option("--limit", "limit_s", type=click.IntRange(1, 3600), default=10, show_default=True, help="Seconds.")
@click.option("--seed", type=SEED, default=0)
@one_line_failures
def runs_plan(area: str, day: datetime, cutoff: str, limit_s: int, seed: int) -> None:
    """Plan an area's day: a preview, that a lead may commit."""
    command = AskForPlan(area=AreaCode(area), date=day.date(), cutoff=Cutoff(cutoff), limit=limit_s, seed=seed)
    with transaction() as session:
        plan = perform(session, command, SYSTEM)
    run_day_plan(session_factory(), plan.id, current_app.extensions["daiban.travel"])
    with session_factory()() as session:
        done = session.get_one(DayPlan, plan.id)
    if done.state is PlanState.FAILED:
        raise click.ClickException(f"plan {done.id} failed: {done.failure}")
    result = done.result or {}
    for left in result.get("unserved", []):
        click.echo(f"  stop {left.get('stop_id')} is not served: {left.get('reason')}")
    click.echo(f"plan {done.id} is {done.state}: cost {done.cost}, {len(result.get('routes', []))} runs")
