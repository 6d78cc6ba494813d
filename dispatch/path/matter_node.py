"""Matter nodes: a matter (事项) and the work of a firm (中介服务), with their limits. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

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
    """A matter of the catalogue (事项) with its limits in working days, as implemented where the project is."""

    code: str
    name: str
    short: str
    phase: int
    kind: MatterKind
    statutory_days: int
    committed_days: int
    committed_now_days: int
    counts_in_target: bool = True
    prerequisites: tuple[str, ...] = ()
    before_works_only: bool = False
    joint_group: str = ""
    area_evaluation: str = ""
    area_effect: AreaEffect = AreaEffect.NONE
    simplified_days: int = 0
    authority: str = ""
    level: str = "county"
    counter: str = ""
    applies_if: str = ""
    relief: str = ""
    exempt_procedures: str = ""
    basis: str = ""

    def __post_init__(self) -> None:
        for name in ("statutory_days", "committed_days", "committed_now_days", "simplified_days"):
            if getattr(self, name) < 0:
                raise PathError(f"{self.code}: {name} is {getattr(self, name)}; a limit cannot be negative")
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

    def days(self, basis: Basis) -> int:
        if basis is Basis.STATUTORY:
            return self.statutory_days
        return self.committed_days if basis is Basis.COMMITTED else self.committed_now_days


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
