"""``keys``: the keys of encrypted columns are handed out, put in front, and taken away; so is that of sessions."""

import click
from flask.cli import AppGroup

import db
from web.commands.options import one_line_failures
from web.wiring import key_check, key_rotation
from web.wiring.transactions import session_factory

keys = AppGroup("keys", help="The keys of encrypted columns and of session cookies.")


@keys.command("show")
@one_line_failures
def keys_show() -> None:
    """Which keys there are, which one encrypts, and the beginning of each check value."""
    ring = db.keyring()
    for name, fingerprint in ring.fingerprints().items():
        click.echo(f"{name}  {fingerprint[:12]}{'  encrypts' if name == ring.current else ''}")


@keys.command("add")
@one_line_failures
def keys_add() -> None:
    """First phase: a new key that every process can read and none encrypts with yet."""
    click.echo(f"key {_add()} is known; `keys promote` lets it encrypt")


@keys.command("promote")
@one_line_failures
def keys_promote() -> None:
    """Second phase: the newest key encrypts from now on."""
    click.echo(f"key {key_rotation.promote_key()} is in front")


@keys.command("reencrypt")
@one_line_failures
def keys_reencrypt() -> None:
    """Third phase: what older keys encrypted is written again with the one in front."""
    _reencrypt()


@keys.command("retire")
@click.argument("key_id")
@one_line_failures
def keys_retire(key_id: str) -> None:
    """Take an old key away, once no stored value needs it."""
    key_rotation.retire_key(session_factory(), key_id)
    with session_factory().begin() as session:
        key_check.forget_key(session, key_id)
    click.echo(f"key {key_id} is gone; backups made with it need its copy")


@keys.command("rotate")
@one_line_failures
def keys_rotate() -> None:
    """All three phases: running processes read the new key when they first meet it."""
    _add()
    click.echo(f"key {key_rotation.promote_key()} is in front")
    _reencrypt()


@keys.command("new-session")
@one_line_failures
def keys_new_session() -> None:
    """Another key for session cookies: everybody signs in anew, after every process has started again."""
    key_rotation.renew_session_key()
    click.echo("the session key is new; start every process again")


def _add() -> str:
    fresh = key_rotation.add_key()
    with session_factory().begin() as session:
        key_check.know_keys(session)
    return fresh


def _reencrypt() -> None:
    for table, column, count in key_rotation.reencrypt(session_factory()):
        if count:
            click.echo(f"  {table}.{column}: {count}")
