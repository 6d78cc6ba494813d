"""``accounts``: the first operator is made, and one who cannot sign in any more is let in again."""

import click
from flask import current_app
from flask.cli import AppGroup

from notifications.phone import normalise
from web.commands.options import one_line_failures
from web.wiring.accounts import Account
from web.wiring.entry_links import entry_key
from web.wiring.staff_accounts import make_operator_at_console, recover_at_console
from web.wiring.transactions import transaction

accounts = AppGroup("accounts", help="Operators, made and let in again by who has the machine.")


@accounts.command("operator")
@click.argument("login", default="admin")
@click.option("--name", default="系统管理员", show_default=True)
@click.option("--phone", help="The number for codes by SMS.")
@one_line_failures
def accounts_operator(login: str, name: str, phone: str | None) -> None:
    """Make an operator who signs in as LOGIN (admin); a link is printed that sets the password once, within a day."""
    with transaction() as session:
        number = normalise(phone) if phone else None
        _show_link(make_operator_at_console(session, name=name, login=login, phone=number))


@accounts.command("recover")
@click.argument("login", default="admin")
@one_line_failures
def accounts_recover(login: str) -> None:
    """End LOGIN's password, sessions and tokens, and open it again; a link is printed that sets a new password once."""
    with transaction() as session:
        _show_link(recover_at_console(session, login))


def _show_link(account: Account) -> None:
    key = entry_key(str(current_app.secret_key), account)
    click.echo(f"{account.login}  {current_app.extensions['daiban.settings'].public_url}/account/entry/{key}")
