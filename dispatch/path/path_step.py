"""Path steps: a matter in one project's path, what it waits for and how long it lasts. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from dispatch.core.limit import IMMEDIATE, Limit, last_day
from dispatch.core.three_clocks import ClockOf
from dispatch.core.working_days import Calendar
from dispatch.path.area_effects import ZoneEvaluation
from dispatch.path.matter_node import AreaEffect, Basis, MatterNode, standing


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

    @property
    def authority_promise(self) -> Limit | None:
        """What the authority promises here, after a shared evaluation; the lead's own plan is no promise of theirs."""
        area = self.matter.area_limit if self.effect is AreaEffect.SIMPLIFY else None
        return min(standing(self.matter.committed, area), key=lambda limit: limit.schedule_wd, default=None)

    @property
    def promise(self) -> Limit | None:
        """What is promised on this project: the shortest of the authority's, the area evaluation's, the undertaking's.

        None where the authority promised nothing more than the law."""
        if self.own_days is not None:
            return Limit(self.own_days)
        return min(self._promises(Basis.COMMITTED), key=lambda limit: limit.schedule_wd, default=None)

    def limits(self, basis: Basis) -> tuple[Limit, ...]:
        """The limits that stand together on this project: what ends first binds.

        A shared evaluation, an undertaking and the lead's own days change what is promised, never the law."""
        if self.effect is AreaEffect.REPLACE:
            return ()
        if basis is Basis.STATUTORY or self.matter.whose is ClockOf.NOT_COUNTED:
            return self.matter.limits(basis)
        if self.own_days is not None:
            return (Limit(self.own_days),)
        return (*self._promises(basis), *standing(self.matter.statutory))

    def _promises(self, basis: Basis) -> tuple[Limit, ...]:
        matter = self.matter
        promised = matter.today if basis is Basis.COMMITTED_NOW and matter.today is not None else matter.committed
        area = matter.area_limit if self.effect is AreaEffect.SIMPLIFY else None
        return standing(promised, area, IMMEDIATE if self.by_commitment else None)

    def days(self, basis: Basis, counting: Counting) -> int:
        """Working days in a drawn schedule; nought in the target for what does not count."""
        if counting is Counting.TARGET and not self.matter.works_against_target:
            return 0
        return min((limit.schedule_wd for limit in self.limits(basis)), default=0)

    def ends_on(self, calendar: Calendar, begins_on: date, basis: Basis) -> date:
        """The last day on the calendar when it begins so; calendar days are counted as such."""
        ends = (last_day(calendar, begins_on, limit) for limit in self.limits(basis))
        return min(ends, default=calendar.first_workday_from(begins_on))
