"""The inbox: cases, the overdue first; filters, order and pages live in the URL, and what it shows is a sheet too."""

from flask import Response, render_template, request

import db
from dispatch.cases.project import FAMILY_LABEL
from dispatch.cases.saved_view import ListName
from dispatch.cases.stages import LABEL, Stage
from dispatch.catalogue.matter import Family
from dispatch.core.actor import Role
from dispatch.core.legal_clock import Lamp
from dispatch.core.shanghai_time import in_shanghai
from dispatch.views import inbox_page
from dispatch.views.case_lines import MorningLine
from dispatch.views.inbox_page import LAMP_WORDS, SORT_WORDS, STAGE_ORDER, STATE_WORDS, InboxFilter
from dispatch.views.saved_views import saved_views
from web.pages.team.blueprint import bp
from web.wiring.auth import current_actor, staff_only
from web.wiring.formatting import in_words
from web.wiring.list_parts import MOST_EXPORTED, one_of, page_number, row_id, sheet
from web.wiring.sheets import Plain
from web.wiring.transactions import transaction

CASE_HEADS = ("办件号", "企业", "项目", "阶段", "下一步", "代办员", "时限", "剩余工作日", "牌", "逾期风险")


@bp.get("/inbox")
@staff_only
def inbox() -> str:
    """Cases to work on."""
    viewer, asked = current_actor(), _asked()
    page = page_number()
    with transaction() as session:
        found = inbox_page.inbox(session, viewer, at=db.now(session), asked=asked, page=page)
        choices = inbox_page.inbox_choices(session, viewer)
        views = saved_views(session, viewer, ListName.CASES)
    stages = [(stage.value, LABEL[stage], found.counts[stage]) for stage in STAGE_ORDER if found.counts.get(stage)]
    return render_template(
        "team/inbox.html", found=found, stages=stages, asked=asked, choices=choices, page=page, views=views,
        has_more=page * inbox_page.INBOX_PAGE < found.total,
        LAMP=LAMP_WORDS, STATE=STATE_WORDS, SORT=SORT_WORDS, FAMILY=FAMILY_LABEL,
    )  # fmt: skip


@bp.get("/inbox.csv")
@staff_only
def inbox_csv() -> Response:
    """What the list shows, every page of it, as CSV."""
    return sheet("cases", "办件", CASE_HEADS, _rows(), "csv")


@bp.get("/inbox.xlsx")
@staff_only
def inbox_xlsx() -> Response:
    """What the list shows, every page of it, as a workbook."""
    return sheet("cases", "办件", CASE_HEADS, _rows(), "xlsx")


def _asked() -> InboxFilter:
    """The filter in the URL; what is no choice there asks for nothing."""
    args, is_agent = request.args, current_actor().role is Role.AGENT
    return InboxFilter(
        stage=one_of(Stage, "stage"),
        mine=is_agent and args.get("who", "mine") == "mine",
        words=args.get("q", "")[:60],
        agent_id=row_id("agent"),
        town_id=row_id("town"),
        lamp=one_of(Lamp, "lamp"),
        family=one_of(Family, "family"),
        state=args.get("state", "") if args.get("state") in STATE_WORDS else "",
        sort=args.get("sort", "") if args.get("sort") in SORT_WORDS else "",
    )


def _rows() -> list[tuple[Plain, ...]]:
    with transaction() as session:
        found = inbox_page.inbox(
            session, current_actor(), at=db.now(session), asked=_asked(), page=1, size=MOST_EXPORTED
        )
    return [_row(line) for line in found.lines]


def _row(line: MorningLine) -> tuple[Plain, ...]:
    return (
        line.case_no, line.enterprise, line.project, in_words(line.stage), in_words(line.words), line.agent,
        None if line.due is None else in_shanghai(line.due).date().isoformat(), line.left_wd,
        in_words(LAMP_WORDS[line.lamp]), None if line.risk is None else round(line.risk, 3),
    )  # fmt: skip
