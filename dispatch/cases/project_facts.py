"""Project facts: what is known of a project with what the registers say of its site."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from dispatch.cases.project import Project
from dispatch.cases.project_path import DivisionRulesCache, facts_of_project
from dispatch.catalogue.matter import Family
from dispatch.path.applicability import shared_facts, site_as_used
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
