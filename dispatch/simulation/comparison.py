"""Comparison: several rules of assignment side by side, with 95 % intervals. Pure.

Every policy meets the same projects on the same days with the same durations; only who takes them differs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from scipy.special import stdtrit

from agents.matching.model import MatchingAgent, Network
from dispatch.simulation.demand import Arrival
from dispatch.simulation.policies import Policy
from dispatch.simulation.replay import ReplayDay, ReplayOutcome, replay

FIGURES: tuple[tuple[str, str, float, str], ...] = (
    ("waited_wd", "平均等待（工作日）", 1, "{:.2f}"),
    ("waited_share", "当日未派出（%）", 100, "{:.1f}"),
    ("travel_km", "平均路程（公里）", 1, "{:.1f}"),
    ("escalated_share", "上交市、省（%）", 100, "{:.2f}"),
    ("escalation_steps", "平均上交级数", 1, "{:.2f}"),
    ("unevenness", "负荷不均（变异系数）", 1, "{:.3f}"),
    ("on_time_share", "按时（%）", 100, "{:.1f}"),
)


@dataclass(frozen=True, slots=True)
class MeanFigure:
    """The mean of a figure over repeated replays, with its 95 % interval (Student's t; none for a single one)."""

    key: str
    title: str
    mean: float
    low: float | None
    high: float | None
    form: str = "{:.2f}"

    def words(self) -> str:
        mean = self.form.format(self.mean)
        if self.low is None or self.high is None:
            return mean
        return f"{mean} [{self.form.format(self.low)}, {self.form.format(self.high)}]"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Policies side by side: a row of figures for each, and the days of its first replay for a chart."""

    replays: int
    rows: tuple[tuple[str, tuple[MeanFigure, ...]], ...]
    days: Mapping[str, tuple[ReplayDay, ...]]

    def table(self) -> list[list[str]]:
        """Plain text cells, header first."""
        header = ["规则", *(title for _, title, _, _ in FIGURES)]
        return [header, *([name, *(figure.words() for figure in figures)] for name, figures in self.rows)]


def compare(
    policies: Sequence[Policy],
    draws: Iterable[Sequence[Arrival]],
    agents: Sequence[MatchingAgent],
    network: Network,
    *,
    warm_up: int = 0,
) -> Comparison:
    """Replay each draw of demand under each policy; the draw's number seeds what a policy leaves to chance."""
    outcomes: dict[str, list[ReplayOutcome]] = {}
    count = 0
    for seed, arrivals in enumerate(draws):
        count += 1
        for policy in policies:
            played = replay(arrivals, agents, network, policy, warm_up=warm_up, seed=seed)
            outcomes.setdefault(policy.name, []).append(played)
    rows = tuple((name, tuple(_figure(all_, *figure) for figure in FIGURES)) for name, all_ in outcomes.items())
    return Comparison(count, rows, {name: all_[0].days for name, all_ in outcomes.items()})


def _figure(outcomes: Sequence[ReplayOutcome], key: str, title: str, scale: float, form: str) -> MeanFigure:
    values = np.array([getattr(outcome, key) for outcome in outcomes], dtype=np.float64) * scale
    mean = float(values.mean())
    if len(values) < 2:
        return MeanFigure(key, title, mean, None, None, form)
    half = float(stdtrit(len(values) - 1, 0.975)) * float(values.std(ddof=1)) / sqrt(len(values))
    most = scale if scale > 1 else float("inf")  # no share is beyond a hundred per cent, and nothing here below nought
    return MeanFigure(key, title, mean, max(0.0, mean - half), min(most, mean + half), form)
