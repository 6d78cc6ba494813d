"""Parity of the doors that are no address: the clock and the command line."""

import ast
import dataclasses
from collections.abc import Iterator
from pathlib import Path

from dispatch.acts.act import RULES
from dispatch.acts.daily_rules import DAILY
from dispatch.core.actor import Role
from tests.dispatch.every_act import every_act

PROGRAMS = (
    Path("web/wiring/jobs.py"),
    Path("web/wiring/deriving.py"),
    Path("web/pages/public/custody_log.py"),
    *sorted(Path("web/commands").glob("*.py")),
)
ACTS = {act.__name__: act for act in every_act()}

NOT_SAID: dict[tuple[str, str, str], str] = {
    ("assign.py", "ApplyBatch", "seen"): "it is solved and carried out in one go",
    ("jobs.py", "ApplyBatch", "seen"): "the clock carries out what it finds, and nobody has read it before",
    **{
        (program, "ApplyBatch", field): "it is found now, and nobody has agreed on it before"
        for program in ("assign.py", "jobs.py")
        for field in ("on", "second", "late_reason")
    },
}
"""Fields that a program leaves out, by its file, the act and the field."""


def commands_in(path: Path) -> Iterator[tuple[type, set[str]]]:
    """Each command that a program makes, with the fields that it says."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ACTS:
            act = ACTS[node.func.id]
            by_place = [field.name for field in dataclasses.fields(act)][: len(node.args)]
            yield act, {*by_place, *(keyword.arg for keyword in node.keywords if keyword.arg)}


def test_every_act_of_the_program_itself_is_taken_somewhere() -> None:
    taken = {act for path in PROGRAMS for act, _ in commands_in(path)} | set(DAILY)
    of_the_program = {act for act in ACTS.values() if RULES[act].by == {Role.SYSTEM}}
    assert {act.__name__ for act in of_the_program - taken} == set()


def test_no_program_drops_a_field() -> None:
    dropped = {
        (path.name, act.__name__, field.name)
        for path in PROGRAMS
        for act, said in commands_in(path)
        for field in dataclasses.fields(act)
        if field.name not in said
    }
    assert dropped == set(NOT_SAID)
