"""Learning: durations fitted to closed and open cases, shrunk to the city and the province. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import log, sqrt

import numpy as np
import numpy.typing as npt
from scipy.special import log_ndtr

from dispatch.forecast.beliefs import Priors
from dispatch.forecast.durations import SHORTEST, Durations, Fit, believed
from dispatch.path.matter_node import Basis, MatterNode

ROUNDS = 12  # of imputing open cases; the estimates stand still well before

Floats = npt.NDArray[np.float64]

Rows = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Observation:
    """One matter of one project at one authority: working days on its own clock, decided or still open (censored)."""

    matter: str
    authority: str
    city: str
    days: float
    is_closed: bool
    project: str = ""

    def __post_init__(self) -> None:
        if self.days < 0:
            raise ValueError(f"{self.matter} at {self.authority}: {self.days} working days cannot be")


def learn(
    observations: Iterable[Observation],
    matters: Mapping[str, MatterNode],
    priors: Priors,
) -> Durations:
    """Every matter's law at every authority and city seen. An open case says only that the matter lasts longer."""
    by_matter: dict[str, list[Observation]] = defaultdict(list)
    for observation in observations:
        if observation.matter not in matters:
            raise ValueError(f"{observation.matter} was observed, but the catalogue does not have it")
        by_matter[observation.matter].append(observation)
    at_authority: dict[tuple[str, str], Fit] = {}
    at_city: dict[tuple[str, str], Fit] = {}
    anywhere: dict[str, Fit] = {}
    residuals: list[tuple[str, str, float]] = []
    for code, seen in sorted(by_matter.items()):
        prior = believed(matters[code], priors, Basis.COMMITTED) or Fit(log(SHORTEST), 0.5)
        learned = _learn_matter(seen, prior, priors)
        anywhere[code] = learned.anywhere
        at_city.update({(code, city): fit for city, fit in learned.cities.items()})
        at_authority.update({(code, authority): fit for authority, fit in learned.authorities.items()})
        residuals.extend(learned.residuals)
    department, project = _correlations(residuals, priors)
    return Durations(priors, Basis.COMMITTED, at_authority, at_city, anywhere, department, project)


@dataclass(frozen=True, slots=True)
class _Learned:
    anywhere: Fit
    cities: dict[str, Fit]
    authorities: dict[str, Fit]
    residuals: list[tuple[str, str, float]]  # project, authority, standardised


def _learn_matter(seen: list[Observation], prior: Fit, priors: Priors) -> _Learned:
    """Province, cities and authorities at once: means travel up weighted by what they know, and down again shrunk."""
    cities = sorted({o.city for o in seen})
    authorities = sorted({(o.city, o.authority) for o in seen})
    city_of = np.array([cities.index(city) for city, _ in authorities], dtype=np.intp)
    place = {pair: row for row, pair in enumerate(authorities)}
    who: Rows = np.array([place[o.city, o.authority] for o in seen], dtype=np.intp)
    closed = np.array([o.is_closed for o in seen])
    days = np.array([o.days for o in seen], dtype=np.float64) - prior.floor
    observed: Floats = np.log(np.maximum(np.where(closed, days, days + 0.5), SHORTEST))
    n: Floats = np.bincount(who, minlength=len(authorities)).astype(np.float64)

    sigma2 = prior.sigma**2
    mean = np.full(len(authorities), prior.mu)
    expected, extra = observed.copy(), np.zeros(len(seen))
    for _ in range(ROUNDS):
        expected, extra = _impute(observed, closed, mean[who], sqrt(sigma2))
        average = np.bincount(who, expected, minlength=len(authorities)) / n
        tree = _shrink(average, sigma2 / n, city_of, len(cities), prior.mu, priors)
        mean = tree.authority_mean
        spread = float(((expected - mean[who]) ** 2 + extra).sum() + n @ tree.authority_variance)
        sigma2 = (priors.sigma_cases * prior.sigma**2 + spread) / (priors.sigma_cases + len(seen))
    standard = (expected - mean[who]) / sqrt(sigma2)
    counts = np.bincount(city_of, n, minlength=len(cities))

    def fit(mu: float, variance: float, cases: float) -> Fit:
        return Fit(float(mu), sqrt(sigma2 + float(variance)), prior.floor, int(cases))

    below_city, below_all = priors.authority_spread**2, priors.authority_spread**2 + priors.city_spread**2
    return _Learned(
        fit(tree.mean, tree.variance + below_all, len(seen)),
        {
            city: fit(tree.city_mean[row], tree.city_variance[row] + below_city, counts[row])
            for row, city in enumerate(cities)
        },
        {
            authority: fit(mean[row], tree.authority_variance[row], n[row])
            for row, (_, authority) in enumerate(authorities)
        },
        [(o.project, o.authority, float(z)) for o, z in zip(seen, standard, strict=True) if o.is_closed and o.project],
    )


