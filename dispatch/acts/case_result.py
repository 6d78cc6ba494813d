"""Case result: what a step of a case, its papers or its legs answers, at every door."""

from dataclasses import dataclass

from dispatch.cases.case import Case, MaterialState
from dispatch.cases.stages import Stage
from dispatch.custody.parcel import Leg, Parcel


@dataclass(frozen=True, slots=True)
class CaseResult:
    """A case after a step: its stage and its version."""

    case_no: str
    stage: Stage
    version: int


@dataclass(frozen=True, slots=True)
class PaperResult:
    """A material after it was given, and the digest of its file."""

    material_id: int
    state: MaterialState
    sha256: str


@dataclass(frozen=True, slots=True)
class LegResult:
    """A leg after it was booked or moved: its parcel, and the stop at which a courier calls."""

    waybill: str
    leg: Leg
    stop_id: int | None


def case_result(case: Case) -> CaseResult:
    """The case as it is now."""
    return CaseResult(case.case_no, case.stage, case.version)


def leg_result(parcel: Parcel) -> LegResult:
    """The leg as it is now."""
    return LegResult(parcel.waybill, parcel.leg, parcel.stop_id)
