"""Lazy commands: they are loaded when the command line asks for one, so that no server process carries them."""

from importlib import import_module

import click
from flask.cli import AppGroup


class Commands(AppGroup):
    """The application's group of commands; ``web.commands.groups`` is read when the first is looked for."""

    loaded = False

    def _load(self) -> None:
        if not self.loaded:
            self.loaded = True
            for command in import_module("web.commands.groups").COMMANDS:
                self.add_command(command)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands."""
        self._load()
        return super().list_commands(ctx)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name."""
        self._load()
        return super().get_command(ctx, cmd_name)
