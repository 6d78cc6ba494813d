"""Search: one question over cases, projects, tickets and people, as the pages' box asks it."""

from apiflask import APIBlueprint
from pydantic import Field

from dispatch.views.finding import LONGEST, FindPage, find
from web.wiring.api_answers import answers
from web.wiring.api_schema import Strict, problems
from web.wiring.auth import current_actor, staff_only
from web.wiring.transactions import transaction

bp = APIBlueprint("api_search", __name__, url_prefix="/api/v1/search", tag="search")


class SearchQuery(Strict):
    """What somebody has in hand: half a name, initials, any number."""

    q: str = Field(max_length=LONGEST)


@bp.get("")
@staff_only
@bp.input(SearchQuery, location="query", arg_name="asked")
@answers(FindPage)
@bp.doc(responses=problems(422), security="bearer")
def search(asked: SearchQuery) -> FindPage:
    """At most twenty of a kind, the open before the ended."""
    with transaction() as session:
        return find(session, current_actor(), asked.q)
