"""Every stage of a case, what may follow it, and which notice it sends: the process on one page."""

from enum import StrEnum


class Stage(StrEnum):
    """Where a case (办件) is. Stored, and moved by flow.py alone."""

    REQUESTED = "requested"
    ASSIGNED = "assigned"
    CORRECTION = "correction"
    PRESCREENED = "prescreened"
    PICKUP_PLANNED = "pickup_planned"
    COLLECTED = "collected"
    SUBMITTED = "submitted"
    UNDER_REVIEW = "under_review"
    DECIDED = "decided"
    DELIVERY_PLANNED = "delivery_planned"
    DELIVERED = "delivered"
    EVALUATED = "evaluated"
    CLOSED = "closed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


LABEL = {
    Stage.REQUESTED: "已提交",
    Stage.ASSIGNED: "已指派代办员",
    Stage.CORRECTION: "待补正",
    Stage.PRESCREENED: "预审通过",
    Stage.PICKUP_PLANNED: "待揽收",
    Stage.COLLECTED: "已揽收",
    Stage.SUBMITTED: "已报送",
    Stage.UNDER_REVIEW: "审批中",
    Stage.DECIDED: "已办结",
    Stage.DELIVERY_PLANNED: "待投递",
    Stage.DELIVERED: "已送达",
    Stage.EVALUATED: "已评价",
    Stage.CLOSED: "已归档",
    Stage.REFUSED: "不予代办",
    Stage.WITHDRAWN: "已撤件",
}

NEXT: dict[Stage, frozenset[Stage]] = {
    Stage.REQUESTED: frozenset({Stage.ASSIGNED, Stage.REFUSED, Stage.WITHDRAWN}),
    Stage.ASSIGNED: frozenset({Stage.PRESCREENED, Stage.CORRECTION, Stage.REFUSED, Stage.WITHDRAWN}),
    Stage.CORRECTION: frozenset({Stage.ASSIGNED, Stage.REFUSED, Stage.WITHDRAWN}),
    Stage.PRESCREENED: frozenset(
        {Stage.PICKUP_PLANNED, Stage.COLLECTED, Stage.SUBMITTED, Stage.CORRECTION, Stage.WITHDRAWN}
    ),
    Stage.PICKUP_PLANNED: frozenset({Stage.COLLECTED, Stage.PRESCREENED, Stage.WITHDRAWN}),
    Stage.COLLECTED: frozenset({Stage.SUBMITTED, Stage.CORRECTION, Stage.REFUSED, Stage.WITHDRAWN}),
    Stage.SUBMITTED: frozenset({Stage.UNDER_REVIEW, Stage.DECIDED, Stage.WITHDRAWN}),
    Stage.UNDER_REVIEW: frozenset({Stage.DECIDED, Stage.WITHDRAWN}),
    Stage.DECIDED: frozenset({Stage.DELIVERY_PLANNED, Stage.DELIVERED}),
    Stage.DELIVERY_PLANNED: frozenset({Stage.DELIVERED, Stage.DECIDED}),
    Stage.DELIVERED: frozenset({Stage.EVALUATED, Stage.CLOSED}),
    Stage.EVALUATED: frozenset(),
    Stage.CLOSED: frozenset(),
    Stage.REFUSED: frozenset(),
    Stage.WITHDRAWN: frozenset(),
}

# What a correction may take back: a courier's of the same day, or that of a decision, a delivery or a revocation that
# never was.
UNDONE: dict[Stage, frozenset[Stage]] = {
    Stage.DECIDED: frozenset({Stage.UNDER_REVIEW}),
    Stage.COLLECTED: frozenset({Stage.PICKUP_PLANNED}),
    Stage.DELIVERED: frozenset({Stage.DELIVERY_PLANNED, Stage.DECIDED}),
    Stage.WITHDRAWN: frozenset(
        {
            Stage.REQUESTED,
            Stage.ASSIGNED,
            Stage.CORRECTION,
            Stage.PRESCREENED,
            Stage.COLLECTED,
            Stage.SUBMITTED,
            Stage.UNDER_REVIEW,
        }
    ),
}

ENDS = frozenset(stage for stage, following in NEXT.items() if not following)

# The text of notifications/texts.toml that tells the enterprise of each stage.
NOTICE = {
    Stage.REQUESTED: "requested",
    Stage.ASSIGNED: "assigned",
    Stage.CORRECTION: "correction",
    Stage.PRESCREENED: "prescreened",
    Stage.PICKUP_PLANNED: "pickup",
    Stage.COLLECTED: "collected",
    Stage.SUBMITTED: "submitted",
    Stage.UNDER_REVIEW: "accepted",
    Stage.DECIDED: "decided",
    Stage.DELIVERY_PLANNED: "delivery",
    Stage.DELIVERED: "delivered",
    Stage.EVALUATED: "closed",
    Stage.CLOSED: "closed",
    Stage.REFUSED: "refused",
    Stage.WITHDRAWN: "withdrawn",
}

# The milestones that a reader sees as a bar, in order; CORRECTION stands at its prescreen.
MILESTONES = (
    Stage.REQUESTED,
    Stage.ASSIGNED,
    Stage.PRESCREENED,
    Stage.PICKUP_PLANNED,
    Stage.COLLECTED,
    Stage.SUBMITTED,
    Stage.UNDER_REVIEW,
    Stage.DECIDED,
    Stage.DELIVERY_PLANNED,
    Stage.DELIVERED,
    Stage.EVALUATED,
)
