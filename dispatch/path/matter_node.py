"""Matter nodes: a matter (事项) and the work of a firm (中介服务), with their limits. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from dispatch.core.limit import Limit
from dispatch.core.three_clocks import ClockOf
from dispatch.path.errors import CycleFound, PathError


class MatterKind(StrEnum):
    """What a matter (事项) is; it says whose clock runs."""

    APPROVAL = "approval"
    FILING = "filing"
    REGISTRATION = "registration"
    TECHNICAL_REVIEW = "technical_review"
    INTERMEDIARY = "intermediary"
    TRANSACTION = "transaction"
    PUBLIC_SERVICE = "public_service"


WHOSE = {
    MatterKind.APPROVAL: ClockOf.AUTHORITY,
    MatterKind.FILING: ClockOf.AUTHORITY,
    MatterKind.REGISTRATION: ClockOf.AUTHORITY,
    MatterKind.TECHNICAL_REVIEW: ClockOf.AUTHORITY,
    MatterKind.INTERMEDIARY: ClockOf.ENTERPRISE,
    MatterKind.TRANSACTION: ClockOf.NOT_COUNTED,
    MatterKind.PUBLIC_SERVICE: ClockOf.ENTERPRISE,
}


class AreaEffect(StrEnum):
    """What a valid area evaluation (区域评估) does to a matter: 替代, 简化, or nothing. An EIA is never replaced."""

    NONE = "none"
    SIMPLIFY = "simplify"
    REPLACE = "replace"


class Basis(StrEnum):
    """Which limit a schedule is drawn from: 法定, 承诺 (the 3550 rules), or 现行承诺 (today's promise)."""

    STATUTORY = "statutory"
    COMMITTED = "committed"
    COMMITTED_NOW = "committed_now"


@dataclass(frozen=True, slots=True)
class MatterNode:
    """A matter of the catalogue (事项) with its limits (None: there is none), as implemented where the project is."""

    code: str
    name: str
    short: str
    phase: int
    kind: MatterKind
    statutory: Limit | None
    committed: Limit | None
    today: Limit | None
    counts_in_target: bool = True
    prerequisites: tuple[str, ...] = ()
    before_decision: frozenset[str] = frozenset()  # prerequisites that must be done by the decision only
    conditions: tuple[tuple[str, str], ...] = ()  # prerequisites that hold under a condition, with it
    applies_when: str = ""  # a condition on the project's facts; empty: always
    before_works_only: bool = False
    joint_group: str = ""
    area_evaluation: str = ""
    area_effect: AreaEffect = AreaEffect.NONE
    area_limit: Limit | None = None  # what a shared area evaluation leaves of the promise
    legal_minimum: Limit | None = None  # of a market procedure: the least time it takes
    authority: str = ""
    level: str = "county"
    counter: str = ""
    applies_if: str = ""
    name_en: str = ""
    limit_chain: str = ""  # steps under one limit from acceptance to completion
    result: str = ""
    result_on_paper: bool = False
    relief: str = ""
    exempt_procedures: str = ""
    basis: str = ""

    def __post_init__(self) -> None:
        if self.code in self.prerequisites:
            raise CycleFound((self.code, self.code))
        if self.area_evaluation == "environment" and self.area_effect is AreaEffect.REPLACE:
            raise PathError(f"{self.code} {self.short}: an environmental evaluation is simplified, never replaced")
        if self.whose is ClockOf.AUTHORITY and not self.authority.strip():
            raise PathError(f"{self.code} {self.short}: no authority decides this matter")

    @property
    def whose(self) -> ClockOf:
        return WHOSE[self.kind]

    @property
    def works_against_target(self) -> bool:
        """As the catalogue says, but land listing and tendering never, whatever it says."""
        return self.counts_in_target and self.whose is not ClockOf.NOT_COUNTED

    def limits(self, basis: Basis) -> tuple[Limit, ...]:
        """The limits that stand together under this basis: what ends first binds. None where there is no limit.

        Where the law sets none, the promise stands in for it; a market procedure lasts its legal minimum."""
        if self.whose is ClockOf.NOT_COUNTED:
            return standing(self.legal_minimum)
        if basis is Basis.STATUTORY:
            return standing(self.statutory) or standing(self.committed)
        promised = self.today if basis is Basis.COMMITTED_NOW and self.today is not None else self.committed
        return standing(promised, self.statutory)

    def days(self, basis: Basis) -> int:
        """Working days in a drawn schedule; nought for what is done at once and for what has no limit."""
        return min((limit.schedule_wd for limit in self.limits(basis)), default=0)


def standing(*limits: Limit | None) -> tuple[Limit, ...]:
    """Those of the limits that there are."""
    return tuple(limit for limit in limits if limit is not None)


@dataclass(frozen=True, slots=True)
class IntermediaryWork:
    """Work of a firm that the enterprise chose (中介服务): in the graph, not in the 50 days, not ours to recommend."""

    code: str
    service: str
    feeds: str  # the matter that waits for the report
    promised_wd: int
    firm: str = ""
    actual_wd: int | None = None
    after: tuple[str, ...] | None = None  # None: may begin when the matter it feeds could otherwise begin

    def __post_init__(self) -> None:
        if self.promised_wd < 0 or (self.actual_wd or 0) < 0:
            raise PathError(f"{self.code} {self.service}: working days cannot be negative")
