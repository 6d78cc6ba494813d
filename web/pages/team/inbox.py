"""The inbox: cases, the overdue first; filters, order and pages live in the URL, and what it shows is a sheet too."""

from enum import StrEnum
from typing import TypeVar

from flask import Response, render_template, request
from flask_babel import gettext

import db
from dispatch.cases.project import FAMILY_LABEL
from dispatch.cases.stages import LABEL, Stage
from dispatch.catalogue.matter import Family
from dispatch.core.actor import Role
from dispatch.core.legal_clock import Lamp
from dispatch.core.shanghai_time import in_shanghai
from dispatch.views import inbox_page
from dispatch.views.case_lines import MorningLine
from dispatch.views.inbox_page import LAMP_WORDS, SORT_WORDS, STAGE_ORDER, STATE_WORDS, InboxFilter
from web.pages.team.blueprint import bp
from web.wiring.auth import current_actor, staff_only
from web.wiring.formatting import in_words
from web.wiring.security_log import SecurityKind, record_apart
from web.wiring.sheets import XLSX, Plain, comma_separated, xlsx
from web.wiring.transactions import transaction

MOST_PAGES = 100_000
MOST_EXPORTED = 20_000
"""Rows of one sheet: the open cases of the largest province."""
HEADS = ("办件号", "企业", "项目", "阶段", "下一步", "代办员", "时限", "剩余工作日", "牌", "逾期风险")

Word = TypeVar("Word", bound=StrEnum)


@bp.get("/inbox")
@staff_only
def inbox() -> str:
    """Cases to work on."""
    viewer, asked = current_actor(), _asked()
    page = min(max(request.args.get("page", 1, type=int), 1), MOST_PAGES)
    with transaction() as session:
        found = inbox_page.inbox(session, viewer, at=db.now(session), asked=asked, page=page)
        choices = inbox_page.inbox_choices(session, viewer)
    stages = [(stage.value, LABEL[stage], found.counts[stage]) for stage in STAGE_ORDER if found.counts.get(stage)]
    return render_template(
        "team/inbox.html", found=found, stages=stages, asked=asked, choices=choices, page=page,
        has_more=page * inbox_page.INBOX_PAGE < found.total,
        LAMP=LAMP_WORDS, STATE=STATE_WORDS, SORT=SORT_WORDS, FAMILY=FAMILY_LABEL,
    )  # fmt: skip


@bp.get("/inbox.csv")
@staff_only
def inbox_csv() -> Response:
    """What the list shows, every page of it, as CSV."""
    return _file(comma_separated(_heads(), _rows()), "text/csv; charset=utf-8", "csv")


@bp.get("/inbox.xlsx")
@staff_only
def inbox_xlsx() -> Response:
    """What the list shows, every page of it, as a workbook."""
    return _file(xlsx([(gettext("办件"), _heads(), _rows())]), XLSX, "xlsx")


def _asked() -> InboxFilter:
    """The filter in the URL; what is no choice there asks for nothing."""
    args, is_agent = request.args, current_actor().role is Role.AGENT
    return InboxFilter(
        stage=_one_of(Stage, args.get("stage")),
        mine=is_agent and args.get("who", "mine") == "mine",
        words=args.get("q", "")[:60],
        agent_id=args.get("agent", type=_row_id),
        town_id=args.get("town", type=_row_id),
        lamp=_one_of(Lamp, args.get("lamp")),
        family=_one_of(Family, args.get("family")),
        state=args.get("state", "") if args.get("state") in STATE_WORDS else "",
        sort=args.get("sort", "") if args.get("sort") in SORT_WORDS else "",
    )


def _one_of(words: type[Word], typed: str | None) -> Word | None:
    return words(typed) if typed in {word.value for word in words} else None


def _row_id(typed: str) -> int:
    """An id as a column holds it. Raises ValueError, which is no filter."""
    number = int(typed)
    if not 0 < number < 2**31:
        raise ValueError(typed)
    return number


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


def _heads() -> list[str]:
    return [in_words(head) for head in HEADS]


def _file(body: bytes, kind: str, ending: str) -> Response:
    record_apart(SecurityKind.EXPORTED, account_id=current_actor().account_id, subject=f"inbox.{ending}")
    response = Response(body, content_type=kind)
    response.headers["Content-Disposition"] = f'attachment; filename="daiban-cases.{ending}"'
    return response
