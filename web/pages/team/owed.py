"""What is owed: every open obligation of the team, the most urgent first; filters live in the URL, sheets too."""

from flask import Response, render_template, request

import db
from dispatch.cases.obligations.obligation import OWNER_LABEL, ObligationKind, OwnerKind
from dispatch.cases.saved_view import ListName
from dispatch.views.inbox_page import LAMP_WORDS
from dispatch.views.obligation_lines import DUE_LABEL, DueWhen, ObligationAsker, ObligationFilter
from dispatch.views.saved_views import saved_views
from web.pages.team.blueprint import bp
from web.wiring import cursors
from web.wiring.auth import current_actor, staff_only
from web.wiring.due_cursor import due_cursor, due_of_cursor
from web.wiring.formatting import in_words
from web.wiring.list_parts import MOST_EXPORTED, one_of, sheet
from web.wiring.sheets import Plain
from web.wiring.transactions import transaction

PAGE = 50
OWED_HEADS = ("要办的事", "关于", "办件号", "企业", "项目", "由谁办", "时限", "剩余工作日", "牌")


def _asked() -> ObligationFilter:
    return ObligationFilter(
        one_of(ObligationKind, "kind"), one_of(DueWhen, "due"), one_of(OwnerKind, "owner"),
        is_mine=request.args.get("who") == "mine",
    )  # fmt: skip


@bp.get("/owed")
@staff_only
def owed() -> str:
    """A page of what is owed; each chip counts the whole."""
    asked, viewer = _asked(), current_actor()
    after = due_of_cursor(request.args.get("cursor"))
    with transaction() as session:
        asker = ObligationAsker.of(session, viewer, at=db.now(session))
        rows = asker.lines(asked, limit=PAGE + 1, after=after)
        # A chip says how many its page would show: its own filter is left out of the count, the others hold.
        whole = asker.counts(ObligationFilter(owner=asked.owner, is_mine=asked.is_mine))
        total = asker.counts(asked).open
        views = saved_views(session, viewer, ListName.OWED)
    lines, following = cursors.page(rows, PAGE, due_cursor)
    dues = [
        (when.value, DUE_LABEL[when], sum(one.by_due[when] for one in whole.kinds if asked.kind in {None, one.kind}))
        for when in DueWhen
    ]
    kinds = [
        (one.kind.value, one.words, one.open if asked.due is None else one.by_due[asked.due]) for one in whole.kinds
    ]
    return render_template(
        "team/owed.html", rows=lines, following=following, total=total, views=views,
        dues=[due for due in dues if due[2]], kinds=[kind for kind in kinds if kind[2]],
        owners=[(one.value, OWNER_LABEL[one]) for one in OwnerKind],
    )  # fmt: skip


@bp.get("/owed.csv")
@staff_only
def owed_csv() -> Response:
    """What the list shows, every page of it, as CSV."""
    return sheet("owed", "待办", OWED_HEADS, _rows(), "csv")


@bp.get("/owed.xlsx")
@staff_only
def owed_xlsx() -> Response:
    """What the list shows, every page of it, as a workbook."""
    return sheet("owed", "待办", OWED_HEADS, _rows(), "xlsx")


def _rows() -> list[tuple[Plain, ...]]:
    with transaction() as session:
        asker = ObligationAsker.of(session, current_actor(), at=db.now(session))
        lines = asker.lines(_asked(), limit=MOST_EXPORTED)
    return [
        (
            in_words(line.words), line.about, line.case_no, line.enterprise, line.project, in_words(line.owner),
            None if line.due_on is None else line.due_on.isoformat(), line.left_wd, in_words(LAMP_WORDS[line.lamp]),
        )
        for line in lines
    ]  # fmt: skip
