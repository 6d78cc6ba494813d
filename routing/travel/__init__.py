"""Travel: how long and how far it is from place to place, by the straight line, a road graph or a routing server.

The road graph itself is imported from its own file, ``routing.travel.roads``: few need it, and it brings much along.
"""

from routing.travel.cached import Cached
from routing.travel.fallback import WithFallback
from routing.travel.geodesic import Geodesic
from routing.travel.osrm import Osrm
from routing.travel.places import Point, Table, TravelTimes, Unavailable
from routing.travel.road_file import RoadFile
from routing.travel.speeds import Speeds

__all__ = [
    "Cached",
    "Geodesic",
    "Osrm",
    "Point",
    "RoadFile",
    "Speeds",
    "Table",
    "TravelTimes",
    "Unavailable",
    "WithFallback",
]
