"""Conditions: predicates are read as written, and random answers never ask for two papers that exclude each other.

The second reading of every condition here is Python's own, over the text turned into an expression."""

from __future__ import annotations

import csv
import re
from graphlib import TopologicalSorter
from pathlib import Path as File

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch.catalogue.matter_rows import matter_from
from dispatch.path.applicability import matters_for
from dispatch.path.build_path import build_path
from dispatch.path.fact_table import AnswerKind, FactDefinition, checked_predicate, fact_table
from dispatch.path.facts import Facts, facts_of
from dispatch.path.matter_variants import matter_variants
from dispatch.path.predicate import BadPredicate, predicate
from dispatch.path.rings import ring_in

ROOT = File(__file__).parents[3] / "dispatch" / "data"
HERE = File(__file__).parent / "data"
FAMILIES = ("industrial_permit", "business_opening", "property_registration")


def rows(file: File) -> list[dict[str, str]]:
    with file.open(encoding="utf-8") as opened:
        return list(csv.DictReader(opened))


MATTERS = {family: rows(ROOT / f"catalog_{family}.csv") for family in FAMILIES}
PAPERS = rows(ROOT / "requirements.csv")
EXCLUSIVE = rows(HERE / "exclusive_papers.csv")
CASES = rows(HERE / "catalogue_cases.csv")
WORD = re.compile(r"[a-z][a-z0-9_]*")


def read_again(text: str, facts: Facts) -> bool:
    """A condition by Python's own rules: names are facts, what follows a sign is a value."""
    if text in {"", "always"}:
        return True
    said = re.sub(r"\bin \(([^)]*)\)", lambda m: f"in ({', '.join(map(repr, re.findall(WORD, m[1])))},)", text)
    said = re.sub(r"(?<![!<>])(!?)= *([a-z][a-z0-9_]*)", lambda m: f"{m[1] or '='}= {m[2]!r}", said)
    said = re.sub(r"(?<![!<>=])= *([0-9.]+)", r"== \1", said)
    return bool(eval(said, {"__builtins__": {}}, dict(facts.values)))  # the catalogue's own cells


def answers(family: str) -> st.SearchStrategy[dict[str, object]]:
    """Answers to some of the family's questions, thresholds of the rules among the numbers."""

    def kinds(fact: FactDefinition) -> list[object]:
        if fact.kind is AnswerKind.NUMBER:
            return [0.0, 0.4, 0.5, 2.0, 5.0, 30.0, 31.0, 300.0, 301.0, 999.0, 1e3, 49_999.0, 5e4, 4_999_999.0, 5e6]
        return [False, True] if fact.kind is AnswerKind.BOOL else [choice.key for choice in fact.choices]

    asked = [fact for fact in fact_table().values() if family in fact.families and fact.is_asked_of_people]
    return st.fixed_dictionaries({}, optional={fact.key: st.sampled_from(kinds(fact)) for fact in asked})


@st.composite
def projects(draw: st.DrawFn) -> tuple[str, Facts]:
    family = draw(st.sampled_from(FAMILIES))
    kinds = draw(st.sets(st.sampled_from([key for key in fact_table() if key.startswith("shared_")])))
    return family, facts_of(draw(answers(family)), shared=dict.fromkeys(kinds, True))


def needed(code: str, facts: Facts) -> set[str]:
    return {
        row["name"]
        for row in PAPERS
        if row["matter_code"] == code and predicate(row["needed_when"]).holds(facts.values)
    }


@settings(max_examples=100, deadline=None)
@given(projects())
def test_every_condition_is_read_as_python_reads_it(project):
    family, facts = project
    for fact in fact_table().values():
        if fact.kind is AnswerKind.DERIVED:
            text = next(row["derived_from"] for row in rows(ROOT / "facts.csv") if row["key"] == fact.key)
            assert facts[fact.key] is read_again(text, facts), fact.key
    called = {matter.code for matter in matters_for(map(matter_from, MATTERS[family]), facts)}
    assert called == {row["code"] for row in MATTERS[family] if read_again(row["applies_when"], facts)}
    for code in called:
        assert needed(code, facts) == {
            row["name"] for row in PAPERS if row["matter_code"] == code and read_again(row["needed_when"], facts)
        }


@settings(max_examples=100, deadline=None)
@given(projects())
def test_two_papers_that_exclude_each_other_are_never_both_needed(project):
    family, facts = project
    called = {matter.code for matter in matters_for(map(matter_from, MATTERS[family]), facts)}
    for row in EXCLUSIVE:
        if row["matter_code"] in called and not (row["unless"] and read_again(row["unless"], facts)):
            both = needed(row["matter_code"], facts) & {row["material_a"], row["material_b"]}
            assert len(both) < 2, (row["matter_code"], both)


