"""Compile the core by driving it once through a problem of two stops."""

from __future__ import annotations

from routing.model.problem import Problem
from routing.model.profile import Profile
from routing.model.quantities import Load, Window
from routing.model.request import Request, RequestKind, Stop
from routing.model.vehicle import Vehicle
from routing.search.sisr.model import model_of
from routing.search.sisr.search import Search

_done: list[bool] = []


def up() -> None:
    """Compile every entry of the core, or load it from its cache; at once when that was done before."""
    if _done:
        return
    search = Search(model_of(two_stops()), 0)
    search.run(2, 1.0, 1.0)
    search.filled()
    search.clock(0, search.best()[0])
    _done.append(True)


def two_stops() -> Problem:
    """The least that drives every part."""
    day = Window(0, 100)
    stops = [Request(name, RequestKind.DELIVERY, (Stop(at, (day,)),)) for at, name in enumerate("ab", 1)]
    vehicle = Vehicle("v", 0, 0, day, Load(1))
    return Problem((Profile([[0, 1, 1], [1, 0, 1], [1, 1, 0]]),), tuple(stops), (vehicle,))
