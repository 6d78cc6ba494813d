"""Stops without a confirmed point: the list, and the map on which a lead places one."""

from flask import current_app, render_template, url_for
from werkzeug.wrappers import Response

from dispatch.acts.stop_points import PlaceStop
from dispatch.core.ids import StopId
from dispatch.views import unplaced_stops
from routing.travel.geocoding import QUALITY_LABEL, Chain
from web.pages.team.blueprint import bp, take_form
from web.pages.team.courier_desk import dispatchers
from web.wiring.act_door import offers
from web.wiring.auth import current_actor
from web.wiring.transactions import transaction

MOST_SHOWN = 5


@bp.get("/unplaced")
@dispatchers
def unplaced() -> str:
    """Which addresses nobody has confirmed on a map yet."""
    with transaction() as session:
        stops = unplaced_stops.unplaced_stops(session, current_actor())
    return render_template("team/unplaced.html", stops=stops)


@bp.get("/stops/<int:stop_id>/point")
@dispatchers
def stop_point(stop_id: int) -> str:
    """One address on a map, with what geocoders and the own gazetteer make of it."""
    with transaction() as session:
        stop = unplaced_stops.unplaced_stop(session, current_actor(), stop_id)
    chain: Chain = current_app.extensions["daiban.geocoder"]
    found = chain.candidates(stop.address)[:MOST_SHOWN]  # no transaction is open while a service is asked
    return render_template("team/stop_point.html", stop=stop, found=found, QUALITY_LABEL=QUALITY_LABEL)


@bp.post("/stops/<int:stop_id>/point")
@offers(PlaceStop)
def place_stop(stop_id: int) -> Response:
    """The address is here."""
    back = url_for("team.unplaced")
    return take_form(PlaceStop, "位置已确认，以后都用这个位置", back=back, stop=StopId(stop_id))
