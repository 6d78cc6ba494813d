"""Case plans: the forty-odd projects of the demo day, and how far each has come by ten o'clock."""

import enum
from dataclasses import dataclass

from dispatch.catalogue.matter import Family

INDUSTRIAL = (
    ("IND-101", "IND-107", "IND-108"),
    ("IND-104", "IND-105"),
    ("IND-104", "IND-105", "IND-201", "IND-203"),
    ("IND-301", "IND-302", "IND-305"),
    ("IND-308", "IND-306"),
    ("IND-402", "IND-403", "IND-405"),
    ("IND-406", "IND-408"),
)
OPENING = ("BIZ-02", "BIZ-03", "BIZ-04", "BIZ-05")
REGISTRATION = ("REG-01", "REG-02", "REG-03", "REG-04", "REG-05", "REG-06")


class Goal(enum.Enum):
    """How far a demo project has come."""

    REQUESTED = enum.auto()
    NOBODY_FITS = enum.auto()
    ASSIGNED = enum.auto()
    REFUSED = enum.auto()
    CORRECTION = enum.auto()
    PRESCREENED = enum.auto()
    BOOKED_TODAY = enum.auto()
    COLLECTED = enum.auto()
    WITHDRAWN = enum.auto()
    SUBMITTED = enum.auto()
    ACCEPTED = enum.auto()
    DECIDED = enum.auto()
    DELIVERY_TODAY = enum.auto()
    DELIVERED = enum.auto()
    EVALUATED = enum.auto()


class Variation(enum.Enum):
    """What happened otherwise than usual."""

    FAILED_ATTEMPT = enum.auto()
    DEFERRED = enum.auto()
    WITH_COURIER = enum.auto()
    SUPPLEMENT = enum.auto()
    PAUSE = enum.auto()
    EXTENDED = enum.auto()
    DENIED = enum.auto()
    BAD_GRADE = enum.auto()


@dataclass(frozen=True, slots=True)
class CasePlan:
    """How far one project has come by ten o'clock, and how many working days ago it began."""

    goal: Goal
    began_wd: int
    matters: tuple[str, ...]
    family: Family = Family.INDUSTRIAL_PERMIT
    variation: Variation | None = None


_BUSINESS, _PROPERTY = Family.BUSINESS_OPENING, Family.PROPERTY_REGISTRATION

CASE_PLANS = (
    CasePlan(Goal.REQUESTED, 0, INDUSTRIAL[0]),
    CasePlan(Goal.REQUESTED, 0, OPENING, _BUSINESS),
    CasePlan(Goal.NOBODY_FITS, 1, INDUSTRIAL[3]),
    CasePlan(Goal.ASSIGNED, 0, INDUSTRIAL[1]),
    CasePlan(Goal.ASSIGNED, 1, INDUSTRIAL[2]),
    CasePlan(Goal.ASSIGNED, 3, INDUSTRIAL[4]),  # the agent's answer is late
    CasePlan(Goal.ASSIGNED, 0, REGISTRATION, _PROPERTY),
    CasePlan(Goal.CORRECTION, 2, INDUSTRIAL[1]),
    CasePlan(Goal.CORRECTION, 1, INDUSTRIAL[5]),
    CasePlan(Goal.PRESCREENED, 2, INDUSTRIAL[1]),
    CasePlan(Goal.PRESCREENED, 1, REGISTRATION, _PROPERTY),
    CasePlan(Goal.PRESCREENED, 3, INDUSTRIAL[2]),
    CasePlan(Goal.BOOKED_TODAY, 2, INDUSTRIAL[1]),
    CasePlan(Goal.BOOKED_TODAY, 2, INDUSTRIAL[2]),
    CasePlan(Goal.BOOKED_TODAY, 3, REGISTRATION, _PROPERTY),
    CasePlan(Goal.BOOKED_TODAY, 2, INDUSTRIAL[6], variation=Variation.FAILED_ATTEMPT),
    CasePlan(Goal.BOOKED_TODAY, 1, INDUSTRIAL[5]),
    CasePlan(Goal.COLLECTED, 4, INDUSTRIAL[1]),
    CasePlan(Goal.COLLECTED, 3, REGISTRATION, _PROPERTY, Variation.WITH_COURIER),
    CasePlan(Goal.COLLECTED, 5, INDUSTRIAL[2]),
    CasePlan(Goal.SUBMITTED, 5, INDUSTRIAL[1]),
    CasePlan(Goal.SUBMITTED, 6, INDUSTRIAL[2]),  # the authority's silence is about to accept it
    CasePlan(Goal.SUBMITTED, 4, OPENING, _BUSINESS),
    CasePlan(Goal.ACCEPTED, 6, INDUSTRIAL[1]),
    CasePlan(Goal.ACCEPTED, 6, INDUSTRIAL[2]),
    CasePlan(Goal.ACCEPTED, 12, INDUSTRIAL[1]),  # overdue
    CasePlan(Goal.ACCEPTED, 9, INDUSTRIAL[3], variation=Variation.PAUSE),
    CasePlan(Goal.ACCEPTED, 14, INDUSTRIAL[2], variation=Variation.EXTENDED),
    CasePlan(Goal.ACCEPTED, 5, INDUSTRIAL[4]),
    CasePlan(Goal.ACCEPTED, 10, INDUSTRIAL[5], variation=Variation.SUPPLEMENT),
    CasePlan(Goal.ACCEPTED, 7, INDUSTRIAL[2], variation=Variation.DEFERRED),
    CasePlan(Goal.ACCEPTED, 5, REGISTRATION, _PROPERTY),
    CasePlan(Goal.DECIDED, 12, INDUSTRIAL[1]),
    CasePlan(Goal.DECIDED, 7, REGISTRATION, _PROPERTY),
    CasePlan(Goal.DECIDED, 9, INDUSTRIAL[0], variation=Variation.DENIED),
    CasePlan(Goal.DELIVERY_TODAY, 13, INDUSTRIAL[1]),
    CasePlan(Goal.DELIVERY_TODAY, 12, INDUSTRIAL[2]),
    CasePlan(Goal.DELIVERY_TODAY, 8, REGISTRATION, _PROPERTY),
    CasePlan(Goal.DELIVERED, 15, INDUSTRIAL[1]),
    CasePlan(Goal.DELIVERED, 9, OPENING, _BUSINESS),
    CasePlan(Goal.EVALUATED, 18, INDUSTRIAL[1]),
    CasePlan(Goal.EVALUATED, 17, REGISTRATION, _PROPERTY),
    CasePlan(Goal.EVALUATED, 16, INDUSTRIAL[2], variation=Variation.BAD_GRADE),
    CasePlan(Goal.EVALUATED, 11, OPENING, _BUSINESS),
    CasePlan(Goal.WITHDRAWN, 6, INDUSTRIAL[1]),
    CasePlan(Goal.REFUSED, 4, INDUSTRIAL[0]),
)
