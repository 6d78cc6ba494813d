"""The table of what a bound knows: nothing that costs or forbids something may be missing from it."""

from dataclasses import fields

from routing.model.bound_terms import BOUND_TERMS, Treatment
from routing.model.plan import Costs
from routing.model.problem import Objective
from routing.model.request import Request, Stop
from routing.model.rules import Rule
from routing.model.vehicle import Vehicle


def test_every_term_rule_and_field_has_its_row_and_no_row_is_of_the_past():
    names = {
        f"{each.__name__}.{one.name}"
        for each in (Costs, Objective, Request, Stop, Vehicle)
        for one in fields(each)
        if not one.name.startswith("_")
    }
    names |= {f"Rule.{rule.name}" for rule in Rule}
    assert set(BOUND_TERMS) == names


def test_every_row_says_in_what_way():
    silent = [name for name, (treatment, how) in BOUND_TERMS.items() if not how and treatment is not Treatment.NOTHING]
    assert silent == []
