"""Correlated noise: standard normals of each matter, alike within a department and a project. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import sqrt
from zlib import crc32

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from dispatch.forecast.durations import SHORTEST, Durations, Fit

Sample = npt.NDArray[np.float32]


@lru_cache(maxsize=1024)
def _normals(key: str, samples: int) -> Sample:
    """Standard normals of one name: evenly stratified, shuffled by the name. The same facts give the same date, and a
    change of one matter leaves the draws of all others as they were."""
    shuffled = np.random.default_rng(crc32(key.encode())).permutation(samples)
    found: Sample = ndtri((shuffled + 0.5) / samples).astype(np.float32)
    found.flags.writeable = False
    return found


@lru_cache(maxsize=1024)
def gap_days(key: str, samples: int, gap: Fit) -> Sample:
    """Whole working days from the last prerequisite to the acceptance, a draw of its own for each name."""
    found: Sample = np.rint(np.exp(_normals(key, samples) * np.float32(gap.sigma) + np.float32(gap.mu)))
    found.flags.writeable = False
    return found


@dataclass(frozen=True, slots=True, eq=False)
class FittedLaws:
    """The law of each matter's duration as arrays, a row for each matter."""

    mu: Sample
    sigma: Sample
    floor: Sample


def correlated_noise(codes: Sequence[str], places: Sequence[str], durations: Durations, samples: int) -> Sample:
    """A row for each matter, decided at one of ``places``."""
    department, project = durations.department_correlation, durations.project_correlation
    noise: Sample = np.stack([_normals(f"/{code}", samples) for code in codes])
    noise *= np.float32(sqrt(1 - department - project))
    for row, place in enumerate(places):
        noise[row] += np.float32(sqrt(department)) * _normals(f"/department/{place}", samples)
    noise += np.float32(sqrt(project)) * _normals("/project", samples)
    return noise


def noise_given_decided(
    noise: Sample, lasted: Mapping[int, float], laws: FittedLaws, places: Sequence[str], durations: Durations
) -> Sample:
    """The noise of what is open, given how slow what is decided turned out to be (Matheron's rule): a project that was
    slow so far is expected to stay slow, most of all in the same department."""
    known = list(lasted)
    here = np.array(places)
    alike = durations.project_correlation + durations.department_correlation * (here[:, None] == here[None, :])
    np.fill_diagonal(alike, 1.0)
    days = np.array([max(lasted[row] - float(laws.floor[row]), SHORTEST) for row in known])
    seen = (np.log(days) - laws.mu[known]) / laws.sigma[known]
    # A whole day is only known to half a day either way.
    blur = (1 / 12) / (days * laws.sigma[known]) ** 2
    among = alike[np.ix_(known, known)] + np.diag(blur)
    pull = np.linalg.solve(among, seen[:, None] - noise[known]).astype(np.float32)
    moved: Sample = noise + alike[:, known].astype(np.float32) @ pull
    return moved
