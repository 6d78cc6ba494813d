"""Documents' blocks: tables made from the code and from docs/data. `python -m tests.gates.docs_blocks` writes them.

A block stands between ``<!-- made: NAME -->`` and ``<!-- /made -->``; a test compares each with what is made now.
"""

import ast
import csv
import re
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

from celery import Celery

from dispatch.cases.stages import LABEL, MILESTONES, NEXT, NOTICE, UNDONE, Stage
from notifications import tasks
from web.run import WORKERS
from web.wiring import jobs, plan_tasks, webhook_jobs

ROOT = Path(__file__).resolve().parent.parent.parent
NOUNS = ("dispatch", "agents", "routing", "notifications")
BLOCK = re.compile(r"(<!-- made: ([\w-]+) -->\n).*?(<!-- /made -->)", re.DOTALL)
TERM = re.compile(r"(?<=[a-z] )\(([\u4e00-\u9fffA-Z0-9 、,]*[\u4e00-\u9fff][\u4e00-\u9fffA-Z0-9 、,]*)\)")
CHINESE = re.compile(r"\s*\([^()]*[\u4e00-\u9fff][^()]*\)")


def table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def pages() -> list[Path]:
    """Every document that we write."""
    return sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def first_sentence(words: str, longest: int = 80) -> str:
    """What a docstring says first, cut at a word where it is longer."""
    line = " ".join(words.split("\n\n")[0].split())
    line = re.split(r"(?<=[.!?;]) ", line)[0].rstrip(".;").replace("|", "/").replace("``", "`")
    return textwrap.shorten(line, longest, placeholder=" …")


# ---------------------------------------------------------------- the path of a case


def movers() -> dict[str, set[str]]:
    """Stage → the public acts (or functions of acts) whose code moves a case there, through helpers of their file."""
    found: dict[str, set[str]] = {}
    for path in [*sorted((ROOT / "dispatch" / "acts").glob("*.py")), ROOT / "dispatch" / "assignment" / "staffing.py"]:
        tree = ast.parse(path.read_text(), str(path))
        units = {n.name: n for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef)}
        for name, unit in units.items():
            for stage in stages_set(unit):
                found.setdefault(stage, set()).update(callers(name, units))
    return found


def stages_set(unit: ast.AST) -> Iterator[str]:
    for call in (node for node in ast.walk(unit) if isinstance(node, ast.Call)):
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        if name == "case_change":  # what each path of an assignment writes
            yield Stage.ASSIGNED.name
        given = call.args if name in {"move_to", "_end"} else []
        given = [*given, *(word.value for word in call.keywords if word.arg == "stage")]
        for value in given:
            if isinstance(value, ast.Attribute) and getattr(value.value, "id", "") == "Stage":
                yield value.attr


def callers(name: str, units: dict[str, ast.FunctionDef | ast.ClassDef]) -> set[str]:
    """The unit itself when it is public, else who uses it in the same file."""
    if not name.startswith("_"):
        return {name}
    users = {n for n, unit in units.items() if n != name and any(getattr(x, "id", "") == name for x in ast.walk(unit))}
    return {public for user in users for public in callers(user, units)}


MOST_NAMED = 3
"""Of more stages that a correction may take a case back to, a line of the table names none."""


def stages() -> str:
    """Every stage with what may follow it, who moves a case there and which notice says so."""
    by = movers()
    rows = []
    for stage in Stage:
        after = ", ".join(one.name for one in Stage if one in NEXT[stage]) or "–"
        befores = [one.name for one in Stage if one in UNDONE.get(stage, ())]
        undone = ", ".join(befores) if len(befores) <= MOST_NAMED else "where it stood"
        after += f"; undone: {undone}" if befores else ""
        mark = "" if stage in MILESTONES else " ○"
        moved = ", ".join(f"`{name}`" for name in sorted(by.get(stage.name, ()))) or "–"
        rows.append([f"{stage.name} {LABEL[stage]}{mark}", moved, NOTICE[stage], after])
    return table(["stage", "reached by", "notice", "may be followed by"], rows)


def steps() -> str:
    """Every step that changes a case: the acts, and until each is one, the functions that take who and when."""
    rows = []
    for path in [*sorted((ROOT / "dispatch" / "acts").glob("*.py")), ROOT / "dispatch" / "assignment" / "staffing.py"]:
        names = [unit.name for unit in ast.parse(path.read_text(), str(path)).body if is_step(unit)]
        names = [name for name in names if not name.startswith("_")]
        named = textwrap.wrap(" ".join(names), 90)
        rows += [[f"`{path.stem}`", ", ".join(f"`{name}`" for name in line.split())] for line in named]
    return table(["file", "steps"], rows)


