"""The pin: where a written address lies, proposed by the geocoders of the settings; a person confirms it on the map."""

from typing import Any

from flask import current_app, request

from agents.network import UnknownDivision, division_with
from routing.travel.geocoding import Chain, far_m
from web.pages.enterprise.blueprint import bp
from web.wiring.auth import enterprise_only, limiter
from web.wiring.transactions import transaction

FARTHEST_M = 45_000  # from the division's own point; counties of Jiangsu are smaller than that
LONGEST = 200


@bp.post("/intake/point")
@enterprise_only
@limiter.limit("20 per minute; 200 per hour")
def point() -> dict[str, Any]:
    """A point for an address in a division, or none: nobody is asked, nobody knows it, or it lies elsewhere."""
    address = request.form.get("address", "").strip()[:LONGEST]
    found = _found(request.form.get("place") or request.form.get("county", ""), address) if address else None
    return {"point": found}


def _found(code: str, address: str) -> dict[str, Any] | None:
    chain: Chain = current_app.extensions["daiban.geocoder"]
    if not chain.links:
        return None
    try:
        with transaction() as session:
            division = division_with(session, code)
            name, lon, lat = division.name, division.lon, division.lat
    except UnknownDivision:
        return None
    place = chain.find(f"江苏省{name}{address}")  # no transaction is open while a service is asked
    if place is None or far_m(place.lon, place.lat, lon, lat) > FARTHEST_M:
        return None
    return {"lon": round(place.lon, 6), "lat": round(place.lat, 6), "source": place.source}
