"""The pin: where a written address may lie, by geocoders or the own gazetteer; a person confirms it on the map."""

from typing import Any

from flask import current_app, request
from flask_babel import gettext

from agents.network import UnknownDivision, division_with
from dispatch.acts.project_intake import FARTHEST_M
from routing.travel.geocoding import QUALITY_LABEL, Chain, GeocodedPoint, Quality, far_m
from web.pages.enterprise.blueprint import bp
from web.wiring.auth import enterprise_only, limiter
from web.wiring.transactions import transaction

LONGEST = 200
MOST_SHOWN = 5


@bp.post("/intake/point")
@enterprise_only
@limiter.limit("20 per minute; 200 per hour")
def point() -> dict[str, Any]:
    """What an address in a division may mean, with how near each is; the point is the best, never an area's middle."""
    address = request.form.get("address", "").strip()[:LONGEST]
    found = _found(request.form.get("place") or request.form.get("county", ""), address) if address else []
    best = found[0] if found and found[0].quality is not Quality.AREA else None
    return {"point": best and _shown(best), "candidates": [_shown(point) for point in found[:MOST_SHOWN]]}


def _shown(point: GeocodedPoint) -> dict[str, Any]:
    return {
        "lon": round(point.lon, 6), "lat": round(point.lat, 6), "source": point.source, "quality": point.quality.value,
        "words": gettext(QUALITY_LABEL[point.quality]), "written": point.written,
    }  # fmt: skip


def _found(code: str, address: str) -> list[GeocodedPoint]:
    """The candidates that lie near the division; those of another place are left out."""
    chain: Chain = current_app.extensions["daiban.geocoder"]
    try:
        with transaction() as session:
            division = division_with(session, code)
            name, lon, lat = division.name, division.lon, division.lat
    except UnknownDivision:
        return []
    places = chain.candidates(f"江苏省{name}{address}")  # no transaction is open while a service is asked
    return [place for place in places if far_m(place.lon, place.lat, lon, lat) <= FARTHEST_M]
