"""``keys``: the key of encrypted columns is rotated."""

import click
from flask.cli import AppGroup

import db
from web.commands.options import one_line_failures
from web.wiring import key_rotation
from web.wiring.transactions import session_factory

keys = AppGroup("keys", help="The keys of encrypted columns.")


@keys.command("rotate")
@one_line_failures
def keys_rotate() -> None:
    """Make a new key, encrypt everything with it, and keep the old ones readable."""
    fresh = key_rotation.add_key()
    click.echo(f"key {fresh} is in front" if fresh else f"DAIBAN_KEYS has key {db.keyring().current} in front")
    for table, column, count in key_rotation.reencrypt(session_factory()):
        if count:
            click.echo(f"  {table}.{column}: {count}")
    click.echo("restart the other processes, so that they know the new key too")
