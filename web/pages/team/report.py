"""The monthly report (代办工作月报): on the page, in print, as XLSX and as CSV."""

from collections.abc import Sequence
from datetime import date, time, timedelta

from flask import Response, json, render_template, request
from flask_babel import gettext

import db
from dispatch.cases.project import FAMILY_LABEL
from dispatch.core.actor import Role
from dispatch.core.shanghai_time import utc
from dispatch.views import report_page
from dispatch.views.event_log import event_log
from dispatch.views.report_clocks import FamilyClocks
from dispatch.views.report_page import MonthlyReport, ReportRow
from web.pages.team.blueprint import bp
from web.wiring.auth import current_actor, roles
from web.wiring.formatting import today
from web.wiring.security_log import SecurityKind, record_apart
from web.wiring.sheets import XLSX, Plain, comma_separated, xlsx
from web.wiring.transactions import transaction

report_readers = roles(Role.LEAD, Role.SUPERVISOR, Role.OPERATOR)
ROW_HEADS = ("名称", "新增办件", "在办办件", "办结归档", "作出决定（项）", "按时（项）", "按时率", "平均用时（工作日）")
SHORT_HEADS = ("名称", "作出决定（项）", "按时（项）", "按时率", "平均用时（工作日）")
CLOCK_HEADS = ("类别", "n", "目标", "审批用时", "中介与企业用时", "不计时", "全程历时")
MONTHS = 12


def asked_month() -> date:
    """The month in the URL, else this one; a month to come is this one."""
    try:
        month = date.fromisoformat(f"{request.args.get('month', '')}-01")
    except ValueError:
        return today().replace(day=1)
    return min(month, today().replace(day=1))


def _months() -> list[tuple[str, str]]:
    month, found = today().replace(day=1), []
    for _ in range(MONTHS):
        found.append((f"{month:%Y-%m}", gettext("%(y)s年%(m)s月", y=month.year, m=month.month)))
        month = date(month.year - (month.month == 1), (month.month - 2) % 12 + 1, 1)
    return found


def _made() -> MonthlyReport:
    with transaction() as session:
        return report_page.report(session, current_actor(), month=asked_month(), at=db.now(session))


@bp.get("/report")
@report_readers
def report() -> str:
    """The month's figures with their definitions and cut-off."""
    page = _made()
    tables = (
        (gettext("乡镇（街道）"), page.towns, True),
        ("部门", page.departments, False),
        ("事项", page.matters, False),
    )
    return render_template(
        "team/report.html", page=page, tables=tables, months=_months(), month=f"{page.first:%Y-%m}",
        FAMILY_LABEL=FAMILY_LABEL,
    )  # fmt: skip


@bp.get("/report.xlsx")
@report_readers
def report_xlsx() -> Response:
    """The report as a workbook: figures, towns, departments, matters."""
    page = _made()
    figures: list[Sequence[Plain]] = [(f.name, _number(f.value), f.n, f.definition) for f in page.figures]
    figures.append((f"统计口径：{page.area}，{page.first.isoformat()}至{page.last.isoformat()}", None, None, None))
    body = xlsx(
        [
            ("月报", ("指标", "数值", "n", "定义"), figures),
            ("三个时钟", CLOCK_HEADS, [_clocks(row) for row in page.clocks]),
            ("按乡镇", ROW_HEADS, [_full(row) for row in page.towns]),
            ("按部门", SHORT_HEADS, [_short(row) for row in page.departments]),
            ("按事项", SHORT_HEADS, [_short(row) for row in page.matters]),
        ]
    )
    return _file(body, XLSX, page, "xlsx")


@bp.get("/report.csv")
@report_readers
def report_csv() -> Response:
    """The figures and the three tables, one under the other."""
    page = _made()
    rows: list[Sequence[Plain]] = [("指标", f.name, _number(f.value), f.n, f.definition) for f in page.figures]
    rows += [("三个时钟", *_clocks(row)) for row in page.clocks]
    for kind, of in (("乡镇", page.towns), ("部门", page.departments), ("事项", page.matters)):
        rows += [(kind, *_full(row)) for row in of]
    return _file(comma_separated(("类别", *ROW_HEADS), rows), "text/csv; charset=utf-8", page, "csv")


@bp.get("/report/events.json")
@report_readers
def report_events() -> Response:
    """The month's cases with their whole history, for process mining (OCEL 2.0)."""
    first = asked_month()
    after = (first + timedelta(days=32)).replace(day=1)
    with transaction() as session:
        log = event_log(session, current_actor(), since=utc(first, time()), until=utc(after, time()))
    record_apart(SecurityKind.EXPORTED, account_id=current_actor().account_id, subject="events.json")
    response = Response(json.dumps(log, ensure_ascii=False), mimetype="application/json")
    response.headers["Content-Disposition"] = f'attachment; filename="daiban-{first:%Y-%m}.jsonocel"'
    return response


def _file(body: bytes, kind: str, page: MonthlyReport, ending: str) -> Response:
    record_apart(SecurityKind.EXPORTED, account_id=current_actor().account_id, subject=f"report.{ending}")
    response = Response(body, content_type=kind)
    response.headers["Content-Disposition"] = f'attachment; filename="daiban-{page.first:%Y-%m}.{ending}"'
    return response


def _full(row: ReportRow) -> tuple[Plain, ...]:
    return (row.name, row.new, row.open, row.closed, *_short(row)[1:])


def _short(row: ReportRow) -> tuple[Plain, ...]:
    share = None if row.share is None else round(row.share, 4)
    mean = None if row.mean_wd is None else round(row.mean_wd, 2)
    return row.name, row.decided, row.in_time, share, mean


def _clocks(row: FamilyClocks) -> tuple[Plain, ...]:
    means = (row.approval_wd, row.enterprise_wd, row.not_counted_wd, row.elapsed_wd)
    return (
        FAMILY_LABEL[row.family],
        row.projects,
        row.target_wd,
        *(None if wd is None else round(wd, 2) for wd in means),
    )


def _number(words: str) -> Plain:
    """A figure's number where it is one, so that a spreadsheet can go on with it."""
    try:
        return float(words) if "." in words else int(words)
    except ValueError:
        return gettext("无") if words == "—" else words
