"""Area evaluation: what a zone paid for once, and whether a project may share it on a given date. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

VALID_YEARS = 5


@dataclass(frozen=True, slots=True)
class EvaluatedSite:
    """Where a project stands and what for: the facts an area evaluation is judged by."""

    wholly_inside: frozenset[str]  # zones that contain the whole site
    use_unchanged: bool = True  # the land is used as it was when the zone was evaluated
    industry: str = ""  # what the zone's negative list (负面清单) speaks of


@dataclass(frozen=True, slots=True)
class ZoneEvaluation:
    """An evaluation (区域评估) made for a whole zone, shared free for five years."""

    kind: str  # as the catalogue's matters name it: geological_hazard, minerals, environment …
    zone: str
    approved_on: date
    valid_to: date | None = None  # a last day that the zone stated; never beyond five years
    negative_list: frozenset[str] = frozenset()
    cost_saved_yuan: int = 0  # what a project would have paid for its own
    valid_years: int = VALID_YEARS

    def __post_init__(self) -> None:
        if self.cost_saved_yuan < 0 or self.valid_years <= 0:
            raise ValueError(f"{self.kind} of {self.zone}: cost and validity cannot be negative")

    @property
    def expires_on(self) -> date:
        """The first day on which it no longer serves."""
        year = self.approved_on.year + self.valid_years
        try:
            too_old = self.approved_on.replace(year=year)
        except ValueError:  # 29 February, and no leap year
            too_old = date(year, 3, 1)
        return too_old if self.valid_to is None else min(too_old, self.valid_to + timedelta(days=1))

    def hindrances(self, site: EvaluatedSite, on: date) -> tuple[str, ...]:
        """Why the project may not share it on that day, in words; empty when it may."""
        found = []
        if self.zone not in site.wholly_inside:
            found.append(f"用地未全部位于{self.zone}内")
        if not site.use_unchanged:
            found.append("用地用途已改变")
        if site.industry in self.negative_list:
            found.append(f"{site.industry}列入{self.zone}负面清单")
        if on < self.approved_on:
            found.append(f"{self.approved_on.isoformat()}才批准")
        elif on >= self.expires_on:
            found.append(f"自{self.expires_on.isoformat()}起已过有效期")
        return tuple(found)


@dataclass(frozen=True, slots=True)
class AreaUse:
    """One evaluation weighed for one matter on the day it counts: shared, or why not."""

    code: str
    evaluation: ZoneEvaluation
    judged_on: date
    hindrances: tuple[str, ...]

    @property
    def is_shared(self) -> bool:
        return not self.hindrances
