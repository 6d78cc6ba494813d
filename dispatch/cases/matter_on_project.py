"""Matter on a project: one matter's limits, authority, counter, order, joint group and result there, as one value.

Intake, case, clock, path, promise, lists and report read it; nobody reckons any part of it a second time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dispatch.catalogue.implementation import Handling
from dispatch.core.limit import IMMEDIATE, Limit
from dispatch.path.approval_graph import Path
from dispatch.path.joint_groups import cap_of
from dispatch.path.matter_node import AreaEffect
from dispatch.path.order_of_matters import waits_before_decision, waits_before_filing
from dispatch.path.path_step import PathStep
from dispatch.path.predicate import FactValue


@dataclass(frozen=True, slots=True)
class MatterOnProject:
    """One matter on one project, after its variant, its place and the shared area evaluations.

    ``committed``: what the authority promises there. ``before_filing``, ``before_decision``: codes of what is to be
    granted first."""

    code: str
    name: str
    short: str
    statutory: Limit | None
    committed: Limit | None
    same_day: bool
    authority: str
    authority_division_id: int
    counter: str
    counter_division_id: int
    centre_no: str | None
    before_filing: tuple[str, ...]
    before_decision: tuple[str, ...]
    joint_group: str
    joint_cap: Limit | None
    result: str
    result_on_paper: bool
    effect: AreaEffect
    legal_fee_cents: int | None
    fee_basis: str
    fee_payer: str


def matters_on(
    path: Path, handlings: Mapping[str, Handling], facts: Mapping[str, FactValue]
) -> dict[str, MatterOnProject]:
    """Each matter of a project's path by its code; work of firms is none."""
    return {
        step.code: _matter(path, step, handlings[step.code], facts) for step in path.steps if step.code in handlings
    }


def _matter(path: Path, step: PathStep, handling: Handling, facts: Mapping[str, FactValue]) -> MatterOnProject:
    node, committed = step.matter, step.authority_promise
    return MatterOnProject(
        code=node.code,
        name=node.name,
        short=node.short,
        statutory=node.statutory,
        committed=committed,
        same_day=handling.same_day or IMMEDIATE in (node.statutory, committed),
        authority=node.authority,
        authority_division_id=handling.division_id,
        counter=node.counter,
        counter_division_id=handling.counter_division_id,
        centre_no=handling.centre_no,
        before_filing=waits_before_filing(path, node.code),
        before_decision=waits_before_decision(path, node.code),
        joint_group=node.joint_group,
        joint_cap=cap_of(node.joint_group, node.code, facts),
        result=node.result,
        result_on_paper=node.result_on_paper,
        effect=step.effect,
        legal_fee_cents=handling.legal_fee_cents,
        fee_basis=handling.fee_basis,
        fee_payer=handling.fee_payer,
    )
