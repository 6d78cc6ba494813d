"""Reviews: what an authority's papers say of one matter."""

from typing import Any

from apiflask import APIBlueprint
from pydantic import RootModel

from dispatch.acts.review_result import ReviewResult
from dispatch.acts.review_steps import REVIEW_STEPS
from web.wiring.act_door import body_of_steps, command_from, offers, take
from web.wiring.api_answers import answers
from web.wiring.api_schema import problems
from web.wiring.idempotency import idempotent

bp = APIBlueprint("api_reviews", __name__, url_prefix="/api/v1", tag="reviews")


@bp.patch("/reviews/<int:review_id>")
@offers(steps=REVIEW_STEPS)
@bp.input(body_of_steps("ReviewIn", REVIEW_STEPS, path=("review",)), arg_name="body")
@answers(ReviewResult)
@bp.doc(responses=problems(404, 409, 422), security="bearer")
@idempotent
def step(review_id: int, body: RootModel[Any]) -> ReviewResult:
    """Accepted, supplement, paused, extended, decided: as the authority's paper says."""
    return take(command_from(REVIEW_STEPS[body.root.step], body.root, review=review_id))
