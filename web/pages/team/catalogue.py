"""The catalogue of matters: limits, prerequisites and materials, each with how sure its source is."""

from flask import render_template, request

from dispatch.core.actor import Role
from dispatch.views import catalogue_page
from web.pages.team.blueprint import bp
from web.wiring.auth import roles
from web.wiring.transactions import transaction


@bp.get("/catalog")
@roles(Role.LEAD, Role.OPERATOR)
def catalog() -> str:
    """Every matter of a family, with the confidence of its limits shown."""
    only = request.args.get("sure", "") == "verify"
    with transaction() as session:
        rows = catalogue_page.catalogue(session, family=request.args.get("family", ""), unsure_only=only)
    return render_template(
        "team/catalog.html", rows=rows, families=catalogue_page.families(), SURE=catalogue_page.CONFIDENCE_LABEL,
        KIND=catalogue_page.CONFIDENCE_KIND,
    )  # fmt: skip
