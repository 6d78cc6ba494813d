"""No step stands beside its act: what changes a case is called by acts alone, and everybody else performs the act."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
ACTS = ROOT / "dispatch" / "acts"
ROOMS = ("agents", "dispatch", "notifications", "routing", "servers", "tests", "web")

OPEN = {
    "act.perform": "performs an act",
    "act_record.earlier_answer": "reads what an act answered",
    "announcing.announce": "part of CommitPlan: the demo and tests write a day that nobody planned",
    "announcing.unplan": "part of CommitPlan: a test takes one stop out of a run without a plan",
    "assigning.preview_batch": "reads what ApplyBatch would do",
    "assigning.waiting_projects": "reads what PlaceWaiting is asked for",
    "handover_lists.draw_up": "part of LoadRun and HandInToCentre: tests need a list that nobody signed",
    "handover_lists.incoming": "reads what a courier has to hand in",
    "handover_lists.outgoing": "reads what a courier has to take along",
}
"""Functions of a session that others than acts may call, each with its reason."""


def steps() -> dict[str, ast.FunctionDef]:
    """The public functions of dispatch/acts that take a session, by module and name."""
    found = {}
    for file in sorted(ACTS.glob("*.py")):
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            is_public = isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
            if is_public and [argument.arg for argument in node.args.args][:1] == ["session"]:
                found[f"{file.stem}.{node.name}"] = node
    return found


def callers(step: str) -> set[Path]:
    """The files, beside its own, that import a step or reach it through its module."""
    module, name = step.split(".")
    found = set()
    for room in ROOMS:
        for file in (ROOT / room).rglob("*.py"):
            if file == ACTS / f"{module}.py" or name not in (text := file.read_text(encoding="utf-8")):
                continue
            imports = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ImportFrom)]
            by_name = any(
                node.module == f"dispatch.acts.{module}" and name in {alias.name for alias in node.names}
                for node in imports
            )
            by_module = any(
                node.module == "dispatch.acts" and module in {alias.name for alias in node.names} for node in imports
            )
            if by_name or (by_module and f"{module}.{name}(" in text):
                found.add(file)
    return found


def test_a_step_is_private_to_its_file_or_shared_by_acts_alone():
    for step in steps():
        if step in OPEN:
            continue
        others = callers(step)
        assert others, f"{step} is used in its own file only: begin its name with an underscore"
        outside = sorted(str(file.relative_to(ROOT)) for file in others if file.parent != ACTS)
        assert outside == [], f"{step} is called beside its act by {outside}: perform the act"


def test_every_open_function_is_there_and_needs_to_be():
    known = steps()
    for name in OPEN:
        assert name in known, name
        assert any(file.parent != ACTS for file in callers(name)), f"nobody outside the acts calls {name}"
