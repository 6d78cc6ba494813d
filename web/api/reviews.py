"""Reviews: what an authority's papers say of one matter."""

from typing import Any, Literal

from apiflask import APIBlueprint
from pydantic import Field

import db
from dispatch.acts import reviewing
from dispatch.cases.access_control import review_for
from dispatch.cases.review import ReviewPause, ReviewState
from dispatch.core.actor import Role
from dispatch.core.errors import Refused, Stale
from dispatch.core.special_procedure import PauseKind
from web.wiring.api_schema import Day, Strict, problems
from web.wiring.auth import current_actor, roles
from web.wiring.idempotency import idempotent
from web.wiring.transactions import transaction

bp = APIBlueprint("api_reviews", __name__, url_prefix="/api/v1", tag="reviews")


class ReviewIn(Strict):
    """One step: which, and what its paper says."""

    step: Literal[
        "simulated", "accepted", "granted_on_commitment", "verified", "revoked",
        "supplement", "refiled", "not_accepted", "paused", "resumed", "extended", "granted",
        "denied", "returned",
    ]  # fmt: skip
    notice_no: str = Field(default="", max_length=80)
    words: str = Field(default="", max_length=1000)
    kind: PauseKind | None = None
    on: Day | None = None
    until: Day | None = None
    maximum_wd: int = Field(default=20, ge=1, le=400)
    working_days: int = Field(default=10, ge=1, le=60)
    rule: str = Field(default="", max_length=200)
    version: int | None = None


@bp.patch("/reviews/<int:review_id>")
@roles(Role.AGENT, Role.LEAD, Role.OPERATOR)
@bp.input(ReviewIn, arg_name="body")
@bp.output({})
@bp.doc(responses=problems(404, 409, 422), security="bearer")
@idempotent
def step(review_id: int, body: ReviewIn) -> dict[str, Any]:
    """Accepted, supplement, paused, extended, decided: as the authority's paper says."""
    viewer = current_actor()
    with transaction() as session:
        review = review_for(session, viewer, review_id)
        if body.version is not None and body.version != review.version:
            raise Stale(f"review {review_id} is at version {review.version}")
        at = db.now(session)
        today = at.astimezone(db.SHANGHAI).date()
        match body.step:
            case "simulated":
                reviewing.simulate_review(session, review, by=viewer, at=at)
            case "accepted":
                reviewing.accept(session, review, notice_no=body.notice_no, by=viewer, at=at)
            case "granted_on_commitment":
                reviewing.grant_on_commitment(
                    session, review, decision_no=body.notice_no, verify_by=body.until or today, by=viewer, at=at
                )
            case "verified" | "revoked":
                reviewing.verify_commitment(
                    session, review, holds=body.step == "verified", reason=body.words, by=viewer, at=at
                )
            case "supplement":
                reviewing.ask_supplement(session, review, words=body.words, by=viewer, at=at)
            case "refiled":
                reviewing.refile(session, review, receipt_no=body.notice_no, by=viewer, at=at)
            case "not_accepted":
                reviewing.refuse_acceptance(session, review, reason=body.words, by=viewer, at=at)
            case "paused":
                if body.kind is None or body.until is None:
                    raise Refused(
                        "a pause needs its kind and its expected end", user_message="请选择特别程序种类和预计结束日期"
                    )
                pause = ReviewPause(
                    kind=body.kind, notice_no=body.notice_no, starts_on=body.on or today, expected_end_on=body.until,
                    maximum_wd=body.maximum_wd, rule=body.rule,
                )  # fmt: skip
                reviewing.pause(session, review, pause, by=viewer, at=at)
            case "resumed":
                reviewing.resume(session, review, on=body.on or today, by=viewer, at=at)
            case "extended":
                reviewing.extend(
                    session, review, working_days=body.working_days, approved_on=body.on or today, reason=body.words,
                    by=viewer, at=at,
                )  # fmt: skip
            case "granted" | "denied" | "returned":
                reviewing.decide(
                    session, review, outcome=ReviewState(body.step), decision_no=body.notice_no, reason=body.words,
                    by=viewer, at=at,
                )  # fmt: skip
        session.flush()
        return {
            "id": review.id, "state": review.state.value, "version": review.version,
            "legal_due_at": review.legal_due_at, "committed_due_at": review.committed_due_at,
        }  # fmt: skip
