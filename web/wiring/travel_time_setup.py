"""Travel time setup: where travel times and the points of addresses come from, as the settings say."""

from pathlib import Path

from routing.travel import Cached, Geodesic, Osrm, RoadFile, TravelTimes, WithFallback
from routing.travel.geocoding import Chain, geocoders
from web.wiring.settings import Settings


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
    """Who finds written addresses: Amap with AMAP_KEY, Nominatim at NOMINATIM_URL; without either nobody is asked."""
    return geocoders(amap_key=settings.amap_key, amap_url=settings.amap_url, nominatim_url=settings.nominatim_url)
