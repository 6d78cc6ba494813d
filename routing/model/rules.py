"""The rules that a plan must keep, and a violation of one."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Rule(enum.Enum):
    """What a plan must keep; the name of what it broke."""

    FINGERPRINT = "the plan answers this problem"
    ROUTES = "one route for each vehicle in use or on duty, in the problem's order"
    KNOWN = "a visit names a request and a side of the problem"
    ONCE = "each request is served wholly and once, or unserved"
    PAIR = "pickup before delivery, by one vehicle"
    PREFIX = "what is done stays as it was"
    SKILL = "the vehicle has what the stop requires"
    DEPOT = "the vehicle starts or ends at the request's depot"
    LOADED = "a vehicle under way delivers only what it has on board"
    RELEASE = "a vehicle leaves its start no earlier than what it delivers is there"
    REACHABLE = "a leg can be driven"
    TRAVEL = "an arrival is the departure before it plus the travel"
    WINDOW = "service starts after the arrival and inside a window or its grace"
    SERVICE = "departure is start plus service"
    SHIFT = "a route lies inside the shift"
    DUTY = "a route is no longer than the longest duty"
    STOPS = "a route makes no more stops than its vehicle may"
    DISTANCE = "a route is no longer than its vehicle may drive"
    BREAK = "the break is taken when it is due, inside its window and between two services"
    LOAD = "the stated load is what is on board"
    CAPACITY = "what is on board fits"
    COST = "each term costs what it says"
    REASON = "an unserved request's reason is true"


@dataclass(frozen=True, slots=True)
class Violation:
    """One rule that a plan breaks, where, and the facts."""

    rule: Rule
    where: str
    facts: str

    def __str__(self) -> str:
        return f"{self.where}: {self.facts} (rule: {self.rule.value})"
