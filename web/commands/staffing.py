"""``staffing``: who together could take a project, and how the week's hours are shared out. Nothing is changed."""

import click
from flask.cli import with_appcontext
from sqlalchemy.orm import Session

import db
from agents.matching.hours import share_hours
from agents.matching.teams import plan_teams
from agents.network import division_with
from dispatch.assignment.team_plan import propose_teams, team_question
from dispatch.assignment.week_plan import propose_week, week_question
from web.commands.options import one_line_failures
from web.wiring.transactions import transaction

AREA = click.option("--area", help="A division's code; without it everything.")
LIMIT = click.option("--limit", type=click.FloatRange(0.1, 600), default=10.0, show_default=True, help="Seconds.")


@click.group("staffing")
def staffing() -> None:
    """Proposals that search for longer than a page may take."""


@staffing.command("teams")
@AREA
@LIMIT
@with_appcontext
@one_line_failures
def teams(area: str | None, limit: float) -> None:
    """The smallest team for each project that waits because nobody alone has all its skills."""
    with transaction() as session:
        question = team_question(session, at=db.now(session), path=_path(session, area))
    found = propose_teams(question, solve=plan_teams, limit_s=limit)
    for one in found:
        team = ", ".join(f"{member.name} ({' '.join(member.skills)})" for member in one.members)
        lacks = ", ".join(f"{gap.skill}: {gap.lack}" for gap in one.gaps) or "no free slot is left"
        unproven = "" if one.proven else " (not proven)"
        click.echo(
            f"  {one.project_no} {one.name} needs {' '.join(one.skills)}: {team or f'no team ({lacks})'}{unproven}"
        )
    click.echo(f"{len(found)} projects need a team, {sum(not one.members for one in found)} find none")


@staffing.command("week")
@AREA
@LIMIT
@with_appcontext
@one_line_failures
def week(area: str | None, limit: float) -> None:
    """The agents' weekly hours over their projects, and what waits for lack of hours."""
    with transaction() as session:
        question = week_question(session, at=db.now(session), path=_path(session, area))
    found = propose_week(question, solve=share_hours, limit_s=limit)
    for one in found.projects:
        who = one.now or "nobody"
        change = "waits" if not one.then else "stays" if one.then == one.now else f"-> {one.then}"
        click.echo(f"  {one.project_no} {one.name} {one.hours} h: {who} {change}")
    for person in found.agents:
        click.echo(f"  {person.name}: {person.hours - person.left} of {person.hours} h")
    waiting = sum(not one.then for one in found.projects)
    proven = "proven best" if found.proven else "not proven"
    click.echo(f"{len(found.projects)} projects, {waiting} wait for hours ({proven})")


def _path(session: Session, area: str | None) -> str | None:
    return None if area is None else division_with(session, area).path
