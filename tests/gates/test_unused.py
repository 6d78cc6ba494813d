"""The gate of what nobody uses notices each kind, and what only tests call is nobody's."""

import ast
from pathlib import Path
from textwrap import dedent

import pytest

from tests.gates import dead_code, unused
from tests.gates.unused import Program, columns, definitions, parameters, unsent


def a_program(pages: str = "", **modules: str) -> Program:
    trees = {Path(f"room/{name}.py"): ast.parse(dedent(code)) for name, code in modules.items()}
    return Program(trees, pages)


def test_a_function_that_nobody_imports_is_named_though_another_module_has_a_live_one_of_its_name():
    live = "def lines(): ..."
    program = a_program(one=live, two=live, use="from room.one import lines\nlines()")
    assert list(definitions(program)) == ["room.two.lines"]


def test_a_function_that_only_calls_itself_is_dead():
    assert list(definitions(a_program(one="def loop():\n    loop()"))) == ["room.one.loop"]


@pytest.mark.parametrize(
    "code",
    [
        "def used(): ...\nused()",
        "@bp.get('/')\ndef used(): ...",
        "def used(): ...\nHOOKS = {'used': 1}",
    ],
)
def test_a_function_is_used_by_its_module_its_decorator_or_its_name_in_a_table(code):
    assert list(definitions(a_program(one=code))) == []


def test_a_module_may_be_imported_whole():
    assert list(definitions(a_program(one="def used(): ...", two="from room import one\none.used()"))) == []


def test_a_parameter_that_no_call_passes_is_named_and_one_that_is_passed_by_place_is_not():
    code = """
        def plan(a, limit=1, *, seed=0, hours=None): ...
        plan(1, 2)
        plan(1, seed=3)
    """
    assert list(parameters(a_program(one=code))) == ["room.one.plan.hours"]


def test_a_call_under_another_name_counts():
    use = "from room.one import plan as plan_day\nplan_day(hours=1)"
    assert list(parameters(a_program(one="def plan(hours=None): ...", two=use))) == []


def test_who_calls_a_function_that_is_handed_on_cannot_be_seen():
    assert list(parameters(a_program(one="def plan(hours=None): ...\nplan()\nrun(plan)"))) == []


def test_a_column_that_is_only_written_is_named():
    code = """
        class Stop(Base):
            __tablename__ = "stop"
            lon: Mapped[float]
            lat: Mapped[float]
            kind: Mapped[str]
            pin: Mapped[str]
        stop.lat = 1
        print(stop.lon)
        execute("SELECT kind FROM stop")
    """
    assert list(columns(a_program(pages="{{ stop.pin }}", one=code))) == ["Stop.lat"]


def test_a_text_that_nothing_sends_is_named_but_not_one_for_several():
    texts = {"sent": {"digest": "news"}, "news": {}, "silent": {}, "both": {}}
    program = a_program(one="queue_notice('sent')")
    assert list(unsent(program, {"text": texts, "pair": [{"into": "both"}]})) == ["silent"]


def test_every_entry_has_its_reason():
    lines = [line for line in unused.ALLOWED.read_text().splitlines() if line and not line.startswith("#")]
    assert all("  # " in line for line in lines)


def test_a_function_that_only_tests_call_fails_the_gate(tmp_path):
    (tmp_path / "dispatch").mkdir()
    (tmp_path / "dispatch" / "rules.py").write_text("def only_tests_call_me():\n    return 1\n")
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_rules.py").write_text("from dispatch.rules import only_tests_call_me\n")
    for folder in ("templates", "static"):
        (tmp_path / "web" / folder).mkdir(parents=True)
    assert list(dead_code.unused(tmp_path)) == ["only_tests_call_me"]
