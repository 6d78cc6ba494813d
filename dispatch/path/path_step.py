"""Path steps: a matter in one project's path, what it waits for and how long it lasts. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from dispatch.core.three_clocks import ClockOf
from dispatch.path.area_effects import ZoneEvaluation
from dispatch.path.matter_node import AreaEffect, Basis, MatterNode

DAY_BY_COMMITMENT_WD = 1  # 告知承诺: decided on the day it is handed in


class Counting(StrEnum):
    """Which days a schedule counts: those of the 3/5/50 target (审批用时), or every day that passes (全程历时)."""

    TARGET = "target"
    ELAPSED = "elapsed"


class WaitLink(StrEnum):
    """How a matter waits for another: to start, or (on an undertaking, or in simulation) only to be decided."""

    START = "start"
    DECISION = "decision"


@dataclass(frozen=True, slots=True)
class Wait:
    """An arrow of the graph: ``on`` must be finished before the matter can start, or before it can be decided."""

    on: str
    link: WaitLink = WaitLink.START
    why: str = ""


@dataclass(frozen=True, slots=True)
class PathStep:
    """A matter in one project's path, after area evaluations, reliefs and the lead's edits."""

    matter: MatterNode
    waits: tuple[Wait, ...]
    effect: AreaEffect = AreaEffect.NONE
    evaluation: ZoneEvaluation | None = None
    by_commitment: bool = False
    own_days: int | None = None  # this project's own limit, where its lead set one
    reason: str = ""

    @property
    def code(self) -> str:
        return self.matter.code

    def days(self, basis: Basis, counting: Counting) -> int:
        """Nought in the target for what does not count; a land listing lasts its legal minimum in every basis."""
        matter = self.matter
        if counting is Counting.TARGET and not matter.works_against_target:
            return 0
        if self.effect is AreaEffect.REPLACE:
            return 0
        days = matter.statutory_days if matter.whose is ClockOf.NOT_COUNTED else matter.days(basis)
        if self.own_days is not None and basis is not Basis.STATUTORY:
            return self.own_days
        if self.effect is AreaEffect.SIMPLIFY:
            days = min(days, matter.simplified_days)
        if self.by_commitment:
            days = min(days, DAY_BY_COMMITMENT_WD)
        return days
