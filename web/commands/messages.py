"""``messages``: what is due in the outbox is sent."""

import click
from flask.cli import AppGroup

from notifications import tasks
from web.commands.options import one_line_failures

messages = AppGroup("messages", help="The outbox.")


@messages.command("sweep")
@one_line_failures
def messages_sweep() -> None:
    """Send what is due, here and now, without the queue."""
    click.echo(f"{tasks.deliver_due(at_once=True)} messages were tried")
