"""Review states: where one matter is with its authority, and which state may follow which. Pure."""

from enum import StrEnum

from dispatch.path.edits import Relief


class ReviewState(StrEnum):
    """Where one matter is with its authority. PREPARED 待报送: known since intake, not filed yet."""

    PREPARED = "prepared"
    SIMULATED = "simulated"
    SUBMITTED = "submitted"
    ACCEPTED = "accepted"
    SUPPLEMENT = "supplement"
    NOT_ACCEPTED = "not_accepted"
    PAUSED = "paused"
    EXTENDED = "extended"
    GRANTED = "granted"
    DENIED = "denied"
    RETURNED = "returned"
    WITHDRAWN = "withdrawn"


REVIEW_LABEL = {
    ReviewState.PREPARED: "待报送",
    ReviewState.SIMULATED: "模拟审批",
    ReviewState.SUBMITTED: "已报送",
    ReviewState.ACCEPTED: "已受理",
    ReviewState.SUPPLEMENT: "补正",
    ReviewState.NOT_ACCEPTED: "不予受理",
    ReviewState.PAUSED: "特别程序",
    ReviewState.EXTENDED: "已延期",
    ReviewState.GRANTED: "准予许可",
    ReviewState.DENIED: "不予许可",
    ReviewState.RETURNED: "退办",
    ReviewState.WITHDRAWN: "已撤件",
}

_RUNNING = frozenset({ReviewState.GRANTED, ReviewState.DENIED, ReviewState.RETURNED, ReviewState.WITHDRAWN})
NEXT_REVIEW: dict[ReviewState, frozenset[ReviewState]] = {
    ReviewState.PREPARED: frozenset({ReviewState.SIMULATED, ReviewState.SUBMITTED, ReviewState.WITHDRAWN}),
    ReviewState.SIMULATED: frozenset({ReviewState.SUBMITTED, ReviewState.WITHDRAWN}),
    ReviewState.SUBMITTED: frozenset(
        {
            ReviewState.ACCEPTED,
            ReviewState.SUPPLEMENT,
            ReviewState.NOT_ACCEPTED,
            ReviewState.GRANTED,  # a same-day matter (即办件) is decided as it is filed
            ReviewState.WITHDRAWN,
        }
    ),
    ReviewState.SUPPLEMENT: frozenset({ReviewState.SUBMITTED, ReviewState.WITHDRAWN}),
    ReviewState.ACCEPTED: _RUNNING | {ReviewState.PAUSED, ReviewState.EXTENDED},
    ReviewState.PAUSED: frozenset({ReviewState.ACCEPTED, ReviewState.EXTENDED, ReviewState.WITHDRAWN}),
    ReviewState.EXTENDED: _RUNNING | {ReviewState.PAUSED},
    ReviewState.NOT_ACCEPTED: frozenset(),
    ReviewState.GRANTED: frozenset(),
    ReviewState.DENIED: frozenset(),
    ReviewState.RETURNED: frozenset(),
    ReviewState.WITHDRAWN: frozenset(),
}
UNFILED = frozenset({ReviewState.PREPARED, ReviewState.SIMULATED})
REVIEW_ENDS = frozenset(state for state, following in NEXT_REVIEW.items() if not following)


RELIEF_LABEL = {Relief.DEFERRED: "容缺受理", Relief.COMMITMENT: "告知承诺", Relief.SIMULATED: "模拟审批"}
