"""``simulate``: drawn demand is replayed under three rules of assignment, side by side."""

from pathlib import Path

import click
from flask.cli import with_appcontext

from dispatch.simulation import report_page
from web.commands.options import SEED, one_line_failures
from web.commands.replay_area import replay_area
from web.wiring.transactions import session_factory


@click.command("simulate")
@click.option("--area", required=True, help="A county's code, or a city's for all its counties.")
@click.option("--days", type=click.IntRange(1, 500), default=60, show_default=True, help="Working days that count.")
@click.option("--warm-up", type=click.IntRange(0, 300), default=40, show_default=True, help="Working days before.")
@click.option("--replays", type=click.IntRange(1, 50), default=3, show_default=True)
@click.option("--a-year", type=click.FloatRange(1, 100_000), default=200, show_default=True, help="Projects a county.")
@click.option("--seed", type=SEED, default=0)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Also a page with the table and charts.")
@with_appcontext
@one_line_failures
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
