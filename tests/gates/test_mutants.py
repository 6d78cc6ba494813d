"""The mutation run notices what it should: each kind of change is made, and declarations are left alone."""

import ast
from textwrap import dedent

import pytest

from tests.gates.mutants import SETTINGS, is_drawn, modules_with_tests
from tests.gates.mutations import mutations_of

CHANGES = [
    ("a < b", ["a < b → a <= b", "a < b → a >= b"]),
    ("a and b", ["a and b → a or b"]),
    ("not a", ["not a → a"]),
    ("a * b", ["a * b → a / b"]),
    ("a if b else c", ["a if b else c → c if b else a"]),
    ("[20]", ["20 → 21", "20 → 19"]),
    ("min(a)", ["min(a) → max(a)"]),
    ("f'{a}' + b", []),
]


def changes_of(code: str) -> list[str]:
    return [each.change for each in mutations_of("a.py", ast.parse(dedent(code)))]


@pytest.mark.parametrize(("expression", "changes"), CHANGES)
def test_an_expression_is_changed_at_its_limits(expression: str, changes: list[str]):
    assert changes_of(f"x = {expression}") == changes


def test_a_guard_and_what_it_raises_are_deleted():
    code = """
        def rule(a):
            if a:
                raise ValueError
            return a
    """
    assert changes_of(code) == ["if a: raise ValueError → pass", "raise ValueError → pass", "return a → return None"]


def test_types_tables_and_what_takes_a_session_are_left_alone():
    code = """
        class Row:
            __table_args__ = (1,)
            length: Mapped[int] = mapped_column(default=1)

        def find(session, a: list[1] = ()):
            return a < 1
    """
    assert changes_of(code) == []


def test_a_change_takes_effect_once_applied():
    tree = ast.parse("x = 1 < 2")
    next(each for each in mutations_of("a.py", tree) if each.change == "1 < 2 → 1 >= 2").apply()
    assert ast.unparse(tree) == "x = 1 >= 2"


def test_the_same_change_twice_in_a_function_has_two_names():
    assert changes_of("x = (7, 7)") == ["7 → 8", "7 → 6", "7 → 8 (2)", "7 → 6 (2)"]


def test_a_pixel_more_is_known_by_its_change():
    found = mutations_of("a.py", ast.parse("x = f(2, True) < 1.5"))
    assert [each.change for each in found if each.is_of_number] == ["2 → 3", "2 → 1", "1.5 → 2.5", "1.5 → 0.5"]
    assert [is_drawn(file) for file in ("dispatch/path/svg.py", "dispatch/path/schedule.py")] == [True, False]


def test_every_exception_names_a_module_of_the_table():
    modules = modules_with_tests()
    assert set(SETTINGS["still_below"]) <= set(modules)
    assert {each["file"] for each in SETTINGS.get("equivalent", ())} <= set(modules)
    assert all(each["reason"] for each in SETTINGS.get("equivalent", ()))
