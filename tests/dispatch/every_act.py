"""Every act of the program, for the tests that walk them all."""

import importlib
import pkgutil

from dispatch import acts
from dispatch.acts.act import RULES


def every_act() -> tuple[type, ...]:
    """The acts of every subject's file, by name."""
    for module in pkgutil.iter_modules(acts.__path__):
        importlib.import_module(f"{acts.__name__}.{module.name}")
    return tuple(sorted(RULES, key=lambda command: command.__name__))
