"""The public guide: what there is to ask for, and which approvals a project needs; no login."""

from typing import Any

from flask import Blueprint, Response, json, render_template, request, url_for
from sqlalchemy.orm import Session

import db
from agents.network import UnknownDivision
from dispatch.cases.notify import day_of
from dispatch.cases.project import FAMILY_LABEL
from dispatch.catalogue.matter import Family
from dispatch.path.facts import facts_of
from dispatch.views import enterprise_intake, public_guide
from dispatch.views.public_guide import NeededPath
from web.wiring.fact_answers import SHOWN, answer_fields, fact_lines, read_answers
from web.wiring.formatting import in_words
from web.wiring.transactions import transaction

bp = Blueprint("guide", __name__, url_prefix="/guide")


@bp.get("")
def home() -> str:
    """Every matter by family; what the free service is."""
    with transaction() as session:
        families = public_guide.guide(session)
    return render_template("guide/home.html", families=families)


@bp.get("/matters/<matter_code>")
def matter(matter_code: str) -> str:
    """One matter: limits, papers, what comes before, the result."""
    with transaction() as session:
        found = public_guide.guide_matter(session, matter_code)
    return render_template("guide/matter.html", matter=found)


@bp.get("/matters/<matter_code>.jsonld")
def matter_data(matter_code: str) -> Response:
    """The same for programs: schema.org and CPSV-AP."""
    with transaction() as session:
        found = public_guide.guide_matter(session, matter_code)
    body = public_guide.as_linked_data(found, url=url_for("guide.matter", matter_code=matter_code, _external=True))
    return Response(json.dumps(body), mimetype="application/ld+json")


@bp.get("/needs")
def needs() -> str | tuple[str, int]:
    """Which approvals a project needs: a few questions, answered in the address, so that the answer can be kept."""
    asked = request.args.get("family", "")
    if asked not in set(Family):
        return render_template("guide/families.html", families=FAMILY_LABEL.items())
    family = Family(asked)
    given, errors = read_answers(family, request.args, {}) if SHOWN in request.args else ({}, {})
    typed = request.args if SHOWN in request.args else None
    with transaction() as session:
        found = None
        if typed is not None and not errors:
            found, errors = _found(session, family, given)
        cities = enterprise_intake.counties(session)
    answered, assumed = fact_lines(facts_of(given), family)
    page = render_template(
        "guide/needs.html", family=family, family_words=FAMILY_LABEL[family], cities=cities, found=found,
        fields=answer_fields(family, given, typed, errors), place=request.args.get("place", ""), errors=errors,
        answered=answered, assumed=assumed,
    )  # fmt: skip
    return page, 422 if errors else 200


def _found(session: Session, family: Family, given: dict[str, Any]) -> tuple[NeededPath | None, dict[str, str]]:
    """The path, or what is wrong with the place."""
    try:
        return public_guide.needed(
            session, division_code=request.args.get("place", ""), family=family, facts=given,
            on=day_of(db.now(session)), say=in_words,
        ), {}  # fmt: skip
    except UnknownDivision:
        return None, {"place": "unknown"}