@settings(max_examples=100, deadline=None)
@given(projects())
def test_no_answers_make_matters_wait_in_a_ring_and_every_wait_is_one_of_the_catalogue(project):
    family, facts = project
    path = build_path(matters_for(map(matter_from, MATTERS[family]), facts))
    listed = {
        row["code"]: {
            on.split()[0]: on.partition(" when ")[2]
            for on in row["prerequisites"].split(";")
            if on and read_again(on.partition(" when ")[2], facts)
        }
        for row in MATTERS[family]
    }
    tuple(TopologicalSorter({code: list(on) for code, on in listed.items()}).static_order())
    for step in path.steps:
        waited, todo = set(), list(listed[step.code])
        while todo:
            on = todo.pop()
            if on in path.codes:
                waited.add(on)
            else:
                todo.extend(listed[on])
        assert {wait.on for wait in step.waits} == waited


@settings(max_examples=100, deadline=None)
@given(projects())
def test_at_most_one_variant_changes_a_value_of_a_matter(project):
    _, facts = project
    for code, variants in matter_variants().items():
        changed = [name for one in variants if one.when.holds(facts.values) for name in one.changes]
        assert len(changed) == len(set(changed)), code


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["code"])
def test_the_cases_that_came_with_the_catalogue_hold(case):
    """Under these facts these matters and papers are called for, and those are not."""
    typed = dict(part.split("=") for part in case["facts"].split(";"))
    given = {}
    for key, text in typed.items():
        kind = AnswerKind.BOOL if text in {"yes", "no"} else fact_table()[key].kind
        given[key] = text == "yes" if kind is AnswerKind.BOOL else float(text) if kind is AnswerKind.NUMBER else text
    shared = {key: value for key, value in given.items() if key.startswith("shared_")}
    facts = facts_of(given, shared=shared)
    called = {matter.code for matter in matters_for(map(matter_from, MATTERS[case["family"]]), facts)}
    assert set(filter(None, case["matters"].split(";"))) <= called
    assert not set(filter(None, case["not_matters"].split(";"))) & called
    for wanted, column in ((True, "papers"), (False, "not_papers")):
        for cell in filter(None, case[column].split(";")):
            code, name = cell.split(":")
            assert (name in needed(code, facts)) is wanted, cell


# --- how a predicate is read ----------------------------------------------------------------------------------------

ORDINARY = facts_of({})


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("", True),
        ("never", False),
        ("builds", True),
        ("not builds or always", True),
        ("not (builds or always)", False),
        ("land = granted and site_ha >= 2", True),
        ("land != granted", False),
        ("land in (allocated, none)", False),
        ("land = none or land = granted and site_ha > 2", False),
        ("(land = none or land = granted) and not site_ha > 2", True),
    ],
)
def test_not_binds_tighter_than_and_and_and_tighter_than_or(text, holds):
    assert checked_predicate(text, "industrial_permit").holds(ORDINARY.values) is holds


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("land = ", "character 8: the end stands where a name or number"),
        ("land in granted", "character 9: 'granted' stands where '\\('"),
        ("land in (granted", "character 17: the end stands where '\\)'"),
        ("and", "character 1: 'and'"),
        ("builds builds", "character 8: 'builds' stands where a end"),
        ("site_ha > wide", "character 11: 'wide' stands where a number"),
        ("site_ha ≥ 2", "character 9: '≥ 2' is no part"),
        ("food = none", "industrial_permit has no fact food"),
        ("land = bought", "land has no choice bought"),
        ("site_ha = granted", "site_ha is a number"),
        ("land", "land is a choice and is compared"),
        ("builds = 1", "builds is a derived and stands alone"),
    ],
)
def test_a_condition_that_cannot_be_read_says_where(text, says):
    with pytest.raises(BadPredicate, match=says):
        checked_predicate(text, "industrial_permit")


def test_a_ring_is_one_only_where_some_project_could_close_it():
    assert ring_in({"A": {"B": "land = granted"}, "B": {"A": "land = none"}, "C": {"A": ""}}) == ()
    assert set(ring_in({"A": {"B": "land = granted"}, "B": {"A": "site_ha > 5"}, "C": {"A": ""}})) == {"A", "B"}


# --- facts ----------------------------------------------------------------------------------------------------------


def test_what_is_not_answered_is_as_usual_and_told_apart_from_what_was():
    facts = facts_of({"land": "granted", "site_ha": 3})
    assert facts["site_ha"] == 3
    assert (facts["works"], facts["land_stage"]) == ("new_build", "none_yet")
    assert {"works", "land_stage"} <= facts.assumed
    assert not facts.assumed & {"land", "site_ha"}


def test_an_answer_to_a_question_that_is_not_asked_counts_for_nothing():
    facts = facts_of({"land": "none", "land_stage": "none_yet", "works": "equipment", "site_ha": 7})
    assert (facts["land_stage"], facts["site_ha"]) == ("certificate", 0.0)
    assert not {"land_stage", "site_ha"} & set(facts.asked)


def test_a_project_of_an_earlier_release_keeps_what_it_said_of_public_works():
    assert facts_of({"touches_public_works": True})["touches_public_works"] is True
    assert facts_of({"touches_public_works": False})["touches_public_works"] is False
    assert facts_of({"touches_public_works": True, "touches_road": False})["touches_public_works"] is False


def test_a_question_is_asked_after_those_that_decide_whether_it_is_asked():
    seen: set[str] = set()
    for fact in fact_table().values():
        assert {test.fact for test in fact.asked_when.tests()} <= seen, fact.key
        seen.add(fact.key)
