"""The command line: ``flask --app wsgi …``; each command calls one room's function and prints what it did."""

import json
from collections.abc import Callable
from datetime import datetime
from functools import wraps
from pathlib import Path
from typing import Any

import click
from flask import current_app
from flask.cli import AppGroup, with_appcontext
from sqlalchemy.exc import OperationalError, ProgrammingError

import db
from agents import network as agents_network
from agents.merging import ImportReport
from agents.network_import import DIVISIONS_FILE, import_changes, import_network
from agents.sheets import BadImport, read_sheet
from dispatch.acts import route_planning
from dispatch.catalogue import imports as dispatch_catalog
from dispatch.core.actor import SYSTEM
from dispatch.core.errors import DispatchError
from dispatch.custody import custody as dispatch_custody
from dispatch.simulation import report_page
from notifications import tasks
from routing.day.tables import Cutoff, DayPlan, PlanState
from web.commands.replay_area import replay_area
from web.demo import county, demand
from web.wiring import database_schema, jobs, key_rotation
from web.wiring.plan_tasks import run_day_plan
from web.wiring.settings import Settings
from web.wiring.transactions import session_factory, transaction

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
SEED = click.IntRange(0, 2**31 - 1)


def plainly(command: Callable[..., Any]) -> Callable[..., Any]:
    """A command's expected failures end it with one line and code 1, never with a trace."""

    @wraps(command)
    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except BadImport as error:
            lines = "\n".join(f"  {row}" for row in error.rows[:50])
            more = f"\n  and {len(error.rows) - 50} more" if len(error.rows) > 50 else ""
            raise click.ClickException(f"{error.path.name} is refused, nothing was changed:\n{lines}{more}") from None
        except (DispatchError, LookupError, ValueError, OSError) as error:
            raise click.ClickException(str(error)) from None
        except OperationalError as error:
            raise click.ClickException(f"the database does not answer: {str(error.orig).splitlines()[0]}") from None
        except ProgrammingError as error:
            said = str(error.orig).splitlines()[0]
            raise click.ClickException(f"{said}: run `flask --app wsgi db upgrade` first?") from None

    return run


def settings() -> Settings:
    """What this process was started with."""
    found: Settings = current_app.extensions["daiban.settings"]
    return found


def tell(report: ImportReport) -> None:
    """What an import did."""
    for line in report.lines:
        click.echo(f"  {line}")
    click.echo(f"added {report.added}, changed {report.changed}, retired {report.retired}")


# ---------------------------------------------------------------- db

database = AppGroup("db", help="The tables.")


@database.command("upgrade")
@click.argument("revision", default="head")
@plainly
def db_upgrade(revision: str) -> None:
    """Bring the tables up to date."""
    click.echo(f"the tables are at {database_schema.upgrade(settings().database_url, revision)}")


@database.command("downgrade")
@click.argument("revision")
@plainly
def db_downgrade(revision: str) -> None:
    """Take the tables back to REVISION."""
    database_schema.downgrade(settings().database_url, revision)
    click.echo(f"the tables are at {revision}")


@database.command("check")
@plainly
def db_check() -> None:
    """Whether the tables are what the program expects."""
    found = database_schema.drift(settings().database_url)
    for difference in found:
        click.echo(f"  {difference}")
    if found:
        raise click.ClickException(f"{len(found)} differences: run `flask --app wsgi db upgrade`")
    click.echo("no differences")


# ---------------------------------------------------------------- network, catalogue, calendar

network = AppGroup("network", help="Jiangsu's five levels.")


@network.command("import")
@click.argument("file", type=FILE)
@click.option("--centres", type=FILE, help="The service centres, too; by default those beside FILE.")
@plainly
def network_import(file: Path, centres: Path | None) -> None:
    """Make the network what FILE says."""
    beside = file.parent / "service_centres.csv"
    with transaction() as session:
        report = import_network(session, file, centres or (beside if beside.is_file() else None))
        if file.resolve() == DIVISIONS_FILE.resolve():
            report += import_changes(session)
        tell(report)


catalog = AppGroup("catalog", help="The matters, their papers and where they are handled.")
BESIDE = ("requirements.csv", "implementations.csv", "area_evaluations.csv", "opening_hours.csv")


