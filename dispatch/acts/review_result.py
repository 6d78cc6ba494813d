"""Review result: what a step of a review or a case answers, at every door."""

from dataclasses import dataclass
from datetime import datetime

from dispatch.cases.review import Review
from dispatch.cases.review_state import ReviewState


@dataclass(frozen=True, slots=True)
class ReviewResult:
    """A review after a step: its state, its version, and when it is due."""

    id: int
    state: ReviewState
    version: int
    legal_due_at: datetime | None
    committed_due_at: datetime | None
    due_is_provisional: bool


def review_result(review: Review) -> ReviewResult:
    """The review as it is now."""
    return ReviewResult(
        review.id, review.state, review.version, review.legal_due_at, review.committed_due_at, review.is_provisional
    )
