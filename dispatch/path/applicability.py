"""Applicability: which matters a project's facts call for, with the limits and waits that the facts give them. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import date

from dispatch.path.area_effects import EvaluatedSite, ZoneEvaluation
from dispatch.path.build_path import applicable
from dispatch.path.edits import Relief
from dispatch.path.facts import Facts
from dispatch.path.matter_node import MatterNode
from dispatch.path.matter_variants import with_variants
from dispatch.path.predicate import predicate

# Reliefs that the catalogue's words allow without a condition that only the authority can judge; a lead may grant
# others by hand. A matter and the prerequisite that may follow until its decision, and matters decided on a promise.
EASED: dict[tuple[str, str], Relief] = {
    ("IND-201", "IND-103"): Relief.SIMULATED,  # turned formal on the contract's day
    ("IND-203", "IND-105"): Relief.DEFERRED,  # the land contract stands for the certificate
}
BY_COMMITMENT = frozenset({"IND-108", "IND-307", "IND-405"})


def site_as_used(site: EvaluatedSite, facts: Facts) -> EvaluatedSite:
    """The site as this project uses it: another use than the zone's evaluation looked at shares nothing."""
    return replace(site, use_unchanged=facts["land_use_changed"] is False)


def shared_facts(site: EvaluatedSite, evaluations: Iterable[ZoneEvaluation], on: date) -> Mapping[str, bool]:
    """What the register of area evaluations says of a site on that day, as facts: ``shared_energy`` and so on."""
    return {f"shared_{one.kind}": True for one in evaluations if not one.hindrances(site, on)}


def applies(matter: MatterNode, facts: Facts) -> bool:
    return predicate(matter.applies_when).holds(facts.values)


def waiting_under(matters: Iterable[MatterNode], facts: Facts) -> tuple[MatterNode, ...]:
    """The matters of the catalogue, each waiting only for what the facts make it wait for."""
    return tuple(replace(m, prerequisites=_waits(m, facts), conditions=()) if m.conditions else m for m in matters)


def matters_for(
    matters: Iterable[MatterNode], facts: Facts, *, codes: Collection[str] | None = None
) -> tuple[MatterNode, ...]:
    """The matters that the facts call for, or just these, with the limits and the waits that the facts give them.

    What a matter waits for and is not among them is passed through to what that waits for."""
    catalogue = waiting_under(matters, facts)
    wanted = [m.code for m in catalogue if (applies(m, facts) if codes is None else m.code in codes)]
    return tuple(with_variants(matter, facts.values) for matter in applicable(catalogue, wanted))


def _waits(matter: MatterNode, facts: Facts) -> tuple[str, ...]:
    conditions = dict(matter.conditions)
    return tuple(on for on in matter.prerequisites if predicate(conditions.get(on, "")).holds(facts.values))