@catalog.command("import")
@click.argument("files", type=FILE, nargs=-1, required=True)
@plainly
def catalog_import(files: tuple[Path, ...]) -> None:
    """Make the catalogue what FILES say: matters first, then papers, places and hours, also those beside them."""
    matters = [file for file in files if is_matters(file)]
    others = [file for file in files if file not in matters]
    others += [file.parent / name for file in matters[:1] for name in BESIDE if (file.parent / name).is_file()]
    with transaction() as session:
        report = dispatch_catalog.import_catalog(session, matters) if matters else ImportReport()
        for file in dict.fromkeys(file.resolve() for file in others):
            report += dispatch_catalog.import_file(session, file)
        tell(report)


def is_matters(file: Path) -> bool:
    """Whether the file's columns are those of matters."""
    return {"code", "phase"} <= read_sheet(file, ()).rows[0][1].keys()


calendar = AppGroup("calendar", help="Working days.")


@calendar.command("import")
@click.argument("file", type=FILE)
@plainly
def calendar_import(file: Path) -> None:
    """Take the years that FILE holds."""
    with transaction() as session:
        tell(dispatch_catalog.import_calendar(session, file))


# ---------------------------------------------------------------- matching


@click.command("assign")
@click.option("--dry-run", is_flag=True, help="Only show what would be done.")
@click.option("--area", help="A division's code; without it everything.")
@with_appcontext
@plainly
def assign(dry_run: bool, area: str | None) -> None:
    """Match waiting projects with agents."""
    path = None
    if area:
        with session_factory()() as session:
            path = agents_network.division_with(session, area).path
    proposal, applied = jobs.run_batch(session_factory(), path=path, dry_run=dry_run)
    for move in proposal.moves:
        click.echo(f"  {move.project_no} {move.role} {move.counter} agent {move.before or '-'} -> {move.after}")
    for move in proposal.waiting:
        click.echo(f"  {move.project_no} {move.role} waits: {json.dumps(move.reason, ensure_ascii=False, default=str)}")
    proven = "proven best" if proposal.proven else "not proven"
    click.echo(f"{len(proposal.moves)} moves, {len(proposal.waiting)} waiting, cost {proposal.objective} ({proven})")
    if applied is not None:
        click.echo(f"applied {len(applied.done)}, changed meanwhile {len(applied.stale)}, full {len(applied.full)}")


@click.command("simulate")
@click.option("--area", required=True, help="A county's code, or a city's for all its counties.")
@click.option("--days", type=click.IntRange(1, 500), default=60, show_default=True, help="Working days that count.")
@click.option("--warm-up", type=click.IntRange(0, 300), default=40, show_default=True, help="Working days before.")
@click.option("--replays", type=click.IntRange(1, 50), default=3, show_default=True)
@click.option("--a-year", type=click.FloatRange(1, 100_000), default=200, show_default=True, help="Projects a county.")
@click.option("--seed", type=SEED, default=0)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Also a page with the table and charts.")
@with_appcontext
@plainly
def simulate(area: str, days: int, warm_up: int, replays: int, a_year: float, seed: int, out: Path | None) -> None:
    """Replay drawn demand under three rules of assignment, side by side. Nothing is changed."""
    with session_factory()() as session:
        found = replay_area(session, area, days=days, warm_up=warm_up, replays=replays, a_year=a_year, seed=seed)
    header, *rows = found.table()
    for row in rows:
        click.echo(row[0])
        for title, value in zip(header[1:], row[1:], strict=True):
            click.echo(f"  {title}: {value}")
    if out is not None:
        title = f"{area}：{days}个工作日，三种派件规则"
        out.write_text(report_page.page(found, title=title, warm_up=warm_up), encoding="utf-8")
        click.echo(f"the table and its charts are in {out}")


# ---------------------------------------------------------------- runs

runs = AppGroup("runs", help="The couriers' day.")


