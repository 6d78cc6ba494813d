"""The security log: who came in or was kept out, who changed whose access, who took data along; read, never changed."""

from flask import Response, render_template, request
from flask_babel import gettext
from sqlalchemy import select

import db
from web.pages.operator.accounts import bp
from web.wiring.accounts import Account
from web.wiring.auth import current_person, operator_only, proved
from web.wiring.formatting import on_our_clock
from web.wiring.forms import whole_number
from web.wiring.security_alarms import ALARM_WORDS, alarms
from web.wiring.security_log import PAGE, SecurityEvent, SecurityKind, events, record
from web.wiring.security_words import SECURITY_LABEL, detail_in_words, subject_in_words
from web.wiring.sheets import comma_separated
from web.wiring.transactions import transaction

MOST_EXPORTED = 10_000


def _asked() -> tuple[SecurityKind | None, int | None]:
    wanted = request.args.get("kind", "")
    return (
        SecurityKind(wanted) if wanted in set(SecurityKind) else None,
        whole_number(request.args.get("account", "")) or None,
    )


@bp.get("/security")
@operator_only
def security_log() -> str:
    """Lines, the newest first, of one kind or one person where asked."""
    kind, account_id = _asked()
    with transaction() as session:
        before = whole_number(request.args.get("cursor", "")) or None
        rows = events(session, kind=kind, account_id=account_id, before=before, limit=PAGE + 1)
        shown = rows[:PAGE]
        found = alarms(session) if before is None else []
        people = [*(row.account_id for row in shown), *(alarm.account_id for alarm in found)]
        ids = {one for one in people if one is not None}
        named = dict(session.execute(select(Account.id, Account.name).where(Account.id.in_(ids))).all())
        return render_template(
            "operator/security.html", rows=shown, names=named, LABEL=SECURITY_LABEL, alarms=found,
            ALARM_WORDS=ALARM_WORDS,
            detail_in_words=detail_in_words, subject_in_words=subject_in_words,
            following=shown[-1].id if len(rows) > PAGE else None,
            kinds=[(one.value, SECURITY_LABEL[one]) for one in SecurityKind],
        )  # fmt: skip


@bp.get("/security.csv")
@operator_only
@proved
def security_export() -> Response:
    """The same lines as a file; that they were taken along is a line too."""
    kind, account_id = _asked()
    with transaction() as session:
        record(session, SecurityKind.EXPORTED, account_id=current_person().account_id, subject="security")
        rows = events(session, kind=kind, account_id=account_id, limit=MOST_EXPORTED)
        lines = [_line(row) for row in rows]
    heads = [gettext(head) for head in ("时间", "事件", "账号", "对象", "网络", "详情")]
    return Response(
        comma_separated(heads, lines), mimetype="text/csv",
        headers={"Content-Disposition": "attachment; filename=security.csv", "Cache-Control": "no-store"},
    )  # fmt: skip


def _line(row: SecurityEvent) -> list[str | int | None]:
    at = f"{on_our_clock(row.at).astimezone(db.SHANGHAI):%Y-%m-%d %H:%M:%S}"
    detail = " ".join(
        gettext("%(what)s：%(value)s", what=gettext(name), value=gettext(value))
        for name, value in detail_in_words(row.detail)
    )
    return [at, gettext(SECURITY_LABEL[row.kind]), row.account_id, row.subject, row.network, detail]
