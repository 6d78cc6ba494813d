"""Project facts: what is known of a project with what the registers say of its site."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.cases.case import Case
from dispatch.cases.project import Project
from dispatch.cases.project_path import DivisionRulesCache, facts_of_project
from dispatch.cases.review import Review
from dispatch.cases.review_state import ReviewState
from dispatch.catalogue.matter import Family, Matter
from dispatch.core.three_clocks import ClockOf
from dispatch.path.applicability import applies, shared_facts, site_as_used
from dispatch.path.facts import Facts, facts_of


def facts_at(session: Session, division_id: int, family: Family, given: Mapping[str, Any], *, on: date) -> Facts:
    """The facts of a project at a place, with the area evaluations that it may share on that day. Raises ValueError."""
    place = DivisionRulesCache(session).of(division_id, family)
    site = site_as_used(place.site, facts_of(given))
    return facts_of(given, shared=shared_facts(site, place.evaluations, on))


def paper_facts(session: Session, project: Project, *, on: date) -> Facts:
    """What decides which papers a project's matters ask for."""
    asked = facts_of_project(project)
    answered = {key: asked[key] for key in asked.asked if key not in asked.assumed}
    return facts_at(session, project.division_id, project.family, answered, on=on)


def results_to_come(session: Session, division_id: int, family: Family, facts: Facts) -> set[str]:
    """The matters that these facts call for and an authority decides: their results are not there yet."""
    place = DivisionRulesCache(session).of(division_id, family)
    return {node.code for node in place.nodes if node.whose is ClockOf.AUTHORITY and applies(node, facts)}


def results_of_project(session: Session, project: Project) -> tuple[set[str], set[str]]:
    """The project's matters whose results are still to come, and those that were granted."""
    of_project = (
        select(Matter.code, Review.state)
        .join(Review, Review.matter_id == Matter.id)
        .join(Case, Case.id == Review.case_id)
        .where(Case.project_id == project.id, Review.state != ReviewState.WITHDRAWN)
    )
    states = [(code, state) for code, state in session.execute(of_project)]
    granted = {code for code, state in states if state is ReviewState.GRANTED}
    to_come = results_to_come(session, project.division_id, project.family, facts_of_project(project))
    return (to_come | {code for code, _ in states}) - granted, granted
