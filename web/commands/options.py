"""Options that several commands take, and how an expected failure or an import's report is printed."""

from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import ParamSpec, TypeVar

import click
from sqlalchemy.exc import OperationalError, ProgrammingError

from agents.merging import ImportReport
from agents.sheets import BadImport
from dispatch.cases.derived import MovedLimit
from dispatch.core.errors import DispatchError
from dispatch.core.shanghai_time import in_shanghai

P = ParamSpec("P")
R = TypeVar("R")

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
SEED = click.IntRange(0, 2**31 - 1)
MOST_ROWS = 50  # of a refused file


def one_line_failures(command: Callable[P, R]) -> Callable[P, R]:
    """A command's expected failures end it with one line and code 1, never with a trace."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except BadImport as error:
            lines = "\n".join(f"  {row}" for row in error.rows[:MOST_ROWS])
            more = f"\n  and {len(error.rows) - MOST_ROWS} more" if len(error.rows) > MOST_ROWS else ""
            raise click.ClickException(f"{error.path.name} is refused, nothing was changed:\n{lines}{more}") from None
        except (DispatchError, LookupError, ValueError, OSError) as error:
            raise click.ClickException(str(error)) from None
        except OperationalError as error:
            raise click.ClickException(f"the database does not answer: {str(error.orig).splitlines()[0]}") from None
        except ProgrammingError as error:
            reason = str(error.orig).splitlines()[0]
            raise click.ClickException(f"{reason}: run `flask --app wsgi db upgrade` first?") from None

    return run


def show_moved(limits: Sequence[MovedLimit]) -> None:
    """Print which limits an import moved."""
    for limit in limits[:MOST_ROWS]:
        was, now = (None if at is None else in_shanghai(at).date() for at in (limit.was, limit.now))
        click.echo(f"  {limit.case_no} {limit.matter}: {was} becomes {now}")
    if limits:
        click.echo(f"limits moved: {len(limits)}")


def show_report(report: ImportReport) -> None:
    """Print what an import did."""
    for line in report.lines:
        click.echo(f"  {line}")
    click.echo(f"added {report.added}, changed {report.changed}, retired {report.retired}")
