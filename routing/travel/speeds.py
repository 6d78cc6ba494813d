"""Speeds: how fast a courier's vehicle moves on each class of road, and what the hour of the day does to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

ROAD_KMH: Mapping[str, float] = {
    "motorway": 90,
    "trunk": 65,
    "primary": 50,
    "secondary": 42,
    "tertiary": 36,
    "unclassified": 30,
    "residential": 25,
    "living_street": 15,
    "service": 15,
}
"""Everyday speeds, stops at crossings included; a link of a class has its class's speed."""

TRAFFIC: tuple[float, ...] = (
    *(1.15, 1.15, 1.15, 1.15, 1.15, 1.10, 1.05, 0.85, 0.75, 0.90, 1.00, 1.00),
    *(1.00, 1.05, 1.05, 1.00, 0.95, 0.80, 0.75, 0.90, 1.00, 1.05, 1.10, 1.15),
)
"""The share of the everyday speed at each hour: an assumption until actual times replace it."""


@dataclass(frozen=True, slots=True)
class Speeds:
    """Speed by class of road and by hour. The defaults are assumptions, for a day's actual times to replace."""

    by_class: Mapping[str, float] = field(default_factory=lambda: dict(ROAD_KMH))
    by_hour: tuple[float, ...] = TRAFFIC

    def __post_init__(self) -> None:
        for name, kmh in self.by_class.items():
            if not 0 < kmh <= 120:
                raise ValueError(f"speeds.by_class[{name!r}] is {kmh}: it must lie between 0 and 120 km/h")
        if len(self.by_hour) != 24:
            raise ValueError(f"speeds.by_hour has {len(self.by_hour)} values: a day has 24 hours")
        for hour, share in enumerate(self.by_hour):
            if not 0 < share <= 3:
                raise ValueError(f"speeds.by_hour[{hour}] is {share}: it must lie between 0 and 3")

    def metres_per_s(self, road: str) -> float:
        """The everyday speed on roads of that class."""
        return self.by_class[road] / 3.6

    def share(self, hour: int | None) -> float:
        """What is left of the everyday speed at that hour; all of it without one."""
        if hour is None:
            return 1.0
        if not 0 <= hour < 24:
            raise ValueError(f"hour is {hour}: it must lie between 0 and 23")
        return self.by_hour[hour]
