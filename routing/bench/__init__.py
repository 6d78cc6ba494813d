"""Bench: how far from the best known plans the engine ends, side by side with its peers at equal time."""

from routing.bench.command import add_commands

__all__ = ["add_commands"]
