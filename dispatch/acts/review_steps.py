"""Review steps: the word by which a door names each step of a review, and the act that it is."""

from collections.abc import Mapping
from types import MappingProxyType

from dispatch.acts.acceptance import AcceptReview, AskSupplement, RefuseAcceptance
from dispatch.acts.act import Act
from dispatch.acts.correcting import CorrectEvent
from dispatch.acts.deciding import (
    ConfirmCommitment,
    DenyReview,
    GrantOnCommitment,
    GrantReview,
    ReturnReview,
    RevokeDecision,
)
from dispatch.acts.filing import RefileReview, SimulateReview
from dispatch.acts.pausing import ExtendReview, PauseReview, ResumeReview
from dispatch.acts.relieving import RelieveOrder
from dispatch.acts.review_result import ReviewResult

REVIEW_STEPS: Mapping[str, type[Act[ReviewResult]]] = MappingProxyType(
    {
        "simulated": SimulateReview,
        "accepted": AcceptReview,
        "supplement": AskSupplement,
        "refiled": RefileReview,
        "not_accepted": RefuseAcceptance,
        "paused": PauseReview,
        "resumed": ResumeReview,
        "extended": ExtendReview,
        "granted_on_commitment": GrantOnCommitment,
        "verified": ConfirmCommitment,
        "revoked": RevokeDecision,
        "granted": GrantReview,
        "denied": DenyReview,
        "returned": ReturnReview,
        "order_relieved": RelieveOrder,
        "corrected": CorrectEvent,
    }
)
