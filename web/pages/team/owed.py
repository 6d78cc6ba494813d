"""What is owed: every open obligation of the team, the most urgent first; filters live in the URL."""

from enum import StrEnum
from typing import TypeVar

from flask import render_template, request

import db
from dispatch.cases.obligations.obligation import OWNER_LABEL, ObligationKind, OwnerKind
from dispatch.views.obligation_lines import DUE_LABEL, DueWhen, ObligationAsker, ObligationFilter
from web.pages.team.blueprint import bp
from web.wiring import cursors
from web.wiring.auth import current_actor, staff_only
from web.wiring.due_cursor import due_cursor, due_of_cursor
from web.wiring.transactions import transaction

PAGE = 50
Choice = TypeVar("Choice", bound=StrEnum)


def _chosen(name: str, kinds: type[Choice]) -> Choice | None:
    word = request.args.get(name, "")
    return kinds(word) if word in {one.value for one in kinds} else None


@bp.get("/owed")
@staff_only
def owed() -> str:
    """A page of what is owed; each chip counts the whole."""
    asked = ObligationFilter(
        _chosen("kind", ObligationKind), _chosen("due", DueWhen), _chosen("owner", OwnerKind),
        is_mine=request.args.get("who") == "mine",
    )  # fmt: skip
    after = due_of_cursor(request.args.get("cursor"))
    with transaction() as session:
        asker = ObligationAsker.of(session, current_actor(), at=db.now(session))
        rows = asker.lines(asked, limit=PAGE + 1, after=after)
        # A chip says how many its page would show: its own filter is left out of the count, the others hold.
        whole = asker.counts(ObligationFilter(owner=asked.owner, is_mine=asked.is_mine))
        total = asker.counts(asked).open
    lines, following = cursors.page(rows, PAGE, due_cursor)
    dues = [
        (when.value, DUE_LABEL[when], sum(one.by_due[when] for one in whole.kinds if asked.kind in {None, one.kind}))
        for when in DueWhen
    ]
    kinds = [
        (one.kind.value, one.words, one.open if asked.due is None else one.by_due[asked.due]) for one in whole.kinds
    ]
    return render_template(
        "team/owed.html", rows=lines, following=following, total=total,
        dues=[due for due in dues if due[2]], kinds=[kind for kind in kinds if kind[2]],
        owners=[(one.value, OWNER_LABEL[one]) for one in OwnerKind],
    )  # fmt: skip
