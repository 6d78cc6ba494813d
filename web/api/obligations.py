"""Obligations: what is owed to whom and by when, counted and in pages."""

from dataclasses import dataclass

from apiflask import APIBlueprint

import db
from dispatch.cases.obligations.obligation import ObligationKind, OwnerKind
from dispatch.views.obligation_lines import DueWhen, ObligationAsker, ObligationFilter, ObligationLine
from web.wiring import cursors
from web.wiring.api_answers import answers
from web.wiring.api_schema import PageQuery, problems
from web.wiring.auth import current_actor, signed_in
from web.wiring.due_cursor import due_cursor, due_of_cursor
from web.wiring.transactions import transaction

bp = APIBlueprint("api_obligations", __name__, url_prefix="/api/v1", tag="obligations")


class ObligationsQuery(PageQuery):
    """Which of the open obligations."""

    kind: ObligationKind | None = None
    due: DueWhen | None = None
    owner: OwnerKind | None = None
    mine: bool = False


@dataclass(frozen=True, slots=True)
class ObligationsPage:
    """A page of what is owed; ``total`` counts all pages, ``counts`` each kind: how many are open, and due when."""

    items: list[ObligationLine]
    total: int
    counts: dict[str, dict[str, int]]
    next_cursor: str | None


@bp.get("/obligations")
@signed_in
@bp.input(ObligationsQuery, location="query", arg_name="asked")
@answers(ObligationsPage)
@bp.doc(responses=problems(422), security="bearer")
def listed(asked: ObligationsQuery) -> ObligationsPage:
    """What is owed now, the most urgent first; ``total`` counts all pages, ``counts`` each kind by when it is due."""
    which = ObligationFilter(asked.kind, asked.due, asked.owner, asked.mine)
    after = due_of_cursor(asked.cursor)
    with transaction() as session:
        asker = ObligationAsker.of(session, current_actor(), at=db.now(session))
        rows = asker.lines(which, limit=asked.limit + 1, after=after)
        counts = asker.counts(which)
    items, following = cursors.page(rows, asked.limit, due_cursor)
    of_kind = {one.kind.value: {"open": one.open, **one.by_due} for one in counts.kinds}
    return ObligationsPage(items, counts.open, of_kind, following)
