"""Intake, where: what is to be done, and where the project stands."""

from typing import Any

from flask import Response, request
from flask_babel import gettext
from sqlalchemy.orm import Session

from agents.network import COUNTY_MAP_FILE, UnknownDivision, division_with
from dispatch.acts.project_intake import check_point
from dispatch.core.errors import Refused
from dispatch.views import enterprise_intake
from web.pages.enterprise.blueprint import bp
from web.pages.enterprise.intake_steps import draft_for, keep_answers, step_page
from web.pages.enterprise.questions import ProjectForm, SiteForm
from web.wiring.auth import enterprise_only
from web.wiring.formatting import in_words
from web.wiring.transactions import transaction


@bp.route("/intake/project", methods=["GET", "POST"])
@enterprise_only
def intake_project() -> Any:
    """What is to be done."""
    answers = draft_for("project")
    if not isinstance(answers, dict):
        return answers
    form = ProjectForm(data=answers.get("project") or {"family": answers.get("guide", {}).get("family")})
    if request.method != "POST":
        return step_page("project", answers, form=form)
    if not form.validate():
        return step_page("project", answers, 422, form=form)
    if form.state_secret.data == "yes":
        form.form_errors.append(
            gettext("涉密项目不得通过本系统办理，请到政务服务中心窗口当面咨询；本页填写的内容没有保存")
        )
        return step_page("project", answers, 422, form=form)
    given = {
        "family": form.family.data, "name": form.name.data, "investment_wan": form.investment_wan.data or None,
        "project_code": form.project_code.data or None, "state_secret": "no",
    }  # fmt: skip
    if answers.get("project", {}).get("family") not in {None, given["family"]}:
        for step in ("facts", "matters", "papers", "ways", "review"):
            answers.pop(step, None)
    answers["project"] = given
    return keep_answers(answers, "project")


@bp.get("/intake/counties.geojson")
@enterprise_only
def county_map() -> Response:
    """The counties' outlines: the map of the site, without any server of tiles."""
    kept = {"Cache-Control": "private, max-age=86400"}
    return Response(COUNTY_MAP_FILE.read_bytes(), mimetype="application/geo+json", headers=kept)


@bp.get("/intake/places")
@enterprise_only
def places() -> dict[str, object]:
    """The towns of a county, for the page's script."""
    with transaction() as session:
        found = _towns(session, request.args.get("county", ""))
    return {"places": [{"code": p.code, "name": p.name, "lon": p.lon, "lat": p.lat} for p in found]}


@bp.route("/intake/site", methods=["GET", "POST"])
@enterprise_only
def intake_site() -> Any:
    """Where it is to be done: a division, an address, a pin."""
    answers = draft_for("site")
    if not isinstance(answers, dict):
        return answers
    form = SiteForm(data=answers.get("site") or {"county": answers.get("guide", {}).get("county")})
    status = 200
    if request.method == "POST" and "list" not in request.form:
        if form.validate() and (site := _site(form)):
            if site["code"] != answers.get("site", {}).get("code"):
                answers.pop("matters", None)
            answers["site"] = site
            return keep_answers(answers, "site")
        status = 422
    with transaction() as session:
        cities = enterprise_intake.counties(session)
        towns = _towns(session, form.county.data or "")
    return step_page("site", answers, status, form=form, cities=cities, towns=towns)


def _towns(session: Session, county: str) -> list[enterprise_intake.PlaceChoice]:
    try:
        return enterprise_intake.places_below(session, county) if county else []
    except UnknownDivision:
        return []


def _site(form: SiteForm) -> dict[str, Any] | None:
    """The site as it is kept; None with the form's errors filled in."""
    code = form.place.data or form.county.data
    with transaction() as session:
        try:
            division = division_with(session, code)
        except UnknownDivision:
            form.county.errors = [gettext("没有这个区划，请重新选择")]
            return None
        if division.retired_on is not None:
            form.place.errors = [
                gettext(
                    "%(name)s已于%(on)s撤并，请选择现行区划", name=division.name, on=f"{division.retired_on:%Y-%m-%d}"
                )
            ]
            return None
        county = enterprise_intake.county_of(session, division.code)
        if county is None or county.code != division_with(session, form.county.data).code:
            form.place.errors = [gettext("镇街与所选县（市、区）不符，请重新选择")]
            return None
        lon, lat = form.lon.data, form.lat.data
        pinned = lon is not None and lat is not None
        try:
            check_point(division, lon, lat)
        except Refused as error:
            form.address.errors = [in_words(error.user_message)]
            return None
        return {
            "code": division.code, "place_name": division.name, "county": county.code, "county_name": county.name,
            "place": "" if division.code == county.code else division.code, "address": form.address.data.strip(),
            "lon": round(lon if pinned else division.lon, 6), "lat": round(lat if pinned else division.lat, 6),
            "pinned": pinned,
        }  # fmt: skip
