"""Travel time setup: where travel times and the points of addresses come from, as the settings say."""

from pathlib import Path

from dispatch.views import place_list
from routing.travel import Cached, Geodesic, Osrm, RoadFile, TravelTimes, WithFallback
from routing.travel.gazetteer import Gazetteer, Known
from routing.travel.geocoding import Chain, geocoders
from web.wiring.settings import Settings
from web.wiring.transactions import transaction

MOST_PLACES = 3


def travel_times(settings: Settings) -> TravelTimes:
    """The routing server of OSRM_URL, else the roads of ROAD_GRAPH, else straight lines with detours.

    What cannot answer is passed over for the whole table, loudly. Only what a source itself said is remembered: a table
    that fell back is asked for anew, and never mixed with another source's.
    """
    found: TravelTimes = Cached(Geodesic())
    if settings.road_graph:
        found = WithFallback(Cached(RoadFile(Path(settings.road_graph))), found)
    if settings.osrm_url:
        found = WithFallback(Cached(Osrm(settings.osrm_url)), found)
    return found


def geocoder(settings: Settings) -> Chain:
    """Who finds written addresses: Amap with AMAP_KEY, Nominatim at NOMINATIM_URL, and always the own places."""
    return geocoders(
        amap_key=settings.amap_key, amap_url=settings.amap_url, nominatim_url=settings.nominatim_url,
        offline=Gazetteer(_known_places),
    )  # fmt: skip


def _known_places(address: str) -> list[Known]:
    """The divisions that an address mentions, the best first."""
    with transaction() as session:
        index = place_list.place_index(session)
    return [(index.full_name(place), place.lon, place.lat) for place in index.within(address)[:MOST_PLACES]]
