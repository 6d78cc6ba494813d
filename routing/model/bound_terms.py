"""What a proved bound knows of each cost and rule: whether it is in it, or left out so that the bound only gets lower.

One row for each term of ``Costs``, each ``Rule``, and each field that costs or forbids something. A test compares the
rows with the model: what is added there without a row here fails.
"""

from __future__ import annotations

import enum


class Treatment(enum.Enum):
    """How a bound treats a term or a rule."""

    HELD = "in the bound"
    RELAXED = "left out"
    """The bound allows more, or charges less, than the rule: it stays valid and is lower."""
    NOTHING = "costs and forbids nothing"


HELD, RELAXED, NOTHING = Treatment.HELD, Treatment.RELAXED, Treatment.NOTHING

BOUND_TERMS: dict[str, tuple[Treatment, str]] = {
    # What a plan costs.
    "Costs.travel": (HELD, "to the unit; where costs are scaled down for the search, rounded down leg by leg"),
    "Costs.duty": (HELD, "travel and service; waiting and break are left out"),
    "Costs.waiting": (RELAXED, "waiting costs nothing"),
    "Costs.lateness": (RELAXED, "within its grace a start costs nothing; what a prefix did is held"),
    "Costs.moved": (RELAXED, "an announced window may be missed for nothing; what a prefix did is held"),
    "Costs.evenness": (RELAXED, "a long duty costs no more"),
    "Costs.vehicles": (HELD, "for every number of vehicles its own bound, and the lowest of them"),
    "Costs.unserved": (HELD, "a stop may be left out at its request's price, half of it for each side of a pair"),
    "Costs.unserved_musts": (HELD, "the bound speaks of plans that serve every must; a plan that does not has none"),
    # The weights of the objective.
    "Objective.primary": (RELAXED, "where fewer vehicles come first no bound is stated"),
    "Objective.travel_per_s": (HELD, "see travel"),
    "Objective.travel_per_m": (HELD, "see travel"),
    "Objective.duty_per_s": (HELD, "see duty"),
    "Objective.waiting_per_s": (RELAXED, "see waiting"),
    "Objective.evenness_per_s": (RELAXED, "see evenness"),
    "Objective.fair_duty_s": (RELAXED, "see evenness"),
    # What is asked for.
    "Request.id": (NOTHING, ""),
    "Request.kind": (RELAXED, "the two stops of a pair may be served by two vehicles, in any order"),
    "Request.stops": (HELD, "each stop is served or paid for"),
    "Request.penalty": (HELD, "see unserved"),
    "Request.depot": (HELD, "a vehicle serves only what starts or ends where it does"),
    "Request.release_s": (RELAXED, "what is delivered is at the depot from the first"),
    "Stop.location": (HELD, "see travel"),
    "Stop.windows": (HELD, "all of them"),
    "Stop.service_s": (HELD, "to the second"),
    "Stop.delivers": (HELD, "see capacity"),
    "Stop.collects": (HELD, "see capacity"),
    "Stop.skills": (HELD, "a vehicle serves only what it has the skills for"),
    "Stop.announced": (RELAXED, "see moved"),
    "Stop.grace_s": (HELD, "as part of the last window"),
    "Stop.late_per_s": (RELAXED, "see lateness"),
    # Who drives.
    "Vehicle.id": (NOTHING, ""),
    "Vehicle.start": (HELD, "see travel"),
    "Vehicle.end": (HELD, "see travel"),
    "Vehicle.shift": (HELD, "to the second"),
    "Vehicle.capacity": (HELD, "see capacity"),
    "Vehicle.skills": (HELD, "see skills"),
    "Vehicle.rest": (RELAXED, "no break is taken"),
    "Vehicle.fixed_cost": (HELD, "see vehicles"),
    "Vehicle.max_duty_s": (RELAXED, "a duty may last as long as the shift"),
    "Vehicle.max_stops": (RELAXED, "a route may make more stops"),
    "Vehicle.max_distance_m": (RELAXED, "a route may be longer"),
    "Vehicle.speed_pct": (HELD, "see travel"),
    "Vehicle.profile": (HELD, "see travel"),
    "Vehicle.prefix": (HELD, "what is driven costs what it cost; the rest begins where and when it ended"),
    # Rules.
    "Rule.FINGERPRINT": (NOTHING, "of a plan, not of a day"),
    "Rule.ROUTES": (HELD, "no kind of vehicle is used more often than there are vehicles"),
    "Rule.KNOWN": (NOTHING, "of a plan, not of a day"),
    "Rule.ONCE": (RELAXED, "a route may come back to a stop that it has forgotten, and count it twice"),
    "Rule.PAIR": (RELAXED, "see kind"),
    "Rule.PREFIX": (HELD, "see prefix"),
    "Rule.SKILL": (HELD, "see skills"),
    "Rule.DEPOT": (HELD, "see depot"),
    "Rule.LOADED": (HELD, "a vehicle under way delivers only what it has on board"),
    "Rule.RELEASE": (RELAXED, "see release"),
    "Rule.REACHABLE": (HELD, "a leg that cannot be driven is not driven"),
    "Rule.TRAVEL": (HELD, "to the second"),
    "Rule.WINDOW": (HELD, "see windows"),
    "Rule.SERVICE": (HELD, "to the second"),
    "Rule.SHIFT": (HELD, "to the second"),
    "Rule.DUTY": (RELAXED, "see longest duty"),
    "Rule.STOPS": (RELAXED, "see most stops"),
    "Rule.DISTANCE": (RELAXED, "see longest distance"),
    "Rule.BREAK": (RELAXED, "see break"),
    "Rule.LOAD": (NOTHING, "of a plan, not of a day"),
    "Rule.CAPACITY": (HELD, "of single stops the one load that binds most, once a proof breaks it; none of a prefix"),
    "Rule.COST": (NOTHING, "of a plan, not of a day"),
    "Rule.REASON": (NOTHING, "of a plan, not of a day"),
}
"""By name: the treatment, and in what way."""