@runs.command("plan")
@click.option("--area", required=True, help="The county's code.")
@click.option("--on", "day", required=True, type=click.DateTime(["%Y-%m-%d"]), help="The day of the runs.")
@click.option("--cutoff", type=click.Choice([c.value for c in Cutoff]), default=Cutoff.AM.value, show_default=True)
@click.option("--limit", "limit_s", type=click.IntRange(1, 3600), default=10, show_default=True, help="Seconds.")
@click.option("--seed", type=SEED, default=0)
@plainly
def runs_plan(area: str, day: datetime, cutoff: str, limit_s: int, seed: int) -> None:
    """Plan an area's day: a preview, that a lead may commit."""
    with transaction() as session:
        division = agents_network.division_with(session, area)
        plan = route_planning.ask_for_plan(
            session, division_id=division.id, on=day.date(), cutoff=Cutoff(cutoff), limit_s=limit_s, seed=seed,
            by=SYSTEM, at=db.now(session),
        )  # fmt: skip
    run_day_plan(session_factory(), plan.id, current_app.extensions["daiban.travel"])
    with session_factory()() as session:
        done = session.get_one(DayPlan, plan.id)
    if done.state is PlanState.FAILED:
        raise click.ClickException(f"plan {done.id} failed: {done.why_failed}")
    result = done.result or {}
    for left in result.get("unserved", []):
        click.echo(f"  stop {left.get('stop_id')} is not served: {left.get('reason')}")
    click.echo(f"plan {done.id} is {done.state}: cost {done.cost}, {len(result.get('routes', []))} runs")


# ---------------------------------------------------------------- messages

messages = AppGroup("messages", help="The outbox.")


@messages.command("sweep")
@plainly
def messages_sweep() -> None:
    """Send what is due, here and now, without the queue."""
    click.echo(f"{tasks.deliver_due(at_once=True)} messages were tried")


# ---------------------------------------------------------------- custody, keys

custody = AppGroup("custody", help="Who holds which papers.")


@custody.command("verify")
@click.argument("waybills", nargs=-1)
@plainly
def custody_verify(waybills: tuple[str, ...]) -> None:
    """Check every chain of handovers, or those of WAYBILLS; names the first bad link of each."""
    with session_factory()() as session:
        unknown = dispatch_custody.unknown_waybills(session, waybills)
        bad = list(dispatch_custody.verify(session, waybills))
    for link in bad:
        click.echo(f"  {link}")
    wrong = [f"{len(bad)} chains do not verify"] if bad else []
    if unknown:
        wrong.append(f"no parcel has the waybill {', '.join(unknown)}")
    if wrong:
        raise click.ClickException("; ".join(wrong))
    click.echo("every chain verifies")


keys = AppGroup("keys", help="The keys of encrypted columns.")


@keys.command("rotate")
@plainly
def keys_rotate() -> None:
    """Make a new key, encrypt everything with it, and keep the old ones readable."""
    fresh = key_rotation.add_key()
    click.echo(f"key {fresh} is in front" if fresh else f"DAIBAN_KEYS has key {db.keyring().current} in front")
    for table, column, count in key_rotation.reencrypt(session_factory()):
        if count:
            click.echo(f"  {table}.{column}: {count}")
    click.echo("restart the other processes, so that they know the new key too")


# ---------------------------------------------------------------- demo

demo = AppGroup("demo", help="A believable working day, in an empty database.")


@demo.command("load")
@click.option("--scale", type=click.Choice(["county", "city", "province"]), default="county", show_default=True)
@click.option("--seed", type=SEED, default=7, show_default=True)
@plainly
def demo_load(scale: str, seed: int) -> None:
    """Fill an empty database with a demo; one that is in use is left alone."""
    with session_factory()() as session:
        if not county.is_empty(session):
            click.echo("this database is in use: no demo was loaded")
            return
    if scale == "county":
        county.load(session_factory(), seed=seed, say=lambda words: click.echo(f"  {words}"))
    else:
        demand.load(session_factory(), scale=scale, seed=seed, say=lambda words: click.echo(f"  {words}"))
    click.echo(f"demo accounts, all with the password {county.PASSWORD}:")
    for login in county.LOGINS:
        click.echo(f"  {login.login:8} {login.what}")


COMMANDS = (database, network, catalog, calendar, assign, runs, messages, custody, keys, demo, simulate)