def is_step(unit: ast.stmt) -> bool:
    if isinstance(unit, ast.ClassDef):
        return any(getattr(getattr(d, "func", d), "id", "") == "act" for d in unit.decorator_list)
    if not isinstance(unit, ast.FunctionDef) or not unit.args.args or unit.args.args[0].arg != "session":
        return False
    named = {word.arg for word in unit.args.kwonlyargs}
    return "at" in named and ("by" in named or unit.name in {step.__name__ for step in jobs.DAILY})


# ---------------------------------------------------------------- the glossary


def glossary() -> str:
    """A row for each class whose docstring carries the Chinese term in brackets."""
    files = [path for room in NOUNS for path in sorted((ROOT / room).rglob("*.py")) if "views" not in path.parts]
    units = [(path, unit) for path in files for unit in ast.parse(path.read_text(), str(path)).body]
    rows = [term_of(path, unit) for path, unit in units if isinstance(unit, ast.ClassDef)]
    head = ["Chinese", "in the code", "what it is", "file"]
    return table(head, sorted((row for row in rows if row), key=lambda row: row[1].lower()))


def term_of(path: Path, unit: ast.ClassDef) -> list[str]:
    line = (ast.get_docstring(unit) or "").split("\n\n")[0]
    found = TERM.search(line)
    if not found:
        return []
    file = f"`{path.relative_to(ROOT)}`"
    room = 122 - len(found[1]) - len(unit.name) - len(file)
    return [found[1], f"`{unit.name}`", first_sentence(CHINESE.sub("", line), room), file]


# ---------------------------------------------------------------- processes and tasks


def registered() -> dict[str, str]:
    """Every task that a worker may run, with what it does."""
    assert plan_tasks.plan  # the tasks of plans are registered when this is imported
    celery = Celery("documents", set_as_current=False)
    celery.finalize()
    return {name: first_sentence(task.__doc__ or "") for name, task in celery.tasks.items() if name[:7] != "celery."}


def task_table() -> str:
    """Every task, its queue, and how often the schedule asks for it."""
    schedule = [*tasks.SCHEDULE.values(), *jobs.SCHEDULE.values(), *webhook_jobs.SCHEDULE.values()]
    every = {entry["task"]: entry["schedule"] for entry in schedule}
    named = {entry["task"]: entry["options"]["queue"] for entry in schedule if "queue" in entry["options"]}
    rows = []
    for name, words in sorted(registered().items()):
        queue = tasks.ROUTES[name]["queue"] if name in tasks.ROUTES else named.get(name, jobs.QUEUE)
        queue = f"{tasks.URGENT}, {tasks.NOTICES}" if name == "notifications.deliver" else queue
        rows.append([f"`{name}`", queue, f"{every[name]:g} s" if name in every else "when asked", words])
    return table(["task", "queue", "every", "what it does"], rows)


def worker_table() -> str:
    """Each worker with its pool and its queues."""
    rows = [[name, pool, ", ".join(f"`{queue}`" for queue in queues)] for name, (pool, queues) in WORKERS.items()]
    return table(["worker", "pool", "queues"], rows)


# ---------------------------------------------------------------- measured figures


def figures(part: str) -> str:
    """One part's figures from docs/data: a table, and the commands that its rows name by a letter."""
    with open(ROOT / "docs" / "data" / f"{part}.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    with open(ROOT / "docs" / "data" / "commands.csv", newline="") as file:
        commands = {row["command"]: row["line"] for row in csv.DictReader(file)}
    head = [name for name in rows[0] if any(row[name] for row in rows)]
    used = list(dict.fromkeys(row["command"] for row in rows if row.get("command")))
    body = table(head, [[row[name] for name in head] for row in rows])
    return body + "\n\n```\n" + "\n".join(f"{name}: {commands[name]}" for name in used) + "\n```"


# ---------------------------------------------------------------- all of them

MADE: dict[str, Callable[[], str]] = {
    "stages": stages,
    "steps": steps,
    "glossary": glossary,
    "tasks": task_table,
    "workers": worker_table,
}


def made(name: str) -> str:
    """What a block of this name holds now."""
    return MADE[name]() if name in MADE else figures(name)


def renewed(page: str) -> str:
    """The page with each of its blocks made again."""
    return BLOCK.sub(lambda found: f"{found[1]}{made(found[2])}\n{found[3]}", page)


def main() -> None:
    for path in pages():
        before = path.read_text()
        after = renewed(before)
        if after != before:
            path.write_text(after)
            sys.stdout.write(f"{path.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main()
