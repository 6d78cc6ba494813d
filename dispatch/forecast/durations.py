"""Durations: how long a matter takes at an authority, looked up from the finest place observed. Pure.

A duration is ``floor + exp(N(mu, sigma²))`` working days, rounded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import exp, log

from dispatch.forecast.beliefs import Priors
from dispatch.path.matter_node import Basis, MatterNode

SHORTEST = 0.25  # what a case decided on the day counts as, so that its logarithm exists


@dataclass(frozen=True, slots=True)
class Fit:
    """The predictive law of one matter at one place; ``sigma`` includes what is not known about ``mu``."""

    mu: float
    sigma: float
    floor: float = 0.0
    cases: int = 0

    @property
    def mean(self) -> float:
        return self.floor + exp(self.mu + self.sigma**2 / 2)

    @property
    def variance(self) -> float:
        return (exp(self.sigma**2) - 1) * exp(2 * self.mu + self.sigma**2)


@dataclass(frozen=True, slots=True)
class Durations:
    """Everything learned: look it up with ``of``; the finest place that was observed answers."""

    priors: Priors
    basis: Basis = Basis.COMMITTED
    by_authority: Mapping[tuple[str, str], Fit] = field(default_factory=dict)
    by_city: Mapping[tuple[str, str], Fit] = field(default_factory=dict)
    by_matter: Mapping[str, Fit] = field(default_factory=dict)
    department_correlation: float = 0.0
    project_correlation: float = 0.0

    @classmethod
    def before_any_case(cls, priors: Priors) -> Durations:
        return cls(
            priors,
            department_correlation=priors.department_correlation,
            project_correlation=priors.project_correlation,
        )

    def of(self, matter: MatterNode, authority: str = "", city: str = "") -> Fit | None:
        """None for a matter that takes no time at all (a bare acceptance)."""
        return (
            self.by_authority.get((matter.code, authority))
            or self.by_city.get((matter.code, city))
            or self.by_matter.get(matter.code)
            or believed(matter, self.priors, self.basis)
        )

    @property
    def gap(self) -> Fit:
        """From the last prerequisite to the acceptance."""
        return Fit(log(self.priors.gap_median), self.priors.gap_sigma)


def believed(matter: MatterNode, priors: Priors, basis: Basis) -> Fit | None:
    """The belief about one matter, from its kind and its limit."""
    belief = priors.kinds[matter.kind]
    limit = matter.days(basis)
    if limit == 0:
        return None
    return Fit(log(belief.share * limit), belief.sigma, belief.floor * limit)
