"""What the outbox page shows: messages as they were sent, masked, what became of them, and the daily report."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from dispatch.cases.access_control import visible_messages
from dispatch.cases.case import Case
from dispatch.core.actor import Actor
from notifications import facts, outbox, people, text_catalogue
from notifications.message import Message, State
from notifications.segments import segments
from notifications.suppression import SuppressedNumber

PAGE = 50
STATE_LABEL = {
    State.QUEUED: "待发送",
    State.CLAIMED: "发送中",
    State.SENT: "已提交运营商",
    State.DELIVERED: "已送达",
    State.FAILED_TEMPORARY: "未送达（可重发）",
    State.FAILED_PERMANENT: "发送失败",
    State.UNKNOWN: "结果不明，需人工核对",
    State.EXPIRED: "已过期未发",
    State.SUPPRESSED: "对方已退订",
}
STATE_KIND = {
    State.DELIVERED: "green",
    State.FAILED_TEMPORARY: "amber",
    State.FAILED_PERMANENT: "red",
    State.UNKNOWN: "red",
    State.EXPIRED: "amber",
    State.SUPPRESSED: "amber",
}
PURPOSE_LABEL = {  # a test holds that every text of texts.toml is here
    "login_code": "登录验证码",
    "requested": "已受理代办申请",
    "assigned": "已指派代办员",
    "project_for_agent": "新项目通知（代办员）",
    "projects_for_agent": "当日新项目合并通知（代办员）",
    "prescreened": "预审通过",
    "correction": "一次性补正告知",
    "pickup": "上门揽收时段和取件码",
    "collected": "已揽收",
    "submitted": "已报送",
    "accepted": "部门已受理",
    "paused": "特别程序暂停计时",
    "extended": "部门延期",
    "late": "晚于预计及原因",
    "decided": "部门已作出决定",
    "delivery": "投递时段和收件码",
    "delivered": "已送达",
    "closed": "已归档",
    "refused": "不予代办及原因",
    "withdrawn": "已撤件",
    "agent_changed": "更换代办员",
    "window_changed": "上门时段变更",
    "attempt_failed": "揽投未成功",
    "courier_late": "揽投员晚到",
    "bad_grade": "差评通知（监督）",
    "rectified": "整改结果",
    "commitment_revoked": "撤销决定",
    "first_ask_escalated": "首问未接收（组长）",
    "delegation_revoked": "委托已解除",
    "supplement_due": "容缺材料到期",
    "ticket_received": "已登记咨询投诉",
    "complaint_for_desk": "投诉通知（监督）",
    "ticket_answered": "咨询投诉已答复",
    "assigned_pickup": "指派和揽收合并通知",
    "collected_submitted": "揽收和报送合并通知",
    "decided_delivery": "决定和投递合并通知",
    "news_of_case": "一个办件多条进展合并",
    "news": "多个办件进展合并",
    "news_for_staff": "待办合并通知（工作人员）",
}
AGAIN = frozenset({State.FAILED_TEMPORARY, State.FAILED_PERMANENT, State.UNKNOWN, State.EXPIRED})


@dataclass(frozen=True, slots=True)
class MessageLine:
    """One message of the outbox, as pages may show it."""

    id: int
    text_name: str
    purpose: str
    body: str
    to: str
    case_no: str
    state: State
    words: str
    kind: str
    reason: str
    attempts: int
    segments: int
    cost_fen: int | None
    created_at: datetime
    not_before: datetime
    sent_at: datetime | None
    settled_at: datetime | None
    gateway: str
    receipt: str
    resend_of_id: int | None
    resend_why: str
    may_resend: bool


def messages(
    session: Session,
    viewer: Actor,
    *,
    state: State | None = None,
    case_no: str = "",
    after: int | None = None,
    limit: int = PAGE,
    plain: bool = False,
) -> tuple[list[MessageLine], int | None]:
    """The newest first, and where the next page begins."""
    query = (
        select(Message, Case.case_no)
        .outerjoin(Case, Case.id == Message.case_id)
        .where(visible_messages(viewer))
        .order_by(Message.id.desc())
    )
    if state is not None:
        query = query.where(Message.state == state)
    if case_no.strip():
        query = query.where(Case.case_no.contains(case_no.strip(), autoescape=True))
    if after is not None:
        query = query.where(Message.id < after)
    rows = session.execute(query.limit(limit + 1)).all()
    shown = [_line(session, message, number or "", plain=plain) for message, number in rows[:limit]]
    return shown, (shown[-1].id if len(rows) > limit else None)


def _line(session: Session, message: Message, case_no: str, *, plain: bool) -> MessageLine:
    settings = outbox.settings()
    body = outbox.body_of(session, message, plain=plain)
    text = text_catalogue.catalogue().texts.get(message.text_name)
    count = message.segments or (segments(body) if body else 0)
    fen = message.cost_fen
    if fen is None and count:
        fen = count * settings.fen_a_segment.get(message.gateway or settings.mainland[0].gateway, 0)
    return MessageLine(
        id=message.id,
        text_name=message.text_name,
        purpose=PURPOSE_LABEL.get(message.text_name, message.text_name),
        body=body or "（内容已按规定清除）",
        to=people.shown(message),
        case_no=case_no,
        state=message.state,
        words=STATE_LABEL[message.state],
        kind=STATE_KIND.get(message.state, ""),
        reason=message.reason or "",
        attempts=message.attempts,
        segments=count,
        cost_fen=fen,
        created_at=message.created_at,
        not_before=message.not_before,
        sent_at=message.sent_at,
        settled_at=message.settled_at,
        gateway=message.gateway or "",
        receipt=message.error_code or "",
        resend_of_id=message.resend_of_id,
        resend_why=message.resend_why or "",
        may_resend=message.state in AGAIN and bool(text) and not (text and text.once) and bool(message.values_json),
    )


def states(session: Session, viewer: Actor, *, at: datetime) -> list[tuple[str, str, int]]:
    """How many messages of the last thirty days are in each state."""
    rows = session.execute(
        select(Message.state, func.count())
        .where(visible_messages(viewer), Message.created_at > at - timedelta(days=30))
        .group_by(Message.state)
    )
    counted: dict[State, int] = dict(rows.all())
    return [(state.value, words, counted[state]) for state, words in STATE_LABEL.items() if state in counted]


@dataclass(frozen=True, slots=True)
class TextDay:
    """One text over some days, from the daily facts."""

    text_name: str
    purpose: str
    posted: int
    sent: int
    delivered: int
    failed: int
    quick: float | None


def delivery_report(session: Session, *, first: date, last: date) -> list[TextDay]:
    """What the days' messages came to, text by text."""
    sums: dict[str, Counter[str]] = {}
    for row in facts.report(session, first, last):
        sums.setdefault(row.text, Counter()).update(row.counts)
    return [
        TextDay(
            name, PURPOSE_LABEL.get(name, name), n.get("posted", 0), n.get("sent", 0),
            n.get("delivered", 0), n.get("failed_permanent", 0) + n.get("failed_temporary", 0),
            n.get("within_10s", 0) / n["sent"] if n.get("sent") else None,
        )
        for name, n in sorted(sums.items(), key=lambda item: -item[1]["posted"])
    ]  # fmt: skip


def left_alone(session: Session, *, limit: int = 100) -> list[SuppressedNumber]:
    """Numbers that get nothing now, the latest first."""
    rows = select(SuppressedNumber).where(SuppressedNumber.lifted_at.is_(None))
    return list(session.scalars(rows.order_by(SuppressedNumber.since.desc()).limit(limit)))
