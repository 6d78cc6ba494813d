"""Drafted request: what a draft says of place and facts, and the papers that it would ask for."""

from typing import Any

from sqlalchemy.orm import Session

import db
from dispatch.cases.notify import day_of
from dispatch.catalogue.matter import Family
from dispatch.core.actor import Actor
from dispatch.views import enterprise_intake
from web.pages.enterprise import draft


def place_and_facts(session: Session, answers: draft.Answers) -> dict[str, Any]:
    """Where the project is to be, of which family, with which facts, and on which day this is asked."""
    return {
        "division_code": answers["site"]["code"],
        "family": Family(answers["project"]["family"]),
        "facts": answers["facts"],
        "on": day_of(db.now(session)),
    }


def drafted_papers(session: Session, viewer: Actor, answers: draft.Answers) -> list[enterprise_intake.WantedMaterial]:
    """The papers of the chosen matters."""
    return enterprise_intake.papers_for(
        session, viewer, answers["matters"], project_no=answers.get("project_no"), **place_and_facts(session, answers)
    )
