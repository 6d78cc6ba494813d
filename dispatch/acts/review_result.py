"""Review result: what a step of a review or a case answers, at every door."""

from dataclasses import dataclass
from datetime import datetime

from dispatch.cases.case import Case
from dispatch.cases.review import Review, ReviewState
from dispatch.cases.stages import Stage


@dataclass(frozen=True, slots=True)
class ReviewResult:
    """A review after a step: its state, its version, and when it is due."""

    id: int
    state: ReviewState
    version: int
    legal_due_at: datetime | None
    committed_due_at: datetime | None


@dataclass(frozen=True, slots=True)
class CaseResult:
    """A case after a step: its stage and its version."""

    case_no: str
    stage: Stage
    version: int


def review_result(review: Review) -> ReviewResult:
    """The review as it is now."""
    return ReviewResult(review.id, review.state, review.version, review.legal_due_at, review.committed_due_at)


def case_result(case: Case) -> CaseResult:
    """The case as it is now."""
    return CaseResult(case.case_no, case.stage, case.version)