def _impute(observed: Floats, closed: npt.NDArray[np.bool_], mean: Floats, sigma: float) -> tuple[Floats, Floats]:
    """Where an open case will end, given that it has not ended yet: expectation and variance of a truncated normal."""
    bound = (observed - mean) / sigma
    hazard = np.exp(-0.5 * bound**2 - 0.5 * np.log(2 * np.pi) - log_ndtr(-bound))
    expected = np.where(closed, observed, mean + sigma * hazard)
    extra = np.where(closed, 0.0, sigma**2 * np.maximum(0.0, 1 + bound * hazard - hazard**2))
    return expected, extra


@dataclass(frozen=True, slots=True)
class _Tree:
    mean: float
    variance: float
    city_mean: Floats
    city_variance: Floats
    authority_mean: Floats
    authority_variance: Floats


def _shrink(average: Floats, noise: Floats, city_of: Rows, cities: int, prior_mu: float, priors: Priors) -> _Tree:
    weight = 1 / (noise + priors.authority_spread**2)
    city_weight = np.bincount(city_of, weight, minlength=cities)
    city_average = np.bincount(city_of, weight * average, minlength=cities) / city_weight
    upward = 1 / (1 / city_weight + priors.city_spread**2)
    precision = upward.sum() + 1 / priors.matter_spread**2
    mean = float((upward @ city_average + prior_mu / priors.matter_spread**2) / precision)
    variance = float(1 / precision)

    from_above = priors.city_spread**2
    city_variance = 1 / (city_weight + 1 / from_above)
    city_mean = city_variance * (city_weight * city_average + mean / from_above)
    from_city = priors.authority_spread**2
    authority_variance = 1 / (1 / noise + 1 / from_city)
    authority_mean = authority_variance * (average / noise + city_mean[city_of] / from_city)
    return _Tree(mean, variance, city_mean, city_variance, authority_mean, authority_variance)


def _correlations(residuals: list[tuple[str, str, float]], priors: Priors) -> tuple[float, float]:
    """Within a department and across a project, by pairs of matters of the same project, shrunk to the belief."""
    by_project: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for project, authority, z in residuals:
        by_project[project][authority].append(z)
    same_sum = same_pairs = all_sum = all_pairs = 0.0
    for departments in by_project.values():
        every = [z for inside in departments.values() for z in inside]
        all_sum += (sum(every) ** 2 - sum(z * z for z in every)) / 2
        all_pairs += len(every) * (len(every) - 1) / 2
        for inside in departments.values():
            same_sum += (sum(inside) ** 2 - sum(z * z for z in inside)) / 2
            same_pairs += len(inside) * (len(inside) - 1) / 2
    worth = priors.correlation_pairs
    prior_same = priors.project_correlation + priors.department_correlation
    across = (worth * priors.project_correlation + all_sum - same_sum) / (worth + all_pairs - same_pairs)
    same = (worth * prior_same + same_sum) / (worth + same_pairs)
    shared = min(0.9, max(0.0, across))
    return min(0.95 - shared, max(0.0, same - shared)), shared
